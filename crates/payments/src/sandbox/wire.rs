//! What the adapter and the sandbox say to each other.

use domain::Money;
use domain::ids::{OrderId, PaymentId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct NewPayment {
    pub(super) payment_id: PaymentId,
    pub(super) order_id: OrderId,
    pub(super) amount: Money,
    pub(super) token: String,
    #[serde(default)]
    pub(super) capture: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    Pending,
    Authorised,
    Declined,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Accepted {
    pub(super) payment_id: PaymentId,
    pub(super) status: Standing,
    pub(super) reference: String,
    pub(super) amount: Money,
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) captured: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Refused {
    pub(super) reason: String,
}

/// A capture or a refund.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Move {
    pub(super) id: Uuid,
    pub(super) amount: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub(super) struct WireNotice {
    pub(super) id: String,
    pub(super) payment_id: PaymentId,
    pub(super) status: Standing,
    pub(super) reference: String,
    pub(super) amount: Money,
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) captured: bool,
}
