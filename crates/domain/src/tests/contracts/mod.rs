//! Contracts of events: `docs/events/NAME/vVERSION.json` says what a type looks like in a schema version, and that does not
//! change any more. (Files `vVERSION.personal.json` say the same of its personal data.)
//!
//! `script/contracts` (`JUMUN_CONTRACTS=write cargo test -p domain no_event_type_changes`) writes the files of new types and
//! versions, and the words of those that are there. It never changes what a file that is there allows: that takes a new version,
//! an upcaster in `history.rs`, and the old file stays for the events that are stored in that shape.

mod changed;
pub(super) mod fits;
mod shape;
mod steps;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use self::shape::shape;
use super::golden::stored;
use crate::Event;
use crate::contract::Contract;

/// No schema shows more examples.
const EXAMPLES_MAX: usize = 3;

/// What a contract is on disk.
#[derive(Debug, Clone, PartialEq)]
struct Files {
    payload: Value,
    personal: Option<Value>,
}

/// How what is made from the code stands to what is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// There is nothing yet.
    Missing,
    /// The same.
    Same,
    /// The same JSON is allowed; descriptions or examples differ.
    Reworded,
    /// Other JSON is allowed: another optional field is enough.
    Changed,
}

fn verdict(committed: Option<&Files>, generated: &Files) -> Verdict {
    let shapes = |files: &Files| (shape(&files.payload), files.personal.as_ref().map(shape));
    match committed {
        None => Verdict::Missing,
        Some(committed) if committed == generated => Verdict::Same,
        Some(committed) if shapes(committed) == shapes(generated) => Verdict::Reworded,
        Some(_) => Verdict::Changed,
    }
}

/// Where the contracts are.
fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events")
}

fn paths(folder: &Path, name: &str, version: u16) -> (PathBuf, PathBuf) {
    let file = |end: &str| folder.join(name).join(format!("v{version}{end}"));
    (file(".json"), file(".personal.json"))
}

fn json(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn committed(folder: &Path, name: &str, version: u16) -> Option<Files> {
    let (payload, personal) = paths(folder, name, version);
    Some(Files { payload: json(&payload)?, personal: json(&personal) })
}

fn write(path: &Path, schema: &Value) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, serde_json::to_string_pretty(schema).unwrap() + "\n").unwrap();
}

/// Holds one contract against its files; writes what may be written when that was asked for.
fn settle(folder: &Path, contract: &Contract, generated: &Files, is_writing: bool) -> Result<(), String> {
    let Contract { name, version, .. } = contract;
    match verdict(committed(folder, name, *version).as_ref(), generated) {
        Verdict::Same => Ok(()),
        Verdict::Changed => Err(format!(
            "{name} changed its shape and not its version {version}. Events of the old shape are stored: raise the version in \
             `events!`, write an upcaster in history.rs from {version} to {}, and see docs/adding-an-event.md",
            version + 1
        )),
        Verdict::Missing | Verdict::Reworded if is_writing => {
            let (payload, personal) = paths(folder, name, *version);
            write(&payload, &generated.payload);
            generated.personal.iter().for_each(|schema| write(&personal, schema));
            Ok(())
        }
        Verdict::Missing => Err(format!("{name} of version {version} has no contract yet: script/contracts")),
        Verdict::Reworded => Err(format!("{name} has other words in the code: script/contracts")),
    }
}

/// A schema with examples, each of them once.
fn with_examples(schema: &Value, examples: impl Iterator<Item = Value>) -> Value {
    let mut schema = schema.clone();
    let mut shown: Vec<Value> = Vec::new();
    for example in examples {
        if shown.len() < EXAMPLES_MAX && !shown.contains(&example) {
            shown.push(example);
        }
    }
    schema["examples"] = shown.into();
    schema
}

/// The contract as it is written down, with the golden events as examples.
fn generated(contract: &Contract) -> Files {
    let golden = stored(contract.name, contract.version);
    let personal = || golden.iter().filter_map(|(_, personal)| personal.clone());
    Files {
        payload: with_examples(&contract.payload, golden.iter().map(|(data, _)| data.clone())),
        personal: contract.personal.as_ref().map(|schema| with_examples(schema, personal())),
    }
}

#[test]
fn no_event_type_changes_within_its_version() {
    let is_writing = std::env::var("JUMUN_CONTRACTS").is_ok_and(|value| value == "write");
    let wrong: Vec<_> = Event::contracts()
        .iter()
        .filter_map(|contract| settle(&docs(), contract, &generated(contract), is_writing).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_event_type_has_a_contract() {
    let contracts: Vec<_> =
        Event::contracts().iter().map(|contract| (contract.name, contract.version)).collect();
    assert_eq!(contracts, Event::types().collect::<Vec<_>>());
    for contract in Event::contracts() {
        for schema in [Some(contract.payload), contract.personal].into_iter().flatten() {
            assert!(schema["title"].as_str().is_some_and(|title| title.starts_with(contract.name)));
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        }
    }
}

#[test]
fn the_contracts_of_old_versions_stay() {
    for (name, current) in Event::types() {
        for version in 1..current {
            assert!(
                committed(&docs(), name, version).is_some(),
                "{name} of version {version} is stored somewhere, and its contract is gone"
            );
        }
    }
}

#[test]
fn there_is_no_contract_of_an_event_that_nobody_knows() {
    let known: BTreeSet<PathBuf> = Event::contracts()
        .iter()
        .flat_map(|contract| {
            (1..=contract.version).map(move |version| paths(&docs(), contract.name, version))
        })
        .flat_map(|(payload, personal)| [payload, personal])
        .collect();
    let folders = std::fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().path());
    for folder in folders.filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            assert!(known.contains(&file), "{} is of no event that is known", file.display());
        }
    }
    for contract in Event::contracts().iter().filter(|contract| contract.personal.is_none()) {
        let (_, personal) = paths(&docs(), contract.name, contract.version);
        assert!(!personal.exists(), "{} carries nothing personal", contract.name);
    }
}
