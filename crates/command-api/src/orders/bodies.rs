//! What comes in about orders.

use domain::ids::CartId;
use domain::order::Pieces;
use domain::{Address, Contact, Money};
use http_surface::Problem;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::edge::{AddressBody, ContactBody, MoneyBody, PiecesBody, pieces, text};

/// No reason is longer, in characters.
const REASON_MAX: usize = 500;

/// An order that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrder {
    /// The cart that becomes the order.
    cart_id: Uuid,
    /// Whom to tell; a customer may leave it out.
    contact: Option<ContactBody>,
    /// Where to send to.
    shipping_address: AddressBody,
    /// `standard` (when it is left out), `express` or `pickup`.
    #[schema(example = "standard")]
    shipping_method: Option<String>,
    /// How it is paid.
    payment: PaymentBody,
}

/// How an order is paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPayment)]
pub(crate) struct PaymentBody {
    /// Which gateway.
    #[schema(example = "sandbox")]
    gateway: String,
    /// The gateway's token for the means of payment; never a card number.
    #[schema(example = "approve")]
    token: String,
}

/// A parsed order.
pub(super) struct Parsed {
    pub(super) cart_id: CartId,
    pub(super) contact: Option<Contact>,
    pub(super) address: Address,
    pub(super) shipping_method: Option<String>,
    pub(super) gateway: String,
    pub(super) token: String,
}

impl NewOrder {
    pub(super) fn parse(&self, app: &App) -> Result<Parsed, Problem> {
        let method = self.shipping_method.as_deref();
        let method =
            method.map(|method| text("/shipping_method", "a shipping method", method, 50)).transpose()?;
        let gateway = &self.payment.gateway;
        if app.gateways.get(gateway).is_none() {
            let names: Vec<_> = app.gateways.names().collect();
            return Err(Problem::field("/payment/gateway", format!("must be one of {}", names.join(", "))));
        }
        Ok(Parsed {
            cart_id: CartId(self.cart_id),
            contact: self.contact.as_ref().map(|contact| contact.parse("/contact")).transpose()?,
            address: self.shipping_address.parse("/shipping_address")?,
            shipping_method: method,
            gateway: gateway.clone(),
            token: text("/payment/token", "a payment token", &self.payment.token, 500)?,
        })
    }
}

/// A placed order.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is only read by OpenAPI")]
pub(crate) struct Placed {
    /// The order.
    order_id: Uuid,
    /// `pending_payment`, or what the payment came to: `confirmed`, `payment_failed`, `cancelled`.
    #[schema(example = "confirmed")]
    status: String,
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// 1 to 500 characters.
    #[schema(example = "ordered twice")]
    reason: String,
}

impl Reason {
    pub(super) fn parse(&self) -> Result<String, Problem> {
        reason(&self.reason)
    }
}

fn reason(given: &str) -> Result<String, Problem> {
    text("/reason", "a reason", given, REASON_MAX)
}

/// What is to be given back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReturn {
    /// 1 to 500 characters.
    #[schema(example = "too small")]
    reason: String,
    /// Which pieces; everything that has arrived when it is left out.
    lines: Option<Vec<PiecesBody>>,
}

impl NewReturn {
    pub(super) fn parse(&self) -> Result<(String, Option<Vec<Pieces>>), Problem> {
        Ok((reason(&self.reason)?, pieces(self.lines.as_deref())?))
    }
}

/// A new return.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is only read by OpenAPI")]
pub(crate) struct ReturnAsked {
    /// The return.
    return_id: Uuid,
}

/// What is sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewShipment {
    /// Which pieces; everything that is not sent yet when it is left out.
    lines: Option<Vec<PiecesBody>>,
    /// Who carries it.
    #[schema(example = "CJ대한통운")]
    carrier: String,
    /// The carrier's number.
    #[schema(example = "123456789012")]
    tracking_number: String,
}

/// A parsed shipment.
pub(super) struct Shipment {
    pub(super) lines: Option<Vec<Pieces>>,
    pub(super) carrier: String,
    pub(super) tracking_number: String,
}

impl NewShipment {
    pub(super) fn parse(&self) -> Result<Shipment, Problem> {
        Ok(Shipment {
            lines: pieces(self.lines.as_deref())?,
            carrier: text("/carrier", "a carrier", &self.carrier, 100)?,
            tracking_number: text("/tracking_number", "a tracking number", &self.tracking_number, 100)?,
        })
    }
}

/// A new shipment.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is only read by OpenAPI")]
pub(crate) struct ShipmentSent {
    /// The shipment.
    shipment_id: Uuid,
}

/// Money that is given back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRefund {
    /// How much; all that can be given back when it is left out.
    amount: Option<MoneyBody>,
    /// 1 to 500 characters.
    #[schema(example = "goodwill")]
    reason: String,
}

impl NewRefund {
    pub(super) fn parse(&self) -> Result<(Option<Money>, String), Problem> {
        Ok((amount(self.amount.as_ref())?, reason(&self.reason)?))
    }
}

fn amount(body: Option<&MoneyBody>) -> Result<Option<Money>, Problem> {
    body.map(|amount| amount.parse("/amount")).transpose()
}

/// A new refund.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is only read by OpenAPI")]
pub(crate) struct RefundAsked {
    /// The refund.
    refund_id: Uuid,
}

/// A return that has arrived.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Received {
    /// How much is given back for it; the price of its lines when it is left out.
    amount: Option<MoneyBody>,
    /// In what state, in words; checked, and not kept.
    #[schema(example = "as new")]
    reason: Option<String>,
    /// Whether it is for sale again; yes when it is left out.
    restock: Option<bool>,
}

impl Received {
    pub(super) fn parse(&self) -> Result<(Option<Money>, bool), Problem> {
        self.reason.as_deref().map(reason).transpose()?;
        Ok((amount(self.amount.as_ref())?, self.restock.unwrap_or(true)))
    }
}
