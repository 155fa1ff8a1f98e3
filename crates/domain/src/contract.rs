//! Contracts: what every event looks like as JSON, for those who read the log without this program. They are JSON Schemas
//! (2020-12) of what is written, made from the types themselves; `docs/events/` holds them, and a test holds the types to it.

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use crate::event::Payload;
use crate::{Category, Personal};

/// The contract of one event type in one schema version.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// Its stored name.
    pub name: &'static str,
    /// The schema version.
    pub version: u16,
    /// What it happens to. Events of claims on e-mail addresses are among those of customers.
    pub category: Category,
    /// The JSON Schema of its payload, without personal data.
    pub payload: Value,
    /// The JSON Schema of the personal data that is sealed apart from it. `None`: it never carries any.
    pub personal: Option<Value>,
}

impl Contract {
    /// The contract of a payload type.
    pub fn of<P: Payload>(category: Category, name: &'static str, version: u16) -> Self {
        let named = |mut schema: Schema, part: &str, title: String| {
            schema.insert("$id".to_owned(), format!("urn:jumun:event:{name}:{version}{part}").into());
            schema.insert("title".to_owned(), title.into());
            let nameless = || "What is sealed apart from the event.".into();
            schema.ensure_object().entry("description").or_insert_with(nameless);
            schema.to_value()
        };
        Self {
            name,
            version,
            category,
            payload: named(schema_of::<P>(), "", name.to_owned()),
            personal: P::personal_schema()
                .map(|schema| named(schema, ":personal", format!("{name}, personal data"))),
        }
    }
}

/// The JSON Schema of the personal data that a payload keeps in that field.
pub(crate) fn schema_of_personal<P, T: JsonSchema>(_field: impl Fn(&P) -> &Personal<T>) -> Schema {
    schema_of::<T>()
}

/// The JSON Schema of what is written of a type.
pub(crate) fn schema_of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(exact);
    settings.into_generator().into_root_schema_for::<T>()
}

/// Says what the derived schema leaves open: an object has no other fields than those named, whole numbers have bounds, and
/// ids are written in one way only.
fn exact(schema: &mut Schema) {
    transform_subschemas(&mut exact, schema);
    let says = |keyword: &str, value: &str| schema.get(keyword).and_then(Value::as_str) == Some(value);
    let (object, count, id) = (says("type", "object"), says("format", "uint32"), says("format", "uuid"));
    // Nobody has to fill in what is always written.
    schema.remove("default");
    let mut add = |keyword: &str, value: Value| {
        schema.ensure_object().entry(keyword).or_insert(value);
    };
    if object {
        add("additionalProperties", false.into());
    }
    if count {
        add("maximum", u32::MAX.into());
    }
    if id {
        add("pattern", "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$".into());
    }
}
