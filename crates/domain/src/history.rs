//! Old shapes of events, turned into today's when they are read. One function per step, each a plain change of JSON.

use crate::event::{Event, Unreadable};

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
    let mut value: serde_json::Value = serde_json::from_str(data).map_err(malformed)?;
    for step in version..current {
        if (name, step) == ("StockReceived", 1) {
            stock_received_1(&mut value);
        }
    }
    serde_json::to_string(&value).map(|data| Some((name, data))).map_err(malformed)
}

/// Version 1 of `StockReceived` had no `reason`; every receipt then was a delivery of a supplier.
fn stock_received_1(value: &mut serde_json::Value) {
    if let Some(payload) = value.as_object_mut() {
        payload.entry("reason").or_insert_with(|| "supplier delivery".into());
    }
}
