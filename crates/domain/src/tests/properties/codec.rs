//! What is stored is read back as it was; what is personal is stored apart, and can be forgotten.

use proptest::prelude::*;

use super::cases;
use super::lives::{Shop, lives};
use crate::event::Unreadable;
use crate::{Event, cart};

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn every_event_is_read_back_as_it_was(life in lives(120)) {
        let mut shop = Shop::open();
        for asked in life {
            let command = asked.command(&shop.world);
            shop.ask(&command);
        }
        for (_, event) in shop.events {
            let (name, version, data) = (event.type_name(), event.schema_version(), event.encode());
            let personal = event.personal();
            let known = personal.as_ref().and_then(|(_, data)| data.as_deref());
            prop_assert_eq!(&Event::decode(name, version, &data, known).unwrap(), &event);
            let forgotten = Event::decode(name, version, &data, None).unwrap();
            prop_assert_eq!(forgotten.encode(), data.clone());
            match personal {
                None => prop_assert_eq!(forgotten, event),
                Some((subject, known)) => {
                    prop_assert!(known.is_some());
                    prop_assert_eq!(forgotten.personal(), Some((subject, None)));
                    for secret in ["김민지", "minji@example.com", "+821012345678", "세종대로 110", "04524"] {
                        prop_assert!(!data.contains(secret), "{} holds {}", name, secret);
                    }
                }
            }
        }
    }

    #[test]
    fn anything_can_be_tried_to_be_read(
        name in prop::sample::select(Event::types().map(|(name, _)| name).collect::<Vec<_>>()),
        version in 0_u16..4,
        data in r#"\PC*|\{("quantity":-?[0-9]{0,20})?\}|null|\[\]"#,
    ) {
        let _ = Event::decode(name, version, &data, Some(&data));
    }
}

#[test]
fn what_nobody_knows_is_not_read() {
    let unknown = Event::decode("OrderLost", 1, "{}", None).unwrap_err();
    assert!(matches!(unknown, Unreadable::UnknownType(name) if name == "OrderLost"));
    let newer = Event::decode("CartItemRemoved", 2, r#"{"sku":"A"}"#, None).unwrap_err();
    assert!(matches!(newer, Unreadable::Newer { name: "CartItemRemoved", found: 2, known: 1 }));
    for data in ["", "{", "{}", r#"{"sku":""}"#, r#"{"sku":"\u0000"}"#, "[]"] {
        let malformed = Event::decode("CartItemRemoved", 1, data, None).unwrap_err();
        assert!(matches!(malformed, Unreadable::Malformed { name: "CartItemRemoved", .. }), "{data}");
    }
}

#[test]
fn personal_data_that_does_not_fit_is_not_read() {
    let (_, event) = super::super::examples::account().remove(0);
    let result = Event::decode(event.type_name(), 1, &event.encode(), Some(r#"{"email":"no"}"#));
    assert!(matches!(result, Err(Unreadable::Malformed { name: "CustomerRegistered", .. })));
}

#[test]
fn no_two_events_share_a_name() {
    let names: Vec<_> = Event::types().map(|(name, _)| name).collect();
    let unique: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    assert!(cart::Event::TYPES.iter().all(|(name, version)| name.starts_with("Cart") && *version >= 1));
}
