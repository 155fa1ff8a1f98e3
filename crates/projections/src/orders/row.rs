//! One order as it is shown, and how each event of its stream changes it.

use chrono::{DateTime, Utc};
use domain::ids::{CartId, PaymentId, ProductId, ReturnId};
use domain::order::{self, Event, Pieces};
use domain::text::{Locale, LocalisedText, Sku};
use domain::{Address, Contact, Money, Owner};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// One line of an order, as it was bought, and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderLine)]
pub struct Line {
    /// What.
    #[schema(value_type = String, example = "AIR-MAX-270")]
    pub sku: Sku,
    /// Its product.
    #[schema(value_type = Uuid)]
    pub product_id: ProductId,
    /// Its name by language, as it was when the order was placed.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub name: LocalisedText,
    /// Pieces.
    pub quantity: u32,
    /// Pieces that were sent.
    pub shipped: u32,
    /// Pieces that came back.
    pub returned: u32,
    /// Price of one piece, tax included.
    #[schema(value_type = crate::orders::schema::Money)]
    pub unit_price: Money,
    /// `unit_price × quantity`.
    #[schema(value_type = crate::orders::schema::Money)]
    pub total: Money,
    /// The tax contained in `total`.
    #[schema(value_type = crate::orders::schema::Money)]
    pub tax: Money,
}

/// A return, from being asked for to its arrival.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderReturn)]
pub struct Return {
    /// The return.
    #[schema(value_type = Uuid)]
    pub return_id: ReturnId,
    /// What.
    #[schema(value_type = Vec<crate::orders::schema::Pieces>)]
    pub lines: Vec<Pieces>,
    /// Why.
    pub reason: String,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it arrived.
    pub received_at: Option<DateTime<Utc>>,
    /// What is given back for it.
    #[schema(value_type = Option<crate::orders::schema::Money>)]
    pub refund: Option<Money>,
    /// Whether it is for sale again.
    pub restocked: Option<bool>,
}

/// What is shown of an order beside its columns. Holds nothing personal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) cart_id: CartId,
    pub(crate) payment_id: PaymentId,
    pub(crate) locale: Locale,
    pub(crate) lines: Vec<Line>,
    pub(crate) returns: Vec<Return>,
    pub(crate) subtotal: Money,
    pub(crate) shipping_method: String,
    pub(crate) shipping_fee: Money,
    pub(crate) tax: Money,
    pub(crate) country: String,
    pub(crate) reserved_until: DateTime<Utc>,
    /// Why it was cancelled or not paid.
    pub(crate) reason: Option<String>,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) order_id: Uuid,
    pub(crate) version: i32,
    pub(crate) owner_kind: String,
    pub(crate) owner_id: Uuid,
    pub(crate) status: String,
    pub(crate) currency: String,
    pub(crate) total: i64,
    pub(crate) refunded: i64,
    pub(crate) placed_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    #[sqlx(json)]
    pub(crate) document: Document,
    #[sqlx(json)]
    pub(crate) state: order::State,
    pub(crate) subject: Uuid,
    #[sqlx(json(nullable))]
    pub(crate) contact: Option<Contact>,
    #[sqlx(json(nullable))]
    pub(crate) address: Option<Address>,
}

/// The two columns that say whose it is.
pub(crate) fn owner_columns(owner: Owner) -> (&'static str, Uuid) {
    match owner {
        Owner::Customer(id) => ("customer", id.0),
        Owner::Guest(id) => ("guest", id.0),
    }
}

/// Whose it is, read from the two columns.
pub(crate) fn owner_of(kind: &str, id: Uuid) -> Owner {
    if kind == "guest" { Owner::Guest(id.into()) } else { Owner::Customer(id.into()) }
}

impl Row {
    /// The row of an order that was just placed. `forgotten`: its buyer asked to be forgotten meanwhile.
    pub(crate) fn placed(event: &order::Placed, version: i32, at: DateTime<Utc>, forgotten: bool) -> Self {
        let (owner_kind, owner_id) = owner_columns(event.owner);
        let delivery = event.personal.known().filter(|_| !forgotten);
        Self {
            order_id: event.order_id.0,
            version,
            owner_kind: owner_kind.to_owned(),
            owner_id,
            status: String::new(),
            currency: event.total.currency.code().to_owned(),
            total: event.total.amount,
            refunded: 0,
            placed_at: at,
            updated_at: at,
            document: Document::placed(event),
            state: order::State::default(),
            subject: event.subject.0,
            contact: delivery.map(|delivery| delivery.contact.clone()),
            address: delivery.map(|delivery| delivery.address.clone()),
        }
        .folded(&Event::Placed(event.clone()))
    }

    /// The row after one more event of its stream.
    pub(crate) fn evolve(mut self, event: &Event, version: i32, at: DateTime<Utc>) -> Self {
        self.document.evolve(event, at);
        self.version = version;
        self.updated_at = at;
        self.folded(event)
    }

    /// Status, counts and sums are the domain's own: its state is folded beside the row.
    fn folded(mut self, event: &Event) -> Self {
        self.state = order::evolve(self.state, event);
        if let Some(known) = self.state.known() {
            known.status().as_str().clone_into(&mut self.status);
            self.refunded = known.refunded.amount;
            for line in &mut self.document.lines {
                let counted = known.lines.get(&line.sku);
                line.shipped = counted.map_or(0, |counted| counted.shipped);
                line.returned = counted.map_or(0, |counted| counted.returned);
            }
        }
        self
    }
}

impl Document {
    fn placed(event: &order::Placed) -> Self {
        let line = |line: &order::Line| Line {
            sku: line.sku.clone(),
            product_id: line.product_id,
            name: line.name.clone(),
            quantity: line.quantity,
            shipped: 0,
            returned: 0,
            unit_price: line.unit_price,
            total: line.total,
            tax: line.tax,
        };
        Self {
            cart_id: event.cart_id,
            payment_id: event.payment_id,
            locale: event.locale.clone(),
            lines: event.lines.iter().map(line).collect(),
            returns: Vec::new(),
            subtotal: event.subtotal,
            shipping_method: event.shipping_method.clone(),
            shipping_fee: event.shipping_fee,
            tax: event.tax,
            country: event.country.clone(),
            reserved_until: event.reserved_until,
            reason: None,
        }
    }

    fn evolve(&mut self, event: &Event, at: DateTime<Utc>) {
        match event {
            Event::Cancelled(order::Cancelled { reason })
            | Event::PaymentFailed(order::PaymentFailed { reason }) => self.reason = Some(reason.clone()),
            Event::ReturnRequested(asked) => self.returns.push(Return {
                return_id: asked.return_id,
                lines: asked.lines.clone(),
                reason: asked.reason.clone(),
                requested_at: at,
                received_at: None,
                refund: None,
                restocked: None,
            }),
            Event::ReturnReceived(received) => self.receive(received, at),
            Event::Placed(_)
            | Event::Confirmed(_)
            | Event::ShipmentSent(_)
            | Event::ShipmentDelivered(_)
            | Event::Refunded(_) => {}
        }
    }

    fn receive(&mut self, received: &order::ReturnReceived, at: DateTime<Utc>) {
        let Some(known) = self.returns.iter_mut().find(|known| known.return_id == received.return_id) else {
            return;
        };
        known.received_at = Some(at);
        known.refund = Some(received.refund);
        known.restocked = Some(received.restocked);
    }
}
