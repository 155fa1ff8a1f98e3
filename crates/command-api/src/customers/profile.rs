//! `PATCH /v1/customers/me`, `POST /v1/customers/me/addresses`, and who a customer is.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{AddressId, CustomerId};
use domain::{Command, Contact, Event, StreamId, customer};
use http_surface::Problem;
use http_surface::auth::Caller;
use serde_json::json;
use uuid::Uuid;

use super::bodies::{AddressAdded, ProfileChange};
use crate::app::App;
use crate::edge::{
    AddressBody, Asked, Asking, Body, By, Conflicts, Forbidden, Malformed, Missing, NotWell, Unauthenticated,
    answered, done, log_failure, submit,
};

/// Changes name, phone or language.
#[utoipa::path(
    patch, path = "/v1/customers/me", tag = "customers", params(Asking), request_body = ProfileChange,
    security(("bearer" = [])),
    responses(
        (status = 204, description = "It is changed"),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    asked: Asked,
    Body(body): Body<ProfileChange>,
) -> Result<Response, Problem> {
    let customer_id = crate::edge::customer(&caller)?;
    let change = body.value.parse()?;
    let command = Command::Customer(customer::Command::ChangeProfile {
        customer_id,
        name: change.name,
        phone: change.phone,
        locale: change.locale,
    });
    let receipt = submit(&app, &asked, By::caller(&caller), &body.bytes, command, json!({})).await?;
    Ok(done(&receipt))
}

/// Adds an address to the book.
#[utoipa::path(
    post, path = "/v1/customers/me/addresses", tag = "customers", params(Asking), request_body = AddressBody,
    security(("bearer" = [])),
    responses(
        (status = 201, description = "It is in the book", body = AddressAdded),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn add_address(
    State(app): State<App>,
    caller: Caller,
    asked: Asked,
    Body(body): Body<AddressBody>,
) -> Result<Response, Problem> {
    let customer_id = crate::edge::customer(&caller)?;
    let (address_id, address) = (AddressId(Uuid::now_v7()), body.value.parse("")?);
    let command = Command::Customer(customer::Command::AddAddress { customer_id, address_id, address });
    let answer = json!({"address_id": address_id});
    let receipt = submit(&app, &asked, By::caller(&caller), &body.bytes, command, answer).await?;
    Ok(answered(StatusCode::CREATED, &receipt, Some(&receipt.answer)))
}

/// How to reach a customer, as the log has it. `None`: there is no such customer, or they were forgotten.
pub(crate) async fn contact(app: &App, customer_id: CustomerId) -> Result<Option<Contact>, Problem> {
    let events = app.store.read_stream(&StreamId::customer(customer_id), 0).await.map_err(log_failure)?;
    Ok(events.iter().fold(None, |contact, recorded| match &recorded.event {
        Event::Customer(event) => evolve(contact, event),
        _ => contact,
    }))
}

fn evolve(contact: Option<Contact>, event: &customer::Event) -> Option<Contact> {
    match event {
        customer::Event::Registered(registered) => registered.personal.known().map(|profile| Contact {
            email: profile.email.clone(),
            name: profile.name.clone(),
            phone: profile.phone.clone(),
        }),
        customer::Event::ProfileChanged(changed) => {
            let edit = changed.personal.known()?;
            contact.map(|contact| Contact {
                name: edit.name.clone().unwrap_or(contact.name),
                phone: edit.phone.clone().or(contact.phone),
                ..contact
            })
        }
        customer::Event::Forgotten(_) => None,
        _ => contact,
    }
}
