//! Reading what was written: a query that carries the `Consistency-Token` of a command is answered from read models that
//! have reached its position, or not at all.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use event_store::{Head, Patient};
use http_surface::{CONSISTENCY_TOKEN, ConsistencyToken, Problem};
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
    /// Whenever.
    pub(crate) fn nothing() -> Self {
        Self(None)
    }

    /// After everything up to there.
    pub(crate) fn everything_to(head: Head) -> Self {
        Self(Some(head))
    }

    /// The place that the token names.
    pub(crate) fn head(self) -> Option<Head> {
        self.0
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
    /// Asks the read models, on a server where these have come to the token's position. The question may be asked more than
    /// once, and must change nothing. The log itself is not needed for it.
    pub(crate) async fn read<T, E, F>(
        &self,
        after: After,
        models: &[&'static str],
        question: impl Fn(Patient) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, E>>,
        Error: From<E>,
    {
        match self.replicas.ask(after.0, models, self.config.consistency_wait, question).await {
            Err(Error::OtherEpoch) => Err(self.of_other_log(after).await?),
            // Nobody ever comes to a place that the log has lost. While the log does not answer, that is not known.
            Err(Error::Lagging) if after.0.is_some() => {
                Err(self.of_other_log(after).await.unwrap_or(Error::Lagging))
            }
            answer => answer,
        }
    }

    /// Read models are of another log than the token, or behind it: the log says whether they can still come there.
    async fn of_other_log(&self, after: After) -> Result<Error, Error> {
        let epoch = self.store.head().await?.epoch;
        let is_now = after.0.is_some_and(|asked| asked.epoch == epoch);
        Ok(if is_now { Error::Lagging } else { Error::OtherEpoch })
    }
}
