//! How OpenSearch is asked: the same answers as PostgreSQL gives, and what morphology finds beyond them.

mod conditions;
mod facets;
mod hits;
mod suggest;

use domain::text::Locale;
use futures::future::BoxFuture;
use projections::products::query::{Finder, Found, Search, Suggestion, Terms, Unanswered};
use serde_json::json;

use crate::client::Body;
use crate::document::SORTED;
use crate::{Error, OpenSearch};

impl Finder for OpenSearch {
    fn search<'a>(&'a self, search: &'a Search) -> BoxFuture<'a, Result<Found, Unanswered>> {
        Box::pin(async move {
            let terms = search.q.as_deref().and_then(Terms::parse);
            let terms = terms.as_ref();
            let mut body = hits::body(search, terms)?;
            body["aggs"] = facets::body(search);
            let path = format!("/{}/_search", self.alias);
            let answer = self.ask(&path, Body::Json(&body)).await?;
            let listed = hits::read(&answer, search)?;
            let facets = facets::read(&answer["aggregations"], search.currency)?;
            Ok(Found::page(search, terms, listed, facets))
        })
    }

    fn suggest<'a>(
        &'a self,
        q: &'a str,
        locale: &'a Locale,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<Suggestion>, Unanswered>> {
        Box::pin(async move {
            let Some(terms) = Terms::parse(q) else { return Ok(Vec::new()) };
            let lines = suggest::lines(&terms, language(locale)?, limit)?;
            let answer = self.ask(&format!("/{}/_msearch", self.alias), Body::Lines(lines)).await?;
            Ok(suggest::read(&answer, &terms, locale, limit)?)
        })
    }
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        match error {
            Error::Database(error) => Self::Database(error),
            // A query that it will not answer, though it answers others: too many words, say.
            Error::Refused { status, .. } if status.as_u16() == 400 => Self::Beyond(error.to_string()),
            other => Self::Away(other.to_string()),
        }
    }
}

/// The language that names are sorted by for somebody who reads this one.
fn language(locale: &Locale) -> Result<&str, Unanswered> {
    let language = locale.as_str().split('-').next().unwrap_or_default();
    if SORTED.contains(&language) {
        return Ok(language);
    }
    Err(Unanswered::Beyond(format!("names are not sorted in {language}")))
}

/// Whether all shards have answered, each in time: half an answer is none.
fn complete(answer: &serde_json::Value) -> Result<(), Error> {
    if answer["timed_out"] == json!(false) && answer["_shards"]["failed"] == json!(0) {
        return Ok(());
    }
    Err(Error::Away("only a part of it has answered".to_owned()))
}
