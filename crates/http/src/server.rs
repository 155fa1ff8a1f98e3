//! Serving a router until it is to stop.

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves until `shutdown` is cancelled; calls that are under way then are finished.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let stop = shutdown.cancelled_owned();
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}
