//! Bodies.

use axum::extract::{FromRequest, Request};
use http_surface::{Json, Problem, json_bytes};
use serde::de::DeserializeOwned;

use super::card_numbers;

/// A JSON body without a card number in it, with its bytes. No body is an empty object.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) Json<T>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = json_bytes(request).await?;
        // Looked for before the body is read into its type: a message about a wrong type would repeat the value.
        card_numbers::refuse(&bytes)?;
        Json::parse(bytes).map(Self)
    }
}
