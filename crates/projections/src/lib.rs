//! Read models: what is shown is a fold over the log, and can be thrown away and built again.
//!
//! [`run`] applies each batch of events to all read models in one transaction together with how far they have come;
//! [`reached`] waits for that; [`verify`] compares the rows with a fresh fold. A read model never causes anything.

mod binary;
pub mod carts;
pub mod customers;
mod error;
mod extent;
#[cfg(test)]
mod history;
#[cfg(test)]
mod interleaved;
mod older;
pub mod orders;
mod parked;
pub mod payments;
pub mod products;
mod progress;
mod projector;
mod reached;
pub mod rebuild;
mod schema;
pub mod stock;
pub mod tracking;
pub mod verify;

pub use error::Error;
pub use parked::{Parked, Retried, parked, retry};
pub use progress::{Progress, progress};
pub use projector::{Follow, OpenFeed, run};
pub use reached::{Standing, come_to, reached};
pub use schema::{connect, finding_tables, for_queries, keeping_plans, migrate};

use event_store::{Patient, Recorded, Topic};
use futures::future::BoxFuture;
use sqlx::{PgConnection, PgExecutor, PgPool};

/// What a query is asked of: a pool, or one whose statements end in time.
pub trait Reads<'a>: PgExecutor<'a> + Copy {
    /// The pool.
    fn pool(self) -> &'a PgPool;
}

impl<'a> Reads<'a> for &'a PgPool {
    fn pool(self) -> &'a PgPool {
        self
    }
}

impl<'a> Reads<'a> for &'a Patient {
    fn pool(self) -> &'a PgPool {
        self
    }
}

/// A fold over the log into tables. The same events twice change nothing, and nothing but events decides what is in a row: no
/// clock, no chance.
pub trait ReadModel: Send + Sync {
    /// The name its progress is kept under.
    fn name(&self) -> &'static str;

    /// Its tables. All of them, or [`verify`] refuses what it writes elsewhere.
    fn tables(&self) -> &'static [&'static str];

    /// The topics whose events it folds. Those of other topics are never given to it when it follows Kafka.
    fn topics(&self) -> &'static [Topic];

    /// The shape of its rows. Raise it when the same events make other rows: they are folded anew then.
    fn version(&self) -> i32 {
        1
    }

    /// Changes the rows as these events say; tables are found by their bare names.
    ///
    /// Events of one stream come in their order. Those of different streams may come in any: the rows must end the same.
    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// The stored names of the events that it folds, when those are few of its topics; none: it may fold all of them. A rebuild
    /// reads no others.
    fn types(&self) -> &'static [&'static str] {
        &[]
    }

    /// The same as [`Self::apply`] while the tables are being built and nobody else reads them. Each event comes once, and only
    /// after all earlier ones of its stream: what begins with these events has no rows yet.
    fn build<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        self.apply(connection, events)
    }

    /// Indexes that [`Self::build`] does not look into: they are made after it.
    fn indexes_made_later(&self) -> &'static [&'static str] {
        &[]
    }

    /// All its rows were put in the place of others by a rebuild or a rollback, in this transaction: whoever is told of changed
    /// rows must be told of all.
    fn swapped_in<'a>(&'a self, _connection: &'a mut PgConnection) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
}

/// All read models.
pub fn models() -> Vec<Box<dyn ReadModel>> {
    vec![
        Box::new(products::Products),
        Box::new(carts::Carts),
        Box::new(orders::Orders),
        Box::new(tracking::Tracking),
        Box::new(stock::Stock),
        Box::new(customers::Customers),
        Box::new(payments::Payments),
    ]
}
