//! `DELETE /v1/customers/me`.

use axum::extract::State;
use axum::response::Response;
use domain::ids::SubjectId;
use domain::{Command, customer};
use http_surface::Problem;
use http_surface::auth::Caller;
use serde_json::json;

use crate::app::App;
use crate::edge::{Asked, Asking, By, Conflicts, Forbidden, Missing, NotWell, Unauthenticated, done, submit};

/// Forgets the customer: account, sessions, and everything personal in the log, for ever. Orders stay, without the person.
#[utoipa::path(
    delete, path = "/v1/customers/me", tag = "customers", params(Asking), security(("bearer" = [])),
    responses(
        (status = 204, description = "The customer is forgotten"),
        Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn forget(
    State(app): State<App>,
    caller: Caller,
    asked: Asked,
) -> Result<Response, Problem> {
    let customer_id = crate::edge::customer(&caller)?;
    let command = Command::Customer(customer::Command::Forget { customer_id });
    let receipt = submit(&app, &asked, By::caller(&caller), b"", command, json!({})).await?;
    // The event makes sure that this happens, whatever happens here; done at once, nobody has to wait to see it.
    if let Err(error) = app.store.destroy_key(SubjectId(customer_id.0)).await {
        tracing::warn!(%error, %customer_id, "a key is not destroyed yet; the process manager will do it");
    }
    if let Err(error) = app.accounts.forget(customer_id.0).await {
        tracing::warn!(%error, %customer_id, "an account is not removed yet; the process manager will do it");
    }
    Ok(done(&receipt))
}
