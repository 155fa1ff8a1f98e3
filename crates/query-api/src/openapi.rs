//! The OpenAPI document: what no single call says.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// What is said of the whole API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Jumun query API",
        description = "Everything that can be asked. Answers come from read models that follow the log; a query that carries the \
                       `Consistency-Token` of a command is answered from what that command did, or with 503 and `Retry-After`. \
                       Errors are RFC 9457 problem documents with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "catalogue", description = "Products, search and stock. Needs no token."),
        (name = "carts", description = "Carts: their owner's, and the staff's."),
        (name = "orders", description = "Orders: their owner's, and the staff's."),
        (name = "customers", description = "The signed-in customer."),
        (name = "log", description = "The log itself, for analysts and auditors. Personal data stays sealed."),
    ),
    // Problem documents are named by the refusals, which do not bring along what those refer to.
    components(schemas(http_surface::Problem, http_surface::Detail)),
    modifiers(&Bearer),
)]
struct Described;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// A router whose document says what is said of the whole API.
pub(crate) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Described::openapi())
}
