//! Who answers a search: the search engine when there is one, and the read models when there is none, or when it is away, is not
//! as far as the `Consistency-Token`, or has no answer to just this. The answer says so in a header.

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use projections::products::query::{self, Finder, Found, Search, Suggestion, Unanswered};
use projections::products::{Products, search_reached};

use super::asked::Words;
use crate::app::App;
use crate::consistency::After;
use crate::error::Error;

/// Says that the read models have answered in the place of the search engine.
const FALLBACK: HeaderName = HeaderName::from_static("search-fallback");

/// An answer, and whether the read models gave it in the place of the search engine.
#[derive(Debug)]
pub(crate) struct Answered<T> {
    pub(super) answer: T,
    fallback: bool,
}

impl<T> Answered<T> {
    /// The answer in another form.
    pub(super) fn map<U>(self, form: impl FnOnce(T) -> Result<U, Error>) -> Result<Answered<U>, Error> {
        Ok(Answered { answer: form(self.answer)?, fallback: self.fallback })
    }
}

impl<T: IntoResponse> IntoResponse for Answered<T> {
    fn into_response(self) -> Response {
        let mut response = self.answer.into_response();
        if self.fallback {
            response.headers_mut().insert(FALLBACK, HeaderValue::from_static("postgresql"));
        }
        response
    }
}

impl App {
    /// The same application with a search engine that is asked first.
    #[must_use]
    pub fn with_finder(mut self, finder: Arc<dyn Finder>) -> Self {
        self.finder = Some(finder);
        self
    }

    /// Searches.
    pub(super) async fn search(&self, after: After, search: &Search) -> Result<Answered<Found>, Error> {
        let asked = self.finder.as_deref().map(|finder| finder.search(search));
        if let Some(answer) = self.engine_answer(after, asked).await {
            return Ok(Answered { answer, fallback: false });
        }
        let known = self.recent.facets(search, after);
        let known = known.as_ref();
        let ask = |read| async move {
            match known {
                Some(facets) => query::page(&read, search, facets.clone()).await,
                None => query::search(&read, search).await,
            }
        };
        let answer = self.read(after, &[Products::NAME], ask).await?;
        if known.is_none() {
            self.recent.keep_facets(search, after, answer.facets.clone());
        }
        Ok(Answered { answer, fallback: self.finder.is_some() })
    }

    /// Suggests words to search for.
    pub(super) async fn suggest(
        &self,
        after: After,
        words: &Words,
    ) -> Result<Answered<Vec<Suggestion>>, Error> {
        let (q, locale, limit) = words;
        let asked = self.finder.as_deref().map(|finder| finder.suggest(q, locale, *limit));
        if let Some(answer) = self.engine_answer(after, asked).await {
            return Ok(Answered { answer, fallback: false });
        }
        let ask = |read| async move { query::suggest(&read, q, locale, *limit).await };
        let answer = self.read(after, &[Products::NAME], ask).await?;
        Ok(Answered { answer, fallback: self.finder.is_some() })
    }

    /// What the search engine answers. `None`: the read models must.
    async fn engine_answer<T>(
        &self,
        after: After,
        asked: Option<BoxFuture<'_, Result<T, Unanswered>>>,
    ) -> Option<T> {
        let asked = asked?;
        let why = if !self.engine_is_there(after).await {
            "behind"
        } else {
            match asked.await {
                Ok(answer) => return Some(answer),
                Err(Unanswered::Beyond(_)) => "beyond",
                Err(Unanswered::Away(_) | Unanswered::Database(_)) => "away",
            }
        };
        metrics::counter!("search_fallbacks_total", "reason" => why).increment(1);
        None
    }

    /// Whether the search engine has everything up to the token. While it is filled for the first time, or anew, it has nothing.
    async fn engine_is_there(&self, after: After) -> bool {
        // Asked of a replica like everything else: one that is behind says too little, and too much for a moment only when the
        // engine has just lost what it had.
        let ask = |read| async move { search_reached(&read).await };
        match self.read(After::nothing(), &[], ask).await {
            Ok(Some((epoch, position))) => {
                after.head().is_none_or(|asked| asked.epoch == epoch && asked.position <= position)
            }
            Ok(None) => false,
            // The read models are away: then it is better than nothing.
            Err(_) => after.head().is_none(),
        }
    }
}
