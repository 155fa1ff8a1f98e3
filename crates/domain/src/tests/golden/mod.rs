//! Golden histories: what was stored once can be read for ever.
//!
//! `events/NAME.vVERSION.json` holds events as they are stored in that schema version, each beside what it is today. A new event
//! type, or a raised version, needs a new file: `JUMUN_GOLDEN=write cargo test -p domain golden` writes the missing ones from
//! [`examples`], and they are looked through before they are committed. A file that is there is never written again.
//! `histories/` holds whole histories and the states that they fold into.

mod examples;
mod histories;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Event;

/// An event as it is stored: its payload, and its personal data when it carries any that is not forgotten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    data: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    personal: Option<Value>,
}

impl Stored {
    fn of(event: &Event) -> Self {
        let personal = event.personal().and_then(|(_, personal)| personal);
        Self { data: json(&event.encode()), personal: personal.as_deref().map(json) }
    }

    fn read(&self, name: &str, version: u16) -> Event {
        let personal = self.personal.as_ref().map(Value::to_string);
        Event::decode(name, version, &self.data.to_string(), personal.as_deref())
            .unwrap_or_else(|error| panic!("{name} of version {version}: {error}"))
    }
}

/// A stored event and what it is today.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    stored: Stored,
    today: Stored,
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/golden").join(name)
}

fn is_writing() -> bool {
    std::env::var("JUMUN_GOLDEN").is_ok_and(|value| value == "write")
}

/// Tests run at the same time: none reads what another is still writing.
static FILES: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// What is in a file; a missing one is written when that was asked for.
#[track_caller]
fn read_or_write<T: Serialize + for<'de> Deserialize<'de>>(
    path: &Path,
    example: impl FnOnce() -> Option<T>,
) -> T {
    let _alone = FILES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !path.exists() && is_writing() {
        let example = example().unwrap_or_else(|| panic!("{} is to be written by hand", path.display()));
        std::fs::write(path, serde_json::to_string_pretty(&example).unwrap() + "\n").unwrap();
    }
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}; see the top of golden/mod.rs", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn file(name: &str, version: u16) -> String {
    format!("{name}.v{version}.json")
}

fn golden_events(name: &str, version: u16, current: u16) -> Vec<Golden> {
    let example = || {
        let golden = |event: &Event| Golden { stored: Stored::of(event), today: Stored::of(event) };
        (version == current).then(|| examples::of(name).iter().map(golden).collect())
    };
    read_or_write(&folder("events").join(file(name, version)), example)
}

fn versions() -> impl Iterator<Item = (&'static str, u16, u16)> {
    Event::types().flat_map(|(name, current)| (1..=current).map(move |version| (name, version, current)))
}

/// The golden events of a type in a schema version as they are stored: payload, and personal data that is not forgotten.
pub(super) fn stored(name: &str, version: u16) -> Vec<(Value, Option<Value>)> {
    let current = Event::types().find(|(known, _)| *known == name).unwrap().1;
    let golden = golden_events(name, version, current).into_iter();
    golden.map(|Golden { stored, .. }| (stored.data, stored.personal)).collect()
}

#[test]
fn every_event_that_was_ever_stored_is_read_as_what_it_is_today() {
    for (name, version, current) in versions() {
        let golden = golden_events(name, version, current);
        assert!(!golden.is_empty(), "{name} of version {version} has no example");
        for Golden { stored, today } in golden {
            let event = stored.read(name, version);
            assert_eq!((event.type_name(), event.schema_version()), (name, current));
            assert_eq!(Stored::of(&event), today, "{name} of version {version}");
        }
    }
}

#[test]
fn the_shape_of_todays_events_is_that_of_their_version() {
    for (name, current) in Event::types() {
        let golden: Vec<_> =
            golden_events(name, current, current).into_iter().map(|golden| golden.stored).collect();
        let examples: Vec<_> = examples::of(name).iter().map(Stored::of).collect();
        assert_eq!(examples, golden, "{name} changed its shape and not its version {current}");
    }
}

#[test]
fn every_variant_of_every_type_has_an_example() {
    // Fields of events and the values that they must have shown.
    for (name, field, count) in [
        ("NotificationRequested", "/template", 6),
        ("NotificationRequested", "/channel", 2),
        ("PaymentOutcomeUnknown", "/operation/kind", 4),
        ("OrderPlaced", "/owner/kind", 2),
        ("CartOpened", "/owner/kind", 2),
    ] {
        let current = Event::types().find(|(known, _)| *known == name).unwrap().1;
        let golden = golden_events(name, current, current);
        let values: BTreeSet<_> =
            golden.iter().map(|golden| golden.stored.data.pointer(field).unwrap().to_string()).collect();
        assert_eq!(values.len(), count, "{name} {field}");
    }
}

#[test]
fn every_personal_event_has_an_example_that_was_forgotten() {
    for (name, version, current) in versions() {
        let golden = golden_events(name, version, current);
        let carries = golden.iter().any(|golden| golden.stored.personal.is_some());
        let forgotten = golden.iter().any(|golden| golden.stored.personal.is_none());
        assert!(!carries || forgotten, "{name} of version {version}");
    }
}

#[test]
fn there_is_no_golden_event_that_nobody_knows() {
    let known: BTreeSet<_> = versions().map(|(name, version, _)| file(name, version)).collect();
    for entry in std::fs::read_dir(folder("events")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name), "{name} is of no event that is known: its readers are gone");
    }
}
