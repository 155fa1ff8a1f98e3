//! I5, I6, I10, I11, I12: what roles have said, what they have left undone, and what `jumun verify` found.

use super::super::evidence::Evidence;
use super::Findings;

/// Words in the names of checks of `jumun verify`, and what these check; all others compare read models.
const VERIFIED: &[(&str, &str)] = &[
    ("Kafka", "I5"),
    ("partition", "I5"),
    ("fresh consumer", "I5"),
    ("every command", "I1"),
    ("gapless", "I2"),
    ("below zero", "I8"),
    ("charged twice", "I9"),
    ("captured", "I9"),
    ("every payment", "I9"),
    ("can be read", "I12"),
    ("parked", "I12"),
];

fn invariant_of(check: &str) -> &'static str {
    VERIFIED.iter().find(|(words, _)| check.contains(words)).map_or("I6", |(_, invariant)| invariant)
}

pub(super) fn check(evidence: &Evidence, found: &mut Findings) {
    for broken in &evidence.broken {
        found.add(invariant_of(broken), broken.clone());
    }
    if evidence.verified == 0 {
        found.add("I6", "jumun verify has checked nothing");
    }
    for step in &evidence.steps_left {
        found.add("I10", format!("not done: {step}"));
    }
    for (role, line) in &evidence.said {
        if line.contains("panicked at") {
            found.add("I11", format!("{role}: {line}"));
        }
        // Which one is not said: this goes into a log as well.
        if evidence.secrets.iter().any(|secret| line.contains(secret.as_str())) {
            found.add(
                "I11",
                format!("{role} logs a secret or personal data, {} characters in a line", line.len()),
            );
        }
    }
}
