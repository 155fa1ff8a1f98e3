//! `POST /v1/customers`. A row in the vault and an event in the log, which do not come apart: see [`crate::accounts`].

use axum::extract::State;
use axum::response::Response;
use domain::customer::EmailIndex;
use domain::ids::CustomerId;
use domain::{Actor, Command, customer};
use http_surface::{Problem, to_the_end};
use serde_json::json;
use uuid::Uuid;

use super::bodies::{NewCustomer, Registered};
use super::owner::owner;
use crate::app::App;
use crate::edge::{Asked, Asking, Body, By, Conflicts, Malformed, NotWell, created, submit};
use crate::engine::{Error, Receipt};

/// Opens an account.
///
/// An `Idempotency-Key` must be a random UUID (version 4 or 7; else 400 `invalid-header`), and kept secret.
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
    let customer_id = CustomerId(Uuid::now_v7());
    let by = By::nobody_yet(Actor::Customer(customer_id), &asked)?;
    let (profile, locale) = body.value.parse()?;
    let email_index = app.store.email_index(&profile.email);
    let command = Command::Customer(customer::Command::Register {
        customer_id,
        email_index: email_index.clone(),
        locale,
        profile,
    });
    // A client who goes away in the middle leaves no half of it behind.
    let receipt = to_the_end(async move {
        clear(&app, &email_index).await?;
        app.accounts.prepare(&email_index, &body.value.password, customer_id.0).await?;
        decided(&app, &asked, by, &body.bytes, customer_id, command).await
    });
    Ok(created(&receipt.await?, "customer_id", |_| "/v1/customers/me".to_owned()))
}

/// Clears away what registrations of that address have left behind that were cut off, by a crash for example.
async fn clear(app: &App, email_index: &EmailIndex) -> Result<(), Problem> {
    if app.accounts.has_leftovers(email_index).await? {
        let owner = owner(app, email_index).await?;
        app.accounts.clear_leftovers(email_index, owner.map(|owner| owner.0)).await?;
    }
    Ok(())
}

/// What the log says to a registration, and what follows from that for its row.
async fn decided(
    app: &App,
    asked: &Asked,
    by: By,
    body: &[u8],
    customer_id: CustomerId,
    command: Command,
) -> Result<Receipt, Problem> {
    let answer = json!({"customer_id": customer_id});
    match submit(app, asked, by, body, command, answer).await {
        Ok(receipt) => {
            settle(app, customer_id, &receipt).await;
            Ok(receipt)
        }
        // Nobody knows whether it was registered: the log is asked when somebody signs in.
        Err(error @ Error::Unavailable) => Err(error.into()),
        Err(error) => {
            app.accounts.withdraw(customer_id.0).await?;
            Err(error.into())
        }
    }
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
