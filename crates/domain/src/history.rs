//! Old shapes of events, turned into today's when they are read. One function per step, each a plain change of JSON.

use serde_json::Value;

use crate::event::{Event, Unreadable};

/// The change from one schema version of an event type to the next: its name, the version that it changes, and how.
pub(crate) type Step = (&'static str, u16, fn(&mut Value));

/// Every step there is. A raised version needs one from the version before it, or nothing old of that type is read any more.
pub(crate) const STEPS: &[Step] = &[("StockReceived", 1, stock_received_1)];

/// Brings a stored payload to the current schema version. `None`: it is current already (the fast path: nothing is parsed).
pub fn upcast(name: &str, version: u16, data: &str) -> Result<Option<(&'static str, String)>, Unreadable> {
    let Some((name, current)) = Event::types().find(|(known, _)| *known == name) else {
        return Err(Unreadable::UnknownType(name.to_owned()));
    };
    if version == current {
        return Ok(None);
    }
    if version > current {
        return Err(Unreadable::Newer { name, found: version, known: current });
    }
    let malformed = |source| Unreadable::Malformed { name, source };
    let mut value: Value = serde_json::from_str(data).map_err(malformed)?;
    climb(STEPS, name, version..current, &mut value)?;
    serde_json::to_string(&value).map(|data| Some((name, data))).map_err(malformed)
}

/// Takes a payload through the steps of these versions, one after the other.
///
/// # Errors
/// When one of the steps does not exist: then nobody knows what the payload would be today.
pub(crate) fn climb(
    steps: &[Step],
    name: &'static str,
    versions: std::ops::Range<u16>,
    value: &mut Value,
) -> Result<(), Unreadable> {
    for version in versions {
        let step = steps.iter().find(|(of, from, _)| (*of, *from) == (name, version));
        let (.., change) = step.ok_or(Unreadable::NoUpcaster { name, version })?;
        change(value);
    }
    Ok(())
}

/// Version 1 of `StockReceived` had no `reason`; every receipt then was a delivery of a supplier.
fn stock_received_1(value: &mut Value) {
    if let Some(payload) = value.as_object_mut() {
        payload.entry("reason").or_insert_with(|| "supplier delivery".into());
    }
}
