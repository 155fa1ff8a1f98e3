//! Carts.

use super::examples::*;
use super::testing::{Happened, given};
use crate::cart::{CheckedOut, Command, ItemRemoved, Opened};
use crate::ids::CartId;
use crate::{Actor, Currency, Kind, Owner, product};

fn open() -> Command {
    Command::Open {
        cart_id: CART,
        owner: Owner::Customer(CUSTOMER),
        currency: Currency::KRW,
        locale: locale("ko"),
    }
}
fn set(of: &str, quantity: u32) -> Command {
    Command::SetItem { cart_id: CART, by: BUYER, sku: sku(of), quantity }
}
fn remove(of: &str) -> Command {
    Command::RemoveItem { cart_id: CART, by: BUYER, sku: sku(of) }
}
fn empty_cart() -> Vec<Happened> {
    [catalogue(), vec![of_cart(opened())]].concat()
}
fn checked_out() -> Vec<Happened> {
    [filled_cart(), vec![of_cart(CheckedOut { order_id: ORDER })]].concat()
}

#[test]
fn a_cart_is_opened_once() {
    given([]).when(open()).then([of_cart(opened())]);
    for history in [filled_cart(), checked_out()] {
        assert_eq!(given(history).when(open()).then_err("already-exists").kind, Kind::Conflict);
    }
}

#[test]
fn what_is_on_sale_can_be_put_in() {
    given(empty_cart()).when(set("A", 9_999)).then([item("A", PRODUCT_A, 9_999)]);
    given(filled_cart()).when(set("A", 3)).then([item("A", PRODUCT_A, 3)]);
}

#[test]
fn the_same_quantity_again_is_nothing() {
    given(filled_cart()).when(set("A", 2)).then_nothing();
}

#[test]
fn a_line_has_1_to_9_999_pieces() {
    for quantity in [0, 10_000, u32::MAX] {
        let refusal = given(filled_cart()).when(set("A", quantity)).then_err("invalid-quantity");
        assert_eq!((refusal.kind, refusal.field), (Kind::Invalid, Some("/quantity")));
    }
}

#[test]
fn a_cart_has_at_most_1_000_different_skus() {
    let full = || {
        let items = (0..1_000).map(|number| item(&format!("SKU-{number}"), PRODUCT_B, 1));
        empty_cart().into_iter().chain(items)
    };
    assert_eq!(given(full()).when(set("A", 1)).then_err("too-many-items").kind, Kind::Conflict);
    let one_less = catalogue().len() + 1 + 999;
    given(full().take(one_less)).when(set("A", 1)).then([item("A", PRODUCT_A, 1)]);
}

#[test]
fn a_sku_that_is_in_it_can_be_changed_in_a_full_cart() {
    let items = (0..999).map(|number| item(&format!("SKU-{number}"), PRODUCT_B, 1));
    let full = empty_cart().into_iter().chain(items).chain([item("A", PRODUCT_A, 1)]);
    given(full).when(set("A", 2)).then([item("A", PRODUCT_A, 2)]);
}

#[test]
fn an_unknown_sku_cannot_be_put_in() {
    assert_eq!(given(empty_cart()).when(set("NONE", 1)).then_err("unknown-sku").kind, Kind::NotFound);
}

#[test]
fn what_is_not_on_sale_cannot_be_put_in() {
    let withdrawn = [empty_cart(), vec![of_product(PRODUCT_A, product::Unpublished {})]].concat();
    assert_eq!(given(withdrawn).when(set("A", 1)).then_err("not-for-sale").kind, Kind::Conflict);
}

#[test]
fn what_has_no_price_in_the_carts_currency_cannot_be_put_in() {
    let dollars = Opened { currency: Currency::parse("USD").unwrap(), ..opened() };
    let history = [catalogue(), vec![of_cart(dollars)]].concat();
    assert_eq!(given(history).when(set("A", 1)).then_err("no-price").kind, Kind::Conflict);
}

#[test]
fn what_is_in_it_can_be_taken_out_once() {
    let removed = of_cart(ItemRemoved { sku: sku("A") });
    given(filled_cart()).when(remove("A")).then([removed.clone()]);
    given([filled_cart(), vec![removed]].concat()).when(remove("A")).then_nothing();
    given(filled_cart()).when(remove("NONE")).then_nothing();
}

#[test]
fn there_must_be_a_cart() {
    given(catalogue()).when(set("A", 1)).then_err("not-found");
    given(catalogue()).when(remove("A")).then_err("not-found");
}

#[test]
fn somebody_elses_cart_is_not_there() {
    let guest = Actor::Guest(CART);
    for by in [Actor::Customer(STRANGER), guest] {
        let set = Command::SetItem { cart_id: CART, by: by.clone(), sku: sku("NONE"), quantity: 0 };
        assert_eq!(given(filled_cart()).when(set).then_err("not-found").kind, Kind::NotFound);
        given(filled_cart())
            .when(Command::RemoveItem { cart_id: CART, by, sku: sku("A") })
            .then_err("not-found");
    }
}

#[test]
fn a_guest_has_the_cart_that_the_guest_opened() {
    let history = || {
        let guest = Opened { owner: Owner::Guest(CART), ..opened() };
        [catalogue(), vec![of_cart(guest)]].concat()
    };
    let set = |by| Command::SetItem { cart_id: CART, by, sku: sku("A"), quantity: 1 };
    given(history()).when(set(Actor::Guest(CART))).then([item("A", PRODUCT_A, 1)]);
    let other = Actor::Guest(CartId(uuid::Uuid::from_u128(9)));
    for by in [other, BUYER] {
        given(history()).when(set(by)).then_err("not-found");
    }
}

#[test]
fn staff_may_change_any_cart() {
    let set = Command::SetItem { cart_id: CART, by: STAFF, sku: sku("A"), quantity: 1 };
    given(filled_cart()).when(set).then([item("A", PRODUCT_A, 1)]);
}

#[test]
fn a_cart_that_became_an_order_is_closed() {
    for command in [set("A", 1), remove("A")] {
        assert_eq!(given(checked_out()).when(command).then_err("cart-closed").kind, Kind::Conflict);
    }
}
