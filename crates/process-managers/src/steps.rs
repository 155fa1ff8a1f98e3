//! The table of steps. Everything about time in it is by the database's clock, so that runners need not agree on theirs.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::process::Step;
use event_store::{Patient, Position};
use sqlx::FromRow;
use uuid::Uuid;

/// The event that a step follows from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cause {
    pub(crate) position: Position,
    pub(crate) event_id: Uuid,
    pub(crate) correlation_id: Uuid,
    pub(crate) traceparent: Option<String>,
    pub(crate) recorded_at: DateTime<Utc>,
}

/// A step that follows from the log.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) step: Step,
    pub(crate) cause: Cause,
    /// This runner does it at once: it is written down as claimed already.
    pub(crate) claim: bool,
}

impl Taken {
    /// Whether it is due as soon as it is written down.
    pub(crate) fn is_due(&self) -> bool {
        self.step.due(AT_ONCE) == AT_ONCE
    }
}

/// What is due at once is so by the database's clock, however late ours is.
const AT_ONCE: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// A step that this runner has claimed.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) key: String,
    pub(crate) cause: Cause,
    /// Tries, this one included.
    pub(crate) attempts: u32,
}

#[derive(FromRow)]
struct Row {
    key: String,
    step: String,
    cause_position: i64,
    cause_event_id: Uuid,
    correlation_id: Uuid,
    traceparent: Option<String>,
    caused_at: DateTime<Utc>,
    attempts: i32,
}

impl Row {
    /// With the step as it is stored.
    fn claimed(self) -> (String, Claimed) {
        let cause = Cause {
            position: self.cause_position.into(),
            event_id: self.cause_event_id,
            correlation_id: self.correlation_id,
            traceparent: self.traceparent,
            recorded_at: self.caused_at,
        };
        (self.step, Claimed { key: self.key, cause, attempts: self.attempts.unsigned_abs() })
    }
}

/// What a try came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ended {
    /// It is done, or need not be done any more.
    Done,
    /// Not yet: again after a pause.
    Later {
        /// How long.
        pause: Duration,
        /// Why, without personal data.
        why: String,
    },
    /// It was not even tried, because whoever would have to do it has too much to do: again soon.
    Busy,
    /// It cannot be done: somebody must look.
    Attention(String),
}

/// A claimed step whose try has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) key: String,
    pub(crate) ended: Ended,
}

/// How far the log was taken in.
#[derive(Debug, Clone, Copy, FromRow)]
pub(crate) struct Checkpoint {
    pub(crate) epoch: Uuid,
    #[sqlx(try_from = "i64")]
    pub(crate) position: Position,
    /// The log's own.
    pub(crate) log_epoch: Uuid,
}

/// Before a step is tried again that was not even tried.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Takes the lead, or keeps it. `None`: another runner has it.
pub(crate) async fn lead(
    pool: &Patient,
    runner: Uuid,
    lease: Duration,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    const FIRST: &str = "INSERT INTO process.checkpoint (epoch, position) SELECT epoch, 0 FROM log.head
                         ON CONFLICT DO NOTHING";
    const LEAD: &str = "UPDATE process.checkpoint
           SET leader = $1, leads_until = now() + $2 * interval '1 millisecond'
         WHERE leader IS NULL OR leader = $1 OR leads_until < now()
     RETURNING epoch, position, (SELECT epoch FROM log.head) AS log_epoch";
    let lead = || sqlx::query_as(LEAD).bind(runner).bind(milliseconds(lease)).fetch_optional(pool);
    match lead().await? {
        Some(checkpoint) => Ok(Some(checkpoint)),
        None if sqlx::query(FIRST).execute(pool).await?.rows_affected() == 1 => lead().await,
        None => Ok(None),
    }
}

/// Writes steps down, claims those that can be done at once, and moves the checkpoint, in one statement. Returns the keys of those that
/// are claimed. `None`: this runner does not lead any more, or the log is another one; nothing was written.
pub(crate) async fn take_in(
    pool: &Patient,
    runner: Uuid,
    lease: Duration,
    from: Checkpoint,
    to: Position,
    steps: &[Taken],
) -> Result<Option<Vec<String>>, sqlx::Error> {
    const TAKE_IN: &str = "WITH moved AS (
            UPDATE process.checkpoint
               SET position = $3, leads_until = now() + $5 * interval '1 millisecond'
             WHERE epoch = $1 AND position = $2 AND leader = $4 AND (SELECT epoch FROM log.head) = $1
         RETURNING true
         ), written AS (
            INSERT INTO process.steps (key, step, cause_position, cause_event_id, correlation_id, traceparent, caused_at, due_at,
                                       claimed_by, claimed_until, attempts)
            SELECT n.key, n.step::json, n.cause_position, n.cause_event_id, n.correlation_id, n.traceparent, n.caused_at,
                   greatest(n.due_at, now()), CASE WHEN n.claim THEN $4 END,
                   CASE WHEN n.claim THEN now() + $5 * interval '1 millisecond' END, n.claim::int
              FROM unnest($6::text[], $7::text[], $8::bigint[], $9::uuid[], $10::uuid[], $11::text[], $12::timestamptz[],
                          $13::timestamptz[], $14::boolean[])
                   n (key, step, cause_position, cause_event_id, correlation_id, traceparent, caused_at, due_at, claim)
             WHERE EXISTS (SELECT FROM moved)
                ON CONFLICT (key) DO NOTHING
         RETURNING key, attempts
         )
         SELECT EXISTS (SELECT FROM moved), ARRAY(SELECT key FROM written WHERE attempts = 1)";
    let stored =
        |taken: &Taken| serde_json::to_string(&taken.step).map_err(|e| sqlx::Error::Encode(e.into()));
    let causes = || steps.iter().map(|taken| &taken.cause);
    let (moved, claimed): (bool, Vec<String>) = sqlx::query_as(TAKE_IN)
        .bind(from.epoch)
        .bind(i64::from(from.position))
        .bind(i64::from(to))
        .bind(runner)
        .bind(milliseconds(lease))
        .bind(steps.iter().map(|taken| taken.step.key()).collect::<Vec<_>>())
        .bind(steps.iter().map(stored).collect::<Result<Vec<_>, _>>()?)
        .bind(causes().map(|cause| i64::from(cause.position)).collect::<Vec<_>>())
        .bind(causes().map(|cause| cause.event_id).collect::<Vec<_>>())
        .bind(causes().map(|cause| cause.correlation_id).collect::<Vec<_>>())
        .bind(causes().map(|cause| cause.traceparent.clone()).collect::<Vec<_>>())
        .bind(causes().map(|cause| cause.recorded_at).collect::<Vec<_>>())
        .bind(steps.iter().map(|taken| taken.step.due(AT_ONCE)).collect::<Vec<_>>())
        .bind(steps.iter().map(|taken| taken.claim).collect::<Vec<_>>())
        .fetch_one(pool)
        .await?;
    Ok(moved.then_some(claimed))
}

/// Claims steps that are due, the longest due first. Each as it is stored.
pub(crate) async fn claim(
    pool: &Patient,
    runner: Uuid,
    lease: Duration,
    limit: usize,
) -> Result<Vec<(String, Claimed)>, sqlx::Error> {
    const CLAIM: &str = "UPDATE process.steps
           SET claimed_by = $1, claimed_until = now() + $2 * interval '1 millisecond', attempts = attempts + 1
         WHERE key = ANY (ARRAY(
               SELECT key FROM process.steps
                WHERE done_at IS NULL AND attention_at IS NULL AND due_at <= now()
                  AND (claimed_until IS NULL OR claimed_until < now())
                ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED))
     RETURNING key, step::text AS step, cause_position, cause_event_id, correlation_id, traceparent, caused_at, attempts";
    let rows: Vec<Row> = sqlx::query_as(CLAIM)
        .bind(runner)
        .bind(milliseconds(lease))
        .bind(limit as i64)
        .fetch_all(pool)
        .await?;
    let mut claimed: Vec<_> = rows.into_iter().map(Row::claimed).collect();
    claimed.sort_by_key(|(_, each)| each.cause.position);
    Ok(claimed)
}

/// Writes down what tries came to. What was taken over meanwhile belongs to another.
///
/// Not `claimed_by = $1`: the index of claims would be gone through, which has all claims of this runner since it was last vacuumed, done
/// or not.
pub(crate) async fn finish(pool: &Patient, runner: Uuid, finished: &[Finished]) -> Result<(), sqlx::Error> {
    const FINISH: &str = "UPDATE process.steps s
           SET claimed_by = NULL, claimed_until = NULL,
               done_at = CASE WHEN e.ended = 'done' THEN now() END,
               attention_at = CASE WHEN e.ended = 'attention' THEN now() END,
               due_at = CASE WHEN e.ended IN ('later', 'busy') THEN now() + e.pause * interval '1 millisecond' ELSE s.due_at END,
               attempts = CASE WHEN e.ended = 'busy' THEN s.attempts - 1 ELSE s.attempts END,
               last_error = coalesce(e.error, s.last_error)
          FROM unnest($2::text[], $3::text[], $4::float8[], $5::text[]) e (key, ended, pause, error)
         WHERE s.key = e.key AND s.claimed_by IS NOT DISTINCT FROM $1 AND s.done_at IS NULL";
    let (mut keys, mut kinds, mut pauses, mut errors) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Finished { key, ended } in finished {
        let (kind, pause, error) = match ended {
            Ended::Done => ("done", 0.0, None),
            Ended::Later { pause, why } => ("later", milliseconds(*pause), Some(why.as_str())),
            Ended::Busy => ("busy", milliseconds(BUSY_PAUSE), None),
            Ended::Attention(why) => ("attention", 0.0, Some(why.as_str())),
        };
        keys.push(key.as_str());
        kinds.push(kind);
        pauses.push(pause);
        errors.push(error);
    }
    sqlx::query(FINISH).bind(runner).bind(keys).bind(kinds).bind(pauses).bind(errors).execute(pool).await?;
    Ok(())
}

/// Keeps this runner's claims of these steps. Claims that it does not know of end with their lease.
pub(crate) async fn renew(
    pool: &Patient,
    runner: Uuid,
    lease: Duration,
    keys: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE process.steps SET claimed_until = now() + $2 * interval '1 millisecond'
          WHERE claimed_by IS NOT DISTINCT FROM $1 AND key = ANY ($3)",
    )
    .bind(runner)
    .bind(milliseconds(lease))
    .bind(keys)
    .execute(pool)
    .await?;
    Ok(())
}

/// Steps that are due and not done.
pub(crate) async fn waiting(pool: &Patient) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT count(*) FROM process.steps WHERE done_at IS NULL AND attention_at IS NULL AND due_at <= now()",
    )
    .fetch_one(pool)
    .await
}

/// Deletes some steps that were done so long ago, when this runner leads. How many it were. What the log was not taken in up to
/// stays: taken in once more, it would be written down again.
pub(crate) async fn delete_done(
    pool: &Patient,
    runner: Uuid,
    kept: Duration,
    limit: u32,
) -> Result<u64, sqlx::Error> {
    const DELETE: &str = "DELETE FROM process.steps
         WHERE key = ANY (ARRAY(
               SELECT s.key FROM process.steps s, process.checkpoint c
                WHERE c.leader = $1 AND c.leads_until > now() AND s.cause_position <= c.position
                  AND s.done_at < now() - $2 * interval '1 millisecond'
                ORDER BY s.done_at LIMIT $3 FOR UPDATE OF s SKIP LOCKED))";
    let deleted = sqlx::query(DELETE)
        .bind(runner)
        .bind(milliseconds(kept))
        .bind(i64::from(limit))
        .execute(pool)
        .await?;
    Ok(deleted.rows_affected())
}

/// Gives claims and the lead back.
pub(crate) async fn release(pool: &Patient, runner: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE process.steps SET claimed_by = NULL, claimed_until = NULL WHERE claimed_by = $1")
        .bind(runner)
        .execute(pool)
        .await?;
    sqlx::query("UPDATE process.checkpoint SET leader = NULL, leads_until = NULL WHERE leader = $1")
        .bind(runner)
        .execute(pool)
        .await?;
    Ok(())
}
