//! What happens to orders.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{CartId, OrderId, PaymentId, ProductId, RefundId, ReturnId, ShipmentId, SubjectId};
use crate::text::{CountryCode, Locale, LocalisedText, Sku};
use crate::{Address, Contact, Money, Owner, Personal, Time, events, payloads};

/// One line, with name, price and tax as they were when the order was placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// What.
    pub sku: Sku,
    /// Its product.
    pub product_id: ProductId,
    /// Its name then.
    pub name: LocalisedText,
    /// Pieces.
    pub quantity: u32,
    /// Price of one piece, tax included.
    pub unit_price: Money,
    /// `unit_price × quantity`.
    pub total: Money,
    /// The tax contained in `total`.
    pub tax: Money,
}

/// Some pieces of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pieces {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
}

/// Who to reach and where to send to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// Who to reach.
    pub contact: Contact,
    /// Where to send to.
    pub address: Address,
}

/// An order was placed, and every line of it reserved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Placed {
    /// The order.
    pub order_id: OrderId,
    /// The cart it was.
    pub cart_id: CartId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// Whose it is.
    pub owner: Owner,
    /// The language of its buyer.
    pub locale: Locale,
    /// What was bought.
    pub lines: Vec<Line>,
    /// Sum of the lines.
    pub subtotal: Money,
    /// How it is sent: `standard`, `express` or `pickup`.
    pub shipping_method: String,
    /// What sending costs, tax included.
    pub shipping_fee: Money,
    /// The tax contained in `total`.
    pub tax: Money,
    /// `subtotal + shipping_fee`.
    pub total: Money,
    /// Where it goes (ISO 3166-1 alpha-2); decides the tax.
    #[schemars(with = "CountryCode")]
    pub country: String,
    /// Until when it is reserved without being paid.
    pub reserved_until: Time,
    /// Whose key seals `personal`: the customer, or this order for a guest.
    pub subject: SubjectId,
    /// Contact and address.
    #[serde(skip)]
    pub personal: Personal<Delivery>,
}

/// It is paid (authorised or captured) and can be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Confirmed {
    /// The payment that settled it.
    pub payment_id: PaymentId,
}

/// It was not paid; its reservation is released.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentFailed {
    /// The gateway's reason in our terms (for example `declined`), or `expired`.
    pub reason: String,
}

/// It was called off before anything was sent; its reservation is released.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cancelled {
    /// Why.
    pub reason: String,
}

/// Goods left the house.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentSent {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// What is in it.
    pub lines: Vec<Pieces>,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's number.
    pub tracking_number: String,
}

/// Goods arrived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentDelivered {
    /// The shipment.
    pub shipment_id: ShipmentId,
}

/// The buyer wants to give something back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnRequested {
    /// The return.
    pub return_id: ReturnId,
    /// What.
    pub lines: Vec<Pieces>,
    /// Why.
    pub reason: String,
}

/// What was given back has arrived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnReceived {
    /// The return.
    pub return_id: ReturnId,
    /// What is given back for it.
    pub refund: Money,
    /// Whether it is for sale again.
    pub restocked: bool,
}

/// Money went back to the buyer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Refunded {
    /// The refund.
    pub refund_id: RefundId,
    /// How much.
    pub amount: Money,
}

events! {
    /// Placed and reserved.
    Placed = "OrderPlaced" v 1,
    /// Paid.
    Confirmed = "OrderConfirmed" v 1,
    /// Not paid.
    PaymentFailed = "OrderPaymentFailed" v 1,
    /// Called off.
    Cancelled = "OrderCancelled" v 1,
    /// Goods left the house.
    ShipmentSent = "OrderShipmentSent" v 1,
    /// Goods arrived.
    ShipmentDelivered = "OrderShipmentDelivered" v 1,
    /// A return was asked for.
    ReturnRequested = "OrderReturnRequested" v 1,
    /// A return arrived.
    ReturnReceived = "OrderReturnReceived" v 1,
    /// Money went back.
    Refunded = "OrderRefunded" v 1,
}
payloads!(Confirmed, PaymentFailed, Cancelled, ShipmentSent, ShipmentDelivered, ReturnRequested, ReturnReceived, Refunded; Placed);
