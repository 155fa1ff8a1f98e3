//! Bearer tokens: JWTs (RFC 9068, `at+jwt`) signed with HMAC-SHA256, for fifteen minutes.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use domain::Actor;
use domain::ids::{CartId, CustomerId};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use crate::Problem;

const ISSUER: &str = "jumun";
const AUDIENCE: &str = "jumun-api";
/// How far clocks may be apart (RFC 8725 asks for little).
const LEEWAY_SECONDS: u64 = 30;
/// A shorter secret could be guessed (RFC 7518, 3.2: at least the hash's size).
const SECRET_BYTES_MIN: usize = 32;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Buys, with an account.
    Customer,
    /// Buys, without one: knows one cart and its order.
    Guest,
    /// Runs the shop.
    Staff,
    /// Reads the event streams, without personal data.
    Analyst,
    /// Traces the history of orders.
    Auditor,
    /// May do all of it.
    Admin,
}

impl Role {
    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        serde_json::from_value(name.into()).ok()
    }
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Guest => "guest",
            Self::Staff => "staff",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who: a customer's or staff member's id; a guest's is the cart's.
    pub sub: Uuid,
    /// What they may do.
    pub roles: Vec<Role>,
    /// The session it belongs to.
    pub sid: Option<Uuid>,
    /// When it ends, in Unix seconds.
    pub exp: u64,
    /// From when it is valid, in Unix seconds.
    pub nbf: u64,
    /// Its own id.
    pub jti: Uuid,
    iss: String,
    aud: String,
}

impl Claims {
    /// Claims from now on, for that long.
    pub fn new(sub: Uuid, roles: Vec<Role>, sid: Option<Uuid>, valid: Duration) -> Self {
        let now = now_seconds();
        Self {
            sub,
            roles,
            sid,
            exp: now + valid.as_secs(),
            nbf: now,
            jti: Uuid::now_v7(),
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
        }
    }
}

fn now_seconds() -> u64 {
    u64::try_from(chrono::Utc::now().timestamp()).unwrap_or(0)
}

/// A secret that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token secret must have at least {SECRET_BYTES_MIN} bytes")]
pub struct WeakSecret;

/// Signs and checks tokens and cursors. Cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    encoding: EncodingKey,
    decoding: DecodingKey,
    cursor: [u8; 32],
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

fn mac(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key)
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(message);
    mac
}

impl Keys {
    /// Keys from a secret of at least 32 bytes.
    pub fn new(secret: &[u8]) -> Result<Self, WeakSecret> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(WeakSecret);
        }
        let cursor = mac(secret, b"cursor").finalize().into_bytes().into();
        let (encoding, decoding) = (EncodingKey::from_secret(secret), DecodingKey::from_secret(secret));
        Ok(Self(Arc::new(Inner { encoding, decoding, cursor })))
    }

    /// The token of some claims.
    pub fn issue(&self, claims: &Claims) -> Result<String, Problem> {
        let header = Header { typ: Some("at+jwt".to_owned()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, claims, &self.0.encoding).map_err(|error| {
            tracing::error!(%error, "a token cannot be signed");
            Problem::internal()
        })
    }

    /// The claims of a valid token.
    pub fn verify(&self, token: &str) -> Result<Claims, Problem> {
        let refused =
            || Problem::unauthenticated("the token is forged, expired, or meant for something else");
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        let data =
            jsonwebtoken::decode::<Claims>(token, &self.0.decoding, &validation).map_err(|_| refused())?;
        if data.header.typ.as_deref() == Some("at+jwt") { Ok(data.claims) } else { Err(refused()) }
    }

    pub(crate) fn tag(&self, message: &[u8]) -> [u8; 32] {
        mac(&self.0.cursor, message).finalize().into_bytes().into()
    }

    pub(crate) fn tag_fits(&self, message: &[u8], tag: &[u8]) -> bool {
        mac(&self.0.cursor, message).verify_truncated_left(tag).is_ok()
    }
}

/// Whoever made the request, as their token says. Taken as an option, somebody without a token passes, but nobody with a bad one.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What the token says.
    pub claims: Claims,
}

impl Caller {
    /// Whether they have that role.
    pub fn has(&self, role: Role) -> bool {
        self.claims.roles.contains(&role)
    }

    /// As whom commands are recorded and ownership is decided.
    pub fn actor(&self) -> Actor {
        if self.has(Role::Customer) {
            Actor::Customer(CustomerId(self.claims.sub))
        } else if self.has(Role::Guest) {
            Actor::Guest(CartId(self.claims.sub))
        } else {
            Actor::Staff(self.claims.sub)
        }
    }

    /// Lets these roles pass, and admins.
    pub fn require(&self, roles: &[Role]) -> Result<(), Problem> {
        if self.has(Role::Admin) || roles.iter().any(|role| self.has(*role)) {
            return Ok(());
        }
        let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        Err(Problem::forbidden(format!("this is for {} only", names.join(", "))))
    }

    /// How long the token is still valid.
    pub fn expires_in(&self) -> Duration {
        Duration::from_secs(self.claims.exp.saturating_sub(now_seconds()))
    }
}

fn caller(parts: &Parts, keys: &Keys) -> Result<Option<Caller>, Problem> {
    let Some(value) = parts.headers.get(AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let token =
        token.ok_or_else(|| Problem::unauthenticated("Authorization must be `Bearer` and a token"))?;
    keys.verify(token).map(|claims| Some(Caller { claims }))
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Keys: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        caller(parts, &Keys::from_ref(state))?
            .ok_or_else(|| Problem::unauthenticated("this needs a bearer token"))
    }
}

impl<S> OptionalFromRequestParts<S> for Caller
where
    S: Send + Sync,
    Keys: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        caller(parts, &Keys::from_ref(state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::new(&[7; 32]).unwrap()
    }

    fn claims() -> Claims {
        Claims::new(Uuid::now_v7(), vec![Role::Customer], None, Duration::from_secs(60))
    }

    #[test]
    fn a_token_says_what_was_claimed() {
        let claims = claims();
        assert_eq!(keys().verify(&keys().issue(&claims).unwrap()).unwrap(), claims);
    }

    #[test]
    fn forged_expired_and_foreign_tokens_are_refused() {
        let refused = |token: &str| assert_eq!(keys().verify(token).unwrap_err().status, 401, "{token}");
        refused("");
        refused("a.b.c");
        refused(&Keys::new(&[8; 32]).unwrap().issue(&claims()).unwrap());
        let mut expired = claims();
        expired.exp = now_seconds() - 120;
        refused(&keys().issue(&expired).unwrap());
        let mut early = claims();
        early.nbf = now_seconds() + 3_600;
        refused(&keys().issue(&early).unwrap());
        let mut foreign = claims();
        foreign.aud = "another".to_owned();
        refused(&keys().issue(&foreign).unwrap());
        let mut issued_elsewhere = claims();
        issued_elsewhere.iss = "another".to_owned();
        refused(&keys().issue(&issued_elsewhere).unwrap());
        let plain = Header::new(Algorithm::HS256);
        refused(&jsonwebtoken::encode(&plain, &claims(), &EncodingKey::from_secret(&[7; 32])).unwrap());
        // {"alg":"none","typ":"at+jwt"}
        let body = keys().issue(&claims()).unwrap().split('.').nth(1).unwrap().to_owned();
        refused(&format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{body}."));
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert_eq!(Keys::new(&[7; 31]).unwrap_err(), WeakSecret);
    }
}
