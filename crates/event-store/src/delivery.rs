//! What a feed delivers, whichever it is: the log itself, or Kafka.

use std::future::Future;
use std::pin::Pin;

use domain::StreamId;
use uuid::Uuid;

use crate::{Error, Lane, Position, Recorded};

/// An event that was read, or one that cannot be: its stream and place are known all the same.
pub type Received = Result<Recorded, Unreadable>;

/// An event that this program cannot read. It is never skipped: whoever follows its stream waits for it to be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Where in the log.
    pub position: Position,
    /// Its own id.
    pub event_id: Uuid,
    /// Of which stream.
    pub stream: StreamId,
    /// Which of its stream, from 1.
    pub version: u32,
    /// Its stored name.
    pub type_name: String,
    /// Why it cannot be read. Holds nothing personal.
    pub error: String,
}

/// The next events of one lane.
///
/// All of the lane up to `after` came before; with `events` all of it up to `through` has come. So a reader that is at `place`
/// takes those of `events` with a position above `place` when `after <= place`, and is at `max(place, through)` then. When
/// `after > place`, what lies between is missing, and nothing may be taken.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Of which lane.
    pub lane: Lane,
    /// Of which log: positions of another one mean nothing here.
    pub epoch: Uuid,
    /// All of the lane up to here came before.
    pub after: Position,
    /// In order; may be none.
    pub events: Vec<Received>,
    /// Now all of the lane up to here has come.
    pub through: Position,
    /// Where the feed goes on in a partition: the offset after the last record that is in here. `None` for the log.
    pub offset: Option<i64>,
}

/// Where somebody is in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// All of the lane up to here is taken.
    pub position: Position,
    /// Where the feed goes on in a partition, when it was there before.
    pub offset: Option<i64>,
}

/// A future in a box, borrowed from somewhere.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a follower is in the lanes that it is given: asked when lanes are assigned, and after [`Feed::restart`].
pub trait Places: Send + Sync {
    /// The places in these lanes, one each.
    fn places<'a>(&'a self, lanes: &'a [Lane]) -> Boxed<'a, Result<Vec<(Lane, Place)>, Error>>;
}

/// Ordered events of one or more lanes, from stored places on.
///
/// What a feed promises, and a test holds every feed to: within a lane events come in the order of the log; none is left out
/// between `after` and `through`; what was delivered before may be delivered again. Lanes may come and go while others flow.
pub trait Feed: Send {
    /// The next deliveries, at least one; waits until there is one. Dropping the future loses nothing.
    fn next(&mut self) -> Boxed<'_, Result<Vec<Delivery>, Error>>;

    /// What was delivered last was not taken: goes on from the stored places of all its lanes.
    fn restart(&mut self) -> Boxed<'_, Result<(), Error>>;
}
