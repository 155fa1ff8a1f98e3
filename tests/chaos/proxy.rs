//! A TCP proxy that can be a bad network: connections that are cut, slow, half open, or held and let go.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const BUFFER_BYTES: usize = 16 * 1024;

/// How the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Well,
    /// Whatever is open is closed, and nothing new gets through.
    Cut,
    /// Every piece takes so much longer, in both directions.
    Slow(Duration),
    /// Half open: what is asked gets through, answers do not. What has lost an answer is closed when all is well again.
    AnswersLost,
    /// Nothing gets through now, all of it later: what was asked long ago arrives when nobody waits for it any more.
    Held,
}

/// A proxy. It ends with whoever holds it.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    upstream: Arc<Mutex<Option<String>>>,
    mode: watch::Sender<Mode>,
    /// Connections that it has carried.
    carried: Arc<AtomicUsize>,
}

impl Proxy {
    /// One that knows where it leads to only later. Must be called within a runtime.
    pub(crate) fn bind() -> Self {
        let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let listener = TcpListener::from_std(listener).unwrap();
        let upstream = Arc::new(Mutex::new(None));
        let (mode, seen) = watch::channel(Mode::Well);
        let carried = Arc::default();
        tokio::spawn(accept(listener, Arc::clone(&upstream), seen, Arc::clone(&carried)));
        Self { port, upstream, mode, carried }
    }

    /// Where connections lead to from now on. Those there are stay.
    pub(crate) fn lead_to(&self, upstream: &str) {
        *self.upstream.lock().unwrap_or_else(PoisonError::into_inner) = Some(upstream.to_owned());
    }

    pub(crate) fn to(upstream: &str) -> Self {
        let proxy = Self::bind();
        proxy.lead_to(upstream);
        proxy
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (std::net::Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Whether anybody has come through it.
    pub(crate) fn used(&self) -> bool {
        self.carried.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn accept(
    listener: TcpListener,
    upstream: Arc<Mutex<Option<String>>>,
    mut mode: watch::Receiver<Mode>,
    carried: Arc<AtomicUsize>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            gone = closed(&mut mode) => return gone,
        };
        let Ok((client, _)) = accepted else { continue };
        let upstream = upstream.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (Some(upstream), now) = (upstream, *mode.borrow()) else { continue };
        if now != Mode::Cut {
            carried.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(carry(client, upstream, mode.clone()));
        }
    }
}

/// Until nobody holds the proxy any more.
async fn closed(mode: &mut watch::Receiver<Mode>) {
    while mode.changed().await.is_ok() {}
}

/// One connection. When one direction ends, both do.
async fn carry(client: TcpStream, upstream: String, mode: watch::Receiver<Mode>) {
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let ask = Direction { answers: false, mode: mode.clone() };
    let answer = Direction { answers: true, mode };
    let _ = tokio::select! {
        ended = ask.pump(from_client, to_server) => ended,
        ended = answer.pump(from_server, to_client) => ended,
    };
}

struct Direction {
    answers: bool,
    mode: watch::Receiver<Mode>,
}

impl Direction {
    async fn pump(
        mut self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let (mut buffer, mut lost) = (vec![0; BUFFER_BYTES], false);
        loop {
            let read = tokio::select! {
                read = from.read(&mut buffer) => read?,
                changed = self.mode.changed() => {
                    let over = *self.mode.borrow() == Mode::Cut || (lost && !self.loses());
                    if changed.is_err() || over { return Ok(()) }
                    continue;
                }
            };
            if read == 0 {
                return Ok(());
            }
            lost |= self.loses();
            if !lost {
                self.pass(&mut to, &buffer[..read]).await?;
            }
        }
    }

    fn loses(&self) -> bool {
        self.answers && *self.mode.borrow() == Mode::AnswersLost
    }

    async fn pass(&mut self, to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
        let now = *self.mode.borrow_and_update();
        match now {
            Mode::Slow(by) => tokio::time::sleep(by).await,
            Mode::Held => {
                let let_go = self.mode.wait_for(|mode| *mode != Mode::Held).await;
                if let_go.is_ok_and(|mode| *mode == Mode::Cut) {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
            Mode::Cut => return Err(io::ErrorKind::ConnectionAborted.into()),
            Mode::Well | Mode::AnswersLost => {}
        }
        to.write_all(bytes).await
    }
}
