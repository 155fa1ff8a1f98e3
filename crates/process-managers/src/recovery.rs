//! Going on after the log became another one: it was restored, or failed over with loss. Nothing is followed from where another
//! log was followed to, until somebody has said so; this is how.

use event_store::Position;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

/// So many steps are named.
const NAMED_MAX: i64 = 20;

/// Why it was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away: try again.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Look at the steps: what they follow from was lost, and what they did outside was not. Then say from which position to go
    /// on: the last that both logs have. Going back further does no harm, since every step may be done twice.
    #[error(
        "the process managers have followed another log up to position {position}, and this one ends at {head}; steps that follow \
         from events that it does not have: {}. Say from where to go on",
        named(.steps)
    )]
    AnotherLog {
        /// How far the other one was followed.
        position: Position,
        /// Where this one ends.
        head: Position,
        /// Keys of steps whose causes are not in this log, at most 20.
        steps: Vec<String>,
    },
    /// Name an earlier position: events between the two would never be looked at.
    #[error("they have come to position {position} only; {from} is after it")]
    Skips {
        /// How far they have come, and how far the log goes.
        position: Position,
        /// What was asked for.
        from: Position,
    },
}

fn named(steps: &[String]) -> String {
    if steps.is_empty() { "none".to_owned() } else { steps.join(", ") }
}

/// What the process managers follow now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Followed {
    /// The epoch that they had followed; the same as `epoch` when nothing had to change.
    pub was: Uuid,
    /// The log's.
    pub epoch: Uuid,
    /// From here they go on.
    pub position: Position,
}

#[derive(FromRow)]
struct Standing {
    epoch: Uuid,
    log_epoch: Uuid,
    #[sqlx(try_from = "i64")]
    position: Position,
    #[sqlx(try_from = "i64")]
    head: Position,
}

/// Lets the process managers follow the log as it is now: from where they are, when all that they know of is in it, else from
/// the position that is given, without the steps that follow from events that are not. `None`: they have followed nothing yet, and need no help. They may run meanwhile.
///
/// # Errors
/// When going on from there could pass something over; nothing is changed then.
pub async fn follow_this_log(pool: &PgPool, from: Option<Position>) -> Result<Option<Followed>, Error> {
    const STANDING: &str = "SELECT c.epoch, h.epoch AS log_epoch, c.position, h.position AS head
                              FROM process.checkpoint c, log.head h FOR UPDATE OF c";
    const FOLLOW: &str =
        "UPDATE process.checkpoint SET epoch = $1, position = $2, leader = NULL, leads_until = NULL";
    let mut transaction = pool.begin().await?;
    let standing: Option<Standing> = sqlx::query_as(STANDING).fetch_optional(&mut *transaction).await?;
    let Some(Standing { epoch: was, log_epoch: epoch, position, head }) = standing else { return Ok(None) };
    let steps = steps_of_another_log(&mut transaction).await?;
    let position = match from {
        None if was == epoch => return Ok(Some(Followed { was, epoch, position })),
        None if position > head || !steps.is_empty() => {
            return Err(Error::AnotherLog { position, head, steps });
        }
        None => position,
        Some(from) if from > position.min(head) => {
            return Err(Error::Skips { position: position.min(head), from });
        }
        Some(from) => from,
    };
    if from.is_some() {
        forget_steps_of_another_log(&mut transaction).await?;
    }
    sqlx::query(FOLLOW).bind(epoch).bind(i64::from(position)).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(Some(Followed { was, epoch, position }))
}

/// What this log brings about, too, is written down again then; left in place, it would count as done.
async fn forget_steps_of_another_log(connection: &mut sqlx::PgConnection) -> Result<(), sqlx::Error> {
    const FORGET: &str = "DELETE FROM process.steps s
          WHERE NOT EXISTS (SELECT FROM log.events e WHERE e.position = s.cause_position AND e.event_id = s.cause_event_id)";
    let forgotten = sqlx::query(FORGET).execute(connection).await?.rows_affected();
    tracing::info!(forgotten, "steps that follow from events of another log are forgotten");
    Ok(())
}

/// Steps whose causes are not in the log: it has another event there, or none.
async fn steps_of_another_log(connection: &mut sqlx::PgConnection) -> Result<Vec<String>, sqlx::Error> {
    const FOREIGN: &str = "SELECT s.key FROM process.steps s
          WHERE NOT EXISTS (SELECT FROM log.events e WHERE e.position = s.cause_position AND e.event_id = s.cause_event_id)
          ORDER BY s.cause_position, s.key LIMIT $1";
    sqlx::query_scalar(FOREIGN).bind(NAMED_MAX).fetch_all(connection).await
}
