//! Texts and numbers from outside, parsed into the domain's types with the field that breaks a rule named.

use axum::http::StatusCode;
use domain::text::{Invalid, Sku, bounded};
use http_surface::Problem;

/// A parsed text, or the field named that holds it.
pub(crate) fn checked<T>(pointer: impl Into<String>, parsed: Result<T, Invalid>) -> Result<T, Problem> {
    parsed.map_err(|invalid| Problem::field(pointer, invalid.to_string()))
}

/// A text of 1 to `most` characters.
pub(crate) fn text(
    pointer: impl Into<String>,
    what: &'static str,
    text: &str,
    most: usize,
) -> Result<String, Problem> {
    checked(pointer, bounded(what, text, 1..=most))
}

/// A number of pieces that fits what a number of pieces can be; how many may be asked for is for the domain to say.
pub(crate) fn pieces_count(pointer: impl Into<String>, quantity: i64) -> Result<u32, Problem> {
    u32::try_from(quantity).map_err(|_| {
        let detail = format!("a quantity is a whole number from 0 to {}, not {quantity}", u32::MAX);
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-quantity", detail.clone()).at(pointer, detail)
    })
}

/// A SKU in the path. What is none names nothing.
pub(crate) fn sku(text: &str) -> Result<Sku, Problem> {
    let unknown = || format!("there is no SKU {text:?}");
    Sku::parse(text).map_err(|_| Problem::new(StatusCode::NOT_FOUND, "unknown-sku", unknown()))
}
