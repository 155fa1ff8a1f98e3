//! I7: no answer was older than its token, or showed what cannot be.

use super::super::evidence::Evidence;
use super::Findings;

pub(super) fn check(evidence: &Evidence, found: &mut Findings) {
    for read in &evidence.history.reads {
        if let Some(lie) = &read.lie {
            found.add("I7", format!("GET {} of client {}: {lie}", read.path, read.client));
        }
    }
}
