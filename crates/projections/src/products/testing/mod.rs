//! The tests of search, for every adapter of [`Finder`]: `projections::finder_suite!(TheStage)` in a test module runs them all.

pub mod examples;
#[doc(hidden)]
pub mod facets;
#[doc(hidden)]
pub mod paging;
#[doc(hidden)]
pub mod searching;
#[doc(hidden)]
pub mod suggesting;

use domain::{Event, StreamId};
use sqlx::PgPool;

use super::Products;
use super::query::Finder;
use crate::orders::given::{Given, given};

/// Where an adapter is tested.
pub trait Stage: Sized {
    /// A shop in which this has happened, and everything of it can be found.
    fn open(events: impl IntoIterator<Item = (StreamId, Event)>) -> impl Future<Output = Self>;

    /// Who is asked.
    fn finder(&self) -> &dyn Finder;
}

/// The rows of products, in a database of their own.
pub struct Rows(Given<Products>);

impl Rows {
    /// The rows after these events.
    pub async fn of(events: impl IntoIterator<Item = (StreamId, Event)>) -> Self {
        Self(given(Products, events).await)
    }

    /// These events happen too.
    pub async fn sees(&mut self, events: impl IntoIterator<Item = (StreamId, Event)>) {
        self.0.sees(events).await;
    }

    /// Connections on which they are found by their bare names.
    pub fn pool(&self) -> &PgPool {
        &self.0.pool
    }
}

impl Stage for Rows {
    async fn open(events: impl IntoIterator<Item = (StreamId, Event)>) -> Self {
        Self::of(events).await
    }

    fn finder(&self) -> &dyn Finder {
        self.pool()
    }
}

/// Runs every test of search on that [`Stage`](crate::products::testing::Stage).
#[macro_export]
macro_rules! finder_suite {
    ($stage:ty) => {
        $crate::finder_suite! { $stage =>
            searching: korean_is_found_by_words_parts_and_syllables
                spaces_do_not_matter_to_korean_names
                the_way_of_writing_does_not_matter
                brand_category_and_sku_are_searched_too
                hostile_words_are_only_words
                what_fits_best_comes_first
                a_withdrawn_product_is_not_found_and_a_changed_one_by_its_new_name
                filters_narrow_what_is_found
                prices_are_those_of_the_currency
                names_are_shown_sorted_and_marked_in_the_language_that_is_asked_for;
            facets: all_is_counted
                a_facet_leaves_its_own_filter_out_and_keeps_the_others
                words_narrow_the_facets_too
                price_ranges_are_round_in_every_currency
                a_filter_of_a_facet_finds_as_many_as_it_says;
            paging: pages_neither_repeat_nor_leave_out
                the_last_page_has_no_next;
            suggesting: categories_brands_and_products_are_suggested_what_begins_so_first
                suggestions_are_few_and_marked;
        }
    };
    ($stage:ty => $($file:ident: $($test:ident)+;)+) => {$($(
        #[tokio::test]
        async fn $test() {
            $crate::products::testing::$file::$test::<$stage>().await;
        }
    )+)+};
}
