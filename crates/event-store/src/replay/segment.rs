//! Segments: some of the log after one position and up to another, in one piece of memory.

use domain::Category;
use futures::TryStreamExt;
use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc;

use super::stored::{COLUMNS, Malformed, Rows, Stored};
use crate::{Error, EventStore, Filter, Position};

/// Segments that are read ahead.
const AHEAD: usize = 2;

/// Some of the log: all of it that was asked for after one position, up to another.
#[derive(Debug)]
pub struct Segment {
    /// It begins after here.
    pub after: Position,
    /// It ends here.
    pub through: Position,
    bytes: Vec<u8>,
}

impl Segment {
    /// Its events, in order.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the database did not send what it was asked for.
    pub fn events(&self) -> impl Iterator<Item = Result<Stored<'_>, Error>> {
        let mut rows = Some(Rows::after_header(&self.bytes));
        std::iter::from_fn(move || {
            let next = match rows.as_mut()? {
                Some(rest) => rest.next().transpose()?,
                None => Err(Malformed),
            };
            if next.is_err() {
                rows = None;
            }
            Some(next.map_err(|_| self.corrupt()))
        })
    }

    fn corrupt(&self) -> Error {
        Error::Corrupt(format!("what the log sent after position {} is cut off or malformed", self.after))
    }
}

/// How many positions are in a segment: few at first, so that whoever begins has something to do.
#[derive(Debug, Clone, Copy)]
pub struct Lengths {
    /// The first one; each further one is twice as long …
    pub first: u64,
    /// … but not longer than this.
    pub most: u64,
}

/// The log after a position, up to another, in segments. They are read ahead, each by a short statement of its own: no old
/// snapshot is held, however long it takes to work on them.
#[derive(Debug)]
pub struct Segments {
    received: mpsc::Receiver<Result<Segment, Error>>,
    /// All up to here was handed out.
    through: Position,
    until: Position,
}

impl Segments {
    /// The next one. `None`: that was all.
    ///
    /// # Errors
    /// When the log cannot be read. What was handed out before is good; begin anew after it.
    pub async fn next(&mut self) -> Result<Option<Segment>, Error> {
        if self.through >= self.until {
            return Ok(None);
        }
        let broken = || Error::Corrupt(format!("the replay has ended at position {}", self.through));
        let segment = self.received.recv().await.ok_or_else(broken)??;
        self.through = segment.through;
        Ok(Some(segment))
    }

    /// It ends here.
    pub fn until(&self) -> Position {
        self.until
    }
}

impl EventStore {
    /// The log after a position, as it is stored, up to another or up to where it ends now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn segments(
        &self,
        after: Position,
        until: Position,
        filter: &Filter,
        lengths: Lengths,
    ) -> Result<Segments, Error> {
        // Nothing is missing up to the head; beyond it there may be nothing yet.
        let until = until.min(self.head().await?.position).min(filter.until.unwrap_or(until));
        let mut connection = PgConnection::connect_with(&self.pool.connect_options()).await?;
        let (sender, received) = mpsc::channel(AHEAD);
        let conditions = conditions(filter);
        tokio::spawn(async move {
            let (mut after, mut length) = (after, lengths.first.max(1));
            while after < until {
                let through = until.min(Position(after.0.saturating_add(length)));
                let segment = fetch(&mut connection, after, through, &conditions).await;
                let failed = segment.is_err();
                // Nobody wants it any more.
                if sender.send(segment).await.is_err() || failed {
                    break;
                }
                (after, length) = (through, (length * 2).min(lengths.most.max(1)));
            }
        });
        Ok(Segments { received, through: after, until })
    }
}

async fn fetch(
    connection: &mut PgConnection,
    after: Position,
    through: Position,
    conditions: &str,
) -> Result<Segment, Error> {
    let sql = format!(
        "COPY (SELECT {COLUMNS} FROM log.events WHERE position > {after} AND position <= {through}{conditions} \
         ORDER BY position) TO STDOUT (FORMAT binary)"
    );
    let mut bytes = Vec::new();
    let mut sent = connection.copy_out_raw(&sql).await?;
    while let Some(message) = sent.try_next().await? {
        bytes.extend_from_slice(&message);
    }
    drop(sent);
    Ok(Segment { after, through, bytes })
}

/// COPY takes no parameters.
fn conditions(filter: &Filter) -> String {
    let names = || filter.categories.iter().copied().map(Category::name);
    let types = || filter.types.iter().map(String::as_str);
    let categories = (!filter.categories.is_empty())
        .then(|| format!(" AND split_part(stream, '-', 1) IN ({})", literals(names())));
    let types = (!filter.types.is_empty()).then(|| format!(" AND type IN ({})", literals(types())));
    let stream =
        filter.stream.as_ref().map(|stream| format!(" AND stream = {}", literals([stream.as_str()])));
    [categories, types, stream].into_iter().flatten().collect()
}

fn literals<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let quoted = texts.into_iter().map(|text| format!("'{}'", text.replace('\'', "''")));
    quoted.collect::<Vec<_>>().join(", ")
}
