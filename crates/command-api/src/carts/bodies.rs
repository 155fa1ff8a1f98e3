//! What comes in about carts.

use axum::http::StatusCode;
use domain::Currency;
use domain::text::Locale;
use http_surface::Problem;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::edge::{checked, pieces_count};

/// A cart that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCart {
    /// The currency of its prices, ISO 4217; `KRW` when it is left out.
    #[schema(example = "KRW")]
    currency: Option<String>,
    /// The language of its buyer; `ko` when it is left out.
    #[schema(example = "ko")]
    locale: Option<String>,
}

impl NewCart {
    pub(super) fn parse(&self) -> Result<(Currency, Locale), Problem> {
        let currency =
            self.currency.as_deref().map_or(Ok(Currency::KRW), Currency::parse).map_err(|error| {
                let detail = error.to_string();
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-currency", detail.clone())
                    .at("/currency", detail)
            })?;
        Ok((currency, checked("/locale", Locale::parse(self.locale.as_deref().unwrap_or("ko")))?))
    }
}

/// A new cart.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is only read by OpenAPI")]
pub(crate) struct Opened {
    /// The cart.
    cart_id: Uuid,
    /// The bearer token for this cart and its order, when it is no customer's; valid 30 days.
    guest_token: Option<String>,
}

/// How many pieces.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quantity {
    /// 1 to 9,999.
    #[schema(example = 2, minimum = 1, maximum = 9_999)]
    quantity: i64,
}

impl Quantity {
    pub(super) fn parse(&self) -> Result<u32, Problem> {
        pieces_count("/quantity", self.quantity)
    }
}
