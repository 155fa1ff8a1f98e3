//! What must hold whatever went wrong, by the names that reliability work gives it. Pure: evidence in, violations out.

mod commands;
mod log;
mod logs;
mod money;
mod planted;
mod reads;
mod stock;

use std::collections::BTreeMap;

use super::evidence::Evidence;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) invariant: &'static str,
    pub(super) what: String,
}

/// What was broken.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Violation>);

impl Findings {
    fn add(&mut self, invariant: &'static str, what: impl Into<String>) {
        self.0.push(Violation { invariant, what: what.into() });
    }
}

/// The invariants, and what each says.
pub(super) const INVARIANTS: &[(&str, &str)] = &[
    ("I1", "what was acknowledged is in the log once, what was refused is not"),
    ("I2", "positions and versions have no gap, ids are unique"),
    ("I3", "the order of the log is the order of real time"),
    ("I4", "a command's events are all there, together"),
    ("I5", "Kafka equals the log"),
    ("I6", "read models and search equal a fresh fold"),
    ("I7", "tokens never lied"),
    ("I8", "nothing is oversold"),
    ("I9", "the gateway's ledger equals the log, nobody is charged twice, no charged order is lost"),
    ("I10", "once all is well, all that was begun is finished"),
    ("I11", "no panic, no internal error, no secret in a log"),
    ("I12", "no stored history is refused"),
];

/// Everything that is wrong.
pub(super) fn check(evidence: &Evidence) -> Vec<Violation> {
    let mut found = Findings::default();
    log::check(evidence, &mut found);
    commands::check(evidence, &mut found);
    reads::check(evidence, &mut found);
    stock::check(evidence, &mut found);
    money::check(evidence, &mut found);
    logs::check(evidence, &mut found);
    found.0
}

/// How often each invariant is broken; all of them are named.
pub(super) fn summary(violations: &[Violation]) -> BTreeMap<&'static str, usize> {
    let count = |name| violations.iter().filter(|one| one.invariant == name).count();
    INVARIANTS.iter().map(|(name, _)| (*name, count(*name))).collect()
}
