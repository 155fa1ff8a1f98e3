//! The AsyncAPI 3.0 document of the topics, made from the code.

use domain::contract::Contract;
use domain::{Category, Event};
use event_bus::envelope::header;
use event_store::Topic;
use serde_json::{Map, Value, json};

/// The prefix and the number of partitions that the configuration has when it says nothing.
const TOPICS: &str = "jumun";
const PARTITIONS: u32 = 6;

const UUID: &str = "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$";
const FROM_1: &str = "^[1-9][0-9]*$";
const FROM_0: &str = "^(0|[1-9][0-9]*)$";

/// The whole document.
pub(crate) fn document() -> Value {
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Jumun's events",
            "version": "1.0.0",
            "description": "The log of the shop on Kafka: every event once, in the order of the log within its partition. The value \
                of a record is the payload as it is stored; what it is about, its place in the log, and its sealed personal data \
                are in CloudEvents headers. Every type keeps its schema within a schema version; older versions stay on the topic.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}
        },
        "defaultContentType": "application/json",
        "servers": servers(),
        "channels": Topic::ALL.into_iter().map(|topic| (topic.name().to_owned(), channel(topic))).collect::<Map<_, _>>(),
        "operations": Topic::ALL.into_iter().map(operation).collect::<Map<_, _>>(),
        "components": {"messages": messages(), "schemas": {"place": place(), "event": event_headers()}}
    })
}

fn servers() -> Value {
    json!({
        "kafka": {
            "host": "{brokers}",
            "protocol": "kafka",
            "description": "The shop's own brokers (kafka_brokers); with TLS, SASL/SCRAM or MSK IAM as they ask for it (kafka_security).",
            "variables": {"brokers": {"default": "localhost:9092", "description": "One broker of the cluster, HOST:PORT."}}
        }
    })
}

/// Stored types with each of their versions, newest last.
fn versions(contract: &Contract) -> impl Iterator<Item = (&'static str, u16)> {
    let name = contract.name;
    (1..=contract.version).map(move |version| (name, version))
}

fn contracts(topic: Topic) -> impl Iterator<Item = Contract> {
    Event::contracts().into_iter().filter(move |contract| Topic::of(contract.category) == topic)
}

fn message_name(name: &str, version: u16) -> String {
    format!("{name}.v{version}")
}

fn names(topic: Topic) -> Vec<String> {
    let events = contracts(topic).flat_map(|contract| versions(&contract).collect::<Vec<_>>());
    events.map(|(name, version)| message_name(name, version)).chain(["watermark".to_owned()]).collect()
}

fn reference(to: &str) -> Value {
    json!({"$ref": to})
}

fn channel(topic: Topic) -> Value {
    let address = format!("{TOPICS}.{}", topic.name());
    let categories: Vec<_> = topic.categories().into_iter().map(Category::name).collect();
    let messages = names(topic).into_iter();
    json!({
        "address": address,
        "title": topic.name(),
        "description": format!(
            "Events of streams {}. {TOPICS} is the configured prefix (kafka_topics). A stream is in the partition that Kafka's own \
             Java client chooses for its key (murmur2). All topics have the same number of partitions (kafka_partitions, \
             {PARTITIONS} when it is not set).",
            categories.iter().map(|category| format!("{category}-…")).collect::<Vec<_>>().join(", ")
        ),
        "messages": messages
            .map(|name| (name.clone(), reference(&format!("#/components/messages/{name}"))))
            .collect::<Map<_, _>>(),
        "bindings": {"kafka": {"topic": address, "partitions": PARTITIONS, "bindingVersion": "0.5.0"}}
    })
}

fn operation(topic: Topic) -> (String, Value) {
    let channel = format!("#/channels/{}", topic.name());
    let messages: Vec<_> =
        names(topic).iter().map(|name| reference(&format!("{channel}/messages/{name}"))).collect();
    let operation = json!({
        "action": "send",
        "channel": reference(&channel),
        "summary": format!("The relay publishes what happens to {}.", topic.name()),
        "messages": messages
    });
    (format!("publish_{}", topic.name()), operation)
}

fn messages() -> Map<String, Value> {
    let events = Event::contracts().into_iter().flat_map(|contract| {
        versions(&contract).map(|(name, version)| event(&contract, name, version)).collect::<Vec<_>>()
    });
    events.chain([("watermark".to_owned(), watermark())]).collect()
}

fn event(contract: &Contract, name: &str, version: u16) -> (String, Value) {
    let mut message = json!({
        "name": name,
        "title": format!("{name}, version {version}"),
        "summary": contract.payload["description"],
        "contentType": "application/json",
        "headers": {"allOf": [
            reference("#/components/schemas/event"),
            {
                "type": "object",
                "properties": {
                    header::TYPE: {"const": format!("jumun.{name}")},
                    header::SCHEMA_VERSION: {"const": version.to_string()}
                }
            }
        ]},
        "payload": reference(&format!("./{name}/v{version}.json")),
        "bindings": {"kafka": {
            "key": {"type": "string", "description": "The stream, as in ce_subject."},
            "bindingVersion": "0.5.0"
        }}
    });
    if version < contract.version {
        message["description"] = "No longer written; events of this version stay on the topic.".into();
        message.as_object_mut().and_then(|message| message.remove("summary"));
    }
    (message_name(name, version), message)
}

fn watermark() -> Value {
    json!({
        "name": "watermark",
        "title": "All up to here has come",
        "summary": "No event: all of this partition up to ce_position came before it. Without a key, and with an empty value.",
        "headers": {"allOf": [
            reference("#/components/schemas/place"),
            {"type": "object", "properties": {
                header::TYPE: {"const": "jumun.watermark"},
                header::SOURCE: {"const": "/jumun/relay"}
            }}
        ]}
    })
}

fn field(pattern: &str, description: &str) -> Value {
    json!({"type": "string", "pattern": pattern, "description": description})
}

fn object(fields: Vec<(&str, Value)>, optional: &[&str]) -> Value {
    let required: Vec<_> =
        fields.iter().map(|(name, _)| *name).filter(|name| !optional.contains(name)).collect();
    json!({"type": "object", "required": required, "properties": fields.into_iter().map(|(name, field)| (name.to_owned(), field)).collect::<Map<_, _>>()})
}

/// The headers that every record has.
fn place() -> Value {
    let source = Category::ALL.map(Category::name).join("|");
    let fields = vec![
        (header::SPEC_VERSION, json!({"const": "1.0", "description": "CloudEvents."})),
        (
            header::ID,
            json!({"type": "string", "description": "The event's id; of a watermark, its epoch and position."}),
        ),
        (
            header::SOURCE,
            field(&format!("^/jumun/({source}|relay)$"), "/jumun/ and the category of the stream."),
        ),
        (header::TYPE, field("^jumun\\.[A-Za-z]+$", "jumun. and the type.")),
        (
            header::POSITION,
            field(
                FROM_1,
                "Where in the log. Of a watermark: all of this partition up to here came before it.",
            ),
        ),
        (
            header::PREV_POSITION,
            field(
                FROM_0,
                "The position of the event before it in this partition; 0: there is none. Above what you have: the events between are missing, take nothing.",
            ),
        ),
        (header::EPOCH, field(UUID, "Which log. Positions of another one mean nothing here: stop.")),
    ];
    object(fields, &[])
}

/// The headers of events.
fn event_headers() -> Value {
    let fields = vec![
        (header::ID, field(UUID, "The event's own id.")),
        (
            header::TIME,
            json!({"type": "string", "format": "date-time", "description": "When it was recorded, UTC."}),
        ),
        (header::SUBJECT, field("^[a-z]+-.+$", "The stream, category-key; also the record's key.")),
        (header::CONTENT_TYPE, json!({"const": "application/json"})),
        (header::STREAM_VERSION, field(FROM_1, "Which of its stream.")),
        (
            header::SCHEMA_VERSION,
            field(FROM_1, "The schema version of the value: with ce_type it names the schema."),
        ),
        (header::COMMAND_ID, field(UUID, "The command that brought it about.")),
        (
            header::CORRELATION_ID,
            field(UUID, "All that follows from one request of the outside has the same."),
        ),
        (header::CAUSATION_ID, field(UUID, "The event that it follows from.")),
        (header::ACTOR, field("^\\{", "Who gave the command: JSON, kind and id.")),
        (header::SEALED_FOR, field(UUID, "Whose key seals its personal data.")),
        (
            header::SEALED,
            field(
                "^[A-Za-z0-9+/]+={0,2}$",
                "That personal data, sealed; base64. The keys stay with the shop.",
            ),
        ),
        (header::TRACEPARENT, json!({"type": "string", "description": "W3C trace context of the request."})),
    ];
    let optional = [header::CAUSATION_ID, header::SEALED_FOR, header::SEALED, header::TRACEPARENT];
    json!({"allOf": [reference("#/components/schemas/place"), object(fields, &optional)]})
}
