//! Which rows need not be looked for.

use std::collections::HashMap;

use event_store::Recorded;
use uuid::Uuid;

/// Those of these streams, each with its events, that do not begin here. The row of one that begins here follows from its events alone:
/// it is written unless a later one is there, since these events may have come before.
pub(crate) fn older<'a>(events: impl Iterator<Item = (Uuid, &'a Recorded)>) -> Vec<Uuid> {
    let mut begins: HashMap<Uuid, bool> = HashMap::new();
    for (id, recorded) in events {
        *begins.entry(id).or_default() |= recorded.version == 1;
    }
    begins.into_iter().filter(|(_, begins)| !begins).map(|(id, _)| id).collect()
}
