//! HTTP out: everything that can be asked. Read models answer, the log itself is streamed to analysts and auditors.
//!
//! Nothing here changes anything. Which error where: see the module `error`.

mod app;
mod audit;
mod caller;
mod carts;
mod conditional;
mod consistency;
mod customers;
mod error;
mod events;
mod header;
mod openapi;
mod orders;
mod page;
mod products;
mod refusals;
mod replicas;
mod stock;

pub use app::{App, Config};
pub use replicas::{Patience, Replicas};

use axum::Router;
use tower_http::compression::CompressionLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All calls of the query API, and the document that describes them.
///
/// Answers are compressed for those who accept it. Server-sent events are not; what else is streamed goes out whenever there
/// is nothing more to send at the moment, compressed or not.
pub fn api(app: App) -> (Router, OpenApi) {
    let (router, document) = calls().split_for_parts();
    (router.with_state(app).layer(CompressionLayer::new()), document)
}

fn calls() -> OpenApiRouter<App> {
    openapi::described()
        .routes(routes!(products::list))
        .routes(routes!(products::find))
        .routes(routes!(products::recommendations))
        .routes(routes!(products::suggest))
        .routes(routes!(stock::find))
        .routes(routes!(stock::watch))
        .routes(routes!(stock::alerts))
        .routes(routes!(carts::find))
        .routes(routes!(orders::list))
        .routes(routes!(orders::find))
        .routes(routes!(orders::way))
        .routes(routes!(orders::payment))
        .routes(routes!(customers::me))
        .routes(routes!(events::list))
        .routes(routes!(audit::order))
}
