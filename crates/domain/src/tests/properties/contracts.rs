//! Whatever happens fits its contract; the schemas of texts allow what their parsers do.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use super::super::contracts::fits::Validator;
use super::lives::{Shop, lives};
use super::{cases, text::hostile};
use crate::Event;
use crate::contract::schema_of;
use crate::text::{CountryCode, Email, Locale, PersonName, Phone, Sku};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The contracts of one type: of its payload, and of its personal data.
type Contracts = std::collections::BTreeMap<&'static str, (Validator, Option<Validator>)>;

static CONTRACTS: LazyLock<Contracts> = LazyLock::new(|| {
    let validators = |contract: crate::contract::Contract| {
        (contract.name, (Validator::of(&contract.payload), contract.personal.as_ref().map(Validator::of)))
    };
    Event::contracts().into_iter().map(validators).collect()
});

/// What is parsed fits the schema. `exact`: and what fits the schema is parsed, as it is.
macro_rules! agree {
    ($type:ty, $text:expr, exact: $exact:literal) => {{
        static SCHEMA: LazyLock<Validator> =
            LazyLock::new(|| Validator::of(&schema_of::<$type>().to_value()));
        let parsed = <$type>::parse($text);
        if let Ok(parsed) = &parsed {
            let fits = SCHEMA.check(&parsed.as_str().into());
            prop_assert_eq!(fits, Ok(()), "{:?}", parsed);
        }
        if $exact && SCHEMA.check(&$text.into()).is_ok() {
            prop_assert_eq!(parsed.map(String::from), Ok($text.to_owned()));
        }
    }};
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn whatever_happens_fits_its_contract(life in lives(100)) {
        let mut shop = Shop::open();
        for asked in life {
            let command = asked.command(&shop.world);
            shop.ask(&command);
        }
        for (_, event) in shop.events {
            let (payload, personal) = &CONTRACTS[event.type_name()];
            prop_assert_eq!(payload.check(&json(&event.encode())), Ok(()), "{:?}", event);
            if let Some((_, Some(data))) = event.personal() {
                let schema = personal.as_ref().expect("a contract of personal data");
                prop_assert_eq!(schema.check(&json(&data)), Ok(()), "{:?}", event);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn the_schemas_of_texts_allow_what_their_parsers_do(text in hostile()) {
        agree!(Sku, text.as_str(), exact: true);
        agree!(Locale, text.as_str(), exact: true);
        agree!(Phone, text.as_str(), exact: true);
        agree!(CountryCode, text.as_str(), exact: true);
        agree!(Email, text.as_str(), exact: false);
        agree!(PersonName, text.as_str(), exact: false);
    }
}
