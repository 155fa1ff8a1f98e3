//! A row of text into a line of an invoice.

use std::collections::HashMap;

use anyhow::{Context, bail};
use domain::text::Sku;

use super::price::{minor_units, whole_number};
use super::table::Row;

/// What a line says, parsed. Whether it can be played is decided in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) invoice: String,
    pub(super) code: Sku,
    pub(super) description: String,
    /// Pieces; below zero when they come back.
    pub(super) quantity: i64,
    /// Minor units for one piece.
    pub(super) price: i64,
    pub(super) customer: Option<String>,
    pub(super) country: String,
}

/// Which column holds what.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    invoice: usize,
    code: usize,
    quantity: usize,
    price: usize,
    description: Option<usize>,
    customer: Option<usize>,
    country: Option<usize>,
}

impl Columns {
    /// Finds the columns by their names, in any order. The date is not needed: the order of the lines is.
    pub(super) fn find(header: &[String]) -> anyhow::Result<Self> {
        let plain = |name: &String| -> String {
            name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
        };
        let mut places = HashMap::new();
        for (index, name) in header.iter().enumerate() {
            if places.insert(plain(name), index).is_some() {
                bail!("the header names the column {name:?} twice");
            }
        }
        let find = |names: &[&str]| names.iter().find_map(|name| places.get(*name).copied());
        let need = |names: &[&str], shown: &str| {
            find(names).with_context(|| format!("the header (line 1) names no column {shown}"))
        };
        Ok(Self {
            invoice: need(&["invoiceno", "invoice"], "InvoiceNo")?,
            code: need(&["stockcode"], "StockCode")?,
            quantity: need(&["quantity"], "Quantity")?,
            price: need(&["unitprice", "price"], "UnitPrice")?,
            description: find(&["description"]),
            customer: find(&["customerid"]),
            country: find(&["country"]),
        })
    }

    /// The number of the invoice that a row belongs to, as far as it says so.
    pub(super) fn invoice<'a>(&self, row: &'a Row) -> &'a str {
        row.fields.get(self.invoice).map_or("", |field| field.trim())
    }

    /// Parses a row; the reason when it cannot be.
    pub(super) fn parse(&self, row: &Row, exponent: u32) -> Result<Line, String> {
        let field = |index: usize| row.fields.get(index).map_or("", |field| field.trim());
        let optional = |index: Option<usize>| index.map_or("", field);
        let invoice = field(self.invoice);
        if invoice.is_empty() {
            return Err("the invoice number is empty".to_owned());
        }
        if invoice.len() > 50 || invoice.chars().any(char::is_control) {
            return Err("the invoice number is longer than 50 bytes, or not one line".to_owned());
        }
        let quantity = field(self.quantity);
        Ok(Line {
            number: row.number,
            invoice: invoice.to_owned(),
            code: code(field(self.code))?,
            description: description(optional(self.description)),
            quantity: whole_number(quantity)
                .ok_or_else(|| format!("the quantity {quantity:?} is not a whole number"))?,
            price: minor_units(field(self.price), exponent)?,
            customer: customer(optional(self.customer))?,
            country: optional(self.country).to_owned(),
        })
    }
}

fn code(text: &str) -> Result<Sku, String> {
    if text.is_empty() {
        return Err("the stock code is empty".to_owned());
    }
    // The @ stands between code and price of a second price; dots alone have a meaning of their own in addresses.
    if text.contains('@') || text.chars().all(|c| c == '.') {
        return Err(format!("the stock code {text:?} cannot be used as a SKU"));
    }
    Sku::parse(text).map_err(|invalid| format!("the stock code {text:?} cannot be used: {invalid}"))
}

/// Made fit for a product's name: one line of at most 300 characters.
fn description(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(300).collect::<String>().trim_end().to_owned()
}

/// `17850.0`, as tables with gaps write it, is `17850`.
fn customer(text: &str) -> Result<Option<String>, String> {
    let id = text.strip_suffix(".0").unwrap_or(text);
    if id.is_empty() {
        return Ok(None);
    }
    if id.len() > 40 || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return Err(format!("the customer id {text:?} has other characters than letters, digits, - and _"));
    }
    Ok(Some(id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    const HEADER: [&str; 7] =
        ["Country", "Customer ID", "InvoiceNo", "StockCode", "Description", "Quantity", "UnitPrice"];

    fn parse(fields: &[&str]) -> Result<Line, String> {
        let columns = Columns::find(&strings(&HEADER)).unwrap();
        columns.parse(&Row { number: 2, fields: strings(fields) }, 2)
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let line = parse(&["EIRE", "17850.0", " 9001 ", "85123A", "  TWO \t WORDS ", "6.0", "2.55"]).unwrap();
        assert_eq!((line.invoice.as_str(), line.code.as_str()), ("9001", "85123A"));
        assert_eq!((line.quantity, line.price), (6, 255));
        assert_eq!(line.customer.as_deref(), Some("17850"));
        assert_eq!((line.country.as_str(), line.description.as_str()), ("EIRE", "TWO WORDS"));
        let missing = Columns::find(&strings(&["InvoiceNo", "StockCode", "Quantity"])).unwrap_err();
        assert!(missing.to_string().contains("UnitPrice"), "{missing}");
        assert!(Columns::find(&strings(&["InvoiceNo", "invoice no"])).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (fields, words) in [
            (["", "", "", "A", "", "1", "1"], "invoice number is empty"),
            (["", "", "1", "", "", "1", "1"], "stock code is empty"),
            (["", "", "1", "A/B", "", "1", "1"], "stock code"),
            (["", "", "1", "A@2", "", "1", "1"], "stock code"),
            (["", "", "1", "..", "", "1", "1"], "stock code"),
            (["", "", "1", "A", "", "1.5", "1"], "quantity"),
            (["", "", "1", "A", "", "1", "one"], "price"),
            (["", "1 2", "1", "A", "", "1", "1"], "customer id"),
        ] {
            let reason = parse(&fields).unwrap_err();
            assert!(reason.contains(words), "{fields:?}: {reason}");
        }
        assert_eq!(parse(&["", "", "1", "BANK CHARGES", "", "1", "1"]).unwrap().customer, None);
    }
}
