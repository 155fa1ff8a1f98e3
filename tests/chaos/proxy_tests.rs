//! The proxy does to a network what it says: else a run proves nothing.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::proxy::{Mode, Proxy};

/// Long enough for what is to come, and for seeing that nothing comes.
const SOON: Duration = Duration::from_secs(20);
const NEVER: Duration = Duration::from_millis(300);

/// A server that says again what it hears, and tells what it has heard.
async fn echo() -> (String, tokio::sync::mpsc::UnboundedReceiver<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (heard, hears) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let heard = heard.clone();
            tokio::spawn(async move {
                while let Ok(byte) = stream.read_u8().await {
                    heard.send(byte).unwrap();
                    if stream.write_u8(byte).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, hears)
}

async fn says(stream: &mut TcpStream, byte: u8) -> Option<u8> {
    stream.write_u8(byte).await.ok()?;
    tokio::time::timeout(SOON, stream.read_u8()).await.unwrap().ok()
}

#[tokio::test]
async fn a_cut_closes_what_is_open_and_refuses_what_is_new_until_it_is_well() {
    let (address, _heard) = echo().await;
    let proxy = Proxy::to(&address);
    let mut before = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(says(&mut before, 1).await, Some(1));
    proxy.set(Mode::Cut);
    assert!(tokio::time::timeout(SOON, before.read_u8()).await.unwrap().is_err());
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(says(&mut new, 2).await, None);
    proxy.set(Mode::Well);
    let mut after = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(says(&mut after, 3).await, Some(3));
}

#[tokio::test]
async fn answers_are_lost_while_questions_arrive_and_what_has_lost_one_is_closed() {
    let (address, mut heard) = echo().await;
    let proxy = Proxy::to(&address);
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    proxy.set(Mode::AnswersLost);
    stream.write_u8(7).await.unwrap();
    assert_eq!(tokio::time::timeout(SOON, heard.recv()).await.unwrap(), Some(7));
    assert!(tokio::time::timeout(NEVER, stream.read_u8()).await.is_err(), "nothing comes");
    proxy.set(Mode::Well);
    assert!(tokio::time::timeout(SOON, stream.read_u8()).await.unwrap().is_err(), "it is closed");
}

#[tokio::test]
async fn what_is_held_arrives_later() {
    let (address, mut heard) = echo().await;
    let proxy = Proxy::to(&address);
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    proxy.set(Mode::Held);
    stream.write_u8(7).await.unwrap();
    assert!(tokio::time::timeout(NEVER, heard.recv()).await.is_err(), "it does not arrive");
    proxy.set(Mode::Well);
    assert_eq!(tokio::time::timeout(SOON, stream.read_u8()).await.unwrap().unwrap(), 7);
}

#[tokio::test]
async fn slow_is_slow_both_ways() {
    let (address, _heard) = echo().await;
    let proxy = Proxy::to(&address);
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    proxy.set(Mode::Slow(Duration::from_millis(50)));
    let begun = std::time::Instant::now();
    assert_eq!(says(&mut stream, 7).await, Some(7));
    assert!(begun.elapsed() >= Duration::from_millis(100));
}
