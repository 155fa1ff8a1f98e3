//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): sent again, a request is answered as the first time.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use domain::Actor;
use event_store::CommandKey;
use sha2::{Digest, Sha256};
use uuid::{Uuid, Variant};

use crate::Problem;
use crate::auth::Keys;

/// The key of a request; one of its own when it came without.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    given: Option<String>,
    method: String,
    path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let given = match parts.headers.get("idempotency-key") {
            None => None,
            Some(value) => Some(value.to_str().ok().and_then(read).ok_or_else(malformed)?),
        };
        Ok(Self { given, method: parts.method.to_string(), path: parts.uri.path().to_owned() })
    }
}

fn malformed() -> Problem {
    let detail = "Idempotency-Key must be 1 to 255 visible ASCII characters, with or without quotes";
    Problem::new(StatusCode::BAD_REQUEST, "invalid-header", detail)
}

/// The draft wants a quoted string; a bare one is understood as well.
fn read(text: &str) -> Option<String> {
    let text = text.trim();
    let bare = text.strip_prefix('"').map_or(Some(text), |text| text.strip_suffix('"'))?;
    let fits =
        (1..=255).contains(&bare.len()) && bare.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    fits.then(|| bare.to_owned())
}

impl IdempotencyKey {
    /// The command's key. Keys of different callers and of different calls are apart. A UUID stays what it is: time-ordered
    /// ones keep the index of commands in order.
    pub fn command_key(&self, actor: &Actor) -> CommandKey {
        let Some(given) = &self.given else { return CommandKey { scope: 0, id: Uuid::now_v7() } };
        let scope =
            format!("{}\n{}\n{}", serde_json::to_string(actor).unwrap_or_default(), self.method, self.path);
        let digest = Sha256::digest(scope.as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        // 0 is the system's own.
        let scope = i64::from_be_bytes(bytes) | 1;
        let id = given.parse().unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_URL, given.as_bytes()));
        CommandKey { scope, id }
    }

    /// Of callers without a token the key is all that tells them apart: whoever sends it is answered as the first one was. It
    /// must be what nobody can guess.
    ///
    /// # Errors
    /// 400 when one was given that is no random UUID.
    pub fn must_be_secret(&self) -> Result<(), Problem> {
        let Some(given) = &self.given else { return Ok(()) };
        let random = given
            .parse::<Uuid>()
            .is_ok_and(|id| id.get_variant() == Variant::RFC4122 && matches!(id.get_version_num(), 4 | 7));
        if random {
            return Ok(());
        }
        let detail = "without a token, the Idempotency-Key is all that tells callers apart, and must be a secret that nobody can \
                      guess: a random UUID (version 4 or 7)";
        Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-header", detail))
    }

    /// A hash of what is asked: method, path and body. The body is compared as JSON, so that white space does not count.
    pub fn fingerprint(&self, body: &[u8]) -> [u8; 32] {
        let canonical = serde_json::from_slice::<serde_json::Value>(body).map(|value| value.to_string());
        let mut hash = Sha256::new();
        hash.update(self.method.as_bytes());
        hash.update(b"\n");
        hash.update(self.path.as_bytes());
        hash.update(b"\n");
        match &canonical {
            Ok(text) => hash.update(text.as_bytes()),
            Err(_) => hash.update(body),
        }
        hash.finalize().into()
    }

    /// The same under a key of ours, for the log: bodies hold passwords and personal data, and nobody who sees the log may try
    /// guesses on their hashes.
    pub fn keyed_fingerprint(&self, keys: &Keys, body: &[u8]) -> [u8; 32] {
        keys.tag(&[b"fingerprint\n".as_slice(), &self.fingerprint(body)].concat())
    }

    /// Whether the caller gave one.
    pub fn is_given(&self) -> bool {
        self.given.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_with_and_without_quotes() {
        assert_eq!(read("\"abc\"").as_deref(), Some("abc"));
        assert_eq!(read("abc").as_deref(), Some("abc"));
        for text in ["", "\"\"", "\"abc", "a b", "키", &"x".repeat(256)] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn only_random_uuids_are_secrets() {
        let secret = |given: Option<&str>| {
            let given = given.map(str::to_owned);
            IdempotencyKey { given, method: "POST".to_owned(), path: "/".to_owned() }.must_be_secret()
        };
        for given in [Uuid::new_v4(), Uuid::now_v7()] {
            assert!(secret(Some(&given.to_string())).is_ok(), "{given}");
        }
        assert!(secret(None).is_ok(), "one of our own");
        let derived = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"cart").to_string();
        let early = "c232ab00-9414-11ec-b3c8-9f6bdeced846";
        for given in ["1", "cart-1", &derived, early, &Uuid::nil().to_string(), &Uuid::max().to_string()] {
            assert_eq!(secret(Some(given)).unwrap_err().status, 400, "{given}");
        }
    }

    #[test]
    fn white_space_in_a_body_does_not_make_it_another() {
        let key = IdempotencyKey { given: None, method: "POST".to_owned(), path: "/".to_owned() };
        assert_eq!(key.fingerprint(b"{\"a\": 1, \"b\": 2}"), key.fingerprint(b"{\"b\":2,\"a\":1}"));
        assert_ne!(key.fingerprint(b"{\"a\": 1}"), key.fingerprint(b"{\"a\": 2}"));
    }
}
