//! Serving a router until it is to stop, to so many connections at once and to none that holds its place for nothing.

mod stay;
#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::stay::{Heard, Stay, Told};

/// So many connections are open at once in this process; whoever comes then is told to come again.
const OPEN_MAX: usize = 10_000;
/// So many are told so at once; the others find the connection closed.
const REFUSED_AT_ONCE: usize = 64;
/// How long a refused one has to hear it.
const REFUSAL_MAX: Duration = Duration::from_secs(1);
/// What it hears.
const REFUSAL: &str = concat!(
    r#"{"type":"https://jumun.dev/problems/overloaded","title":"Overloaded","status":503,"#,
    r#""detail":"as many connections are open as there may be; come again","code":"overloaded"}"#
);

/// How long a connection may stay, and with how many others.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Connections at once.
    open: usize,
    /// From the first byte of a call to the end of its headers.
    head: Duration,
    /// From the end of one call to the first byte of the next. Longer than the 60 seconds after which load balancers
    /// give up an idle connection: whoever gives up first must be the one who sends.
    idle: Duration,
}

const LIMITS: Limits = Limits { open: OPEN_MAX, head: Duration::from_secs(5), idle: Duration::from_secs(75) };

/// Serves until `shutdown` is cancelled; calls that are under way then are finished.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    serve_within(LIMITS, listener, router, shutdown).await;
    Ok(())
}

async fn serve_within(
    limits: Limits,
    mut listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) {
    let open = Arc::new(Semaphore::new(limits.open));
    let refusing = Arc::new(Semaphore::new(REFUSED_AT_ONCE));
    let connections = TaskTracker::new();
    loop {
        // The listener's own accept waits out what passes by itself, such as too many open files.
        let (stream, _) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = shutdown.cancelled() => break,
        };
        match Arc::clone(&open).try_acquire_owned() {
            Ok(place) => {
                let serving = connection(limits, stream, router.clone(), shutdown.clone(), place);
                connections.spawn(serving);
            }
            Err(_) => refuse(stream, &refusing),
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Serves one connection until it ends, is to stop, or has outstayed.
async fn connection(
    limits: Limits,
    stream: TcpStream,
    router: Router,
    shutdown: CancellationToken,
    _place: OwnedSemaphorePermit,
) {
    metrics::gauge!("http_connections").increment(1);
    let stay = Stay::begin(limits.head, limits.idle);
    let service = TowerToHyperService::new(Told::new(router, stay.clone()));
    let builder = Builder::new(TokioExecutor::new());
    let served = builder.serve_connection(TokioIo::new(Heard::new(stream, stay.clone())), service);
    let (mut served, mut outstayed) = (pin!(served), pin!(stay.outstayed()));
    let mut stopping = false;
    loop {
        tokio::select! {
            // How a client ended its connection is its own affair.
            _ = served.as_mut() => break,
            () = outstayed.as_mut() => break,
            () = shutdown.cancelled(), if !stopping => {
                stopping = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
    metrics::gauge!("http_connections").decrement(1);
}

/// Tells somebody for whom there is no place, without waiting for it.
fn refuse(mut stream: TcpStream, refusing: &Arc<Semaphore>) {
    metrics::counter!("http_connections_refused_total").increment(1);
    let Ok(place) = Arc::clone(refusing).try_acquire_owned() else { return };
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{REFUSAL}",
        REFUSAL.len()
    );
    let tell = async move {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // Closed with something unread in it, the connection would be reset, and the answer lost on the way.
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        std::io::Result::Ok(())
    };
    tokio::spawn(async move {
        let _ = tokio::time::timeout(REFUSAL_MAX, tell).await;
        drop(place);
    });
}
