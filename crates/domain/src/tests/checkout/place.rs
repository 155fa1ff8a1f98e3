//! A cart becomes an order.

use super::*;
use crate::cart::{CheckedOut, Opened};
use crate::ids::SubjectId;
use crate::order::Placed;
use crate::tests::testing::given;
use crate::{Actor, Kind, Money, Owner, cart, customer, order, payment, product, stock};

fn shipped_by(method: &str) -> Command {
    let Command::PlaceOrder {
        order_id,
        payment_id,
        cart_id,
        by,
        delivery,
        gateway,
        token,
        at,
        reserved_until,
        ..
    } = place()
    else {
        panic!("not a PlaceOrder")
    };
    let shipping_method = Some(method.to_owned());
    Command::PlaceOrder {
        order_id,
        payment_id,
        cart_id,
        by,
        delivery,
        shipping_method,
        gateway,
        token,
        at,
        reserved_until,
    }
}
fn placed_by(actor: Actor) -> Command {
    let mut command = place();
    if let Command::PlaceOrder { by, .. } = &mut command {
        *by = actor;
    }
    command
}
fn delivered_to(code: &str) -> Command {
    let mut command = place();
    if let Command::PlaceOrder { delivery, .. } = &mut command {
        delivery.address.country = crate::text::CountryCode::parse(code).unwrap();
    }
    command
}
/// A cart with so many of `A` at that price, and nothing else.
fn cart_of(quantity: u32, price: Money) -> Vec<Happened> {
    let opened = Opened { currency: price.currency, ..opened() };
    and(on_sale(PRODUCT_A, "A", price, 9_999), [of_cart(opened), item("A", PRODUCT_A, quantity)])
}
#[track_caller]
fn placed_in(history: Vec<Happened>, command: Command) -> Placed {
    let decision = crate::tests::testing::World::of(history).decide(&command.into()).unwrap();
    match decision.events.into_iter().next().unwrap().1 {
        crate::Event::Order(order::Event::Placed(placed)) => placed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn placing_copies_prices_reserves_every_line_and_asks_for_the_payment() {
    given(filled_cart()).when(place()).then(placing());
}

#[test]
fn prices_are_those_of_now_and_not_of_when_the_cart_was_filled() {
    let cheaper = product::Changed { prices: Some(vec![krw(1_100)]), ..Default::default() };
    let placed = placed_in(and(filled_cart(), [of_product(PRODUCT_A, cheaper)]), place());
    assert_eq!((placed.lines[0].unit_price, placed.subtotal, placed.tax), (krw(1_100), krw(7_700), krw(973)));
}

#[test]
fn sending_costs_nothing_from_50_000_won_and_when_it_is_fetched() {
    let fee = |quantity, price, method: &str| {
        let placed = placed_in(cart_of(quantity, price), shipped_by(method));
        assert_eq!(placed.total, placed.subtotal.checked_add(placed.shipping_fee).unwrap());
        placed.shipping_fee.amount
    };
    assert_eq!(fee(1, krw(49_999), "standard"), 3_000);
    assert_eq!(fee(2, krw(25_000), "standard"), 0);
    assert_eq!(fee(2, krw(25_000), "express"), 6_000);
    assert_eq!(fee(1, krw(100), "pickup"), 0);
    assert_eq!(fee(1, usd(7_999), "standard"), 900);
    assert_eq!(fee(1, usd(8_000), "standard"), 0);
}

#[test]
fn tax_is_that_of_the_country_it_goes_to() {
    let tax = |code: &str| {
        let placed = placed_in(filled_cart(), delivered_to(code));
        assert_eq!(placed.country, code);
        placed.tax.amount
    };
    assert_eq!(tax("KR"), 2_000 + 500 + 273);
    assert_eq!(tax("JP"), 2_000 + 500 + 273);
    // 22,000 × 9 / 109 = 1,816.5…; 5,500 × 9 / 109 = 454.1…; 3,000 × 9 / 109 = 247.7…
    assert_eq!(tax("SG"), 1_817 + 454 + 248);
    assert_eq!(tax("US"), 0);
}

#[test]
fn a_way_of_sending_that_is_not_offered_is_refused() {
    let refusal = given(filled_cart()).when(shipped_by("drone")).then_err("shipping-method-unavailable");
    assert_eq!((refusal.kind, refusal.field), (Kind::Invalid, Some("/shipping_method")));
    let pounds = Money::new(1_000, crate::Currency::parse("GBP").unwrap());
    given(cart_of(1, pounds)).when(shipped_by("express")).then_err("shipping-method-unavailable");
    assert_eq!(placed_in(cart_of(1, pounds), place()).shipping_fee.amount, 0);
}

#[test]
fn all_that_is_short_is_named_at_once_and_nothing_is_reserved() {
    let history = and(catalogue(), [of_cart(opened()), item("A", PRODUCT_A, 11), item("B", PRODUCT_B, 12)]);
    let refusal = given(history).when(place()).then_err("out-of-stock");
    assert_eq!(refusal.kind, Kind::Conflict);
    assert_eq!(refusal.detail, "out of stock: A: 11 asked for, 10 available; B: 12 asked for, 10 available");
}

#[test]
fn what_is_held_for_others_cannot_be_bought() {
    let held = |quantity| [of_stock("A", stock::Reserved { order_id: ORDER_2, quantity })];
    given(and(filled_cart(), held(9))).when(place()).then_err("out-of-stock");
    given(and(filled_cart(), held(8))).when(place()).then(placing());
}

#[test]
fn the_last_pieces_raise_the_alert() {
    let history = and(filled_cart(), [of_stock("B", stock::ReorderPointSet { quantity: 9 })]);
    let alert = of_stock("B", stock::ReplenishmentNeeded { available: 9, reorder_point: 9 });
    given(history).when(place()).then(and(placing(), [alert]));
}

#[test]
fn an_empty_cart_cannot_be_bought() {
    let refusal = given(and(catalogue(), [of_cart(opened())])).when(place()).then_err("cart-empty");
    assert_eq!(refusal.kind, Kind::Conflict);
}

#[test]
fn a_cart_is_bought_once() {
    given(pending()).when(place()).then_err("cart-closed");
}

#[test]
fn somebody_elses_cart_is_not_there() {
    for stranger in [Actor::Customer(STRANGER), Actor::Guest(CART)] {
        given(filled_cart()).when(placed_by(stranger)).then_err("not-found");
    }
    given([]).when(place()).then_err("not-found");
    given(filled_cart()).when(placed_by(STAFF)).then(placing());
}

#[test]
fn the_order_must_be_new() {
    let history = and(filled_cart(), [of_order(placed())]);
    assert_eq!(given(history).when(place()).then_err("already-exists").kind, Kind::Conflict);
}

#[test]
fn the_payment_must_be_new() {
    let other = payment::Requested { order_id: ORDER_2, ..payment_requested() };
    let history = and(filled_cart(), [of_payment(other)]);
    assert_eq!(given(history).when(place()).then_err("already-exists").kind, Kind::Conflict);
}

#[test]
fn what_was_withdrawn_meanwhile_cannot_be_bought() {
    let withdrawn = and(filled_cart(), [of_product(PRODUCT_B, product::Unpublished {})]);
    assert_eq!(given(withdrawn).when(place()).then_err("not-for-sale").kind, Kind::Conflict);
}

#[test]
fn what_has_lost_its_price_in_the_carts_currency_cannot_be_bought() {
    let dollars = product::Changed { prices: Some(vec![usd(900)]), ..Default::default() };
    given(and(filled_cart(), [of_product(PRODUCT_A, dollars)])).when(place()).then_err("no-price");
}

#[test]
fn a_sum_that_does_not_fit_is_refused() {
    for (quantity, price) in [(2, i64::MAX), (2, i64::MAX / 2 + 1), (1, i64::MAX)] {
        let history = cart_of(quantity, krw(price));
        let express = given(history).when(shipped_by("express")).then_err("overflow");
        assert_eq!(express.kind, Kind::Invalid);
    }
}

#[test]
fn a_guests_personal_data_is_sealed_for_the_order() {
    let guest = Opened { owner: Owner::Guest(CART), ..opened() };
    let history = and(catalogue(), [of_cart(guest), item("A", PRODUCT_A, 1)]);
    let placed = placed_in(history, placed_by(Actor::Guest(CART)));
    assert_eq!((placed.owner, placed.subject), (Owner::Guest(CART), SubjectId(ORDER.0)));
}

#[test]
fn somebody_who_was_forgotten_buys_nothing() {
    let subject = SubjectId(CUSTOMER.0);
    let forgotten = of_customer(customer::Forgotten { customer_id: CUSTOMER, subject });
    let refusal = given(and(filled_cart(), [forgotten])).when(place()).then_err("forgotten");
    assert_eq!(refusal.kind, Kind::NotFound);
}

#[test]
fn the_cart_is_closed_by_the_order() {
    let history = and(filled_cart(), placing());
    let world = crate::tests::testing::World::of(history);
    let closed = cart::state_of(world.states(), CART).unwrap();
    assert!(!closed.is_open());
    assert_eq!(placing()[1], of_cart(CheckedOut { order_id: ORDER }));
}
