//! The command engine: one queue, batches, states in memory, one append per batch.
//!
//! Everything that waits is one batch. It is decided in order, in memory, so that later commands see the events of earlier ones:
//! a thousand buyers of one SKU are one batch, not a thousand conflicts. While an append is in flight the next batch
//! grows, and as soon as it is as large it is sent behind that one, on what that one will leave. Replies go out after the commit. Commands whose streams another node has moved are decided again on fresh state; no
//! caller ever sees a conflict that it did not ask about.

mod append;
mod batch;
mod contested;
mod fill;
mod flight;
mod memory;
mod run;
mod snapshots;

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{Actor, Command, Refusal};
use event_store::{CommandKey, EventStore, Head, Metadata, Recorded};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// No command waits longer for its answer. What takes longer is answered as [`Error::Unavailable`], and may still happen.
const DEADLINE: Duration = Duration::from_secs(30);

/// How an engine is set up.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// States kept in memory, in streams.
    pub states_max: usize,
    /// Commands that may wait; more are answered with [`Error::Overloaded`].
    pub queue_max: usize,
    /// Commands in one batch.
    pub batch_max: usize,
    /// Bytes in one batch, about.
    pub batch_bytes_max: usize,
    /// A snapshot is kept each time a stream has grown by so many events.
    pub snapshot_every: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            states_max: 200_000,
            queue_max: 20_000,
            batch_max: 512,
            batch_bytes_max: 4 * 1024 * 1024,
            snapshot_every: 200,
        }
    }
}

/// A command with all that comes with it.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Its id: the same one twice is the same command.
    pub key: CommandKey,
    /// A hash of what was asked.
    pub fingerprint: [u8; 32],
    /// Who asks, and why.
    pub metadata: Metadata,
    /// What is asked.
    pub command: Command,
    /// What to answer, now and whenever the same command comes again.
    pub answer: serde_json::Value,
    /// The version that the command's own stream must have.
    pub if_match: Option<u32>,
}

impl Submission {
    /// A command of the system itself. The same name always is the same command, so that saying it twice is saying it once.
    pub fn internal(command: Command, name: &str, system: &str, cause: Option<&Recorded>) -> Self {
        let metadata = Metadata {
            correlation_id: cause.map_or_else(Uuid::now_v7, |cause| cause.metadata.correlation_id),
            causation_id: cause.map(|cause| cause.event_id),
            actor: Actor::system(system),
            traceparent: cause.and_then(|cause| cause.metadata.traceparent.clone()),
        };
        let key = CommandKey { scope: 0, id: Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()) };
        Self { key, fingerprint: [0; 32], metadata, command, answer: serde_json::Value::Null, if_match: None }
    }
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// Where the log must be read to, to see it.
    pub head: Head,
    /// The answer; the first one when it was done before.
    pub answer: serde_json::Value,
    /// It was done before.
    pub replayed: bool,
    /// The version of its own stream after it; not known of what was done before.
    pub version: Option<u32>,
}

/// Why a command was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A rule of the business forbids it: mend what the refusal names. Its own problem type.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The key stands for another request already: use a fresh one. Problem `idempotency-key-reused` (422).
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// `If-Match` names another version: look again. Problem `stale` (412).
    #[error("the version is {current}")]
    Stale {
        /// The version it has.
        current: u32,
    },
    /// Too many wait: come back in a moment. Nothing was done. Problem `overloaded` (503).
    #[error("too many commands wait")]
    Overloaded,
    /// The database is away or slow. It may have been done or not: ask again with the same key. Problem `unavailable` (503).
    #[error("the log does not answer")]
    Unavailable,
    /// A defect of ours; nothing was done. Problem `internal` (500).
    #[error("this command cannot be decided")]
    Defect,
}

/// A command that waits.
struct Job {
    // A job is handed from list to list.
    submission: Box<Submission>,
    /// Its answer as it is stored.
    answer: String,
    at: DateTime<Utc>,
    deadline: Instant,
    /// The streams that it begins may be taken to be empty. Not after that has been wrong.
    presumes: bool,
    /// It was sent once, and decided again without anybody having heard of it.
    is_sent: bool,
    reply: oneshot::Sender<Result<Receipt, Error>>,
}

impl Job {
    /// A defect of ours. Nothing was done, unless it was sent before.
    fn cannot_be_decided(self) {
        let error = if self.is_sent { Error::Unavailable } else { Error::Defect };
        run::reply(self, Err(error));
    }
}

/// A handle to a running engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    queue: mpsc::Sender<Job>,
}

impl Engine {
    /// Starts an engine. It stops when `shutdown` is cancelled, after what waits then is done.
    pub fn start(store: EventStore, options: Options, shutdown: CancellationToken) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(options.queue_max);
        let running = tokio::spawn(run::run(store, options, waiting, shutdown));
        (Self { queue }, running)
    }

    /// Gives a command to the engine and waits until it is in the log, or refused.
    pub async fn execute(&self, submission: Submission) -> Result<Receipt, Error> {
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now() + DEADLINE;
        // Written here and not in the engine's loop, which all wait for.
        let text = submission.answer.to_string();
        let job = Job {
            submission: Box::new(submission),
            answer: text,
            at: Utc::now(),
            deadline,
            presumes: true,
            is_sent: false,
            reply,
        };
        self.queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Error::Unavailable,
        })?;
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => answer,
            // Too late, or the engine is gone.
            Ok(Err(_)) | Err(_) => Err(Error::Unavailable),
        }
    }
}
