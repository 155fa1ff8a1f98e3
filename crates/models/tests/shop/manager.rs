//! The process manager: what a try of a step asks and says, as `crates/process-managers/src/execute` does it. A try begins by
//! looking at the log, asks the gateway, and ends with a command: anything may happen between.

use domain::checkout::{self, Outcome};
use domain::ids::{CaptureId, OrderId, PaymentId};
use domain::payment::{self, Action, Operation, Standing};
use domain::process::Step;
use domain::{Command, Money};

use super::gateway::{self, Said};
use super::given;
use super::{Broken, State};

/// How the gateway, and the way to it, are this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Approves,
    Declines,
    /// It has the call, and says so.
    Pending,
    /// It does what it is asked, and the answer is lost.
    ApprovesUnheard,
    DeclinesUnheard,
    /// The call has not reached it yet, and nobody knows.
    OnItsWay,
}

impl Reply {
    pub(super) const ALL: [Self; 6] = [
        Self::Approves,
        Self::Declines,
        Self::Pending,
        Self::ApprovesUnheard,
        Self::DeclinesUnheard,
        Self::OnItsWay,
    ];

    pub(super) fn is_lost(self) -> bool {
        matches!(self, Self::ApprovesUnheard | Self::DeclinesUnheard | Self::OnItsWay)
    }
}

/// What a try came to, before it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Try {
    Authorised,
    Declined,
    Unknown(Asked),
    Later,
    Captured,
    NotCaptured,
    Voided,
    Refunded,
    NotRefunded,
}

/// What was asked, when nobody knows what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Asked {
    Authorise,
    Capture,
    Void,
    Refund,
}

/// What is said of a step without waiting for anybody.
pub(super) enum Begun {
    Try(Try),
    Done,
    Attention,
}

/// Begins a try: looks at the payment, and asks.
pub(super) fn begin(state: &mut State, step: &Step, tried: bool, reply: Reply, broken: Broken) -> Begun {
    match step {
        Step::Authorise { payment_id } => authorise(state, *payment_id, tried, reply),
        Step::Capture { payment_id, capture_id } => {
            let Some(known) = state.world.payment(*payment_id) else { return Begun::Attention };
            let asked = known.captures.get(capture_id).filter(|asked| asked.done.is_none()).copied();
            let Some(asked) = asked else { return Begun::Done };
            let keyed = broken != Broken::CapturesHaveNoKey;
            let said = state.account(*payment_id).capture(*capture_id, asked.amount.amount, keyed);
            heard(said, reply, Asked::Capture, Try::Captured, Try::NotCaptured)
        }
        Step::Void { payment_id } => {
            let Some(known) = state.world.payment(*payment_id) else { return Begun::Attention };
            if known.standing != Standing::VoidRequested {
                return Begun::Done;
            }
            let said = state.account(*payment_id).void();
            heard(said, reply, Asked::Void, Try::Voided, Try::Later)
        }
        Step::Refund { payment_id, refund_id } => {
            let Some(known) = state.world.payment(*payment_id) else { return Begun::Attention };
            let asked = known.refunds.get(refund_id).filter(|asked| asked.done.is_none()).copied();
            let Some(asked) = asked else { return Begun::Done };
            let here = known.captured().amount - known.refunded().amount - known.disputed().amount;
            if asked.amount.amount > here {
                let waits = known.captures.values().any(|capture| capture.done.is_none());
                return Begun::Try(if waits { Try::Later } else { Try::NotRefunded });
            }
            let said = state.account(*payment_id).refund(*refund_id, asked.amount.amount);
            heard(said, reply, Asked::Refund, Try::Refunded, Try::NotRefunded)
        }
        Step::Expire { .. } | Step::Notify { .. } | Step::DestroyKey { .. } => Begun::Done,
    }
}

/// The answer of a call that moves money; only whether it is heard is left open.
fn heard(said: Said, reply: Reply, asked: Asked, done: Try, refused: Try) -> Begun {
    Begun::Try(match said {
        _ if reply.is_lost() => Try::Unknown(asked),
        Said::Done => done,
        Said::Refused => refused,
    })
}

/// `Task::authorise`: the first time it is simply asked for; after that the gateway is first asked what it knows.
fn authorise(state: &mut State, payment_id: PaymentId, tried: bool, reply: Reply) -> Begun {
    use gateway::Standing as At;
    let Some(known) = state.world.payment(payment_id) else { return Begun::Attention };
    if known.standing != Standing::Requested {
        return Begun::Done;
    }
    let at_once = state.at_once.then_some((CaptureId(payment_id.0), known.amount.amount));
    let account = state.account(payment_id);
    let known_there = tried && account.standing != At::Unasked;
    if !known_there && matches!(account.standing, At::Unasked | At::Deciding) {
        account.standing = match reply {
            Reply::Approves | Reply::ApprovesUnheard => At::Approved,
            Reply::Declines | Reply::DeclinesUnheard => At::Declined,
            Reply::Pending | Reply::OnItsWay => At::Deciding,
        };
        take_at_once(account, at_once);
    }
    Begun::Try(match account.standing {
        _ if reply.is_lost() => Try::Unknown(Asked::Authorise),
        At::Approved => Try::Authorised,
        At::Declined => Try::Declined,
        At::Unasked | At::Deciding => Try::Later,
    })
}

/// Where money is taken with the authorisation, the gateway takes it when it approves.
pub(super) fn take_at_once(account: &mut gateway::Account, at_once: Option<(CaptureId, i64)>) {
    if let (gateway::Standing::Approved, Some((id, amount))) = (account.standing, at_once) {
        account.capture(id, amount, true);
    }
}

/// What is said of an authorisation, by a try and by a webhook.
pub(super) fn settled(state: &State, payment_id: PaymentId, amount: Money, approved: bool) -> Command {
    let (outcome, capture) = if approved {
        let capture = state.at_once.then_some(CaptureId(payment_id.0));
        (Outcome::Authorised { gateway_reference: "reference".to_owned(), amount }, capture)
    } else {
        (Outcome::Declined { reason: "declined".to_owned() }, None)
    };
    Command::Checkout(checkout::Command::SettlePayment { payment_id, outcome, capture })
}

/// The command that a try ends with, what it says, and whether the step is done with it. `None`: there is nothing to say.
pub(super) fn command(state: &State, step: &Step, result: Try) -> Option<(&'static str, Command, bool)> {
    let (payment_id, operation) = match step {
        Step::Authorise { payment_id } => (*payment_id, Operation::Authorise),
        Step::Capture { payment_id, capture_id } => (*payment_id, Operation::Capture(*capture_id)),
        Step::Void { payment_id } => (*payment_id, Operation::Void),
        Step::Refund { payment_id, refund_id } => (*payment_id, Operation::Refund(*refund_id)),
        _ => return None,
    };
    let known = state.world.payment(payment_id)?;
    let record = |action| Command::Payment(payment::Command { payment_id, action });
    let reason = String::new();
    Some(match (result, operation) {
        (Try::Authorised, _) => ("authorised", settled(state, payment_id, known.amount, true), true),
        (Try::Declined, _) => ("declined", settled(state, payment_id, known.amount, false), true),
        (Try::Unknown(_), operation) => {
            ("unknown", record(Action::RecordUnknown { operation, reason }), false)
        }
        (Try::Captured, Operation::Capture(capture_id)) => {
            let amount = known.captures.get(&capture_id)?.amount;
            ("captured", record(Action::RecordCaptured { capture_id, amount }), true)
        }
        (Try::NotCaptured, Operation::Capture(capture_id)) => {
            ("not-captured", record(Action::RecordCaptureFailed { capture_id, reason }), true)
        }
        (Try::Voided, _) => ("voided", record(Action::RecordVoided), true),
        (Try::Refunded, Operation::Refund(refund_id)) => {
            let amount = known.refunds.get(&refund_id)?.amount;
            let settled = checkout::Command::SettleRefund { payment_id, refund_id, amount };
            ("refunded", Command::Checkout(settled), true)
        }
        (Try::NotRefunded, Operation::Refund(refund_id)) => {
            ("not-refunded", record(Action::RecordRefundFailed { refund_id, reason }), true)
        }
        _ => return None,
    })
}

/// `Task::expire`.
pub(super) fn expire(order_id: OrderId) -> Command {
    Command::Checkout(checkout::Command::ExpireOrder { order_id, at: given::due() })
}
