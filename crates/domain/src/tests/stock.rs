//! Stock items.

use super::examples::*;
use super::testing::{Happened, given};
use crate::Kind;
use crate::stock::{
    Action, Adjusted, Command, Listed, Received, Released, ReorderPointSet, ReplenishmentNeeded, Reserved,
    Restocked, Shipped,
};

fn a(action: Action) -> Command {
    Command { sku: sku("A"), action }
}
fn receive(quantity: u32) -> Command {
    a(Action::Receive { quantity, reason: "delivery".to_owned() })
}
fn adjust(delta: i64) -> Command {
    a(Action::Adjust { delta, reason: "count".to_owned() })
}
fn reserve(quantity: u32) -> Command {
    a(Action::Reserve { order_id: ORDER, quantity })
}
fn ship(quantity: u32) -> Command {
    a(Action::Ship { order_id: ORDER, shipment_id: SHIPMENT, quantity })
}
fn restock(quantity: u32) -> Command {
    a(Action::Restock { order_id: ORDER, return_id: RETURN, quantity })
}
fn listed() -> Happened {
    of_stock("A", Listed { sku: sku("A"), product_id: PRODUCT_A })
}
fn received(quantity: u32) -> Happened {
    of_stock("A", Received { quantity, reason: "delivery".to_owned() })
}
fn adjusted(delta: i64) -> Happened {
    of_stock("A", Adjusted { delta, reason: "count".to_owned() })
}
fn reserved(quantity: u32) -> Happened {
    of_stock("A", Reserved { order_id: ORDER, quantity })
}
fn alert(available: i64, reorder_point: u32) -> Happened {
    of_stock("A", ReplenishmentNeeded { available, reorder_point })
}
fn reorder_at(quantity: u32) -> Happened {
    of_stock("A", ReorderPointSet { quantity })
}

#[test]
fn a_sku_is_listed_once() {
    given([]).when(a(Action::List { product_id: PRODUCT_A })).then([listed()]);
    for product_id in [PRODUCT_A, PRODUCT_B] {
        given([listed()]).when(a(Action::List { product_id })).then_err("sku-taken");
    }
}

#[test]
fn nothing_can_be_done_with_a_sku_that_is_not_listed() {
    let release = a(Action::Release { order_id: ORDER });
    let point = a(Action::SetReorderPoint { quantity: 1 });
    for command in [receive(1), adjust(1), point, reserve(1), release, ship(1), restock(1)] {
        assert_eq!(given([]).when(command).then_err("unknown-sku").kind, Kind::NotFound);
    }
}

#[test]
fn goods_come_in() {
    given([listed()]).when(receive(1_000_000)).then([received(1_000_000)]);
}

#[test]
fn a_receipt_has_1_to_1_000_000_pieces() {
    for quantity in [0, 1_000_001, u32::MAX] {
        let refusal = given([listed()]).when(receive(quantity)).then_err("invalid-quantity");
        assert_eq!((refusal.kind, refusal.field), (Kind::Invalid, Some("/quantity")));
    }
}

#[test]
fn no_stock_item_holds_more_than_1_000_000_000_pieces() {
    let full = || [listed(), adjusted(1_000_000_000)];
    for command in [receive(1), adjust(1), restock(1)] {
        given(full()).when(command).then_err("invalid-quantity");
    }
    given([listed()]).when(adjust(1_000_000_000)).then([adjusted(1_000_000_000)]);
}

#[test]
fn a_count_is_corrected_up_and_down() {
    given([listed(), received(5)]).when(adjust(3)).then([adjusted(3)]);
    given([listed(), received(5)]).when(adjust(-5)).then([adjusted(-5)]);
}

#[test]
fn an_adjustment_must_change_something_and_leave_what_is_held() {
    let history = || [listed(), received(5), reserved(2)];
    for delta in [0, -4, -6, i64::MIN, i64::MAX] {
        given(history()).when(adjust(delta)).then_err("invalid-quantity");
    }
    given(history()).when(adjust(-3)).then([adjusted(-3)]);
}

#[test]
fn what_is_available_can_be_held_to_the_last_piece() {
    given([listed(), received(5)]).when(reserve(5)).then([reserved(5)]);
    given([listed(), received(5), reserved(3)]).when(reserve(2)).then([reserved(2)]);
}

#[test]
fn more_than_is_available_is_out_of_stock() {
    let refusal = given([listed(), received(5), reserved(3)]).when(reserve(3)).then_err("out-of-stock");
    assert_eq!(refusal.kind, Kind::Conflict);
    assert_eq!(refusal.detail, "A: 3 asked for, 2 available");
    given([listed()]).when(reserve(1)).then_err("out-of-stock");
}

#[test]
fn no_pieces_cannot_be_held() {
    given([listed(), received(5)]).when(reserve(0)).then_err("invalid-quantity");
}

#[test]
fn all_that_is_held_is_released_once() {
    let release = || a(Action::Release { order_id: ORDER });
    let released = of_stock("A", Released { order_id: ORDER, quantity: 3 });
    given([listed(), received(5), reserved(2), reserved(1)]).when(release()).then([released.clone()]);
    given([listed(), received(5), reserved(3), released]).when(release()).then_nothing();
    given([listed(), received(5), reserved(3)]).when(a(Action::Release { order_id: ORDER_2 })).then_nothing();
}

#[test]
fn what_was_sent_is_not_released() {
    let shipped = of_stock("A", Shipped { order_id: ORDER, shipment_id: SHIPMENT, quantity: 2 });
    given([listed(), received(5), reserved(3), shipped])
        .when(a(Action::Release { order_id: ORDER }))
        .then([of_stock("A", Released { order_id: ORDER, quantity: 1 })]);
}

#[test]
fn only_what_is_held_leaves_the_house() {
    let shipped = of_stock("A", Shipped { order_id: ORDER, shipment_id: SHIPMENT, quantity: 2 });
    given([listed(), received(5), reserved(3)]).when(ship(2)).then([shipped]);
    for quantity in [0, 4] {
        given([listed(), received(5), reserved(3)]).when(ship(quantity)).then_err("invalid-state");
    }
    given([listed(), received(5)]).when(ship(1)).then_err("invalid-state");
}

#[test]
fn returned_goods_are_for_sale_again() {
    let restocked = of_stock("A", Restocked { order_id: ORDER, return_id: RETURN, quantity: 2 });
    given([listed()]).when(restock(2)).then([restocked.clone()]);
    given([listed()]).when(restock(0)).then_nothing();
    given([listed(), restocked]).when(reserve(2)).then([reserved(2)]);
}

#[test]
fn a_reorder_point_is_set_once() {
    let set = |quantity| a(Action::SetReorderPoint { quantity });
    given([listed(), received(5)]).when(set(4)).then([reorder_at(4)]);
    given([listed(), received(5), reorder_at(4)]).when(set(4)).then_nothing();
    given([listed(), received(5), reorder_at(4)]).when(set(0)).then([reorder_at(0)]);
}

#[test]
fn falling_to_the_reorder_point_raises_one_alert() {
    let start = || vec![listed(), received(10), reorder_at(4)];
    given(start()).when(reserve(5)).then([reserved(5)]);
    given(start()).when(reserve(6)).then([reserved(6), alert(4, 4)]);
    given(start()).when(adjust(-7)).then([adjusted(-7), alert(3, 4)]);
    given([start(), vec![reserved(6), alert(4, 4)]].concat()).when(reserve(1)).then([reserved(1)]);
}

#[test]
fn a_receipt_arms_the_alert_again() {
    let alerted = [listed(), received(10), reorder_at(4), reserved(6), alert(4, 4), received(1)];
    given(alerted).when(reserve(1)).then([reserved(1), alert(4, 4)]);
}

#[test]
fn a_reorder_point_above_what_is_available_alerts_at_once() {
    let set = a(Action::SetReorderPoint { quantity: 5 });
    given([listed(), received(5)]).when(set).then([reorder_at(5), alert(5, 5)]);
}
