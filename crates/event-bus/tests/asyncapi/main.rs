//! The AsyncAPI document in `docs/events` is the one of today's code, and describes what the relay writes.
//! `JUMUN_CONTRACTS=write cargo test -p event-bus --test asyncapi` (in `script/contracts`) writes it.
#![allow(clippy::unwrap_used)]

mod document;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use domain::ids::SubjectId;
use domain::{Actor, Event, StreamId};
use event_bus::envelope::{Envelope, Watermark};
use event_store::{Metadata, Position, Raw, Topic};
use rdkafka::message::{Headers, OwnedHeaders};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use self::document::document;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events")
}

/// A message's schema of headers, taken out of the document.
struct Validator(Schemas, SchemaIndex);

impl Validator {
    fn of_headers(message: &str) -> Self {
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.enable_format_assertions();
        compiler.add_resource("urn:jumun:asyncapi", document()).unwrap();
        let place = format!("urn:jumun:asyncapi#/components/messages/{message}/headers");
        let index = compiler.compile(&place, &mut schemas).unwrap();
        Self(schemas, index)
    }

    fn check(&self, headers: &Map<String, Value>) -> Result<(), String> {
        self.0.validate(&Value::Object(headers.clone()), self.1).map_err(|error| error.to_string())
    }
}

fn headers(headers: &OwnedHeaders) -> Map<String, Value> {
    let text = |value: Option<&[u8]>| std::str::from_utf8(value.unwrap()).unwrap().into();
    headers.iter().map(|header| (header.key.to_owned(), text(header.value))).collect()
}

/// An event with all that an event can have beside it, or with as little as there can be.
fn envelope(with_all: bool) -> Envelope {
    let order = Uuid::from_u128(7);
    let raw = Raw {
        position: Position(9),
        event_id: Uuid::now_v7(),
        stream: StreamId::order(order.into()),
        version: 2,
        type_name: "OrderConfirmed".to_owned(),
        schema_version: 1,
        recorded_at: chrono::DateTime::from_timestamp_micros(1_760_000_000_123_456).unwrap(),
        command_id: Uuid::now_v7(),
        metadata: Metadata {
            correlation_id: Uuid::now_v7(),
            causation_id: with_all.then(Uuid::now_v7),
            actor: Actor::system("payments"),
            traceparent: with_all
                .then(|| "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        },
        data: RawValue::from_string(format!("{{\"payment_id\":\"{order}\"}}")).unwrap(),
        subject: with_all.then_some(SubjectId(order)),
        sealed: with_all.then(|| vec![1, 2, 3, 4]),
    };
    Envelope { raw, prev: Position(0), epoch: Uuid::from_u128(1) }
}

#[test]
fn asyncapi_says_what_the_code_says() {
    let path = docs().join("asyncapi.json");
    if std::env::var("JUMUN_CONTRACTS").is_ok_and(|value| value == "write") {
        std::fs::write(&path, serde_json::to_string_pretty(&document()).unwrap() + "\n").unwrap();
    }
    let written: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert!(written == document(), "docs/events/asyncapi.json is not of today: script/contracts");
}

#[test]
fn asyncapi_describes_the_headers_of_events() {
    let schema = Validator::of_headers("OrderConfirmed.v1");
    let (all, least) = (headers(&envelope(true).headers()), headers(&envelope(false).headers()));
    schema.check(&all).unwrap();
    schema.check(&least).unwrap();
    for name in least.keys() {
        let mut without = least.clone();
        without.remove(name);
        assert!(schema.check(&without).is_err(), "without {name}");
    }
    for name in all.keys().filter(|name| *name != "traceparent") {
        let mut wrong = all.clone();
        wrong.insert(name.clone(), "?".into());
        assert!(schema.check(&wrong).is_err(), "{name} is wrong");
    }
    assert!(Validator::of_headers("OrderCancelled.v1").check(&all).is_err(), "those of another type");
    let described = document();
    let described: BTreeSet<_> =
        ["/components/schemas/place/properties", "/components/schemas/event/allOf/1/properties"]
            .into_iter()
            .flat_map(|place| described.pointer(place).unwrap().as_object().unwrap().keys().cloned())
            .collect();
    assert_eq!(described, all.keys().cloned().collect(), "described and written");
}

#[test]
fn asyncapi_describes_the_headers_of_watermarks() {
    let watermark = Watermark { position: Position(9), prev: Position(9), epoch: Uuid::from_u128(1) };
    let written = headers(&watermark.headers());
    let schema = Validator::of_headers("watermark");
    schema.check(&written).unwrap();
    for name in written.keys() {
        let mut without = written.clone();
        without.remove(name);
        assert!(schema.check(&without).is_err(), "without {name}");
    }
    assert!(Validator::of_headers("OrderConfirmed.v1").check(&written).is_err());
}

#[test]
fn asyncapi_has_every_version_of_every_type_in_one_channel_with_its_schema() {
    let document = document();
    let mut found = Vec::new();
    for topic in Topic::ALL {
        let channel = &document["channels"][topic.name()];
        assert_eq!(channel["address"], format!("jumun.{}", topic.name()));
        found.extend(
            channel["messages"].as_object().unwrap().keys().filter(|name| *name != "watermark").cloned(),
        );
    }
    let versions =
        Event::types().flat_map(|(name, current)| (1..=current).map(move |of| format!("{name}.v{of}")));
    let mut expected: Vec<_> = versions.collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    for name in found {
        let payload = document["components"]["messages"][&name]["payload"]["$ref"].as_str().unwrap();
        assert!(docs().join(payload).is_file(), "{payload}");
    }
}
