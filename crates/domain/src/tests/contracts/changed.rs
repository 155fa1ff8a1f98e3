//! A changed type is noticed: the comparison itself is held against made-up types.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Files, Verdict, committed, settle, verdict};
use crate::Category;
use crate::contract::Contract;
use crate::payloads;

/// A made-up event, as it was and as it might become. All are called `Parcel` where the name can be seen.
macro_rules! parcels {
    ($($module:ident { $($body:tt)* })*) => {$(
        mod $module {
            #![allow(missing_docs)]
            use super::*;
            $($body)*
            payloads!(Parcel;);
        }
    )*};
}

parcels! {
    as_it_was {
        /// A parcel.
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub(super) struct Parcel { grams: u32, size: Size, to: Option<String> }
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub(super) enum Size { Small, Large }
    }
    reworded {
        /// A box that is sent. The order of its fields means nothing.
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub(super) struct Parcel { to: Option<String>, grams: u32, size: Measure }
        /// Under another name in the code.
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub(super) enum Measure { Large, /** Fits through a letter box. */ Small }
    }
    with_an_optional_field {
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub(super) struct Parcel {
            grams: u32, size: super::as_it_was::Size, to: Option<String>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            note: Option<String>,
        }
    }
    without_a_field {
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub(super) struct Parcel { size: super::as_it_was::Size, to: Option<String> }
    }
    with_a_renamed_field {
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub(super) struct Parcel { weight: u32, size: super::as_it_was::Size, to: Option<String> }
    }
    of_another_type {
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub(super) struct Parcel { grams: i64, size: super::as_it_was::Size, to: Option<String> }
    }
    no_longer_null {
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub(super) struct Parcel { grams: u32, size: super::as_it_was::Size, to: String }
    }
    of_one_more_size {
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub(super) struct Parcel { grams: u32, size: Size, to: Option<String> }
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub(super) enum Size { Small, Medium, Large }
    }
    of_a_stricter_rule {
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub(super) struct Parcel {
            grams: u32, size: super::as_it_was::Size,
            #[schemars(length(max = 10))]
            to: Option<String>,
        }
    }
}

macro_rules! contract {
    ($module:ident) => {
        Contract::of::<$module::Parcel>(Category::Order, "Parcel", 1)
    };
}

fn files(contract: &Contract) -> Files {
    Files { payload: contract.payload.clone(), personal: contract.personal.clone() }
}

#[test]
fn a_changed_type_is_noticed() {
    let before = files(&contract!(as_it_was));
    assert_eq!(verdict(None, &before), Verdict::Missing);
    assert_eq!(verdict(Some(&before), &before), Verdict::Same);
    assert_eq!(verdict(Some(&before), &files(&contract!(reworded))), Verdict::Reworded);
    for (how, contract) in [
        ("an optional field more", contract!(with_an_optional_field)),
        ("a field fewer", contract!(without_a_field)),
        ("a field of another name", contract!(with_a_renamed_field)),
        ("a field of another type", contract!(of_another_type)),
        ("a field that may no longer be null", contract!(no_longer_null)),
        ("a variant more", contract!(of_one_more_size)),
        ("a stricter rule", contract!(of_a_stricter_rule)),
    ] {
        assert_eq!(verdict(Some(&before), &files(&contract)), Verdict::Changed, "{how}");
    }
}

#[test]
fn personal_data_that_comes_or_goes_is_noticed() {
    let plain = files(&contract!(as_it_was));
    let sealed = Files { personal: Some(plain.payload.clone()), ..plain.clone() };
    assert_eq!(verdict(Some(&plain), &sealed), Verdict::Changed);
    assert_eq!(verdict(Some(&sealed), &plain), Verdict::Changed);
}

#[test]
fn a_field_called_description_is_a_field() {
    let before = files(&contract!(as_it_was));
    let mut after = before.clone();
    after.payload["properties"]["description"] = serde_json::json!({"type": "string"});
    assert_eq!(verdict(Some(&before), &after), Verdict::Changed);
}

/// A folder of its own, gone when the test is over.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_contract_is_never_overwritten_by_another_shape() {
    let folder = Folder(std::env::temp_dir().join(format!("jumun-contracts-{}", std::process::id())));
    let settle = |contract: &Contract, is_writing| settle(&folder.0, contract, &files(contract), is_writing);
    let before = contract!(as_it_was);
    assert!(settle(&before, false).unwrap_err().contains("has no contract yet"));
    settle(&before, true).unwrap();
    settle(&before, false).unwrap();
    let kept = committed(&folder.0, "Parcel", 1);

    let refused = settle(&contract!(with_an_optional_field), true).unwrap_err();
    assert!(refused.contains("upcaster in history.rs from 1 to 2"), "{refused}");
    assert_eq!(committed(&folder.0, "Parcel", 1), kept);

    let raised = Contract { version: 2, ..contract!(with_an_optional_field) };
    settle(&raised, true).unwrap();
    assert_eq!(committed(&folder.0, "Parcel", 1), kept, "the old version stays");
    assert_eq!(committed(&folder.0, "Parcel", 2), Some(files(&raised)));

    settle(&contract!(reworded), true).unwrap();
    assert_eq!(committed(&folder.0, "Parcel", 1), Some(files(&contract!(reworded))));
}
