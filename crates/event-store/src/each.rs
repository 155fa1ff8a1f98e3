//! The slow way of an append: command by command. For a batch of which something was done before, or was decided on what is no
//! longer so, or that changes nothing at all.

use std::collections::HashMap;

use domain::StreamId;
use sqlx::FromRow;
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::{Batch, Error, EventStore, Outcome, Position, Seen};

/// What `log.append_each` and `log.verify_batch` answer: a row with ordinal 0 about the batch, and one per command.
#[derive(Debug, FromRow)]
pub(crate) struct Answer {
    pub(crate) ordinal: i32,
    pub(crate) outcome: String,
    pub(crate) epoch: Uuid,
    pub(crate) head: Option<i64>,
    first_position: Option<i64>,
    last_position: Option<i64>,
    fingerprint: Option<Vec<u8>>,
    answer: Option<String>,
}

const EACH: &str = "SELECT * FROM log.append_each($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
    $19, $20, $21, $22)";
const VERIFY: &str = "SELECT * FROM log.verify_batch($1, $2, $3, $4, $5, $6, $7)";

/// Every stream that a command looked at, in order of the commands.
#[derive(Default)]
struct Reads<'a> {
    commands: Vec<i32>,
    streams: Vec<&'a str>,
    versions: Vec<i32>,
    /// The last earlier command of the batch whose events count in that version; 0 for none.
    after: Vec<i32>,
}

impl<'a> Reads<'a> {
    fn of(batch: &'a Batch) -> Self {
        let mut reads = Self::default();
        let mut written: HashMap<&StreamId, i32> = HashMap::new();
        for (command, ordinal) in batch.commands.iter().zip(1_i32..) {
            for (stream, version) in &command.reads {
                reads.commands.push(ordinal);
                reads.streams.push(stream.as_str());
                reads.versions.push(*version as i32);
                reads.after.push(written.get(stream).copied().unwrap_or(0));
            }
            written.extend(command.events.iter().map(|(stream, ..)| (stream, ordinal)));
        }
        reads
    }
}

impl EventStore {
    pub(crate) async fn append_each(
        &self,
        batch: &Batch,
        prepared: &Prepared<'_>,
    ) -> Result<Vec<Answer>, sqlx::Error> {
        let (commands, reads) = (&prepared.commands, Reads::of(batch));
        let events = || prepared.events.iter();
        let call = sqlx::query_as(EACH)
            .bind(batch.known.epoch)
            .bind(batch.node)
            .bind(commands.iter().map(|each| each.proposed.key.scope).collect::<Vec<_>>())
            .bind(commands.iter().map(|each| each.proposed.key.id).collect::<Vec<_>>())
            .bind(commands.iter().map(|each| &each.proposed.fingerprint[..]).collect::<Vec<_>>())
            .bind(commands.iter().map(|each| each.proposed.answer.as_str()).collect::<Vec<_>>())
            .bind(commands.iter().map(|each| each.proposed.record).collect::<Vec<_>>())
            .bind(commands.iter().map(|each| each.proposed.at).collect::<Vec<_>>())
            .bind(commands.iter().map(|each| each.metadata).collect::<Vec<_>>())
            .bind(events().map(|line| line.command as i32 + 1).collect::<Vec<_>>())
            .bind(events().map(|line| line.stream.as_str()).collect::<Vec<_>>())
            .bind(events().map(|line| line.version as i32).collect::<Vec<_>>())
            .bind(events().map(|line| line.event.type_name()).collect::<Vec<_>>())
            .bind(events().map(|line| i32::from(line.event.schema_version())).collect::<Vec<_>>())
            .bind(events().map(|line| line.id).collect::<Vec<_>>())
            .bind(events().map(|line| line.data).collect::<Vec<_>>())
            .bind(events().map(|line| line.subject).collect::<Vec<_>>())
            .bind(events().map(|line| line.sealed.as_deref()).collect::<Vec<_>>())
            .bind(reads.commands)
            .bind(reads.streams)
            .bind(reads.versions)
            .bind(reads.after);
        call.fetch_all(&self.pool).await
    }

    /// For a batch that changes nothing: refusals, each as fresh as an acceptance. Takes no lock.
    pub(crate) async fn verify(&self, batch: &Batch) -> Result<Vec<Answer>, sqlx::Error> {
        let reads = Reads::of(batch);
        let call = sqlx::query_as(VERIFY)
            .bind(batch.known.epoch)
            .bind(i64::from(batch.known.position))
            .bind(batch.commands.iter().map(|command| command.key.scope).collect::<Vec<_>>())
            .bind(batch.commands.iter().map(|command| command.key.id).collect::<Vec<_>>())
            .bind(reads.commands)
            .bind(reads.streams)
            .bind(reads.versions);
        call.fetch_all(&self.pool).await
    }
}

/// The outcomes, in order of the commands.
pub(crate) fn outcomes(batch: &Batch, answers: &[Answer]) -> Result<Vec<Outcome>, Error> {
    let mut outcomes = vec![None; batch.commands.len()];
    for answer in answers.iter().filter(|answer| answer.ordinal > 0) {
        if let Some(place) = outcomes.get_mut(answer.ordinal.unsigned_abs() as usize - 1) {
            *place = Some(outcome(answer)?);
        }
    }
    let missing = || Error::Corrupt("the log did not answer for every command".to_owned());
    outcomes.into_iter().map(|outcome| outcome.ok_or_else(missing)).collect()
}

fn outcome(answer: &Answer) -> Result<Outcome, Error> {
    let last = answer.last_position.map(Position::from);
    Ok(match (answer.outcome.as_str(), answer.first_position, last) {
        ("appended", Some(first), Some(last)) => Outcome::Appended { first: first.into(), last },
        ("unchanged", _, Some(at)) => Outcome::Unchanged { at },
        ("seen", _, last) => Outcome::Seen(Seen {
            fingerprint: answer.fingerprint.clone().unwrap_or_default(),
            answer: answer.answer.clone().unwrap_or_default(),
            last,
        }),
        ("moved", ..) => Outcome::Moved,
        (other, ..) => return Err(Error::Corrupt(format!("the log answered {other:?}"))),
    })
}
