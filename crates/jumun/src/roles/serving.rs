//! Listening, and stopping in time.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Calls that are under way at a stop may take so long to end; then the stop goes on without them.
const GRACE: Duration = Duration::from_secs(10);

/// Takes an address.
pub(super) async fn listen(key: &str, address: SocketAddr) -> Result<(TcpListener, String)> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("{key}: nothing can listen on {address}"))?;
    let own = listener.local_addr()?;
    Ok((listener, format!("http://{own}")))
}

/// Serves until it is to stop; calls that are under way then are finished.
pub(super) async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) -> Result<()> {
    let over = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = http_surface::server::serve(listener, router, shutdown.clone()) => Ok(served?),
        () = over => {
            tracing::warn!("some calls did not end in time; they are cut off");
            Ok(())
        }
    }
}

/// Cancelled at the first SIGINT or SIGTERM. The second one ends the process at once.
pub(super) fn signalled() -> Result<CancellationToken> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        for code in [None, Some(130)] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if let Some(code) = code {
                eprintln!("jumun: told twice, so everything is dropped at once; the next start mends it");
                std::process::exit(code);
            }
            tracing::info!("stopping; once more ends it at once");
            told.cancel();
        }
    });
    Ok(stop)
}
