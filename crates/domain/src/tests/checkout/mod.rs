//! Decisions across cart, order, stock and payment.

mod call_off;
mod give_back;
mod place;
mod settle;
mod ship;

use super::examples::*;
use super::testing::Happened;
use crate::checkout::Command;
use crate::order::Pieces;

/// The cart becomes the order.
pub(super) fn place() -> Command {
    Command::PlaceOrder {
        order_id: ORDER,
        payment_id: PAYMENT,
        cart_id: CART,
        by: BUYER,
        delivery: delivery(),
        shipping_method: None,
        gateway: "sandbox".to_owned(),
        token: "approve".to_owned(),
        at: minute(0),
        reserved_until: minute(15),
    }
}

/// The first shipment.
pub(super) fn ship(lines: Option<Vec<Pieces>>) -> Command {
    Command::ShipOrder {
        order_id: ORDER,
        shipment_id: SHIPMENT,
        capture_id: CAPTURE,
        lines,
        carrier: "CJ".to_owned(),
        tracking_number: "123".to_owned(),
    }
}

fn and(history: Vec<Happened>, events: impl IntoIterator<Item = Happened>) -> Vec<Happened> {
    history.into_iter().chain(events).collect()
}

/// What is held for the order is free again.
fn releasing() -> [Happened; 2] {
    let released = |of, quantity| of_stock(of, crate::stock::Released { order_id: ORDER, quantity });
    [released("A", 2), released("B", 1)]
}
