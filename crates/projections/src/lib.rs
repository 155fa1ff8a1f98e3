//! Read models: what is shown is a fold over the log, and can be thrown away and built again.
//!
//! [`run`] applies each batch of events to all read models in one transaction together with how far they have come;
//! [`reached`] waits for that; [`verify`] compares the rows with a fresh fold. A read model never causes anything.

pub mod carts;
pub mod customers;
mod error;
#[cfg(test)]
mod history;
pub mod orders;
pub mod payments;
pub mod products;
mod progress;
mod projector;
mod reached;
mod schema;
pub mod stock;
pub mod tracking;
pub mod verify;

pub use error::Error;
pub use progress::{Progress, progress};
pub use projector::run;
pub use reached::reached;
pub use schema::{connect, migrate};

use event_store::Recorded;
use futures::future::BoxFuture;
use sqlx::PgConnection;

/// A fold over the log into tables. The same events twice change nothing, and nothing but events decides what is in a row: no
/// clock, no chance.
pub trait ReadModel: Send + Sync {
    /// The name its progress is kept under.
    fn name(&self) -> &'static str;

    /// Its tables. All of them, or [`verify`] refuses what it writes elsewhere.
    fn tables(&self) -> &'static [&'static str];

    /// The shape of its rows. Raise it when the same events make other rows: they are folded anew then.
    fn version(&self) -> i32 {
        1
    }

    /// Changes the rows as these events say. They come in the order of the log; tables are found by their bare names.
    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>>;
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
