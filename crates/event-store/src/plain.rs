//! The plain way of an append: one statement, when nobody else has appended since and everything is to be recorded, as it nearly always
//! is where one node writes. No function, no subtransaction, no plan.

use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use crate::json::JsonText;
use crate::pipe::Pipe;
use crate::prepared::{Command, Line, Prepared};
use crate::{Batch, Error, EventStore, Front};

/// Touches nothing unless the log ends where the batch takes it to end, and it is this node's turn. The head is locked first, by
/// `head`, which both others read. What was looked at need not be looked at again. A turn of this node goes on, as in `log.append_whole`.
macro_rules! append {
    ($behind:literal) => {
        concat!(
            "WITH head AS ( \
                UPDATE log.head h SET position = h.position + $4::bigint, \
                       turn_node = CASE WHEN h.turn_node = $3 AND clock_timestamp() < h.turn_began + interval '40 milliseconds' THEN $3 END, \
                       turn_until = CASE WHEN h.turn_node = $3 THEN clock_timestamp() + interval '10 milliseconds' ELSE h.turn_until END \
                 WHERE h.only_row AND h.epoch = $1 AND h.position = $2 \
                   AND (h.turn_node IS NULL OR h.turn_node = $3 OR h.turn_until < clock_timestamp())",
            $behind,
            " RETURNING h.position - $4 AS base \
            ), commands AS ( \
                INSERT INTO log.commands (command_id, scope, fingerprint, answer, recorded_at, first_position, last_position) \
                SELECT unnest($5::uuid[]), unnest($6::bigint[]), unnest($7::bytea[]), unnest($8::json[]), unnest($9::timestamptz[]), base + unnest($10::int[]), base + unnest($11::int[]) FROM head \
            ) \
            INSERT INTO log.events (position, version, schema_version, stream, type, event_id, recorded_at, scope, command_id, \
                                    metadata, data, subject, sealed) \
            SELECT generate_series(base + 1, base + $4), unnest($12::int[]), unnest($13::smallint[]), unnest($14::text[]), unnest($15::text[]), unnest($16::uuid[]), unnest($17::timestamptz[]), \
                   unnest($18::bigint[]), unnest($19::uuid[]), unnest($20::json[]), unnest($21::json[]), unnest($22::uuid[]), unnest($23::bytea[]) \
              FROM head"
        )
    };
}

pub(crate) const APPEND: &str = append!("");

/// The same behind another batch that is not answered yet, if all of that one has been appended (see [`Front`]).
pub(crate) const APPEND_BEHIND: &str = append!(
    " AND EXISTS (SELECT FROM log.events e WHERE e.position = $2 AND e.event_id = $24) \
      AND EXISTS (SELECT FROM log.events e WHERE e.position = $25 AND e.event_id = $26)"
);

/// The same for one command with one event, without lists: each list of one is made, sent, read and taken apart for nothing.
pub(crate) const APPEND_ONE: &str = "\
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

    /// `front`: the batch before, which is not answered yet.
    pub(crate) async fn append_plain(
        &self,
        batch: &Batch,
        prepared: &Prepared<'_>,
        front: Option<Front>,
    ) -> Result<Plain, Error> {
        let pipe = self.way.pipe(&self.pool).await?;
        let done = match (&prepared.commands[..], &prepared.events[..], front) {
            ([command], [line], None) => one(&pipe, batch, command, line).await,
            _ => many(&pipe, batch, prepared, front).await,
        };
        match done {
            Ok(rows) => {
                pipe.answered();
                Ok(if rows > 0 { Plain::Appended } else { Plain::NotSo })
            }
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                pipe.answered();
                Ok(Plain::There)
            }
            Err(error) => {
                if error.code().is_some() && !pipe.client.is_closed() {
                    pipe.answered();
                }
                Err(Error::Append(error))
            }
        }
    }
}

async fn one(
    pipe: &Pipe,
    batch: &Batch,
    command: &Command<'_>,
    line: &Line<'_>,
) -> Result<u64, tokio_postgres::Error> {
    let proposed = command.proposed;
    let parameters: [&(dyn ToSql + Sync); 17] = [
        &batch.known.epoch,
        &i64::from(batch.known.position),
        &batch.node,
        &proposed.key.id,
        &proposed.key.scope,
        &&proposed.fingerprint[..],
        &JsonText(&proposed.answer),
        &proposed.at,
        &(line.version as i32),
        &(line.event.schema_version() as i16),
        &line.stream.as_str(),
        &line.event.type_name(),
        &line.id,
        &JsonText(command.metadata),
        &JsonText(line.data),
        &line.subject,
        &line.sealed.as_deref(),
    ];
    pipe.client.execute(&pipe.append_one, &parameters).await
}

async fn many(
    pipe: &Pipe,
    batch: &Batch,
    prepared: &Prepared<'_>,
    front: Option<Front>,
) -> Result<u64, tokio_postgres::Error> {
    let commands = || prepared.commands.iter();
    let events = || prepared.events.iter();
    let of_event = || prepared.events.iter().map(|line| &prepared.commands[line.command]);
    let parameters: [&(dyn ToSql + Sync); 26] = [
        &batch.known.epoch,
        &i64::from(batch.known.position),
        &batch.node,
        &(prepared.events.len() as i64),
        &commands().map(|each| each.proposed.key.id).collect::<Vec<_>>(),
        &commands().map(|each| each.proposed.key.scope).collect::<Vec<_>>(),
        &commands().map(|each| &each.proposed.fingerprint[..]).collect::<Vec<_>>(),
        &commands().map(|each| JsonText(&each.proposed.answer)).collect::<Vec<_>>(),
        &commands().map(|each| each.proposed.at).collect::<Vec<_>>(),
        &commands().map(|each| each.events.map(|(first, _)| first)).collect::<Vec<_>>(),
        &commands().map(|each| each.events.map(|(_, last)| last)).collect::<Vec<_>>(),
        &events().map(|line| line.version as i32).collect::<Vec<_>>(),
        &events().map(|line| line.event.schema_version() as i16).collect::<Vec<_>>(),
        &events().map(|line| line.stream.as_str()).collect::<Vec<_>>(),
        &events().map(|line| line.event.type_name()).collect::<Vec<_>>(),
        &events().map(|line| line.id).collect::<Vec<_>>(),
        &of_event().map(|command| command.proposed.at).collect::<Vec<_>>(),
        &of_event().map(|command| command.proposed.key.scope).collect::<Vec<_>>(),
        &of_event().map(|command| command.proposed.key.id).collect::<Vec<_>>(),
        &of_event().map(|command| JsonText(command.metadata)).collect::<Vec<_>>(),
        &events().map(|line| JsonText(line.data)).collect::<Vec<_>>(),
        &events().map(|line| line.subject).collect::<Vec<_>>(),
        &events().map(|line| line.sealed.as_deref()).collect::<Vec<_>>(),
        &front.map(|front| front.last),
        &front.map(|front| i64::from(front.first.0)),
        &front.map(|front| front.first.1),
    ];
    match front {
        Some(_) => pipe.client.execute(&pipe.append_behind, &parameters).await,
        None => pipe.client.execute(&pipe.append, &parameters[..23]).await,
    }
}
