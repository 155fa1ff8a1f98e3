//! What can be asked of payments alone. What also changes the order is in [`crate::checkout`].

use super::Operation;
use crate::Money;
use crate::ids::{CaptureId, DisputeId, PaymentId, RefundId};

/// What can be asked of a payment alone. All are idempotent: said twice, the second time nothing happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Which payment.
    pub payment_id: PaymentId,
    /// What to do.
    pub action: Action,
}

/// What to do with a payment.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Action {
    /// A call was made and its outcome is not known.
    RecordUnknown { operation: Operation, reason: String },
    /// The gateway captured.
    RecordCaptured { capture_id: CaptureId, amount: Money },
    /// The gateway refused the capture for good.
    RecordCaptureFailed { capture_id: CaptureId, reason: String },
    /// The gateway let the hold go.
    RecordVoided,
    /// The gateway refused the refund for good.
    RecordRefundFailed { refund_id: RefundId, reason: String },
    /// The buyer's bank took money back.
    RecordDispute { dispute_id: DisputeId, amount: Money, reason: String },
}
