//! Reading what was written: a query that carries the `Consistency-Token` of a command is answered from read models that
//! have reached its position, or not at all.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use event_store::{Head, Position};
use http_surface::{CONSISTENCY_TOKEN, ConsistencyToken, Problem};
use tokio::time::Instant;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::app::App;
use crate::error::Error;
use crate::header;

/// The `Consistency-Token` of a request, when it has one. A malformed one is refused (400).
#[derive(Debug, Clone, Copy)]
pub(crate) struct After(Option<Head>);

impl<S: Send + Sync> FromRequestParts<S> for After {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(CONSISTENCY_TOKEN) else { return Ok(Self(None)) };
        let malformed =
            || Error::Parameter { name: "Consistency-Token", rule: "is malformed".to_owned() }.into();
        let token = value.to_str().ok().and_then(|value| ConsistencyToken::parse(value).ok());
        token.map(|head| Self(Some(head))).ok_or_else(malformed)
    }
}

impl IntoParams for After {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "The token that a command answered with: the answer shows what that command did. \
                           Without it, the answer may be a moment behind.";
        header::optional("Consistency-Token", description)
    }
}

impl After {
    /// Waits until these read models have reached the token's position.
    pub(crate) async fn reached(self, app: &App, models: &[&'static str]) -> Result<(), Error> {
        let Some(asked) = self.0 else { return Ok(()) };
        if app.store.head().await?.epoch != asked.epoch {
            return Err(Error::OtherEpoch);
        }
        app.reached(asked.position, models).await
    }

    /// Whether the log itself has that position: for what is read from the log and not from read models.
    pub(crate) async fn logged(self, app: &App) -> Result<(), Error> {
        let Some(asked) = self.0 else { return Ok(()) };
        let head = app.store.head().await?;
        if head.epoch != asked.epoch {
            return Err(Error::OtherEpoch);
        }
        if head.position < asked.position { Err(Error::Lagging) } else { Ok(()) }
    }
}

impl App {
    /// Waits until these read models have reached a position, as long as the configuration allows.
    pub(crate) async fn reached(&self, position: Position, models: &[&'static str]) -> Result<(), Error> {
        let deadline = Instant::now() + self.config.consistency_wait;
        for model in models {
            if !projections::reached(&self.read, model, position, deadline).await? {
                return Err(Error::Lagging);
            }
        }
        Ok(())
    }
}
