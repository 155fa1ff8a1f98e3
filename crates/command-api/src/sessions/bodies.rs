//! What comes in and goes out about sessions.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who wants in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// E-mail.
    #[schema(example = "haneul@example.com")]
    pub(super) email: String,
    /// Password.
    #[schema(value_type = String, format = Password, example = "correct horse battery")]
    pub(super) password: SecretString,
}

/// The token of last time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    /// It.
    #[schema(value_type = String)]
    refresh_token: SecretString,
}

impl Refresh {
    pub(super) fn token(&self) -> &str {
        self.refresh_token.expose_secret()
    }
}

/// What lets somebody in.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// The bearer token.
    access_token: String,
    /// `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds that the access token is valid.
    #[schema(example = 900)]
    expires_in: u64,
    /// Gets the next ones; valid 30 days, once, and not beyond the 90 days of its session.
    refresh_token: String,
}

impl Tokens {
    pub(super) fn new(access_token: String, refresh_token: &SecretString, valid: Duration) -> Self {
        let refresh_token = refresh_token.expose_secret().to_owned();
        Self { access_token, token_type: "Bearer", expires_in: valid.as_secs(), refresh_token }
    }
}
