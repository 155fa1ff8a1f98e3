//! HTTP in: everything that can be asked for, and the command engine that does it.
//!
//! A folder per aggregate: `bodies` are what comes in, parsed at the edge into the domain's types; handlers make a command of them
//! and submit it (`edge`). Which error where: rules of the business come as [`domain::Refusal`] out of the engine; what the edge
//! itself finds wrong is a [`http_surface::Problem`] at once; what accounts say is an [`accounts::Error`].

pub mod accounts;
mod app;
mod carts;
mod customers;
mod edge;
pub mod engine;
mod orders;
mod products;
mod sessions;
mod stock;
mod webhooks;

pub use app::{App, Config};

use axum::Router;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All calls of the command API, and their OpenAPI document.
pub fn api(app: App) -> (Router, utoipa::openapi::OpenApi) {
    let (router, mut document) = calls().split_for_parts();
    edge::describe_answers(&mut document);
    (router.with_state(app), document)
}

fn calls() -> OpenApiRouter<App> {
    edge::described()
        .routes(routes!(customers::register))
        .routes(routes!(customers::change, customers::forget))
        .routes(routes!(customers::add_address))
        .routes(routes!(sessions::sign_in))
        .routes(routes!(sessions::refresh))
        .routes(routes!(sessions::sign_out))
        .routes(routes!(carts::open))
        .routes(routes!(carts::set, carts::remove))
        .routes(routes!(orders::place))
        .routes(routes!(orders::cancel))
        .routes(routes!(orders::request_return))
        .routes(routes!(orders::receive_return))
        .routes(routes!(orders::refund))
        .routes(routes!(orders::ship))
        .routes(routes!(orders::deliver))
        .routes(routes!(products::create))
        .routes(routes!(products::change))
        .routes(routes!(products::publish))
        .routes(routes!(products::unpublish))
        .routes(routes!(stock::receive))
        .routes(routes!(stock::adjust))
        .routes(routes!(stock::set_reorder_point))
        .routes(routes!(webhooks::notice))
}
