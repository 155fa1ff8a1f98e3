//! What happens to payments. Every call to a gateway has its `…Requested` event before it is made; its idempotency key
//! is the id in that event.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{CaptureId, DisputeId, OrderId, PaymentId, RefundId, ShipmentId, SubjectId};
use crate::{Money, Personal, events, payloads};

/// Which call to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Operation {
    Authorise,
    Capture(CaptureId),
    Void,
    Refund(RefundId),
}

/// A payment is wanted: the gateway is to be asked to authorise it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Requested {
    /// The payment.
    pub payment_id: PaymentId,
    /// What it pays for.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// By which gateway.
    pub gateway: String,
    /// Whose key seals `personal`.
    pub subject: SubjectId,
    /// The gateway's token for the means of payment. Never a card number.
    #[serde(skip)]
    pub personal: Personal<String>,
}

/// The gateway was asked and nobody knows what it did: it is asked again until it is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeUnknown {
    /// Which call.
    pub operation: Operation,
    /// What was seen, for example `time-out`.
    pub reason: String,
}

/// The gateway holds the money for us.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Authorised {
    /// The gateway's own name for this payment.
    pub gateway_reference: String,
    /// How much.
    pub amount: Money,
}

/// The gateway will not pay, or the payment was called off before the gateway was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failed {
    /// Why, in our terms (`declined`, `insufficient_funds`, `expired`, …).
    pub reason: String,
}

/// The gateway is to be asked to capture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureRequested {
    /// The capture.
    pub capture_id: CaptureId,
    /// How much.
    pub amount: Money,
    /// For which shipment.
    pub shipment_id: Option<ShipmentId>,
}

/// The money is ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Captured {
    /// The capture.
    pub capture_id: CaptureId,
    /// How much.
    pub amount: Money,
}

/// The gateway refused a capture for good: somebody must look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureFailed {
    /// The capture.
    pub capture_id: CaptureId,
    /// Why.
    pub reason: String,
}

/// The gateway is to be asked to let the hold go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VoidRequested {
    /// Why.
    pub reason: String,
}

/// The hold is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Voided {}

/// The gateway is to be asked to give money back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RefundRequested {
    /// The refund.
    pub refund_id: RefundId,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: String,
}

/// Money went back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Refunded {
    /// The refund.
    pub refund_id: RefundId,
    /// How much.
    pub amount: Money,
}

/// The gateway refused a refund for good: somebody must look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RefundFailed {
    /// The refund.
    pub refund_id: RefundId,
    /// Why.
    pub reason: String,
}

/// The buyer's bank took money back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Disputed {
    /// The dispute.
    pub dispute_id: DisputeId,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: String,
}

events! {
    /// Wanted.
    Requested = "PaymentRequested" v 1,
    /// Nobody knows yet.
    OutcomeUnknown = "PaymentOutcomeUnknown" v 1,
    /// Held.
    Authorised = "PaymentAuthorised" v 1,
    /// Not paid.
    Failed = "PaymentFailed" v 1,
    /// To be captured.
    CaptureRequested = "PaymentCaptureRequested" v 1,
    /// Captured.
    Captured = "PaymentCaptured" v 1,
    /// Not captured.
    CaptureFailed = "PaymentCaptureFailed" v 1,
    /// To be voided.
    VoidRequested = "PaymentVoidRequested" v 1,
    /// Voided.
    Voided = "PaymentVoided" v 1,
    /// To be refunded.
    RefundRequested = "PaymentRefundRequested" v 1,
    /// Refunded.
    Refunded = "PaymentRefunded" v 1,
    /// Not refunded.
    RefundFailed = "PaymentRefundFailed" v 1,
    /// Disputed.
    Disputed = "PaymentDisputed" v 1,
}
payloads!(OutcomeUnknown, Authorised, Failed, CaptureRequested, Captured, CaptureFailed, VoidRequested, Voided, RefundRequested, Refunded, RefundFailed, Disputed; Requested);
