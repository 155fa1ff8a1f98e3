//! Replay: reading much of the log at once. The database sends ahead, and events are opened beside that, on other cores.

mod segment;
mod stored;

use std::collections::HashMap;

use domain::{Event, StreamId};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

pub use segment::{Lengths, Segment, Segments};
pub use stored::Stored;

use crate::keys::Subject;
use crate::row::bound_to;
use crate::{Error, EventStore, Filter, Metadata, Position, Received, Recorded, Unreadable};

/// Positions in a segment: long enough that a statement for each costs nothing, short enough to stay in the caches.
const LENGTHS: Lengths = Lengths { first: 1_000, most: 4_000 };
/// Segments that are opened ahead.
const AHEAD: usize = 2;

/// Some of the log, opened.
#[derive(Debug)]
pub struct Page {
    /// Its events, each for itself: one that cannot be read holds up no other.
    pub events: Vec<Received>,
    /// It ends here.
    pub through: Position,
}

/// The log after a position, up to another.
#[derive(Debug)]
pub struct Replay {
    opening: mpsc::Receiver<JoinHandle<Result<Page, Error>>>,
    /// All up to here was handed out.
    through: Position,
    until: Position,
}

impl Replay {
    /// The next page; it may have no events when these are not wanted. `None`: that was all.
    ///
    /// # Errors
    /// When the log or the vault cannot be read. What was handed out before is good; begin anew after it.
    pub async fn next(&mut self) -> Result<Option<Page>, Error> {
        if self.through >= self.until {
            return Ok(None);
        }
        let broken = || Error::Corrupt(format!("the replay has ended at position {}", self.through));
        let opening = self.opening.recv().await.ok_or_else(broken)?;
        let page =
            opening.await.map_err(|error| Error::Corrupt(format!("a replay broke off: {error}")))??;
        self.through = page.through;
        Ok(Some(page))
    }
}

impl EventStore {
    /// All events after a position, in order, up to another position or up to where the log ends now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn replay(&self, after: Position, until: Position, filter: &Filter) -> Result<Replay, Error> {
        let mut segments = self.segments(after, until, filter, LENGTHS).await?;
        let until = segments.until();
        let (sender, opening) = mpsc::channel(AHEAD);
        let store = self.clone();
        tokio::spawn(async move {
            loop {
                let segment = segments.next().await;
                let ended = !matches!(segment, Ok(Some(_)));
                let store = store.clone();
                let task = match segment {
                    Ok(None) => break,
                    Ok(Some(segment)) => tokio::spawn(async move { store.open_page(&segment).await }),
                    Err(error) => tokio::spawn(async { Err(error) }),
                };
                if sender.send(task).await.is_err() || ended {
                    break;
                }
            }
        });
        Ok(Replay { opening, through: after, until })
    }

    async fn open_page(&self, segment: &Segment) -> Result<Page, Error> {
        let stored = segment.events().collect::<Result<Vec<_>, _>>()?;
        Ok(Page { events: self.open_stored(&stored).await?, through: segment.through })
    }

    /// Opens stored events, each for itself: one that cannot be read holds up no other.
    ///
    /// # Errors
    /// When the vault's database is away.
    pub async fn open_stored(&self, stored: &[Stored<'_>]) -> Result<Vec<Received>, Error> {
        let subjects = stored.iter().filter(|event| event.sealed.is_some()).filter_map(|event| event.subject);
        let keys = self.keys.of(&self.pool, subjects.collect(), false).await?;
        let mut opener = Opener { keys, last: None };
        stored.iter().map(|event| opener.open(event)).collect()
    }
}

/// Opens events one after the other.
struct Opener<'a> {
    keys: HashMap<Uuid, Subject>,
    /// Events of one command have the same metadata.
    last: Option<(&'a str, Metadata)>,
}

impl<'a> Opener<'a> {
    fn open(&mut self, stored: &Stored<'a>) -> Result<Received, Error> {
        let corrupt = |what: String| Error::Corrupt(format!("position {}: {what}", stored.position));
        let stream = StreamId::parse(stored.stream)
            .ok_or_else(|| corrupt(format!("{:?} is not a stream", stored.stream)))?;
        let metadata =
            self.metadata(stored.metadata).map_err(|error| corrupt(format!("metadata: {error}")))?;
        let (position, version) = (Position::from(stored.position), stored.version.unsigned_abs());
        let (event_id, type_name) = (stored.event_id, stored.type_name.to_owned());
        let schema_version = stored.schema_version.unsigned_abs();
        Ok(match self.event(stored, schema_version) {
            Ok(event) => Ok(Recorded {
                position,
                event_id,
                stream,
                version,
                type_name,
                schema_version,
                recorded_at: stored.recorded_at,
                command_id: stored.command_id,
                metadata,
                event,
            }),
            Err(error) => Err(Unreadable { position, event_id, stream, version, type_name, error }),
        })
    }

    fn metadata(&mut self, text: &'a str) -> Result<Metadata, serde_json::Error> {
        if let Some((last, metadata)) = &self.last
            && *last == text
        {
            return Ok(metadata.clone());
        }
        let metadata: Metadata = serde_json::from_str(text)?;
        self.last = Some((text, metadata.clone()));
        Ok(metadata)
    }

    /// What happened, with personal data where its key is still there.
    fn event(&self, stored: &Stored<'_>, schema_version: u16) -> Result<Event, String> {
        let personal = match (stored.subject, stored.sealed) {
            (Some(subject), Some(sealed)) => {
                let bound = bound_to(stored.stream, stored.version.unsigned_abs(), stored.type_name);
                let key = self.keys.get(&subject).ok_or(Error::KeyMissing(subject));
                key.and_then(|key| key.open(subject, sealed, &bound)).map_err(|error| error.to_string())?
            }
            _ => None,
        };
        Event::decode(stored.type_name, schema_version, stored.data, personal.as_deref())
            .map_err(|error| error.to_string())
    }
}
