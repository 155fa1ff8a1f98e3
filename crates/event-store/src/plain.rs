//! The plain way of an append: one statement, when nobody else has appended since and everything is to be recorded, as it nearly always
//! is where one node writes. No function, no subtransaction, no plan.

use sqlx::Postgres;
use sqlx::error::ErrorKind;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

use crate::json::JsonText;
use crate::prepared::{Command, Line, Prepared};
use crate::{Batch, EventStore};

/// Touches nothing unless the log ends where the batch takes it to end, and it is this node's turn. The head is locked first, by
/// `head`, which both others read. What was looked at need not be looked at again. A turn of this node goes on, as in `log.append_whole`.
const APPEND: &str = "\
    WITH head AS ( \
        UPDATE log.head h SET position = h.position + $4, \
               turn_node = CASE WHEN h.turn_node = $3 AND clock_timestamp() < h.turn_began + interval '40 milliseconds' THEN $3 END, \
               turn_until = CASE WHEN h.turn_node = $3 THEN clock_timestamp() + interval '10 milliseconds' ELSE h.turn_until END \
         WHERE h.only_row AND h.epoch = $1 AND h.position = $2 \
           AND (h.turn_node IS NULL OR h.turn_node = $3 OR h.turn_until < clock_timestamp()) \
        RETURNING h.position - $4 AS base \
    ), commands AS ( \
        INSERT INTO log.commands (command_id, scope, fingerprint, answer, recorded_at, first_position, last_position) \
        SELECT unnest($5), unnest($6), unnest($7), unnest($8), unnest($9), base + unnest($10), base + unnest($11) FROM head \
    ) \
    INSERT INTO log.events (position, version, schema_version, stream, type, event_id, recorded_at, scope, command_id, \
                            metadata, data, subject, sealed) \
    SELECT generate_series(base + 1, base + $4), unnest($12), unnest($13), unnest($14), unnest($15), unnest($16), unnest($17), \
           unnest($18), unnest($19), unnest($20), unnest($21), unnest($22), unnest($23) \
      FROM head";

/// The same for one command with one event, without lists: each list of one is made, sent, read and taken apart for nothing.
const APPEND_ONE: &str = "\
    WITH head AS ( \
        UPDATE log.head h SET position = h.position + 1, \
               turn_node = CASE WHEN h.turn_node = $3 AND clock_timestamp() < h.turn_began + interval '40 milliseconds' THEN $3 END, \
               turn_until = CASE WHEN h.turn_node = $3 THEN clock_timestamp() + interval '10 milliseconds' ELSE h.turn_until END \
         WHERE h.only_row AND h.epoch = $1 AND h.position = $2 \
           AND (h.turn_node IS NULL OR h.turn_node = $3 OR h.turn_until < clock_timestamp()) \
        RETURNING h.position \
    ), commands AS ( \
        INSERT INTO log.commands (command_id, scope, fingerprint, answer, recorded_at, first_position, last_position) \
        SELECT $4, $5, $6, $7, $8, position, position FROM head \
    ) \
    INSERT INTO log.events (position, version, schema_version, stream, type, event_id, recorded_at, scope, command_id, \
                            metadata, data, subject, sealed) \
    SELECT position, $9, $10, $11, $12, $13, $8, $5, $4, $14, $15, $16, $17 FROM head";

type Statement<'a> = Query<'a, Postgres, PgArguments>;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    /// All of it is in the log.
    Appended,
    /// Nothing was done: the log ends elsewhere, is another one, or it is another node's turn.
    NotSo,
    /// Nothing was done: some of it is there already, a command or the beginning of a stream.
    There,
}

impl EventStore {
    /// Whether a batch may go this way: it has events, and no refusals, which the log must look at.
    pub(crate) fn may_be_plain(&self, batch: &Batch, prepared: &Prepared<'_>) -> bool {
        self.way.is_clear()
            // Else something was looked at that another node may have moved since.
            && batch.known.position.0 != 0
            && !prepared.events.is_empty()
            && batch.commands.iter().all(|command| command.record)
    }

    pub(crate) async fn append_plain(
        &self,
        batch: &Batch,
        prepared: &Prepared<'_>,
    ) -> Result<Plain, sqlx::Error> {
        let call = match (&prepared.commands[..], &prepared.events[..]) {
            ([command], [line]) => one(batch, command, line),
            _ => many(batch, prepared),
        };
        let mut wire = self.way.wire(&self.pool).await?;
        let plain = match call.execute(wire.connection()).await {
            Ok(done) if done.rows_affected() > 0 => Plain::Appended,
            Ok(_) => Plain::NotSo,
            Err(sqlx::Error::Database(error)) if error.kind() == ErrorKind::UniqueViolation => Plain::There,
            Err(error) => return Err(error),
        };
        wire.keep();
        Ok(plain)
    }
}

fn one<'a>(batch: &Batch, command: &Command<'a>, line: &Line<'a>) -> Statement<'a> {
    let proposed = command.proposed;
    sqlx::query(APPEND_ONE)
        .bind(batch.known.epoch)
        .bind(i64::from(batch.known.position))
        .bind(batch.node)
        .bind(proposed.key.id)
        .bind(proposed.key.scope)
        .bind(&proposed.fingerprint[..])
        .bind(JsonText(&proposed.answer))
        .bind(proposed.at)
        .bind(line.version as i32)
        .bind(line.event.schema_version() as i16)
        .bind(line.stream.as_str())
        .bind(line.event.type_name())
        .bind(line.id)
        .bind(JsonText(command.metadata))
        .bind(JsonText(line.data))
        .bind(line.subject)
        .bind(line.sealed.clone())
}

fn many<'a>(batch: &Batch, prepared: &'a Prepared<'_>) -> Statement<'a> {
    let commands = || prepared.commands.iter();
    let events = || prepared.events.iter();
    let of_event = || prepared.events.iter().map(|line| &prepared.commands[line.command]);
    sqlx::query(APPEND)
        .bind(batch.known.epoch)
        .bind(i64::from(batch.known.position))
        .bind(batch.node)
        .bind(prepared.events.len() as i64)
        .bind(commands().map(|each| each.proposed.key.id).collect::<Vec<_>>())
        .bind(commands().map(|each| each.proposed.key.scope).collect::<Vec<_>>())
        .bind(commands().map(|each| &each.proposed.fingerprint[..]).collect::<Vec<_>>())
        .bind(commands().map(|each| JsonText(&each.proposed.answer)).collect::<Vec<_>>())
        .bind(commands().map(|each| each.proposed.at).collect::<Vec<_>>())
        .bind(commands().map(|each| each.events.map(|(first, _)| first)).collect::<Vec<_>>())
        .bind(commands().map(|each| each.events.map(|(_, last)| last)).collect::<Vec<_>>())
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
}
