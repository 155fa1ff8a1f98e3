//! Asking a gateway to take, let go and give back.

use domain::ids::{CaptureId, PaymentId, RefundId};
use domain::payment::{Action, Known, Operation, Standing};
use domain::{Command, checkout, payment};
use payments::{Capture, Outcome, Refund, Void};

use super::Task;
use crate::steps::Ended;

/// Tries of what may never come to anything, before somebody must look: with the usual pauses, about half an hour.
const TRIES_MAX: u32 = 68;

impl Task {
    /// Not yet; but not for ever.
    fn later_for_a_while(&self, why: String) -> Ended {
        if self.claimed.attempts < TRIES_MAX { self.later(why) } else { Ended::Attention(why) }
    }

    async fn record(&self, what: &str, payment_id: PaymentId, action: Action) -> Ended {
        self.command(what, Command::Payment(payment::Command { payment_id, action })).await
    }

    pub(super) async fn capture(&self, payment_id: PaymentId, capture_id: CaptureId) -> Ended {
        self.try_capture(payment_id, capture_id).await.unwrap_or_else(|ended| ended)
    }

    async fn try_capture(&self, payment_id: PaymentId, capture_id: CaptureId) -> Result<Ended, Ended> {
        let known = self.payment()?;
        let Some(asked) = known.captures.get(&capture_id).filter(|asked| asked.done.is_none()) else {
            return Ok(Ended::Done);
        };
        let (amount, reference) = (asked.amount, reference(&known)?);
        let line = self.line(&known.gateway)?;
        let outcome = line.gateway.capture(&Capture { payment_id, reference, capture_id, amount }).await;
        Ok(match outcome {
            Outcome::Done(()) => {
                self.record("captured", payment_id, Action::RecordCaptured { capture_id, amount }).await
            }
            Outcome::Refused { reason } => {
                tracing::error!(%payment_id, %capture_id, reason, "the gateway refuses a capture: somebody must look");
                self.record("not-captured", payment_id, Action::RecordCaptureFailed { capture_id, reason })
                    .await
            }
            Outcome::Pending => self.later("the gateway has not captured yet"),
            Outcome::Unknown { reason } => self.unknown(&known, Operation::Capture(capture_id), reason).await,
        })
    }

    pub(super) async fn void(&self, payment_id: PaymentId) -> Ended {
        self.try_void(payment_id).await.unwrap_or_else(|ended| ended)
    }

    async fn try_void(&self, payment_id: PaymentId) -> Result<Ended, Ended> {
        let known = self.payment()?;
        if known.standing != Standing::VoidRequested {
            return Ok(Ended::Done);
        }
        let reference = reference(&known)?;
        let line = self.line(&known.gateway)?;
        Ok(match line.gateway.void(&Void { payment_id, reference }).await {
            Outcome::Done(()) => self.record("voided", payment_id, Action::RecordVoided).await,
            // The buyer's money is still held: nothing that could be recorded would let it go. It is asked for again, for a while.
            Outcome::Refused { reason } => {
                tracing::warn!(%payment_id, reason, "the gateway refuses to let a hold go");
                self.later_for_a_while(format!("the gateway refuses to let the hold go: {reason}"))
            }
            Outcome::Pending => self.later("the gateway has not let go yet"),
            Outcome::Unknown { reason } => self.unknown(&known, Operation::Void, reason).await,
        })
    }

    pub(super) async fn refund(&self, payment_id: PaymentId, refund_id: RefundId) -> Ended {
        self.try_refund(payment_id, refund_id).await.unwrap_or_else(|ended| ended)
    }

    async fn try_refund(&self, payment_id: PaymentId, refund_id: RefundId) -> Result<Ended, Ended> {
        let known = self.payment()?;
        let Some(asked) = known.refunds.get(&refund_id).filter(|asked| asked.done.is_none()) else {
            return Ok(Ended::Done);
        };
        let amount = asked.amount;
        let here = known.captured().amount - known.refunded().amount - known.disputed().amount;
        if amount.amount > here {
            // It was asked for while captures were under way: it is theirs to give back.
            if known.captures.values().any(|capture| capture.done.is_none()) {
                return Ok(self.later_for_a_while("the money is not captured yet".to_owned()));
            }
            let reason = "not captured".to_owned();
            tracing::error!(%payment_id, %refund_id, "a refund is not covered by what is captured: somebody must look");
            return Ok(self
                .record("not-refunded", payment_id, Action::RecordRefundFailed { refund_id, reason })
                .await);
        }
        let reference = reference(&known)?;
        let line = self.line(&known.gateway)?;
        Ok(match line.gateway.refund(&Refund { payment_id, reference, refund_id, amount }).await {
            Outcome::Done(()) => {
                let settled = checkout::Command::SettleRefund { payment_id, refund_id, amount };
                self.command("refunded", Command::Checkout(settled)).await
            }
            Outcome::Refused { reason } => {
                tracing::error!(%payment_id, %refund_id, reason, "the gateway refuses a refund: somebody must look");
                self.record("not-refunded", payment_id, Action::RecordRefundFailed { refund_id, reason })
                    .await
            }
            Outcome::Pending => self.later("the gateway has not given back yet"),
            Outcome::Unknown { reason } => self.unknown(&known, Operation::Refund(refund_id), reason).await,
        })
    }
}

/// The gateway's own name for the payment.
fn reference(known: &Known) -> Result<String, Ended> {
    known.reference.clone().ok_or_else(|| Ended::Attention("the gateway never named the payment".to_owned()))
}
