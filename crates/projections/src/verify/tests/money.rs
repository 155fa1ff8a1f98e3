use domain::ids::{CaptureId, DisputeId, OrderId, PaymentId};
use domain::{Event, StreamId, order, payment};
use uuid::Uuid;

use super::shop::{CAPTURE, authorised, captured, failing, only, paying, refunded, requested, shop};
use crate::orders::examples::{ORDER, placed, won};

const TWICE: &str = "no order is charged twice";
const BOUNDS: &str = "no more is captured than authorised, nor given back than captured";
const PAIRS: &str = "every payment has its order, and every order its payment";

fn of(id: PaymentId, event: impl Into<payment::Event>) -> (StreamId, Event) {
    (StreamId::payment(id), Event::Payment(event.into()))
}

#[tokio::test]
async fn an_order_that_is_authorised_twice_is_found() {
    let mut history = shop().await;
    history.append([authorised()]).await;
    let said = only(&failing(&history).await, &[TWICE, BOUNDS]);
    assert!(said[0].contains(&ORDER.to_string()) && said[0].contains("position 27"), "{said:?}");
}

#[tokio::test]
async fn a_second_payment_of_an_order_is_found() {
    let mut history = shop().await;
    let second = PaymentId(Uuid::from_u128(0x99));
    let held = payment::Authorised { gateway_reference: "sb-2".to_owned(), amount: won(123_000) };
    let wanted = payment::Requested { payment_id: second, ..requested() };
    history.append([of(second, wanted), of(second, held)]).await;
    let said = only(&failing(&history).await, &[TWICE, PAIRS]);
    assert!(said[0].contains(&format!("payment {second} at position 28")), "{said:?}");
    assert_eq!(said[1], format!("payment {second} is not the one of its order {ORDER}"));
}

#[tokio::test]
async fn a_capture_that_is_done_twice_is_found() {
    let mut history = shop().await;
    history.append([captured(CAPTURE, 0)]).await;
    only(&failing(&history).await, &[TWICE]);
}

#[tokio::test]
async fn more_captured_than_authorised_is_found() {
    let mut history = shop().await;
    history.append([captured(CaptureId(Uuid::from_u128(0x98)), 1)]).await;
    let said = only(&failing(&history).await, &[BOUNDS]);
    assert!(said[0].contains("123000 authorised, 123001 captured and 60000 given back"), "{said:?}");
}

#[tokio::test]
async fn more_given_back_than_captured_is_found() {
    let mut history = shop().await;
    let dispute_id = DisputeId(Uuid::from_u128(0x97));
    let disputed = |amount| payment::Disputed { dispute_id, amount: won(amount), reason: "fraud".to_owned() };
    history.append([paying(disputed(63_000))]).await;
    assert_eq!(failing(&history).await, []);
    history.append([paying(disputed(1))]).await;
    only(&failing(&history).await, &[BOUNDS]);
    history.append([refunded(0)]).await;
    only(&failing(&history).await, &[TWICE, BOUNDS]);
}

#[tokio::test]
async fn a_payment_without_its_order_is_found() {
    let mut history = shop().await;
    let (payment_id, order_id) = (PaymentId(Uuid::from_u128(0x96)), OrderId(Uuid::from_u128(0x95)));
    history.append([of(payment_id, payment::Requested { payment_id, order_id, ..requested() })]).await;
    let said = only(&failing(&history).await, &[PAIRS]);
    assert_eq!(said, [format!("payment {payment_id} has no order {order_id}")]);
}

#[tokio::test]
async fn an_order_without_its_payment_is_found() {
    let mut history = shop().await;
    let (payment_id, order_id) = (PaymentId(Uuid::from_u128(0x96)), OrderId(Uuid::from_u128(0x95)));
    let event = order::Placed { payment_id, order_id, ..placed() };
    history.append([(StreamId::order(order_id), Event::Order(event.into()))]).await;
    let said = only(&failing(&history).await, &[PAIRS]);
    assert_eq!(said, [format!("order {order_id} has no payment {payment_id}")]);
}

#[tokio::test]
async fn a_payment_of_another_amount_is_found() {
    let mut history = shop().await;
    let (payment_id, order_id) = (PaymentId(Uuid::from_u128(0x96)), OrderId(Uuid::from_u128(0x95)));
    let event = order::Placed { payment_id, order_id, ..placed() };
    let wanted = payment::Requested { payment_id, order_id, amount: won(1), ..requested() };
    history.append([(StreamId::order(order_id), Event::Order(event.into())), of(payment_id, wanted)]).await;
    let said = only(&failing(&history).await, &[PAIRS]);
    assert_eq!(said, [format!("payment {payment_id} is of 1 KRW, its order of 123000 KRW")]);
}

#[tokio::test]
async fn an_order_that_does_not_add_up_is_found() {
    let wrong: [fn(&mut order::Placed); 3] = [
        |placed| placed.total = won(123_001),
        |placed| placed.subtotal = won(120_001),
        |placed| placed.lines[0].total = won(120_001),
    ];
    for (number, change) in wrong.into_iter().enumerate() {
        let mut history = shop().await;
        let number = number as u128;
        let payment_id = PaymentId(Uuid::from_u128(0x80 + number));
        let order_id = OrderId(Uuid::from_u128(0x90 + number));
        let mut event = order::Placed { payment_id, order_id, ..placed() };
        change(&mut event);
        let wanted = payment::Requested { payment_id, order_id, amount: event.total, ..requested() };
        let placed = (StreamId::order(order_id), Event::Order(event.into()));
        history.append([placed, of(payment_id, wanted)]).await;
        let said = only(&failing(&history).await, &["every order adds up"]);
        assert!(said[0].contains(&order_id.to_string()), "{said:?}");
    }
}
