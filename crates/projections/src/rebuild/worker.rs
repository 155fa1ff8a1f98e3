//! A worker: folds the streams of its parts, each batch in one transaction with how far that is.

use std::sync::Arc;

use event_store::{Position, Recorded, Segment, Stored};
use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc;

use super::Error;
use super::copy::{Copy, extent};
use super::fold::{Source, unreadable};
use super::patience::Patience;
use crate::extent::{Extent, Part};
use crate::parked;

/// Events that a worker writes at once, about: so many at first, to have something soon …
const EVENTS_FIRST: usize = 1_000;
/// … and four times as many each time, up to these. What a stream comes to within a batch is written once; a row that an earlier batch has
/// written is read, parsed and written again. They are in memory until then.
const EVENTS_MAX: usize = 20_000;
/// However few events of the log a model wants, it is written down how far the copy is after so many positions.
const POSITIONS_MAX: u64 = 500_000;

/// Some of the log: all of a worker's streams after one position, up to another.
struct Batch {
    after: Position,
    events: Vec<Recorded>,
    through: Position,
}

impl Batch {
    fn begin(after: Position) -> Self {
        Self { after, events: Vec::new(), through: after }
    }

    fn add(&mut self, events: Vec<Recorded>, through: Position) {
        self.events.extend(events);
        self.through = through;
    }

    /// Whether it is worth writing, when so many events are.
    fn is_full(&self, events: usize) -> bool {
        self.events.len() >= events || self.through.0 - self.after.0 >= POSITIONS_MAX
    }
}

/// Folds some parts of a copy.
pub(super) struct Worker {
    source: Source,
    copy: Copy,
    parts: Extent,
    target: Arc<Extent>,
    connection: Option<PgConnection>,
}

impl Worker {
    pub(super) fn new(source: Source, copy: Copy, parts: Vec<Part>, target: Arc<Extent>) -> Self {
        let parts = parts.into_iter().map(|part| (part, Position(0))).collect();
        Self { source, copy, parts, target, connection: None }
    }

    pub(super) async fn run(mut self, mut segments: mpsc::Receiver<Arc<Segment>>) -> Result<(), Error> {
        let (mut batch, mut events_wanted) = (None, EVENTS_FIRST);
        while let Some(segment) = segments.recv().await {
            let growing = batch.get_or_insert_with(|| Batch::begin(segment.after));
            growing.add(self.open(&segment).await?, segment.through);
            if let Some(full) = batch.take_if(|batch| batch.is_full(events_wanted)) {
                self.write(full).await?;
                events_wanted = (events_wanted * 4).min(EVENTS_MAX);
            }
        }
        match batch {
            Some(rest) => self.write(rest).await,
            None => Ok(()),
        }
    }

    /// Takes a batch, however often the database is away.
    async fn write(&mut self, batch: Batch) -> Result<(), Error> {
        let mut patience = Patience::new();
        loop {
            match self.take(&batch).await {
                Ok(taken) => {
                    self.source.meter.folded(taken);
                    return Ok(());
                }
                Err(error) => patience.wait(error).await?,
            }
            // What is not committed is rolled back; a connection that is broken is made anew.
            if let Some(connection) = &mut self.connection
                && connection.ping().await.is_err()
            {
                self.connection = None;
            }
        }
    }

    /// Opens what is in its parts.
    async fn open(&self, segment: &Segment) -> Result<Vec<Recorded>, Error> {
        let own = |event: &Stored<'_>| self.parts.may_hold(event.stream());
        let stored = segment.events().filter(|event| event.as_ref().map_or(true, own));
        let stored = stored.collect::<Result<Vec<_>, _>>()?;
        let mut patience = Patience::new();
        let received = loop {
            match self.source.store.open_stored(&stored).await {
                Ok(received) => break received,
                Err(error) => patience.wait(error.into()).await?,
            }
        };
        let model = self.source.model.as_ref();
        received.into_iter().collect::<Result<_, _>>().map_err(|event| unreadable(model, event))
    }

    /// Takes a batch, whole or not at all. Answers how many of its events were not taken before.
    async fn take(&mut self, batch: &Batch) -> Result<usize, Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.copy.connect(&self.source.read).await?),
        };
        let mut transaction = connection.begin().await?;
        let places = lock(&mut transaction, &self.copy, &self.parts, self.source.model.name()).await?;
        let next = next(&places, batch, &self.target)?;
        let events = places.missing(&next, &batch.events);
        if !events.is_empty() {
            let way = if self.parts.is_shares() { Way::Build } else { Way::Apply };
            apply(&self.source, &mut transaction, &events, way).await?;
        }
        store(&mut transaction, &self.copy, &next).await?;
        transaction.commit().await?;
        Ok(events.len())
    }
}

/// Locks the places of these parts, and looks how far they are.
async fn lock(
    connection: &mut PgConnection,
    copy: &Copy,
    parts: &Extent,
    model: &'static str,
) -> Result<Extent, Error> {
    let parts: Vec<String> = parts.parts().map(|part| part.to_string()).collect();
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT part, position FROM read.copy_places WHERE copy = $1 AND part = ANY ($2) ORDER BY part FOR UPDATE",
    )
    .bind(copy.id)
    .bind(&parts)
    .fetch_all(connection)
    .await?;
    if rows.len() != parts.len() {
        return Err(Error::Replaced { model });
    }
    Ok(extent(rows)?)
}

/// Where the parts are with this batch.
fn next(places: &Extent, batch: &Batch, target: &Extent) -> Result<Extent, Error> {
    let next = places.towards(target, batch.through);
    match places.iter().find(|(part, place)| batch.after > *place && next.at(*part) > Some(*place)) {
        None => Ok(next),
        Some((part, place)) => {
            let missing = format!("{part} is at {place}, and the batch begins after {}", batch.after);
            Err(crate::Error::Corrupt(missing).into())
        }
    }
}

/// How events are folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As the projector does it.
    Apply,
    /// Each comes once: a copy that is cut into shares takes every event of them one time. In lanes, to which it is cut later, some
    /// may come again.
    Build,
}

/// Applies these events. One that cannot be taken is named.
pub(super) async fn apply(
    source: &Source,
    connection: &mut PgConnection,
    events: &[Recorded],
    way: Way,
) -> Result<(), Error> {
    sqlx::query("SAVEPOINT batch").execute(&mut *connection).await?;
    let folded = match way {
        Way::Apply => parked::guarded(connection, source.model.as_ref(), events).await,
        Way::Build => parked::guard(source.model.build(connection, events)).await,
    };
    let Err(error) = folded else {
        sqlx::query("RELEASE batch").execute(connection).await?;
        return Ok(());
    };
    if error.is_outage() {
        return Err(error.into());
    }
    sqlx::query("ROLLBACK TO batch").execute(&mut *connection).await?;
    for event in events {
        if let Err(error) =
            parked::guarded(connection, source.model.as_ref(), std::slice::from_ref(event)).await
        {
            return Err(poison(source, event, error));
        }
    }
    // Each alone can be taken; it is the batch that cannot.
    match events.first() {
        Some(first) => Err(poison(source, first, error)),
        None => Err(error.into()),
    }
}

fn poison(source: &Source, event: &Recorded, error: crate::Error) -> Error {
    if error.is_outage() {
        return error.into();
    }
    Error::Poison {
        model: source.model.name(),
        position: event.position,
        stream: event.stream.to_string(),
        source: Box::new(error),
    }
}

/// Writes down where the parts are.
async fn store(connection: &mut PgConnection, copy: &Copy, next: &Extent) -> Result<(), Error> {
    let (parts, positions): (Vec<String>, Vec<i64>) =
        next.iter().map(|(part, position)| (part.to_string(), i64::from(position))).unzip();
    sqlx::query(
        "UPDATE read.copy_places p SET position = n.position FROM unnest($2::text[], $3::bigint[]) n (part, position) \
         WHERE p.copy = $1 AND p.part = n.part",
    )
    .bind(copy.id)
    .bind(parts)
    .bind(positions)
    .execute(connection)
    .await?;
    Ok(())
}
