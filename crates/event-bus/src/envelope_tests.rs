//! Records go out and come back, and nothing that others write gets in.

use proptest::prelude::*;
use rdkafka::Timestamp;
use rdkafka::message::OwnedMessage;

use super::*;

fn message(key: Option<&[u8]>, value: Option<&[u8]>, headers: OwnedHeaders) -> OwnedMessage {
    let (key, value) = (key.map(<[u8]>::to_vec), value.map(<[u8]>::to_vec));
    OwnedMessage::new(value, key, "jumun.orders".to_owned(), Timestamp::NotAvailable, 2, 77, Some(headers))
}

fn sent(envelope: &Envelope) -> OwnedMessage {
    message(Some(envelope.key().as_bytes()), Some(envelope.value().as_bytes()), envelope.headers())
}

fn any_uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn any_actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        any_uuid().prop_map(|id| Actor::Customer(id.into())),
        any_uuid().prop_map(Actor::Staff),
        any::<String>().prop_map(Actor::Gateway),
        any::<String>().prop_map(Actor::System),
    ]
}

prop_compose! {
    fn any_metadata()(
        correlation_id in any_uuid(),
        causation_id in proptest::option::of(any_uuid()),
        actor in any_actor(),
        traceparent in proptest::option::of("[0-9a-f-]{1,55}"),
    ) -> Metadata {
        Metadata { correlation_id, causation_id, actor, traceparent }
    }
}

prop_compose! {
    fn any_raw()(
        ids in (any_uuid(), any_uuid()),
        position in 1..i64::MAX as u64,
        stream in "(order|stock|email|cart)-[A-Za-z0-9한-힣._-]{1,40}",
        version in 1..i32::MAX as u32,
        type_name in "[A-Z][A-Za-z]{0,30}",
        schema_version in 1..u16::MAX,
        micros in 0..4_000_000_000_000_000_i64,
        metadata in any_metadata(),
        text in any::<String>(),
        subject in proptest::option::of(any_uuid()),
        sealed in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200)),
    ) -> Raw {
        let data = serde_json::json!({"text": text, "n": 12.5}).to_string();
        Raw {
            position: Position(position),
            event_id: ids.0,
            stream: StreamId::parse(&stream).unwrap(),
            version,
            type_name,
            schema_version,
            recorded_at: DateTime::from_timestamp_micros(micros).unwrap(),
            command_id: ids.1,
            metadata,
            data: RawValue::from_string(data).unwrap(),
            subject: subject.map(SubjectId),
            sealed: subject.and(sealed),
        }
    }
}

prop_compose! {
    fn any_envelope()(raw in any_raw(), before in any::<u64>(), epoch in any_uuid()) -> Envelope {
        Envelope { prev: Position(before % raw.position.0), raw, epoch }
    }
}

/// All of it: what it says of itself has no more than this.
fn told(record: &Record) -> String {
    format!("{record:?}")
}

proptest! {
    #[test]
    fn an_event_comes_back_as_it_was_sent(envelope in any_envelope()) {
        let back = parse(&sent(&envelope)).unwrap();
        prop_assert_eq!(told(&back), told(&Record::Event(envelope)));
    }

    #[test]
    fn a_watermark_comes_back_as_it_was_sent(position in 0..i64::MAX as u64, before in any::<u64>(), epoch in any_uuid()) {
        let watermark = Watermark { position: Position(position), prev: Position(before % (position + 1)), epoch };
        let back = parse(&message(None, Some(b""), watermark.headers())).unwrap();
        prop_assert_eq!(told(&back), told(&Record::Watermark(watermark)));
    }

    /// One header is lost, or has become something else: it is refused, or it is not one that must be there.
    #[test]
    fn a_damaged_event_is_refused(envelope in any_envelope(), which in any::<prop::sample::Index>(), junk in any::<Option<Vec<u8>>>()) {
        let whole = sent(&envelope);
        let headers = whole.headers().unwrap();
        let damaged = which.index(headers.count());
        let mut others = OwnedHeaders::new();
        for (index, header) in headers.iter().enumerate() {
            let value = if index == damaged { junk.as_deref() } else { header.value };
            others = others.insert(Header { key: header.key, value });
        }
        let name = headers.get(damaged).key;
        let free = [
            header::SOURCE, header::CONTENT_TYPE, header::CAUSATION_ID, header::SEALED_FOR, header::SEALED, header::TRACEPARENT,
        ];
        let read = parse(&message(whole.key(), whole.payload(), others));
        if !free.contains(&name) && junk.is_none() {
            prop_assert!(read.unwrap_err().why.contains(name));
        }
    }

    #[test]
    fn no_foreign_record_breaks_the_reader(
        key in any::<Option<Vec<u8>>>(),
        value in any::<Option<Vec<u8>>>(),
        headers in proptest::collection::vec(("(ce_[a-z]{0,16}|[^\\x00]{0,8})", any::<Option<Vec<u8>>>()), 0..20),
    ) {
        let headers = headers.iter().fold(OwnedHeaders::new(), |headers, (name, value)| {
            headers.insert(Header { key: name, value: value.as_ref() })
        });
        let refused = parse(&message(key.as_deref(), value.as_deref(), headers)).unwrap_err();
        prop_assert!(refused.to_string().contains("offset 77 of jumun.orders/2"));
    }
}

fn envelope() -> Envelope {
    let id = Uuid::from_u128(7);
    let metadata = Metadata {
        correlation_id: id,
        causation_id: None,
        actor: Actor::system("test"),
        traceparent: Some("00-1-2-01".to_owned()),
    };
    let raw = Raw {
        position: Position(9),
        event_id: id,
        stream: StreamId::parse("order-1").unwrap(),
        version: 1,
        type_name: "OrderPlaced".to_owned(),
        schema_version: 1,
        recorded_at: DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap(),
        command_id: id,
        metadata,
        data: RawValue::from_string("{}".to_owned()).unwrap(),
        subject: Some(SubjectId(id)),
        sealed: Some(vec![1, 2, 3]),
    };
    Envelope { raw, prev: Position(4), epoch: id }
}

#[test]
fn an_event_is_a_cloud_event() {
    let headers = envelope().headers();
    let text = |name: &str| {
        let found = headers.iter().find(|header| header.key == name).unwrap_or_else(|| panic!("{name}"));
        String::from_utf8(found.value.unwrap().to_vec()).unwrap()
    };
    let id = Uuid::from_u128(7).to_string();
    for (name, value) in [
        ("ce_specversion", "1.0"),
        ("ce_id", &id),
        ("ce_source", "/jumun/order"),
        ("ce_type", "jumun.OrderPlaced"),
        ("ce_time", "2023-11-14T22:13:20.000001Z"),
        ("ce_subject", "order-1"),
        ("content-type", "application/json"),
        ("ce_position", "9"),
        ("ce_prevposition", "4"),
        ("ce_epoch", &id),
        ("ce_streamversion", "1"),
        ("ce_schemaversion", "1"),
        ("ce_commandid", &id),
        ("ce_correlationid", &id),
        ("ce_actor", r#"{"kind":"system","id":"test"}"#),
        ("ce_sealedfor", &id),
        ("ce_sealed", "AQID"),
        ("traceparent", "00-1-2-01"),
    ] {
        assert_eq!(text(name), value, "{name}");
    }
    assert_eq!(headers.count(), 18);
}

#[test]
fn what_no_relay_writes_is_refused() {
    let right = envelope();
    let (key, value) = (right.key().as_bytes(), right.value().as_bytes());
    let refused = |message: &OwnedMessage, words: &str| {
        let why = parse(message).unwrap_err().why;
        assert!(why.contains(words), "{words:?} is not in {why:?}");
    };
    refused(&message(Some(b"order-2"), Some(value), right.headers()), "key");
    refused(&message(None, Some(value), right.headers()), "key");
    refused(&message(Some(key), None, right.headers()), "not JSON");
    refused(&message(Some(key), Some(b"{"), right.headers()), "not JSON");
    refused(&message(Some(key), Some(b"\"\xff\""), right.headers()), "not JSON");
    let backwards = Envelope { prev: Position(9), ..right.clone() };
    refused(&message(Some(key), Some(value), backwards.headers()), "no lower position");
    let huge = Watermark { position: Position(u64::MAX), prev: Position(0), epoch: right.epoch };
    refused(&message(None, None, huge.headers()), "ce_position");
    let bare = OwnedMessage::new(None, None, "t".to_owned(), Timestamp::NotAvailable, 0, 0, None);
    refused(&bare, "no headers");
}
