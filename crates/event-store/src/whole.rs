//! The way of an append beside others: the whole batch or nothing of it, with one call.

use std::collections::HashMap;

use domain::StreamId;
use sqlx::FromRow;
use uuid::Uuid;

use crate::json::JsonText;
use crate::prepared::Prepared;
use crate::{Batch, EventStore};

/// What `log.append_whole` answers.
#[derive(Debug, FromRow)]
pub(crate) struct Answer {
    pub(crate) outcome: String,
    pub(crate) epoch: Uuid,
    pub(crate) head: i64,
    /// The streams that have moved on, when that is the outcome.
    pub(crate) stale: Option<Vec<String>>,
}

const APPEND: &str = "SELECT outcome, epoch, head, stale FROM log.append_whole($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, \
    $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)";

impl EventStore {
    pub(crate) async fn append_whole(
        &self,
        batch: &Batch,
        prepared: &Prepared<'_>,
    ) -> Result<Answer, sqlx::Error> {
        let recorded = || prepared.commands.iter().filter(|command| command.proposed.record);
        let refused = || prepared.commands.iter().filter(|command| !command.proposed.record);
        let events = || prepared.events.iter();
        let of_event = || prepared.events.iter().map(|line| &prepared.commands[line.command]);
        let before = before(batch);
        let call = sqlx::query_as(APPEND)
            .bind(batch.known.epoch)
            .bind(i64::from(batch.known.position))
            .bind(batch.node)
            .bind(recorded().map(|each| each.proposed.key.scope).collect::<Vec<_>>())
            .bind(recorded().map(|each| each.proposed.key.id).collect::<Vec<_>>())
            .bind(recorded().map(|each| &each.proposed.fingerprint[..]).collect::<Vec<_>>())
            .bind(recorded().map(|each| JsonText(&each.proposed.answer)).collect::<Vec<_>>())
            .bind(recorded().map(|each| each.proposed.at).collect::<Vec<_>>())
            .bind(recorded().map(|each| each.events.map(|(first, _)| first)).collect::<Vec<_>>())
            .bind(recorded().map(|each| each.events.map(|(_, last)| last)).collect::<Vec<_>>())
            .bind(events().map(|line| line.version as i32).collect::<Vec<_>>())
            .bind(events().map(|line| line.event.schema_version() as i16).collect::<Vec<_>>())
            .bind(events().map(|line| line.stream.as_str()).collect::<Vec<_>>())
            .bind(events().map(|line| line.event.type_name()).collect::<Vec<_>>())
            .bind(events().map(|line| line.id).collect::<Vec<_>>())
            .bind(of_event().map(|command| command.proposed.at).collect::<Vec<_>>())
            .bind(of_event().map(|command| command.proposed.key.scope).collect::<Vec<_>>())
            .bind(of_event().map(|command| command.proposed.key.id).collect::<Vec<_>>())
            .bind(of_event().map(|command| JsonText(command.metadata)).collect::<Vec<_>>())
            .bind(events().map(|line| JsonText(line.data)).collect::<Vec<_>>())
            .bind(events().map(|line| line.subject).collect::<Vec<_>>())
            .bind(events().map(|line| line.sealed.as_deref()).collect::<Vec<_>>())
            .bind(refused().map(|each| each.proposed.key.scope).collect::<Vec<_>>())
            .bind(refused().map(|each| each.proposed.key.id).collect::<Vec<_>>())
            .bind(before.keys().map(|stream| stream.as_str()).collect::<Vec<_>>())
            .bind(before.values().copied().collect::<Vec<_>>());
        let mut wire = self.way.wire(&self.pool).await?;
        let answer = call.fetch_one(wire.connection()).await?;
        wire.keep();
        Ok(answer)
    }
}

/// Every stream that the batch looked at, with its version before the batch.
fn before(batch: &Batch) -> HashMap<&StreamId, i32> {
    let mut before: HashMap<&StreamId, i32> = HashMap::new();
    for (stream, version) in batch.commands.iter().flat_map(|command| &command.reads) {
        let version = *version as i32;
        before.entry(stream).and_modify(|first| *first = (*first).min(version)).or_insert(version);
    }
    before
}
