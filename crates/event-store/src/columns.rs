//! A batch as the arguments of `log.append_batch`.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::{Event, StreamId};
use uuid::Uuid;

use crate::keys::Subject;
use crate::row::bound_to;
use crate::{Batch, Error, EventStore};

/// The arguments of `log.append_batch`, a column each.
#[derive(Default)]
pub(crate) struct Columns {
    pub(crate) scopes: Vec<i64>,
    pub(crate) ids: Vec<Uuid>,
    pub(crate) fingerprints: Vec<Vec<u8>>,
    pub(crate) answers: Vec<String>,
    pub(crate) records: Vec<bool>,
    pub(crate) times: Vec<DateTime<Utc>>,
    pub(crate) metadata: Vec<String>,
    pub(crate) commands: Vec<i32>,
    pub(crate) streams: Vec<String>,
    pub(crate) versions: Vec<i32>,
    pub(crate) types: Vec<&'static str>,
    pub(crate) schemas: Vec<i32>,
    pub(crate) event_ids: Vec<Uuid>,
    pub(crate) data: Vec<String>,
    pub(crate) subjects: Vec<Option<Uuid>>,
    pub(crate) sealed: Vec<Option<Vec<u8>>>,
    pub(crate) read_commands: Vec<i32>,
    pub(crate) read_streams: Vec<String>,
    pub(crate) read_versions: Vec<i32>,
    /// The last earlier command of the batch whose events count in that version; 0 for none.
    pub(crate) read_after: Vec<i32>,
    pub(crate) before_streams: Vec<String>,
    pub(crate) before_versions: Vec<i32>,
}

impl EventStore {
    /// The batch as arguments, its personal data sealed.
    pub(crate) async fn columns(&self, batch: &Batch) -> Result<Columns, Error> {
        let mut columns = Columns::default();
        let mut personal = Vec::new();
        let mut before: HashMap<&StreamId, u32> = HashMap::new();
        let mut written: HashMap<&StreamId, i32> = HashMap::new();
        for (command, ordinal) in batch.commands.iter().zip(1_i32..) {
            columns.scopes.push(command.key.scope);
            columns.ids.push(command.key.id);
            columns.fingerprints.push(command.fingerprint.to_vec());
            columns.answers.push(command.answer.clone());
            columns.records.push(command.record);
            columns.times.push(command.at);
            let metadata = serde_json::to_string(&command.metadata)
                .map_err(|error| Error::Corrupt(error.to_string()))?;
            columns.metadata.push(metadata);
            for (stream, version) in &command.reads {
                columns.read_commands.push(ordinal);
                columns.read_streams.push(stream.as_str().to_owned());
                columns.read_versions.push(*version as i32);
                columns.read_after.push(written.get(stream).copied().unwrap_or(0));
                before.entry(stream).and_modify(|first| *first = (*first).min(*version)).or_insert(*version);
            }
            for (stream, version, event) in &command.events {
                if let Some((subject, plain)) = event.personal() {
                    personal.push((columns.commands.len(), subject.0, plain));
                }
                columns.event(ordinal, stream, *version, event);
            }
            written.extend(command.events.iter().map(|(stream, ..)| (stream, ordinal)));
        }
        for (stream, version) in before {
            columns.before_streams.push(stream.as_str().to_owned());
            columns.before_versions.push(version as i32);
        }
        self.seal(&mut columns, personal).await?;
        Ok(columns)
    }

    /// Seals the personal data of the batch; the keys are looked up once for all.
    async fn seal(
        &self,
        columns: &mut Columns,
        personal: Vec<(usize, Uuid, Option<String>)>,
    ) -> Result<(), Error> {
        if personal.is_empty() {
            return Ok(());
        }
        let subjects: HashSet<Uuid> = personal.iter().map(|(_, subject, _)| *subject).collect();
        let keys: HashMap<Uuid, Subject> = self.keys.of(&self.pool, subjects, true).await?;
        for (index, subject, plain) in personal {
            let key = keys.get(&subject).ok_or(Error::KeyMissing(subject))?;
            let bound = bound_to(
                &columns.streams[index],
                columns.versions[index].unsigned_abs(),
                columns.types[index],
            );
            columns.subjects[index] = Some(subject);
            columns.sealed[index] = match plain {
                Some(plain) => key.seal(subject, &plain, &bound)?,
                None => None,
            };
        }
        Ok(())
    }
}

impl Columns {
    fn event(&mut self, ordinal: i32, stream: &StreamId, version: u32, event: &Event) {
        self.commands.push(ordinal);
        self.streams.push(stream.as_str().to_owned());
        self.versions.push(version as i32);
        self.types.push(event.type_name());
        self.schemas.push(i32::from(event.schema_version()));
        self.event_ids.push(Uuid::now_v7());
        self.data.push(event.encode());
        self.subjects.push(None);
        self.sealed.push(None);
    }
}
