//! What clients asked for and what they were told.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use uuid::Uuid;

/// Where the log was: what a `Consistency-Token` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) epoch: Uuid,
    pub(super) position: i64,
}

impl Place {
    pub(super) fn parse(token: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (epoch, position) = bytes.split_at_checked(16)?;
        let position = i64::from_be_bytes(position.try_into().ok()?);
        Some(Self { epoch: Uuid::from_slice(epoch).ok()?, position })
    }
}

/// How a command ended for whoever asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Acknowledged {
        place: Option<Place>,
        body: Value,
    },
    Refused {
        status: u16,
        code: String,
    },
    /// Nobody has said: it was done or not.
    Unknown {
        last: String,
    },
}

/// A command, with all its tries.
#[derive(Debug, Clone)]
pub(super) struct Op {
    pub(super) client: u64,
    pub(super) name: &'static str,
    pub(super) key: Uuid,
    /// Both counted from the start of the run.
    pub(super) begun: Duration,
    pub(super) ended: Duration,
    /// Tries before the last one of which nobody knows what became.
    pub(super) in_doubt: u32,
    pub(super) outcome: Outcome,
}

/// A question, and what was wrong with its answer.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) client: u64,
    pub(super) path: String,
    pub(super) status: Option<u16>,
    /// What the answer shows that cannot be, given what was told before.
    pub(super) lie: Option<String>,
}

/// All that clients can tell.
#[derive(Debug, Default, Clone)]
pub(super) struct History {
    pub(super) ops: Vec<Op>,
    pub(super) reads: Vec<Read>,
    /// Answers that nothing that happened outside excuses: status 500, or two answers for one key that differ.
    pub(super) wrong: Vec<String>,
}

impl History {
    pub(super) fn add(&mut self, other: Self) {
        self.ops.extend(other.ops);
        self.reads.extend(other.reads);
        self.wrong.extend(other.wrong);
    }
}
