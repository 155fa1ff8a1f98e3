//! On real sockets: who stays, who has to go, and who is not let in.

use std::net::SocketAddr;
use std::time::Instant;

use axum::body::Bytes;
use axum::routing::{get, post};
use tokio::task::JoinHandle;

use super::*;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(20);

/// A server with limits of its own, stopped when the test is over.
struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    served: JoinHandle<()>,
}

impl Server {
    async fn with(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let slow = || async {
            tokio::time::sleep(SHORT * 3).await;
            "slow"
        };
        let trickle = || async {
            let pieces = futures::stream::unfold(0, |count| async move {
                tokio::time::sleep(SHORT / 2).await;
                (count < 6).then(|| (std::io::Result::Ok(Bytes::from_static(b"x")), count + 1))
            });
            axum::body::Body::from_stream(pieces)
        };
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/slow", get(slow))
            .route("/trickle", get(trickle))
            .route("/echo", post(|body: Bytes| async { body }));
        let shutdown = CancellationToken::new();
        let served = tokio::spawn(serve_within(limits, listener, router, shutdown.clone()));
        Self { address, shutdown, served }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn limits(open: usize, head: Duration, idle: Duration) -> Limits {
    Limits { open, head, idle }
}

async fn say(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// Reads until the answer ends in that text.
async fn hear(stream: &mut TcpStream, end: &str) -> String {
    let mut heard = String::new();
    let read = async {
        while !heard.ends_with(end) {
            let mut piece = [0; 1024];
            let length = stream.read(&mut piece).await.unwrap();
            assert!(length > 0, "closed after {heard:?}");
            heard.push_str(std::str::from_utf8(&piece[..length]).unwrap());
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("an answer");
    heard
}

/// Reads until the other side closes; what came until then. A reset is a close, too.
async fn closed(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("closed");
    String::from_utf8(rest).unwrap()
}

#[tokio::test]
async fn headers_that_do_not_come_to_an_end_are_not_waited_for() {
    let server = Server::with(limits(10, SHORT, LONG)).await;
    let (mut reader, mut writer) = server.connect().await.into_split();
    let begun = Instant::now();
    // A byte now and then does not buy more time.
    let dripping = tokio::spawn(async move {
        for byte in "GET / HTTP/1.1\r\nx: ".bytes().chain(std::iter::repeat(b'y')) {
            if writer.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(SHORT / 10).await;
        }
    });
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, reader.read_to_end(&mut rest)).await.expect("closed");
    assert!(begun.elapsed() >= SHORT, "closed after {:?}", begun.elapsed());
    tokio::time::timeout(PATIENCE, dripping).await.expect("the writer sees it").unwrap();
}

#[tokio::test]
async fn the_second_call_of_a_connection_has_no_more_time_for_its_headers() {
    let server = Server::with(limits(10, SHORT, LONG)).await;
    let mut stream = server.connect().await;
    say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    hear(&mut stream, "here").await;
    say(&mut stream, "GET / HT").await;
    assert_eq!(closed(&mut stream).await, "");
}

#[tokio::test]
async fn an_idle_connection_stays_for_a_while() {
    let server = Server::with(limits(10, SHORT, SHORT * 8)).await;
    let mut stream = server.connect().await;
    // Longer than headers may take: nothing has begun.
    tokio::time::sleep(SHORT * 2).await;
    say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    hear(&mut stream, "here").await;
    tokio::time::sleep(SHORT * 2).await;
    say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    hear(&mut stream, "here").await;
    let begun = Instant::now();
    assert_eq!(closed(&mut stream).await, "");
    assert!(begun.elapsed() >= SHORT * 6, "closed after {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_call_may_take_its_time() {
    let server = Server::with(limits(10, SHORT * 2, SHORT * 2)).await;
    let mut stream = server.connect().await;
    say(&mut stream, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let answer = hear(&mut stream, "slow").await;
    assert!(answer.contains("content-length: 4"), "{answer}");
    say(&mut stream, "GET /trickle HTTP/1.1\r\nhost: x\r\n\r\n").await;
    hear(&mut stream, "0\r\n\r\n").await;
    say(&mut stream, "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\na").await;
    tokio::time::sleep(SHORT * 3).await;
    say(&mut stream, "b").await;
    hear(&mut stream, "ab").await;
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_again() {
    let server = Server::with(limits(2, LONG, LONG)).await;
    let mut inside = [server.connect().await, server.connect().await];
    for stream in &mut inside {
        say(stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        hear(stream, "here").await;
    }
    let mut outside = server.connect().await;
    say(&mut outside, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let answer = closed(&mut outside).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer:?}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.ends_with(&format!("content-length: {}", body.len())), "{answer}");
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&problem["code"], &problem["status"]), (&"overloaded".into(), &503.into()));

    drop(inside);
    // A place is free as soon as the server has seen that they left.
    let again = async {
        loop {
            let mut stream = server.connect().await;
            say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
            if closed(&mut stream).await.ends_with("here") {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("a place");
}

#[tokio::test]
async fn a_stop_waits_for_calls_and_for_nobody_else() {
    let mut server = Server::with(limits(10, LONG, LONG)).await;
    let (mut idle, mut calling) = (server.connect().await, server.connect().await);
    say(&mut idle, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    hear(&mut idle, "here").await;
    say(&mut calling, "GET /trickle HTTP/1.1\r\nhost: x\r\n\r\n").await;
    hear(&mut calling, "x\r\n").await;
    server.shutdown.cancel();
    assert_eq!(closed(&mut idle).await, "");
    assert!(closed(&mut calling).await.ends_with("0\r\n\r\n"));
    tokio::time::timeout(PATIENCE, &mut server.served).await.expect("stopped").unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

/// A frame of HTTP/2 (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[tokio::test]
async fn pings_between_the_calls_of_http_2_are_no_headers_that_do_not_end() {
    const PING: u8 = 6;
    let server = Server::with(limits(10, SHORT, LONG)).await;
    let mut stream = server.connect().await;
    // GET / of http://x, in the static table of HPACK (RFC 7541, appendix A).
    let headers = frame(1, 5, 1, &[0x82, 0x86, 0x84, 0x41, 1, b'x']);
    let call = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[]), headers].concat();
    stream.write_all(&call).await.unwrap();
    let mut answered = Vec::new();
    for count in 0..8_u8 {
        tokio::time::sleep(SHORT / 3).await;
        stream.write_all(&frame(PING, 0, 0, &[count; 8])).await.unwrap();
        let acknowledged = frame(PING, 1, 0, &[count; 8]);
        while !answered.windows(acknowledged.len()).any(|window| window == acknowledged) {
            let read =
                tokio::time::timeout(PATIENCE, stream.read_buf(&mut answered)).await.expect("an answer");
            assert!(read.unwrap() > 0, "closed after {count} pings");
        }
    }
    assert!(answered.windows(4).any(|window| window == b"here"));
}
