//! What a run came to, for people.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::checker::{INVARIANTS, Violation, summary};
use super::evidence::Evidence;
use super::history::Outcome;
use super::injector::Injected;

/// Violations that are shown; the others are counted.
const SHOWN: usize = 40;

pub(super) struct Report {
    pub(super) seed: u64,
    pub(super) length: Duration,
    pub(super) injected: Injected,
    pub(super) evidence: Evidence,
    /// What `jumun verify` has looked at.
    pub(super) checks: Vec<String>,
    /// From when all was well until everything was finished.
    pub(super) quiet: Duration,
    pub(super) violations: Vec<Violation>,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nseed {}, {} s", self.seed, self.length.as_secs())?;
        writeln!(f, "faults:")?;
        for (kind, count) in &self.injected.kinds {
            writeln!(f, "  {count:>5}  {kind}")?;
        }
        writeln!(f, "  {:>5}  times PostgreSQL found its disk full", self.injected.found_full)?;
        writeln!(f, "  {:>5}  times a commit was seen to wait for a slow disk", self.injected.found_slow)?;
        writeln!(f, "         connections that nobody made: {}", self.injected.unused.join(", "))?;
        writeln!(f, "  {:>5}  roles that ended by themselves", self.injected.ended.len())?;
        self.injected.ended.iter().try_for_each(|ended| writeln!(f, "         {ended}"))?;
        self.gateway(f)?;
        self.operations(f)?;
        let (events, commands) = (self.evidence.events.len(), self.evidence.commands.len());
        writeln!(
            f,
            "the log: {events} events of {commands} commands; the gateway: {} entries",
            self.evidence.ledger.len()
        )?;
        writeln!(f, "all was finished {:.1?} after all was well", self.quiet)?;
        writeln!(f, "jumun verify: {} checks", self.checks.len())?;
        let counted = summary(&self.violations);
        for (name, what) in INVARIANTS {
            let state = match counted[name] {
                0 => "held".to_owned(),
                count => format!("BROKEN {count} times"),
            };
            writeln!(f, "  {name:<4} {state:<8} {what}")?;
        }
        for violation in self.violations.iter().take(SHOWN) {
            writeln!(f, "{}: {}", violation.invariant, violation.what)?;
        }
        Ok(())
    }
}

impl Report {
    /// What the gateway was made to do: also faults, chosen by whoever pays.
    fn gateway(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut counted = BTreeMap::<&str, usize>::new();
        for entry in self.evidence.ledger.iter().filter(|entry| entry["kind"] == "accepted") {
            *counted.entry(entry["token"].as_str().unwrap_or_default()).or_default() += 1;
        }
        writeln!(f, "payments, by how the gateway behaves:")?;
        counted.iter().try_for_each(|(token, count)| writeln!(f, "  {count:>5}  {token}"))
    }

    /// How each kind of operation ended, and how often nobody knew for a while.
    fn operations(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut counted = BTreeMap::<&str, [usize; 4]>::new();
        for op in &self.evidence.history.ops {
            let counts = counted.entry(op.name).or_default();
            let place = match op.outcome {
                Outcome::Acknowledged { .. } => 0,
                Outcome::Refused { .. } => 1,
                Outcome::Unknown { .. } => 2,
            };
            counts[place] += 1;
            counts[3] += usize::from(op.in_doubt > 0);
        }
        writeln!(f, "operations:           done  refused  unknown  tried in doubt")?;
        for (name, [done, refused, unknown, doubt]) in counted {
            writeln!(f, "  {name:<20} {done:>5}  {refused:>7}  {unknown:>7}  {doubt:>14}")?;
        }
        let reads = &self.evidence.history.reads;
        let answered = reads.iter().filter(|read| read.status == Some(200)).count();
        writeln!(f, "  {:<20} {answered:>5} of {}", "questions", reads.len())
    }

    /// One line for whoever counts runs (`script/chaos`).
    pub(super) fn json(&self) -> Value {
        let ops = &self.evidence.history.ops;
        let ended = |wanted: fn(&Outcome) -> bool| ops.iter().filter(|op| wanted(&op.outcome)).count();
        json!({
            "seed": self.seed,
            "seconds": self.length.as_secs(),
            "faults": self.injected.kinds.values().sum::<u32>(),
            "kinds": self.injected.kinds,
            "found_full": self.injected.found_full,
            "found_slow": self.injected.found_slow,
            "commands": ops.len(),
            "acknowledged": ended(|outcome| matches!(outcome, Outcome::Acknowledged { .. })),
            "refused": ended(|outcome| matches!(outcome, Outcome::Refused { .. })),
            "unknown": ended(|outcome| matches!(outcome, Outcome::Unknown { .. })),
            "questions": self.evidence.history.reads.len(),
            "events": self.evidence.events.len(),
            "checks": self.checks.len(),
            "violations": self.violations.len(),
            "broken": summary(&self.violations).into_iter().filter(|(_, count)| *count > 0).map(|(name, _)| name).collect::<Vec<_>>(),
        })
    }

    /// Puts down all that there is, for whoever looks for the cause.
    pub(super) fn keep(&self, logs: &Path) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("jumun-chaos-seed-{}", self.seed));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let put = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
        put("report", self.to_string());
        put("history", lines(&self.evidence.history.ops));
        put("reads", lines(&self.evidence.history.reads));
        put("events", lines(&self.evidence.events));
        put("commands", lines(&self.evidence.commands));
        put("ledger", lines(&self.evidence.ledger));
        put("ended", self.injected.ended.join("\n"));
        for entry in std::fs::read_dir(logs).unwrap().flatten() {
            if entry.path().extension().is_some_and(|own| own == "log") {
                std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
            }
        }
        folder
    }
}

fn lines<T: fmt::Debug>(all: &[T]) -> String {
    let lines: Vec<_> = all.iter().map(|one| format!("{one:?}")).collect();
    lines.join("\n")
}
