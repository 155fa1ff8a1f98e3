//! Notices.

use super::examples::*;
use super::testing::{Happened, given};
use crate::Kind;
use crate::notification::{Channel, Command, Failed, Requested, Sent, Template};

fn requested() -> Requested {
    Requested {
        notification_id: NOTICE,
        order_id: ORDER,
        template: Template::OrderConfirmed,
        channel: Channel::Email,
        locale: locale("ko"),
        expires_at: minute(60),
    }
}
fn request() -> Command {
    Command::Request(requested())
}
fn record_sent() -> Command {
    Command::RecordSent { notification_id: NOTICE, provider_reference: "m-1".to_owned() }
}
fn record_failed() -> Command {
    Command::RecordFailed { notification_id: NOTICE, reason: "no such mailbox".to_owned() }
}
fn waiting() -> Vec<Happened> {
    vec![of_notice(requested())]
}
fn sent() -> Vec<Happened> {
    vec![of_notice(requested()), of_notice(Sent { provider_reference: "m-1".to_owned() })]
}
fn failed() -> Vec<Happened> {
    vec![of_notice(requested()), of_notice(Failed { reason: "no such mailbox".to_owned() })]
}

#[test]
fn a_notice_is_requested_once() {
    given([]).when(request()).then(waiting());
    for history in [waiting(), sent(), failed()] {
        given(history).when(request()).then_nothing();
    }
}

#[test]
fn a_notice_is_sent_once() {
    given(waiting()).when(record_sent()).then(sent().split_off(1));
    given(sent()).when(record_sent()).then_nothing();
}

#[test]
fn a_notice_fails_once() {
    given(waiting()).when(record_failed()).then(failed().split_off(1));
    given(failed()).when(record_failed()).then_nothing();
}

#[test]
fn there_must_be_a_notice() {
    for command in [record_sent(), record_failed()] {
        assert_eq!(given([]).when(command).then_err("not-found").kind, Kind::NotFound);
    }
}

#[test]
fn a_notice_ends_one_way() {
    assert_eq!(given(sent()).when(record_failed()).then_err("invalid-state").kind, Kind::Conflict);
    given(failed()).when(record_sent()).then_err("invalid-state");
}
