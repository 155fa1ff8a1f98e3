//! HTTP out: everything that can be asked. Read models answer, the log itself is streamed to analysts and auditors.
//!
//! Nothing here changes anything. Which error where: see [`error`].

mod app;
pub mod audit;
mod caller;
mod conditional;
mod consistency;
mod customers;
mod error;
mod events;
mod openapi;
mod orders;
mod page;
mod refusals;
mod stock;

pub use app::{App, Config};
pub use openapi::document;

use axum::Router;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All calls of the query API, with `/openapi.json` and `/docs`.
pub fn router(app: App) -> Router {
    let (router, _document) = calls().split_for_parts();
    router.with_state(app).layer(CompressionLayer::new())
}

fn calls() -> OpenApiRouter<App> {
    openapi::described()
        .routes(routes!(orders::list))
        .routes(routes!(orders::find))
        .routes(routes!(orders::way))
        .routes(routes!(orders::payment))
        .routes(routes!(customers::me))
        .routes(routes!(events::list))
        .routes(routes!(audit::order))
}
