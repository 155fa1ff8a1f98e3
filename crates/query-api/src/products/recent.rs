//! What many ask for at the same time is found once: lists and searches are kept for a moment, and given again to whoever asks
//! for just the same.
//!
//! A query with a `Consistency-Token` gets what is kept only when that was asked for with a token at least as far in the same
//! log; else the rows answer. A query without one may be a moment behind anyway, and this is part of the moment.

use std::time::Duration;

use axum::body::Bytes;
use event_store::Head;
use moka::sync::Cache;
use projections::products::query::{Facets, Search};

use super::flights::{Flight, Flights};
use crate::consistency::After;

/// No answer is given again when it was kept longer ago than this. Facets that were kept may be in a page that is kept: those are at most
/// twice as old.
const AGE_MAX: Duration = Duration::from_secs(1);
/// Bytes of pages that are kept.
const PAGES_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Facets that are kept.
const FACETS_MAX: u64 = 1_000;

/// What was answered in the last moment. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Recent {
    /// By all of a search.
    pages: Cache<String, Held<Bytes>>,
    /// By all of a search but its page.
    facets: Cache<String, Held<Facets>>,
    /// The pages that are being asked for.
    flights: Flights,
}

#[derive(Clone)]
struct Held<V> {
    value: V,
    /// It shows everything up to there. `None`: nobody knows how far it is.
    place: Option<Head>,
}

impl<V> Held<V> {
    fn for_whom(self, after: After) -> Option<V> {
        shows(self.place, after).then_some(self.value)
    }
}

/// Whether what shows everything up to that place shows enough.
pub(super) fn shows(place: Option<Head>, after: After) -> bool {
    match (after.head(), place) {
        (None, _) => true,
        (Some(asked), Some(place)) => place.epoch == asked.epoch && place.position >= asked.position,
        (Some(_), None) => false,
    }
}

impl Recent {
    pub(crate) fn new() -> Self {
        let size = |key: &String, page: &Held<Bytes>| (key.len() + page.value.len()) as u32;
        let pages = Cache::builder().time_to_live(AGE_MAX).weigher(size).max_capacity(PAGES_BYTES_MAX);
        let facets = Cache::builder().time_to_live(AGE_MAX).max_capacity(FACETS_MAX);
        Self { pages: pages.build(), facets: facets.build(), flights: Flights::default() }
    }

    fn page(&self, search: &Search, after: After) -> Option<Bytes> {
        self.pages.get(&format!("{search:?}"))?.for_whom(after)
    }

    /// The page that was kept, or that somebody was asking for. Else it is to be asked for: `Some` is held until what comes is
    /// kept, so that others wait for it; with `None` the answer that was waited for has not come, and everybody asks at once.
    pub(super) async fn page_or_turn(&self, search: &Search, after: After) -> Result<Bytes, Option<Flight>> {
        if let Some(page) = self.page(search, after) {
            return Ok(page);
        }
        match self.flights.turn(&format!("{search:?}"), after).await {
            Some(flight) => Err(Some(flight)),
            None => self.page(search, after).ok_or(None),
        }
    }

    /// Keeps a page that was asked for after that.
    pub(super) fn keep_page(&self, search: &Search, after: After, page: Bytes) {
        self.pages.insert(format!("{search:?}"), Held { value: page, place: after.head() });
    }

    pub(super) fn facets(&self, search: &Search, after: After) -> Option<Facets> {
        self.facets.get(&apart_from_page(search))?.for_whom(after)
    }

    /// Keeps facets that were asked for after that.
    pub(super) fn keep_facets(&self, search: &Search, after: After, facets: Facets) {
        self.facets.insert(apart_from_page(search), Held { value: facets, place: after.head() });
    }
}

/// All of a search but its page.
pub(super) fn apart_from_page(search: &Search) -> String {
    format!("{:?}", Search { after: None, limit: 0, ..search.clone() })
}

#[cfg(test)]
mod tests {
    use domain::Currency;
    use domain::text::Locale;
    use uuid::Uuid;

    use super::*;

    fn search(limit: u32) -> Search {
        Search::all(Locale::parse("ko").unwrap(), Currency::KRW, limit)
    }

    fn place(epoch: u128, position: i64) -> After {
        After::everything_to(Head { epoch: Uuid::from_u128(epoch), position: position.into() })
    }

    #[test]
    fn what_was_asked_without_a_token_is_nothing_for_those_with_one() {
        let recent = Recent::new();
        recent.keep_page(&search(20), After::nothing(), Bytes::from_static(b"page"));
        recent.keep_facets(&search(20), After::nothing(), Facets::default());
        assert_eq!(recent.page(&search(20), After::nothing()).unwrap(), "page");
        assert!(recent.page(&search(20), place(1, 0)).is_none());
        assert!(recent.facets(&search(20), place(1, 0)).is_none());
        assert!(recent.page(&search(21), After::nothing()).is_none());
        assert!(recent.facets(&search(21), After::nothing()).is_some());
    }

    #[test]
    fn a_token_gets_what_shows_as_much_of_the_same_log() {
        let recent = Recent::new();
        recent.keep_page(&search(20), place(1, 7), Bytes::from_static(b"page"));
        for there in [place(1, 6), place(1, 7), After::nothing()] {
            assert!(recent.page(&search(20), there).is_some(), "{there:?}");
        }
        for beyond in [place(1, 8), place(2, 1)] {
            assert!(recent.page(&search(20), beyond).is_none(), "{beyond:?}");
        }
    }
}
