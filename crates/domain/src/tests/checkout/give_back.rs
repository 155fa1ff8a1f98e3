//! Goods come back, and money goes back.

use super::*;
use crate::ids::{RefundId, ReturnId};
use crate::tests::testing::given;
use crate::{Kind, Money, order, payment, stock};

fn receive(amount: Option<Money>, restock: bool) -> Command {
    Command::ReceiveReturn { order_id: ORDER, return_id: RETURN, refund_id: REFUND, amount, restock }
}
fn refund(refund_id: RefundId, amount: Option<Money>) -> Command {
    Command::RefundOrder { order_id: ORDER, refund_id, amount, reason: "goodwill".to_owned() }
}
fn received(refund: i64, restocked: bool) -> Happened {
    of_order(order::ReturnReceived { return_id: RETURN, refund: krw(refund), restocked })
}
fn restocked() -> Happened {
    of_stock("A", stock::Restocked { order_id: ORDER, return_id: RETURN, quantity: 1 })
}
fn disputed(amount: i64) -> Happened {
    of_payment(payment::Disputed { dispute_id: DISPUTE, amount: krw(amount), reason: "fraud".to_owned() })
}

#[test]
fn a_return_is_restocked_and_its_value_goes_back() {
    given(return_requested()).when(receive(None, true)).then([
        received(11_000, true),
        restocked(),
        refund_requested(REFUND, 11_000, "return"),
    ]);
}

#[test]
fn what_cannot_be_sold_again_is_not_restocked() {
    given(return_requested())
        .when(receive(None, false))
        .then([received(11_000, false), refund_requested(REFUND, 11_000, "return")]);
}

#[test]
fn staff_may_give_back_another_amount() {
    for amount in [1, 30_500] {
        given(return_requested()).when(receive(Some(krw(amount)), true)).then([
            received(amount, true),
            restocked(),
            refund_requested(REFUND, amount, "return"),
        ]);
    }
}

#[test]
fn staff_may_take_goods_back_for_nothing() {
    given(return_requested()).when(receive(Some(krw(0)), true)).then([received(0, true), restocked()]);
    let all = and(return_requested(), [refund_requested(REFUND_2, 30_500, "goodwill")]);
    given(all).when(receive(Some(krw(0)), false)).then([received(0, false)]);
    given(return_requested()).when(receive(Some(usd(0)), true)).then_err("currency-mismatch");
}

#[test]
fn no_more_goes_back_than_is_here() {
    let nearly_all = and(return_requested(), [refund_requested(REFUND_2, 30_000, "goodwill")]);
    given(nearly_all)
        .when(receive(None, false))
        .then([received(500, false), refund_requested(REFUND, 500, "return")]);
    let all = and(return_requested(), [disputed(30_500)]);
    given(all).when(receive(None, true)).then([received(0, true), restocked()]);
}

#[test]
fn an_amount_that_cannot_go_back_is_refused() {
    given(delivered()).when(refund(REFUND, Some(krw(0)))).then_err("invalid-amount");
    for (amount, code) in
        [(krw(30_501), "refund-too-high"), (krw(-1), "invalid-amount"), (usd(1), "currency-mismatch")]
    {
        given(return_requested()).when(receive(Some(amount), true)).then_err(code);
        given(delivered()).when(refund(REFUND, Some(amount))).then_err(code);
    }
}

#[test]
fn a_return_arrives_once() {
    given(returned()).when(receive(None, true)).then_nothing();
    given(returned()).when(receive(Some(krw(30_500)), false)).then_nothing();
}

#[test]
fn a_return_must_have_been_asked_for() {
    for history in [delivered(), confirmed()] {
        assert_eq!(given(history).when(receive(None, true)).then_err("not-found").kind, Kind::NotFound);
    }
    let other = Command::ReceiveReturn {
        order_id: ORDER,
        return_id: ReturnId(uuid::Uuid::from_u128(3)),
        refund_id: REFUND,
        amount: None,
        restock: true,
    };
    given(return_requested()).when(other).then_err("not-found");
}

#[test]
fn the_refund_of_a_return_needs_an_id_of_its_own() {
    let earlier = and(return_requested(), [refund_requested(REFUND, 500, "goodwill")]);
    assert_eq!(given(earlier).when(receive(None, true)).then_err("already-exists").kind, Kind::Conflict);
}

#[test]
fn staff_gives_some_or_all_money_back() {
    given(delivered()).when(refund(REFUND, Some(krw(500)))).then([refund_requested(REFUND, 500, "goodwill")]);
    given(delivered()).when(refund(REFUND, None)).then([refund_requested(REFUND, 30_500, "goodwill")]);
    given(returned()).when(refund(REFUND_2, None)).then([refund_requested(REFUND_2, 19_500, "goodwill")]);
}

#[test]
fn a_refund_is_asked_for_once() {
    given(returned()).when(refund(REFUND, None)).then_nothing();
}

#[test]
fn what_went_back_or_is_disputed_cannot_go_back_again() {
    let disputed = and(delivered(), [disputed(30_000)]);
    given(disputed.clone()).when(refund(REFUND, Some(krw(501)))).then_err("refund-too-high");
    given(disputed).when(refund(REFUND, None)).then([refund_requested(REFUND, 500, "goodwill")]);
    let all = and(delivered(), [refund_requested(REFUND, 30_500, "goodwill")]);
    let refusal = given(all).when(refund(REFUND_2, None)).then_err("refund-too-high");
    assert_eq!((refusal.kind, refusal.field), (Kind::Conflict, Some("/amount")));
}

#[test]
fn a_refund_that_failed_can_be_asked_for_again() {
    let failed = of_payment(payment::RefundFailed { refund_id: REFUND, reason: "closed".to_owned() });
    given(and(returned(), [failed]))
        .when(refund(REFUND_2, None))
        .then([refund_requested(REFUND_2, 30_500, "goodwill")]);
}

#[test]
fn what_was_not_captured_cannot_go_back() {
    for history in [pending(), confirmed()] {
        given(history).when(refund(REFUND, None)).then_err("refund-too-high");
    }
}

#[test]
fn there_must_be_an_order() {
    given([]).when(receive(None, true)).then_err("not-found");
    given([]).when(refund(REFUND, None)).then_err("not-found");
}
