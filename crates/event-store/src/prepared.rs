//! A batch made ready: its events as they will be stored, its personal data sealed. Prepared once, however often it is sent.

use std::collections::{HashMap, HashSet};

use domain::{Event, StreamId};
use uuid::Uuid;

use crate::keys::Subject;
use crate::row::bound_to;
use crate::{Batch, Error, EventStore, Proposed};

/// A batch, ready to be sent.
pub(crate) struct Prepared<'a> {
    pub(crate) commands: Vec<Command<'a>>,
    /// In order of the commands.
    pub(crate) events: Vec<Line<'a>>,
}

/// A command of the batch.
pub(crate) struct Command<'a> {
    pub(crate) proposed: &'a Proposed,
    /// As it is stored with each of its events.
    pub(crate) metadata: &'a str,
    /// Its first and last event, counted from 1 over the batch.
    pub(crate) events: Option<(i32, i32)>,
}

/// An event of the batch.
pub(crate) struct Line<'a> {
    /// Its command, counted from 0.
    pub(crate) command: usize,
    pub(crate) id: Uuid,
    pub(crate) stream: &'a StreamId,
    pub(crate) version: u32,
    pub(crate) event: &'a Event,
    pub(crate) data: &'a str,
    pub(crate) subject: Option<Uuid>,
    pub(crate) sealed: Option<Vec<u8>>,
}

/// What a command of a batch is stored as, as far as it can be said before its batch is sent, so that it can be made ready while the
/// batch before it is on its way.
#[derive(Debug)]
pub struct Encoded {
    metadata: String,
    /// One for each of its events.
    events: Vec<EncodedEvent>,
}

#[derive(Debug)]
struct EncodedEvent {
    id: Uuid,
    data: String,
    /// Whose personal data is in it, and that data, not yet sealed.
    personal: Option<(Uuid, Option<String>)>,
}

impl Encoded {
    /// The ids of its events.
    pub(crate) fn events(&self) -> impl Iterator<Item = Uuid> {
        self.events.iter().map(|event| event.id)
    }
}

impl Proposed {
    /// What it is stored as. Goes with its batch to [`EventStore::append_encoded`].
    ///
    /// # Errors
    /// [`Error::Corrupt`] when its metadata cannot be written as JSON.
    pub fn encode(&self) -> Result<Encoded, Error> {
        let metadata =
            serde_json::to_string(&self.metadata).map_err(|error| Error::Corrupt(error.to_string()))?;
        let encode = |(_, _, event): &(StreamId, u32, Event)| EncodedEvent {
            id: Uuid::now_v7(),
            data: event.encode(),
            personal: event.personal().map(|(subject, plain)| (subject.0, plain)),
        };
        Ok(Encoded { metadata, events: self.events.iter().map(encode).collect() })
    }
}

impl EventStore {
    /// Makes a batch ready, whose commands were encoded before, each at its place.
    ///
    /// # Errors
    /// When its personal data cannot be sealed.
    pub(crate) async fn prepare<'a>(
        &self,
        batch: &'a Batch,
        encoded: &'a [Encoded],
    ) -> Result<Prepared<'a>, Error> {
        let commands = Vec::with_capacity(batch.commands.len());
        let mut prepared = Prepared { commands, events: Vec::with_capacity(batch.commands.len()) };
        let mut personal = Vec::new();
        for ((command, proposed), encoded) in batch.commands.iter().enumerate().zip(encoded) {
            let before = prepared.events.len() as i32;
            for ((stream, version, event), encoded) in proposed.events.iter().zip(&encoded.events) {
                if let Some((subject, plain)) = &encoded.personal {
                    personal.push((prepared.events.len(), *subject, plain.as_deref()));
                }
                prepared.events.push(Line {
                    command,
                    id: encoded.id,
                    stream,
                    version: *version,
                    event,
                    data: &encoded.data,
                    subject: None,
                    sealed: None,
                });
            }
            let after = prepared.events.len() as i32;
            let events = (after > before).then_some((before + 1, after));
            prepared.commands.push(Command { proposed, metadata: &encoded.metadata, events });
        }
        self.seal(&mut prepared.events, personal).await?;
        Ok(prepared)
    }

    /// Seals personal data, each piece in the event of that index; the keys are looked up once for all.
    async fn seal(
        &self,
        events: &mut [Line<'_>],
        personal: Vec<(usize, Uuid, Option<&str>)>,
    ) -> Result<(), Error> {
        if personal.is_empty() {
            return Ok(());
        }
        let subjects: HashSet<Uuid> = personal.iter().map(|(_, subject, _)| *subject).collect();
        let keys: HashMap<Uuid, Subject> = self.keys.of(&self.pool, subjects, true).await?;
        for (index, subject, plain) in personal {
            let key = keys.get(&subject).ok_or(Error::KeyMissing(subject))?;
            let line = &mut events[index];
            let bound = bound_to(line.stream.as_str(), line.version, line.event.type_name());
            line.subject = Some(subject);
            line.sealed = match plain {
                Some(plain) => key.seal(subject, plain, &bound)?,
                None => None,
            };
        }
        Ok(())
    }
}
