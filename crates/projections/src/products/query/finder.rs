//! The port of search: what answers a search, PostgreSQL here or a search engine elsewhere. One suite of tests runs against
//! every adapter (`products::testing`).

use domain::text::Locale;
use futures::future::BoxFuture;
use sqlx::PgPool;

use super::{Found, Search, Suggestion, search, suggest};

/// Why a search was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The database is away. Ask again.
    #[error("the read models do not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// The search engine is away, too slow, or not as it should be. Ask another finder.
    #[error("the search engine does not answer: {0}")]
    Away(String),
    /// The search engine works, and cannot answer just this. Ask another finder.
    #[error("the search engine has no answer to this: {0}")]
    Beyond(String),
}

/// Answers searches.
pub trait Finder: Send + Sync {
    /// Searches the published products.
    fn search<'a>(&'a self, search: &'a Search) -> BoxFuture<'a, Result<Found, Unanswered>>;

    /// Up to so many categories, brands and products that hold what was typed; those that begin with it first.
    fn suggest<'a>(
        &'a self,
        q: &'a str,
        locale: &'a Locale,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<Suggestion>, Unanswered>>;
}

/// The rows themselves answer.
impl Finder for PgPool {
    fn search<'a>(&'a self, asked: &'a Search) -> BoxFuture<'a, Result<Found, Unanswered>> {
        Box::pin(async move { Ok(search(self, asked).await?) })
    }

    fn suggest<'a>(
        &'a self,
        q: &'a str,
        locale: &'a Locale,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<Suggestion>, Unanswered>> {
        Box::pin(async move { Ok(suggest(self, q, locale, limit).await?) })
    }
}
