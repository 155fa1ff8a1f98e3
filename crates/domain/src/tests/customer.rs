//! Customers.

use super::examples::*;
use super::testing::{Happened, given};
use crate::customer::{
    AddressAdded, Command, EmailClaimed, EmailIndex, EmailReleased, Forgotten, ProfileChanged, ProfileEdit,
};
use crate::ids::{AddressId, SubjectId};
use crate::text::{PersonName, Phone};
use crate::{Kind, Personal};

fn register() -> Command {
    Command::Register {
        customer_id: CUSTOMER,
        email_index: email_index(),
        locale: locale("ko"),
        profile: profile(),
    }
}
fn rename() -> Command {
    let name = Some(PersonName::parse("박서준").unwrap());
    Command::ChangeProfile { customer_id: CUSTOMER, name, phone: None, locale: None }
}
fn add_address(address_id: AddressId) -> Command {
    Command::AddAddress { customer_id: CUSTOMER, address_id, address: address() }
}
fn forget() -> Command {
    Command::Forget { customer_id: CUSTOMER }
}
fn address_added(address_id: AddressId) -> Happened {
    of_customer(AddressAdded {
        customer_id: CUSTOMER,
        address_id,
        subject: SubjectId(CUSTOMER.0),
        personal: Personal::Known(address()),
    })
}
fn forgotten() -> Vec<Happened> {
    let forgotten = [
        of_customer(Forgotten { customer_id: CUSTOMER, subject: SubjectId(CUSTOMER.0) }),
        of_email(EmailReleased { customer_id: CUSTOMER }),
    ];
    [account(), forgotten.to_vec()].concat()
}

#[test]
fn registering_claims_the_email_address() {
    given([]).when(register()).then(account());
}

#[test]
fn an_id_registers_once() {
    let refusal = given(account()).when(register()).then_err("already-exists");
    assert_eq!(refusal.kind, Kind::Conflict);
}

#[test]
fn an_email_address_has_one_account() {
    let claimed = of_email(EmailClaimed { customer_id: STRANGER });
    let refusal = given([claimed]).when(register()).then_err("email-taken");
    assert_eq!((refusal.kind, refusal.field), (Kind::Conflict, Some("/email")));
}

#[test]
fn an_email_address_that_was_given_back_can_be_claimed_again() {
    let claim = of_email(EmailClaimed { customer_id: STRANGER });
    let release = of_email(EmailReleased { customer_id: STRANGER });
    given([claim, release]).when(register()).then(account());
}

#[test]
fn changing_a_profile_keeps_only_what_changed() {
    let personal =
        Personal::Known(ProfileEdit { name: Some(PersonName::parse("박서준").unwrap()), phone: None });
    given(account()).when(rename()).then([of_customer(ProfileChanged {
        customer_id: CUSTOMER,
        subject: SubjectId(CUSTOMER.0),
        locale: None,
        personal,
    })]);
}

#[test]
fn phone_and_language_change_as_well() {
    let phone = Some(Phone::parse("02-123-4567").unwrap());
    let command = Command::ChangeProfile {
        customer_id: CUSTOMER,
        name: None,
        phone: phone.clone(),
        locale: Some(locale("ja")),
    };
    given(account()).when(command).then([of_customer(ProfileChanged {
        customer_id: CUSTOMER,
        subject: SubjectId(CUSTOMER.0),
        locale: Some(locale("ja")),
        personal: Personal::Known(ProfileEdit { name: None, phone }),
    })]);
}

#[test]
fn changing_nothing_of_a_profile_is_nothing() {
    let command = Command::ChangeProfile { customer_id: CUSTOMER, name: None, phone: None, locale: None };
    given(account()).when(command).then_nothing();
}

#[test]
fn an_address_is_added_once() {
    given(account()).when(add_address(ADDRESS)).then([address_added(ADDRESS)]);
    let twice = [account(), vec![address_added(ADDRESS)]].concat();
    given(twice).when(add_address(ADDRESS)).then_nothing();
}

#[test]
fn an_address_book_has_at_most_50_entries() {
    let entry = |number: u128| AddressId(uuid::Uuid::from_u128(number));
    let full = || account().into_iter().chain((1..=50).map(|number| address_added(entry(number))));
    let refusal = given(full()).when(add_address(entry(51))).then_err("too-many-items");
    assert_eq!(refusal.kind, Kind::Conflict);
    given(full().take(51)).when(add_address(entry(50))).then([address_added(entry(50))]);
}

#[test]
fn forgetting_gives_the_email_address_back() {
    given(account()).when(forget()).then(forgotten().split_off(2));
}

#[test]
fn nothing_can_be_done_for_somebody_unknown() {
    for command in [rename(), add_address(ADDRESS), forget()] {
        let refusal = given([]).when(command).then_err("not-found");
        assert_eq!(refusal.kind, Kind::NotFound);
    }
}

#[test]
fn nothing_can_be_done_for_somebody_who_was_forgotten() {
    for command in [register(), rename(), add_address(ADDRESS), forget()] {
        let refusal = given(forgotten()).when(command).then_err("forgotten");
        assert_eq!(refusal.kind, Kind::NotFound);
    }
}

#[test]
fn an_email_index_is_lower_case_hex() {
    for wrong in ["", "abc", "00112233445566778899AABBCCDDEEFF", "gg112233445566778899aabbccddeeff"] {
        assert!(EmailIndex::parse(wrong).is_err(), "{wrong}");
    }
}
