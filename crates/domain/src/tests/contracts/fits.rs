//! What is stored fits its contract, and what was damaged does not.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use super::super::golden::stored;
use super::{committed, docs};
use crate::Event;

/// A schema that JSON can be held against, formats included.
pub(in super::super) struct Validator(Schemas, SchemaIndex);

impl Validator {
    pub(in super::super) fn of(schema: &Value) -> Self {
        let place = schema["$id"].as_str().unwrap_or("urn:jumun:a-type");
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.enable_format_assertions();
        compiler.add_resource(place, schema.clone()).unwrap();
        let index = compiler.compile(place, &mut schemas).unwrap();
        Self(schemas, index)
    }

    pub(in super::super) fn check(&self, value: &Value) -> Result<(), String> {
        self.0.validate(value, self.1).map_err(|error| error.to_string())
    }
}

/// Every golden value of every version, with the name of where it is from and the validator of its contract.
fn golden() -> Vec<(String, Value, Validator)> {
    let versions =
        Event::types().flat_map(|(name, current)| (1..=current).map(move |version| (name, version)));
    let mut all = Vec::new();
    for (name, version) in versions {
        let contract = committed(&docs(), name, version)
            .unwrap_or_else(|| panic!("{name} of version {version} has no contract: script/contracts"));
        for (data, personal) in stored(name, version) {
            all.push((format!("{name} {version}"), data, Validator::of(&contract.payload)));
            if let Some(personal) = personal {
                let schema = contract.personal.as_ref().unwrap();
                all.push((format!("{name} {version} personal"), personal, Validator::of(schema)));
            }
        }
    }
    all
}

/// The places of all values inside a value, its own included, as JSON pointers.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| pointers(field, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| pointers(item, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

/// Fields that need not be there: entries of maps, and what is left out when it is empty.
fn is_optional(name: &str, pointer: &str) -> bool {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let entry = ["/attributes", "/name", "/description"].iter().any(|map| parent.ends_with(map));
    let left_out = ["line2", "region"].contains(&field) || pointer == "/contact/phone";
    entry || (name.ends_with("personal") && left_out)
}

fn without(value: &Value, pointer: &str) -> Option<Value> {
    let (parent, field) = pointer.rsplit_once('/')?;
    let mut value = value.clone();
    value.pointer_mut(parent)?.as_object_mut()?.remove(field)?;
    Some(value)
}

#[test]
fn every_golden_event_fits_the_contract_of_its_version() {
    for (name, value, contract) in golden() {
        contract.check(&value).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn a_golden_event_that_was_damaged_fits_no_contract() {
    let (mut damaged, mut missing) = (0, 0);
    for (name, value, contract) in golden() {
        let mut places = Vec::new();
        pointers(&value, "", &mut places);
        for place in places {
            // No field of any event is a list of lists.
            let mut wrong = value.clone();
            *wrong.pointer_mut(&place).unwrap() = json!([[]]);
            assert!(contract.check(&wrong).is_err(), "{name}: another type at {place:?}");
            let mut surplus = value.clone();
            if let Some(fields) = surplus.pointer_mut(&place).unwrap().as_object_mut() {
                fields.insert("surplus".to_owned(), 1.into());
                assert!(contract.check(&surplus).is_err(), "{name}: a field more in {place:?}");
            }
            damaged += 1;
            let Some(without) = without(&value, &place) else { continue };
            assert_eq!(
                contract.check(&without).is_ok(),
                is_optional(&name, &place),
                "{name}: without {place}"
            );
            missing += 1;
        }
    }
    assert!(damaged > 300 && missing > 200, "{damaged} and {missing} damages were tried");
}
