//! What the gateway decided.

use super::*;
use crate::checkout::Outcome;
use crate::ids::{CaptureId, RefundId};
use crate::order::{Cancelled, Confirmed, PaymentFailed};
use crate::tests::testing::given;
use crate::{Kind, Money, order, payment};

fn authorise() -> Command {
    authorise_with(krw(30_500), None)
}
fn authorise_with(amount: Money, capture: Option<CaptureId>) -> Command {
    let outcome = Outcome::Authorised { gateway_reference: "gw-1".to_owned(), amount };
    Command::SettlePayment { payment_id: PAYMENT, outcome, capture }
}
fn decline() -> Command {
    let outcome = Outcome::Declined { reason: "declined".to_owned() };
    Command::SettlePayment { payment_id: PAYMENT, outcome, capture: None }
}
fn declined() -> Happened {
    of_payment(payment::Failed { reason: "declined".to_owned() })
}
fn expired() -> Vec<Happened> {
    let failed = of_order(PaymentFailed { reason: "expired".to_owned() });
    and(and(pending(), [failed]), releasing())
}
fn cancelled() -> Vec<Happened> {
    and(and(pending(), [of_order(Cancelled { reason: "changed my mind".to_owned() })]), releasing())
}
fn void_requested() -> Happened {
    of_payment(payment::VoidRequested { reason: "the order no longer waits for it".to_owned() })
}
fn settle_refund(refund_id: RefundId, amount: Money) -> Command {
    Command::SettleRefund { payment_id: PAYMENT, refund_id, amount }
}
fn refunded() -> [Happened; 2] {
    let (refund_id, amount) = (REFUND, krw(11_000));
    [of_payment(payment::Refunded { refund_id, amount }), of_order(order::Refunded { refund_id, amount })]
}

#[test]
fn a_held_payment_confirms_the_order() {
    given(pending()).when(authorise()).then(confirmed().split_off(pending().len()));
}

#[test]
fn a_payment_can_be_captured_at_once() {
    given(pending())
        .when(authorise_with(krw(30_500), Some(CAPTURE)))
        .then(confirmed_and_captured().split_off(pending().len()));
}

#[test]
fn a_yes_that_is_said_twice_is_one_yes() {
    let void_requested = and(expired(), [of_payment(authorised()), void_requested()]);
    let voided = and(void_requested.clone(), [of_payment(payment::Voided {})]);
    for history in [confirmed(), confirmed_and_captured(), shipped(), void_requested, voided] {
        given(history).when(authorise_with(krw(30_500), Some(CAPTURE))).then_nothing();
    }
}

#[test]
fn a_declined_payment_fails_the_order_and_frees_its_stock() {
    let failed = of_order(PaymentFailed { reason: "declined".to_owned() });
    given(pending()).when(decline()).then(and(vec![declined(), failed], releasing()));
}

#[test]
fn a_no_that_is_said_twice_is_one_no() {
    given(and(pending(), [declined()])).when(decline()).then_nothing();
}

#[test]
fn a_yes_after_the_order_ended_lets_the_hold_go() {
    for history in [expired(), cancelled()] {
        given(history).when(authorise()).then([of_payment(authorised()), void_requested()]);
    }
}

#[test]
fn money_that_was_taken_at_once_after_the_order_ended_goes_back() {
    for history in [expired(), cancelled()] {
        given(history).when(authorise_with(krw(30_500), Some(CAPTURE))).then([
            of_payment(authorised()),
            capture_requested(CAPTURE, 30_500, None),
            captured(CAPTURE, 30_500),
            refund_requested(RefundId(PAYMENT.0), 30_500, "the order no longer waits for it"),
        ]);
    }
}

#[test]
fn a_no_after_the_order_ended_changes_the_payment_only() {
    for history in [expired(), cancelled()] {
        given(history).when(decline()).then([declined()]);
    }
}

#[test]
fn a_yes_to_another_amount_is_a_contradiction() {
    for amount in [krw(30_499), krw(30_501), usd(30_500)] {
        let refusal = given(pending()).when(authorise_with(amount, None)).then_err("invalid-state");
        assert_eq!(refusal.kind, Kind::Conflict);
    }
}

#[test]
fn a_gateway_that_changes_its_mind_is_a_contradiction() {
    given(confirmed()).when(decline()).then_err("invalid-state");
    given(shipped()).when(decline()).then_err("invalid-state");
    given(and(pending(), [declined()])).when(authorise()).then_err("invalid-state");
    given(and(expired(), [of_payment(authorised()), void_requested()]))
        .when(decline())
        .then_err("invalid-state");
}

#[test]
fn there_must_be_a_payment() {
    for command in [authorise(), decline(), settle_refund(REFUND, krw(1))] {
        assert_eq!(given([]).when(command).then_err("not-found").kind, Kind::NotFound);
    }
    let lost = [of_payment(payment_requested())];
    assert_eq!(given(lost).when(authorise()).then_err("not-found").kind, Kind::NotFound);
}

#[test]
fn a_refund_that_is_done_is_said_by_payment_and_order_once() {
    given(returned()).when(settle_refund(REFUND, krw(11_000))).then(refunded());
    given(and(returned(), refunded())).when(settle_refund(REFUND, krw(11_000))).then_nothing();
}

#[test]
fn a_refund_must_have_been_asked_for_with_that_amount() {
    given(returned()).when(settle_refund(REFUND_2, krw(11_000))).then_err("invalid-state");
    for amount in [krw(10_999), krw(11_001), usd(11_000)] {
        given(returned()).when(settle_refund(REFUND, amount)).then_err("invalid-state");
    }
}

#[test]
fn a_refund_that_failed_is_not_done() {
    let failed = of_payment(payment::RefundFailed { refund_id: REFUND, reason: "closed".to_owned() });
    given(and(returned(), [failed])).when(settle_refund(REFUND, krw(11_000))).then_err("invalid-state");
}

#[test]
fn money_that_was_never_taken_cannot_go_back() {
    let capturing = and(and(confirmed(), sending()), [refund_requested(REFUND, 11_000, "goodwill")]);
    given(capturing.clone()).when(settle_refund(REFUND, krw(11_000))).then_err("invalid-state");
    given(and(capturing, [captured(CAPTURE, 30_500)]))
        .when(settle_refund(REFUND, krw(11_000)))
        .then(refunded());
}

#[test]
fn confirming_names_the_payment() {
    assert_eq!(confirmed().last(), Some(&of_order(Confirmed { payment_id: PAYMENT })));
}
