//! Lists: at most so many items, and an opaque cursor for those that follow. A cursor is authenticated, and good only for
//! the list and the filter that it was given for.

use axum::http::StatusCode;
use http_surface::Problem;
use http_surface::auth::Keys;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::error::Error;

/// Items when none are asked for.
const LIMIT_DEFAULT: u32 = 20;
/// Most items of one answer.
const LIMIT_MAX: u32 = 100;

/// Some items of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// What to send as `cursor` for those that follow. `null`: these were the last.
    pub(crate) next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of what was found, one item more than `limit` being asked for: if it is there, others follow.
    pub(crate) fn of(
        mut found: Vec<T>,
        limit: u32,
        cursor: impl Fn(&T) -> Result<String, Error>,
    ) -> Result<Self, Error> {
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let last = found.last().filter(|_| more);
        let next_cursor = last.map(cursor).transpose()?;
        Ok(Self { items: found, next_cursor })
    }
}

/// What a cursor holds: where the page ended, of which list, asked for how.
#[derive(Debug, Serialize, Deserialize)]
struct Ended<K> {
    list: String,
    filter: String,
    key: K,
}

/// The limit that was asked for.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, Error> {
    match asked {
        None => Ok(LIMIT_DEFAULT),
        Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(Error::Parameter { name: "limit", rule: format!("must be 1 to {LIMIT_MAX}") }),
    }
}

/// The cursor for what follows `key` in that list.
pub(crate) fn cursor<K: Serialize>(
    keys: &Keys,
    list: &str,
    filter: &impl Serialize,
    key: K,
) -> Result<String, Error> {
    let ended = Ended { list: list.to_owned(), filter: fingerprint(filter)?, key };
    Ok(http_surface::cursor::encode(keys, &ended))
}

/// Where the page ended that the cursor was given for. A cursor of another list or filter is refused like a forged one.
pub(crate) fn after<K: DeserializeOwned>(
    keys: &Keys,
    list: &str,
    filter: &impl Serialize,
    cursor: Option<&str>,
) -> Result<Option<K>, Error> {
    let Some(cursor) = cursor else { return Ok(None) };
    let ended: Ended<K> = http_surface::cursor::decode(keys, cursor)?;
    if ended.list == list && ended.filter == fingerprint(filter)? {
        return Ok(Some(ended.key));
    }
    let detail = "this cursor was given out for another list, or another filter";
    Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-cursor", detail).into())
}

fn fingerprint(filter: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_vec(filter).map_err(|error| Error::Unreadable(error.to_string()))?;
    Ok(hex::encode(&Sha256::digest(text)[..16]))
}
