//! Upcasters: there is one from every version to the next, and they are taken in order.

use serde_json::{Value, json};

use crate::Event;
use crate::event::Unreadable;
use crate::history::{STEPS, Step, climb};

/// Versions that nothing leads on from.
fn missing(types: impl Iterator<Item = (&'static str, u16)>, steps: &[Step]) -> Vec<(&'static str, u16)> {
    types
        .flat_map(|(name, current)| (1..current).map(move |version| (name, version)))
        .filter(|(name, version)| !steps.iter().any(|(of, from, _)| (of, from) == (name, version)))
        .collect()
}

/// A made-up type: grams became a weight with a unit, then the unit got a field of its own.
const PARCEL: &[Step] = &[
    ("Parcel", 2, |value| {
        value["unit"] = "g".into();
    }),
    ("Parcel", 1, |value| {
        let grams = value["grams"].take();
        *value = json!({"weight": grams});
    }),
];

fn parcel(versions: std::ops::Range<u16>, steps: &[Step]) -> Result<Value, Unreadable> {
    let mut value = if versions.start == 1 { json!({"grams": 7}) } else { json!({"weight": 7}) };
    climb(steps, "Parcel", versions, &mut value).map(|()| value)
}

#[test]
fn every_old_version_has_an_upcaster() {
    assert_eq!(missing(Event::types(), STEPS), [], "write them in history.rs");
    for (name, from, _) in STEPS {
        let known = Event::types().any(|(known, current)| known == *name && *from < current);
        assert!(known, "there is no {name} of a version after {from}");
    }
}

#[test]
fn a_raised_version_without_an_upcaster_is_noticed() {
    let raised = [("Parcel", 4), ("Letter", 1)];
    assert_eq!(missing(raised.into_iter(), PARCEL), [("Parcel", 3)]);
    let found = parcel(1..4, PARCEL).unwrap_err();
    assert!(matches!(found, Unreadable::NoUpcaster { name: "Parcel", version: 3 }), "{found}");
}

#[test]
fn steps_are_taken_in_order_from_the_version_that_is_stored() {
    let today = json!({"weight": 7, "unit": "g"});
    assert_eq!(parcel(1..3, PARCEL).unwrap(), today);
    assert_eq!(parcel(2..3, PARCEL).unwrap(), today);
    assert_eq!(parcel(3..3, PARCEL).unwrap(), json!({"weight": 7}), "nothing to do");
}

#[test]
fn an_event_of_a_version_that_never_was_is_not_read() {
    let found = Event::decode("StockReceived", 0, r#"{"quantity":7,"reason":"?"}"#, None).unwrap_err();
    assert!(matches!(found, Unreadable::NoUpcaster { name: "StockReceived", version: 0 }), "{found}");
}
