//! Payments alone.

use super::examples::*;
use super::testing::{Happened, given};
use crate::ids::{CaptureId, DisputeId, RefundId};
use crate::payment::{
    Action, CaptureFailed, Command, Disputed, Failed, Operation, OutcomeUnknown, RefundFailed, Refunded,
    VoidRequested, Voided,
};
use crate::{Kind, Money};

fn ask(action: Action) -> Command {
    Command { payment_id: PAYMENT, action }
}
fn unknown(operation: Operation) -> Command {
    ask(Action::RecordUnknown { operation, reason: "time-out".to_owned() })
}
fn record_captured(capture_id: CaptureId, amount: Money) -> Command {
    ask(Action::RecordCaptured { capture_id, amount })
}
fn record_capture_failed(capture_id: CaptureId) -> Command {
    ask(Action::RecordCaptureFailed { capture_id, reason: "expired hold".to_owned() })
}
fn record_refund_failed(refund_id: RefundId) -> Command {
    ask(Action::RecordRefundFailed { refund_id, reason: "account closed".to_owned() })
}
fn dispute(amount: Money) -> Command {
    ask(Action::RecordDispute { dispute_id: DISPUTE, amount, reason: "fraud".to_owned() })
}
fn disputed(amount: i64) -> Happened {
    of_payment(Disputed { dispute_id: DISPUTE, amount: krw(amount), reason: "fraud".to_owned() })
}
fn outcome_unknown(operation: Operation) -> Happened {
    of_payment(OutcomeUnknown { operation, reason: "time-out".to_owned() })
}
fn capture_failed() -> Happened {
    of_payment(CaptureFailed { capture_id: CAPTURE, reason: "expired hold".to_owned() })
}
fn refund_failed() -> Happened {
    of_payment(RefundFailed { refund_id: REFUND, reason: "account closed".to_owned() })
}
fn and(history: Vec<Happened>, event: Happened) -> Vec<Happened> {
    [history, vec![event]].concat()
}
/// The capture is asked for and not done yet.
fn capturing() -> Vec<Happened> {
    [confirmed(), sending()].concat()
}
fn void_requested() -> Vec<Happened> {
    and(confirmed(), of_payment(VoidRequested { reason: "called off".to_owned() }))
}
fn voided() -> Vec<Happened> {
    and(void_requested(), of_payment(Voided {}))
}
fn refunded() -> Vec<Happened> {
    and(returned(), of_payment(Refunded { refund_id: REFUND, amount: krw(11_000) }))
}

#[test]
fn there_must_be_a_payment() {
    for command in [
        unknown(Operation::Authorise),
        record_captured(CAPTURE, krw(1)),
        record_capture_failed(CAPTURE),
        ask(Action::RecordVoided),
        record_refund_failed(REFUND),
        dispute(krw(1)),
    ] {
        assert_eq!(given([]).when(command).then_err("not-found").kind, Kind::NotFound);
    }
}

#[test]
fn an_outcome_that_is_not_known_is_recorded_once() {
    for (history, operation) in [
        (pending(), Operation::Authorise),
        (capturing(), Operation::Capture(CAPTURE)),
        (void_requested(), Operation::Void),
        (returned(), Operation::Refund(REFUND)),
    ] {
        given(history.clone()).when(unknown(operation)).then([outcome_unknown(operation)]);
        given(and(history, outcome_unknown(operation))).when(unknown(operation)).then_nothing();
    }
}

#[test]
fn an_outcome_that_is_known_by_now_is_not_unknown() {
    let failed = and(pending(), of_payment(Failed { reason: "declined".to_owned() }));
    for (history, operation) in [
        (confirmed(), Operation::Authorise),
        (failed, Operation::Authorise),
        (shipped(), Operation::Capture(CAPTURE)),
        (and(capturing(), capture_failed()), Operation::Capture(CAPTURE)),
        (voided(), Operation::Void),
        (refunded(), Operation::Refund(REFUND)),
        (and(returned(), refund_failed()), Operation::Refund(REFUND)),
    ] {
        given(history).when(unknown(operation)).then_nothing();
    }
}

#[test]
fn the_outcome_of_what_was_never_asked_is_a_contradiction() {
    let operations = [Operation::Capture(CAPTURE), Operation::Void, Operation::Refund(REFUND)];
    for operation in operations {
        assert_eq!(
            given(confirmed()).when(unknown(operation)).then_err("invalid-state").kind,
            Kind::Conflict
        );
    }
}

#[test]
fn a_capture_is_recorded_once() {
    given(capturing()).when(record_captured(CAPTURE, krw(30_500))).then([captured(CAPTURE, 30_500)]);
    given(shipped()).when(record_captured(CAPTURE, krw(30_500))).then_nothing();
}

#[test]
fn a_capture_must_have_been_asked_for_with_that_amount() {
    given(confirmed()).when(record_captured(CAPTURE, krw(30_500))).then_err("invalid-state");
    for amount in [krw(30_499), krw(30_501), usd(30_500)] {
        given(capturing()).when(record_captured(CAPTURE, amount)).then_err("invalid-state");
        given(shipped()).when(record_captured(CAPTURE, amount)).then_err("invalid-state");
    }
}

#[test]
fn a_capture_ends_one_way() {
    given(capturing()).when(record_capture_failed(CAPTURE)).then([capture_failed()]);
    given(and(capturing(), capture_failed())).when(record_capture_failed(CAPTURE)).then_nothing();
    given(and(capturing(), capture_failed()))
        .when(record_captured(CAPTURE, krw(30_500)))
        .then_err("invalid-state");
    given(shipped()).when(record_capture_failed(CAPTURE)).then_err("invalid-state");
    given(confirmed()).when(record_capture_failed(CAPTURE)).then_err("invalid-state");
}

#[test]
fn a_void_is_recorded_once_and_only_when_asked_for() {
    given(void_requested()).when(ask(Action::RecordVoided)).then([of_payment(Voided {})]);
    given(voided()).when(ask(Action::RecordVoided)).then_nothing();
    let failed = and(pending(), of_payment(Failed { reason: "declined".to_owned() }));
    for history in [pending(), confirmed(), failed] {
        given(history).when(ask(Action::RecordVoided)).then_err("invalid-state");
    }
}

#[test]
fn a_refund_that_fails_is_recorded_once() {
    given(returned()).when(record_refund_failed(REFUND)).then([refund_failed()]);
    given(and(returned(), refund_failed())).when(record_refund_failed(REFUND)).then_nothing();
    given(refunded()).when(record_refund_failed(REFUND)).then_err("invalid-state");
    given(shipped()).when(record_refund_failed(REFUND)).then_err("invalid-state");
}

#[test]
fn a_dispute_takes_back_at_most_what_is_here() {
    given(shipped()).when(dispute(krw(30_500))).then([disputed(30_500)]);
    given(returned()).when(dispute(krw(19_500))).then([disputed(19_500)]);
    for (history, amount) in [
        (shipped(), krw(30_501)),
        (shipped(), krw(0)),
        (shipped(), krw(-1)),
        (shipped(), usd(1)),
        (returned(), krw(19_501)),
        (capturing(), krw(1)),
        (pending(), krw(1)),
    ] {
        let refusal = given(history).when(dispute(amount)).then_err("invalid-amount");
        assert_eq!((refusal.kind, refusal.field), (Kind::Invalid, Some("/amount")));
    }
}

#[test]
fn a_dispute_is_recorded_once_and_counts_against_the_next() {
    given(and(shipped(), disputed(30_500))).when(dispute(krw(30_500))).then_nothing();
    let next = |amount| {
        let dispute_id = DisputeId(uuid::Uuid::from_u128(7));
        ask(Action::RecordDispute { dispute_id, amount, reason: "fraud".to_owned() })
    };
    given(and(shipped(), disputed(30_000))).when(next(krw(501))).then_err("invalid-amount");
}
