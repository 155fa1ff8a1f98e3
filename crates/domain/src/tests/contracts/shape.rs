//! What a schema allows, without the words that it says it in: two schemas of the same shape allow the same JSON.

use serde_json::{Map, Value};

/// Keywords that say something and forbid nothing.
const WORDS: &[&str] = &["description", "examples", "default", "$comment"];

/// The shape of a schema: without words, without names of definitions, lists without an order sorted.
pub(super) fn shape(schema: &Value) -> Value {
    of(schema, &schema["$defs"])
}

fn of(schema: &Value, definitions: &Value) -> Value {
    let Value::Object(keywords) = schema else { return schema.clone() };
    let mut shape = Map::new();
    for (keyword, value) in keywords {
        if WORDS.contains(&keyword.as_str()) || keyword == "$defs" {
            continue;
        }
        if keyword == "$ref" {
            let definition = definition(value, definitions);
            shape.insert("allOf".to_owned(), Value::Array(vec![of(definition, definitions)]));
            continue;
        }
        shape.insert(keyword.clone(), inside(keyword, value, definitions));
    }
    choices_as_one_list(&mut shape);
    Value::Object(shape)
}

fn definition<'a>(reference: &Value, definitions: &'a Value) -> &'a Value {
    let name = reference.as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
    let found = name.and_then(|name| definitions.get(name));
    found.unwrap_or_else(|| panic!("{reference} is not in the same file"))
}

/// What a keyword holds: schemas, or plain values.
fn inside(keyword: &str, value: &Value, definitions: &Value) -> Value {
    match (keyword, value) {
        ("properties" | "patternProperties", Value::Object(all)) => {
            all.iter().map(|(name, schema)| (name.clone(), of(schema, definitions))).collect()
        }
        ("oneOf" | "anyOf" | "allOf", Value::Array(all)) => {
            sorted(all.iter().map(|schema| of(schema, definitions)))
        }
        ("items" | "additionalProperties" | "propertyNames" | "contains" | "not", schema) => {
            of(schema, definitions)
        }
        ("required" | "enum" | "type", Value::Array(all)) => sorted(all.iter().cloned()),
        (_, plain) => plain.clone(),
    }
}

fn sorted(values: impl Iterator<Item = Value>) -> Value {
    let mut values: Vec<_> = values.collect();
    values.sort_by_key(Value::to_string);
    Value::Array(values)
}

/// A choice among texts is written as `oneOf` when some of them have a description, and as `enum` when none has: the same.
fn choices_as_one_list(shape: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = shape.get("oneOf") else { return };
    let texts: Option<Vec<Vec<Value>>> = choices.iter().map(texts).collect();
    if let Some(texts) = texts {
        shape.remove("oneOf");
        shape.insert("type".to_owned(), "string".into());
        shape.insert("enum".to_owned(), sorted(texts.into_iter().flatten()));
    }
}

/// The texts that a schema allows, when it allows nothing but texts that it names.
fn texts(choice: &Value) -> Option<Vec<Value>> {
    let keywords = choice.as_object()?;
    if keywords.len() != 2 || choice["type"] != "string" {
        return None;
    }
    keywords.get("const").map(|text| vec![text.clone()]).or_else(|| choice["enum"].as_array().cloned())
}
