//! What happens to notices. The recipient's address is looked up when one is sent, so none of these holds any.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{NotificationId, OrderId};
use crate::text::Locale;
use crate::{Time, events, payloads};

/// What a notice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Template {
    OrderConfirmed,
    PaymentFailed,
    OrderCancelled,
    ShipmentSent,
    ShipmentDelivered,
    Refunded,
}

/// How it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Channel {
    Email,
    Sms,
}

/// Somebody is to be told something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Requested {
    /// The notice.
    pub notification_id: NotificationId,
    /// About which order.
    pub order_id: OrderId,
    /// What it says.
    pub template: Template,
    /// How.
    pub channel: Channel,
    /// In which language.
    pub locale: Locale,
    /// After this it is not worth sending.
    pub expires_at: Time,
}

/// It was handed to the provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// The provider's own name for it.
    pub provider_reference: String,
}

/// It could not be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failed {
    /// Why.
    pub reason: String,
}

events! {
    /// To be sent.
    Requested = "NotificationRequested" v 1,
    /// Sent.
    Sent = "NotificationSent" v 1,
    /// Not sent.
    Failed = "NotificationFailed" v 1,
}
payloads!(Requested, Sent, Failed;);
