//! Which events were asked for: the parameters of `GET /v1/events`, parsed.

use domain::{Category, Event, StreamId};
use event_store::{Filter, Position};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::error::Error;

/// Parameters of `GET /v1/events`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Only events after this position. With server-sent events, `Last-Event-ID` takes its place.
    after: Option<u64>,
    /// Only these categories, separated by commas: `customer`, `email`, `product`, `stock`, `cart`, `order`, `payment`,
    /// `notification`.
    category: Option<String>,
    /// Only these types, separated by commas, for example `OrderPlaced,OrderRefunded`.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    types: Option<String>,
    /// Only this stream, for example `order-0192f0c1-9d3e-7cc4-8000-000000000000`.
    stream: Option<String>,
    /// Nothing after this position.
    until: Option<u64>,
    /// At most so many events; all when it is left out.
    #[param(minimum = 1)]
    limit: Option<u64>,
}

/// A part of the log, still to be read.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// Events after this position.
    pub(crate) after: Position,
    /// How many more.
    pub(crate) remaining: u64,
    /// Of which kind, and up to where.
    pub(crate) filter: Filter,
}

impl Asked {
    pub(crate) fn parse(&self) -> Result<Selection, Error> {
        if self.limit == Some(0) {
            return Err(Error::Parameter { name: "limit", rule: "must be 1 or more".to_owned() });
        }
        Ok(Selection {
            after: Position(self.after.unwrap_or(0)),
            remaining: self.limit.unwrap_or(u64::MAX),
            filter: Filter {
                categories: parsed("category", self.category.as_deref(), Category::parse)?,
                types: parsed("type", self.types.as_deref(), known_type)?,
                stream: self.stream.as_deref().map(stream).transpose()?,
                until: self.until.map(Position),
            },
        })
    }
}

fn parsed<T>(
    name: &'static str,
    list: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let unknown = |word: &str| Error::Parameter { name, rule: format!("does not know {word:?}") };
    let words = list.into_iter().flat_map(|list| list.split(',')).map(str::trim);
    words.map(|word| parse(word).ok_or_else(|| unknown(word))).collect()
}

/// A type that no event has is a mistake of the caller's, and would otherwise look like an empty log.
fn known_type(name: &str) -> Option<String> {
    Event::types().any(|(known, _)| known == name).then(|| name.to_owned())
}

fn stream(name: &str) -> Result<StreamId, Error> {
    // What no stream is called is refused here: PostgreSQL's text cannot hold NUL.
    let plain = name.len() <= 200 && !name.chars().any(char::is_control);
    plain
        .then(|| StreamId::parse(name))
        .flatten()
        .ok_or_else(|| Error::Parameter { name: "stream", rule: format!("{name:?} is not a stream's name") })
}
