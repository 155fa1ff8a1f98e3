//! `POST /v1/customers`. A row in the vault and an event in the log, which do not come apart: see [`crate::accounts`].

use axum::extract::State;
use axum::response::Response;
use domain::ids::CustomerId;
use domain::{Actor, Command, customer};
use http_surface::Problem;
use serde_json::json;
use uuid::Uuid;

use super::bodies::{NewCustomer, Registered};
use crate::app::App;
use crate::edge::{Asked, Asking, Body, By, Conflicts, Malformed, NotWell, created, submit};
use crate::engine::{Error, Receipt};

/// Opens an account.
#[utoipa::path(
    post, path = "/v1/customers", tag = "customers", params(Asking), request_body = NewCustomer,
    responses(
        (status = 201, description = "The account is open", body = Registered),
        Malformed, Conflicts, NotWell,
    ),
)]
pub(crate) async fn register(
    State(app): State<App>,
    asked: Asked,
    Body(body): Body<NewCustomer>,
) -> Result<Response, Problem> {
    let (profile, locale) = body.value.parse()?;
    let customer_id = CustomerId(Uuid::now_v7());
    let email_index = app.store.email_index(&profile.email);
    app.accounts.prepare(&email_index, &body.value.password, customer_id.0).await?;
    let command =
        Command::Customer(customer::Command::Register { customer_id, email_index, locale, profile });
    let by = By::nobody_yet(Actor::Customer(customer_id));
    let answer = json!({"customer_id": customer_id});
    let receipt = match submit(&app, &asked, by, &body.bytes, command, answer).await {
        Ok(receipt) => receipt,
        // Nobody knows whether it was registered: the log is asked when somebody signs in.
        Err(error @ Error::Unavailable) => return Err(error.into()),
        Err(error) => {
            app.accounts.withdraw(customer_id.0).await?;
            return Err(error.into());
        }
    };
    settle(&app, customer_id, &receipt).await;
    Ok(created(&receipt, "customer_id", |_| "/v1/customers/me".to_owned()))
}

/// The log has it. What fails from here on is made good when the customer signs in.
async fn settle(app: &App, prepared: CustomerId, receipt: &Receipt) {
    let registered =
        receipt.answer["customer_id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(prepared.0);
    let settled = async {
        if registered != prepared.0 {
            app.accounts.withdraw(prepared.0).await?;
        }
        app.accounts.activate(registered).await
    };
    if let Err(error) = settled.await {
        tracing::warn!(%error, customer_id = %registered, "an account stays pending until its customer signs in");
    }
}
