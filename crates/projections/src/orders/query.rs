//! How orders are asked for.

use chrono::{DateTime, Utc};
use domain::ids::{CartId, OrderId, PaymentId};
use domain::text::Locale;
use domain::{Address, Contact, Money, Owner, order};
use serde::Serialize;
use sqlx::{FromRow, Postgres, QueryBuilder};
use utoipa::ToSchema;
use uuid::Uuid;

use super::row::{Document, Line, Return, Row};
use super::{owner_columns, owner_of, schema};
use crate::Reads;

/// An order, as its buyer and the staff see it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Order {
    /// The order.
    #[schema(value_type = Uuid)]
    pub order_id: OrderId,
    /// The version of its stream: the `ETag`.
    pub version: u32,
    /// Whose it is.
    #[serde(skip)]
    #[schema(ignore)]
    pub owner: Owner,
    /// `pending_payment`, `confirmed`, `partially_shipped`, `shipped`, `delivered`, `payment_failed`, `cancelled`,
    /// `partially_returned`, `returned`, `partially_refunded` or `refunded`.
    #[schema(example = "confirmed")]
    pub status: String,
    /// Why it was cancelled or not paid.
    pub reason: Option<String>,
    /// The customer; `null` for a guest.
    #[schema(value_type = Option<Uuid>)]
    pub customer_id: Option<domain::ids::CustomerId>,
    /// The cart it was.
    #[schema(value_type = Uuid)]
    pub cart_id: CartId,
    /// Its payment.
    #[schema(value_type = Uuid)]
    pub payment_id: PaymentId,
    /// The language of its buyer.
    #[schema(value_type = String)]
    pub locale: Locale,
    /// What was bought.
    pub lines: Vec<Line>,
    /// What was asked to be given back.
    pub returns: Vec<Return>,
    /// Sum of the lines.
    #[schema(value_type = schema::Money)]
    pub subtotal: Money,
    /// How it is sent.
    pub shipping_method: String,
    /// What sending costs.
    #[schema(value_type = schema::Money)]
    pub shipping_fee: Money,
    /// The tax contained in `total`.
    #[schema(value_type = schema::Money)]
    pub tax: Money,
    /// `subtotal + shipping_fee`.
    #[schema(value_type = schema::Money)]
    pub total: Money,
    /// What went back to the buyer.
    #[schema(value_type = schema::Money)]
    pub refunded: Money,
    /// Whom to reach; `null` when forgotten.
    #[schema(value_type = Option<schema::Contact>)]
    pub contact: Option<Contact>,
    /// Where it goes; `null` when forgotten.
    #[schema(value_type = Option<schema::Address>)]
    pub shipping_address: Option<Address>,
    /// Until when its pieces are held without being paid.
    pub reserved_until: DateTime<Utc>,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = OrderSummary)]
pub struct Summary {
    /// The order.
    #[schema(value_type = Uuid)]
    pub order_id: OrderId,
    /// As in the order.
    #[schema(example = "shipped")]
    pub status: String,
    /// What it costs.
    #[schema(value_type = schema::Money)]
    pub total: Money,
    /// What went back to the buyer.
    #[schema(value_type = schema::Money)]
    pub refunded: Money,
    /// Its lines.
    pub lines: Vec<Line>,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which orders, newest first.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this owner's; `None`: everybody's.
    pub owner: Option<Owner>,
    /// Only with this status.
    pub status: Option<order::Status>,
    /// Placed at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Placed before this time.
    pub to: Option<DateTime<Utc>>,
    /// Those that come after this one: when it was placed, and its id.
    pub after: Option<(DateTime<Utc>, OrderId)>,
    /// At most so many.
    pub limit: u32,
}

/// One order.
pub async fn find(pool: impl Reads<'_>, order_id: OrderId) -> Result<Option<Order>, sqlx::Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT order_id, version, owner_kind, owner_id, status, currency, total, refunded, placed_at, updated_at, \
         document, state, subject, contact, address FROM orders WHERE order_id = $1",
    )
    .bind(order_id.0)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(order))
}

#[derive(FromRow)]
struct Listed {
    order_id: Uuid,
    status: String,
    total: i64,
    refunded: i64,
    placed_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[sqlx(json)]
    document: Document,
}

/// Orders, newest first. Only the conditions that are asked for are written, so that each has its index.
pub async fn list(pool: impl Reads<'_>, filter: &Filter) -> Result<Vec<Summary>, sqlx::Error> {
    let mut sql = QueryBuilder::<Postgres>::new(
        "SELECT order_id, status, total, refunded, placed_at, updated_at, document FROM orders WHERE true",
    );
    if let Some((kind, id)) = filter.owner.map(owner_columns) {
        sql.push(" AND owner_kind = ").push_bind(kind).push(" AND owner_id = ").push_bind(id);
    }
    if let Some(status) = filter.status {
        sql.push(" AND status = ").push_bind(status.as_str());
    }
    if let Some(from) = filter.from {
        sql.push(" AND placed_at >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        sql.push(" AND placed_at < ").push_bind(to);
    }
    if let Some((placed_at, order_id)) = filter.after {
        sql.push(" AND (placed_at, order_id) < (").push_bind(placed_at);
        sql.push(", ").push_bind(order_id.0).push(")");
    }
    sql.push(" ORDER BY placed_at DESC, order_id DESC LIMIT ").push_bind(i64::from(filter.limit));
    let rows: Vec<Listed> = sql.build_query_as().fetch_all(pool).await?;
    Ok(rows.into_iter().map(summary).collect())
}

/// Whose an order is. `None`: there is none.
pub async fn owner(pool: impl Reads<'_>, order_id: OrderId) -> Result<Option<Owner>, sqlx::Error> {
    let found: Option<(String, Uuid)> =
        sqlx::query_as("SELECT owner_kind, owner_id FROM orders WHERE order_id = $1")
            .bind(order_id.0)
            .fetch_optional(pool)
            .await?;
    Ok(found.map(|(kind, id)| owner_of(&kind, id)))
}

/// The positions in the log where an order is spoken of outside its own, its payment's and its cart's streams, in order.
pub async fn mentions(pool: impl Reads<'_>, order_id: OrderId) -> Result<Vec<u64>, sqlx::Error> {
    let positions: Vec<i64> =
        sqlx::query_scalar("SELECT position FROM order_mentions WHERE order_id = $1 ORDER BY position")
            .bind(order_id.0)
            .fetch_all(pool)
            .await?;
    Ok(positions.into_iter().map(|position| position as u64).collect())
}

fn summary(row: Listed) -> Summary {
    let currency = row.document.subtotal.currency;
    Summary {
        order_id: row.order_id.into(),
        status: row.status,
        total: Money { amount: row.total, currency },
        refunded: Money { amount: row.refunded, currency },
        lines: row.document.lines,
        placed_at: row.placed_at,
        updated_at: row.updated_at,
    }
}

fn order(row: Row) -> Order {
    let currency = row.document.subtotal.currency;
    let owner = owner_of(&row.owner_kind, row.owner_id);
    let document = row.document;
    Order {
        order_id: row.order_id.into(),
        version: row.version as u32,
        owner,
        status: row.status,
        reason: document.reason,
        customer_id: match owner {
            Owner::Customer(id) => Some(id),
            Owner::Guest(_) => None,
        },
        cart_id: document.cart_id,
        payment_id: document.payment_id,
        locale: document.locale,
        lines: document.lines,
        returns: document.returns,
        subtotal: document.subtotal,
        shipping_method: document.shipping_method,
        shipping_fee: document.shipping_fee,
        tax: document.tax,
        total: Money { amount: row.total, currency },
        refunded: Money { amount: row.refunded, currency },
        contact: row.contact,
        shipping_address: row.address,
        reserved_until: document.reserved_until,
        placed_at: row.placed_at,
        updated_at: row.updated_at,
    }
}
