//! Opaque cursors: where a page ended, authenticated, so that nobody can make one up.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Problem;
use crate::auth::Keys;

const TAG_BYTES: usize = 16;

/// The cursor for a key.
pub fn encode<T: Serialize>(keys: &Keys, key: &T) -> String {
    let json = serde_json::to_vec(key).unwrap_or_default();
    let mut bytes = keys.tag(&json)[..TAG_BYTES].to_vec();
    bytes.extend(json);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The key of a cursor.
///
/// # Errors
/// 400 when it was made up, changed or cut.
pub fn decode<T: DeserializeOwned>(keys: &Keys, cursor: &str) -> Result<T, Problem> {
    let forged =
        || Problem::new(StatusCode::BAD_REQUEST, "invalid-cursor", "this cursor was not given out here");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| forged())?;
    let (tag, json) = bytes.split_at_checked(TAG_BYTES).ok_or_else(forged)?;
    if !keys.tag_fits(json, tag) {
        return Err(forged());
    }
    serde_json::from_slice(json).map_err(|_| forged())
}
