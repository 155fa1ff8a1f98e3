//! How customers are asked for.

use chrono::{DateTime, Utc};
use domain::ids::CustomerId;
use serde::Serialize;
use utoipa::ToSchema;

use super::row::{BookEntry, Row};
use crate::Reads;

/// A customer as they see themselves.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Customer {
    /// Who.
    #[schema(value_type = Uuid)]
    pub customer_id: CustomerId,
    /// The version of their stream: the `ETag`.
    pub version: u32,
    /// The language of their notices.
    #[schema(example = "ko")]
    pub locale: String,
    /// E-mail address; `null` when forgotten.
    pub email: Option<String>,
    /// Name; `null` when forgotten.
    pub name: Option<String>,
    /// Phone number, when one is known.
    pub phone: Option<String>,
    /// The address book; empty when forgotten.
    pub addresses: Vec<BookEntry>,
    /// Since when they have an account.
    pub registered_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When they asked to be forgotten.
    pub forgotten_at: Option<DateTime<Utc>>,
}

/// One customer.
pub async fn find(pool: impl Reads<'_>, customer_id: CustomerId) -> Result<Option<Customer>, sqlx::Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT customer_id, version, locale, email, name, phone, addresses, registered_at, updated_at, forgotten_at \
         FROM customers WHERE customer_id = $1",
    )
    .bind(customer_id.0)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Customer {
        customer_id: row.customer_id.into(),
        version: row.version as u32,
        locale: row.locale,
        email: row.email,
        name: row.name,
        phone: row.phone,
        addresses: row.addresses,
        registered_at: row.registered_at,
        updated_at: row.updated_at,
        forgotten_at: row.forgotten_at,
    }))
}
