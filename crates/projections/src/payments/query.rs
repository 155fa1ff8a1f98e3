//! How payments are asked for.

use chrono::{DateTime, Utc};
use domain::ids::{OrderId, PaymentId};
use domain::{Currency, Money};
use serde::Serialize;
use utoipa::ToSchema;

use super::row::{Attempt, Row};
use crate::Reads;
use crate::orders::schema;

/// A payment, as the staff sees it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Payment {
    /// The payment.
    #[schema(value_type = Uuid)]
    pub payment_id: PaymentId,
    /// What it pays for.
    #[schema(value_type = Uuid)]
    pub order_id: OrderId,
    /// The version of its stream: the `ETag`.
    pub version: u32,
    /// Where it is.
    #[schema(example = "authorised")]
    pub status: String,
    /// By which gateway.
    #[schema(example = "sandbox")]
    pub gateway: String,
    /// The gateway's own name for it.
    pub gateway_reference: Option<String>,
    /// How much it is about.
    #[schema(value_type = schema::Money)]
    pub amount: Money,
    /// What is ours.
    #[schema(value_type = schema::Money)]
    pub captured: Money,
    /// What went back.
    #[schema(value_type = schema::Money)]
    pub refunded: Money,
    /// What the buyer's bank took back.
    #[schema(value_type = schema::Money)]
    pub disputed: Money,
    /// Every call to the gateway, in the order in which they were wanted.
    pub attempts: Vec<Attempt>,
    /// When it was wanted.
    pub requested_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// The payment of an order.
pub async fn of_order(pool: impl Reads<'_>, order_id: OrderId) -> Result<Option<Payment>, sqlx::Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT payment_id, order_id, version, status, gateway, gateway_reference, currency, amount, captured, \
         refunded, disputed, attempts, state, requested_at, updated_at FROM payments \
         WHERE order_id = $1 ORDER BY payment_id DESC LIMIT 1",
    )
    .bind(order_id.0)
    .fetch_optional(pool)
    .await?;
    row.map(payment).transpose()
}

fn payment(row: Row) -> Result<Payment, sqlx::Error> {
    let currency = Currency::parse(&row.currency).map_err(|error| sqlx::Error::ColumnDecode {
        index: "currency".to_owned(),
        source: error.to_string().into(),
    })?;
    let money = |amount| Money { amount, currency };
    Ok(Payment {
        payment_id: row.payment_id.into(),
        order_id: row.order_id.into(),
        version: row.version as u32,
        status: row.status,
        gateway: row.gateway,
        gateway_reference: row.gateway_reference,
        amount: money(row.amount),
        captured: money(row.captured),
        refunded: money(row.refunded),
        disputed: money(row.disputed),
        attempts: row.attempts,
        requested_at: row.requested_at,
        updated_at: row.updated_at,
    })
}
