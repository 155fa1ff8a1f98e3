//! What comes in about stock.

use http_surface::Problem;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::edge::{pieces_count, text};

/// No reason is longer, in characters.
const REASON_MAX: usize = 500;

/// Goods that came in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Receipt {
    /// 1 to 1,000,000 pieces.
    #[schema(example = 100, minimum = 1, maximum = 1_000_000)]
    quantity: i64,
    /// From where, in words; `received` when it is left out.
    #[schema(example = "supplier delivery")]
    reason: Option<String>,
}

impl Receipt {
    pub(super) fn parse(&self) -> Result<(u32, String), Problem> {
        let reason = self.reason.as_deref().unwrap_or("received");
        Ok((pieces_count("/quantity", self.quantity)?, text("/reason", "a reason", reason, REASON_MAX)?))
    }
}

/// A corrected count.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adjustment {
    /// Pieces more, or fewer.
    #[schema(example = -2)]
    quantity: i64,
    /// Why.
    #[schema(example = "damaged")]
    reason: String,
}

impl Adjustment {
    pub(super) fn parse(&self) -> Result<(i64, String), Problem> {
        Ok((self.quantity, text("/reason", "a reason", &self.reason, REASON_MAX)?))
    }
}

/// The level of the alert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Level {
    /// Available pieces; 0 for no alerts.
    #[schema(example = 10, minimum = 0)]
    quantity: i64,
}

impl Level {
    pub(super) fn parse(&self) -> Result<u32, Problem> {
        pieces_count("/quantity", self.quantity)
    }
}
