//! Commands whose decision spans several aggregates: one decision, one atomic append.

use crate::ids::{CaptureId, CartId, OrderId, PaymentId, RefundId, ReturnId, ShipmentId};
use crate::order::{Delivery, Pieces};
use crate::{Actor, Money, Time};

/// What spans cart, order, stock and payment.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, missing_docs)]
pub enum Command {
    /// A cart becomes an order: every line reserved or none, prices, names and tax copied, a payment requested.
    /// Streams: order (first), cart, payment, the customer's, and stock and product of every line.
    PlaceOrder {
        order_id: OrderId,
        payment_id: PaymentId,
        cart_id: CartId,
        by: Actor,
        delivery: Delivery,
        /// `standard` (when `None`), `express` or `pickup`.
        shipping_method: Option<String>,
        gateway: String,
        token: String,
        at: Time,
        reserved_until: Time,
    },
    /// The gateway has decided on the authorisation. Order pending: confirmed or failed with its stock released. Order
    /// no longer pending and authorised: the payment is recorded and a void requested. Said twice: nothing happens.
    /// Streams: payment, order (from the payment), stock items of its lines.
    SettlePayment { payment_id: PaymentId, outcome: Outcome, capture: Option<CaptureId> },
    /// The time to pay is over. Order not pending any more: nothing happens. Streams: order, payment, stock.
    ExpireOrder { order_id: OrderId, at: Time },
    /// Call an order off before anything is sent: releases stock; the payment is voided (or refunded when captured, with
    /// this id). Streams: order, payment, stock.
    CancelOrder { order_id: OrderId, by: Actor, reason: String, refund_id: RefundId },
    /// Send some or (`None`) all that is not sent yet; captures its value (the first one with the shipping fee) unless the
    /// payment was captured at once. Streams: order, payment, stock.
    ShipOrder {
        order_id: OrderId,
        shipment_id: ShipmentId,
        capture_id: CaptureId,
        lines: Option<Vec<Pieces>>,
        carrier: String,
        tracking_number: String,
    },
    /// A return arrived: restock, and request the refund of `amount` (`None`: the value of its lines; 0: nothing goes back).
    /// Streams: order, payment, stock.
    ReceiveReturn {
        order_id: OrderId,
        return_id: ReturnId,
        refund_id: RefundId,
        amount: Option<Money>,
        restock: bool,
    },
    /// Staff gives money back: at most what is captured and not refunded or requested yet; `None`: all of that.
    /// Streams: order, payment.
    RefundOrder { order_id: OrderId, refund_id: RefundId, amount: Option<Money>, reason: String },
    /// The gateway has refunded: payment and order both say so. Streams: payment, order.
    SettleRefund { payment_id: PaymentId, refund_id: RefundId, amount: Money },
}

/// What the gateway decided on an authorisation.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Outcome {
    Authorised { gateway_reference: String, amount: Money },
    Declined { reason: String },
}
