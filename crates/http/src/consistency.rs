//! Where the log must have been read to.

use axum::http::HeaderName;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use event_store::{Head, Position};
use uuid::Uuid;

/// The name of the header that carries it.
pub const CONSISTENCY_TOKEN: HeaderName = HeaderName::from_static("consistency-token");

/// An opaque name for a place in the log: what a command answers with, and a query is sent with.
#[derive(Debug)]
pub struct ConsistencyToken;

/// What is no such token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a consistency token")]
pub struct Malformed;

impl ConsistencyToken {
    /// The token of a place.
    pub fn encode(head: Head) -> String {
        let mut bytes = head.epoch.as_bytes().to_vec();
        bytes.extend(head.position.0.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place of a token.
    pub fn parse(text: &str) -> Result<Head, Malformed> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Malformed)?;
        let (epoch, position) = bytes.split_at_checked(16).ok_or(Malformed)?;
        let epoch = Uuid::from_slice(epoch).map_err(|_| Malformed)?;
        let position = u64::from_be_bytes(position.try_into().map_err(|_| Malformed)?);
        if i64::try_from(position).is_err() {
            return Err(Malformed);
        }
        Ok(Head { epoch, position: Position(position) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_place_and_nothing_else_is_one() {
        let head = Head { epoch: Uuid::from_u128(7), position: Position(42) };
        assert_eq!(ConsistencyToken::parse(&ConsistencyToken::encode(head)), Ok(head));
        for text in ["", "x", "AAAA", &"A".repeat(33), &"_".repeat(32)] {
            assert_eq!(ConsistencyToken::parse(text), Err(Malformed), "{text}");
        }
    }
}
