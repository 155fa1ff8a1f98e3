//! The parameters of the catalogue's calls, parsed once. A parameter that is empty counts as left out, as forms send it.

use std::str::FromStr;

use domain::Currency;
use domain::text::{Locale, bounded};
use http_surface::auth::Keys;
use projections::products::query::{Search, Sort};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::recent::apart_from_page;
use crate::error::Error;
use crate::page;

/// The name of the list, for its cursors.
const LIST: &str = "products";
/// Characters of what is searched for.
const Q_MAX: usize = 200;
/// Characters of a category or a brand, as long as the longest there can be.
const NAME_MAX: usize = 200;
/// Recommendations of one answer, and suggestions.
const FEW_MAX: u32 = 50;
const FEW_DEFAULT: u32 = 10;

/// Which products.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Words that must all occur, each anywhere in the name (of any language), the brand, the category or the SKU. Parts of
    /// words are found as well: `동화` finds 운동화. Case, full width and composition do not matter. At most 200 characters.
    #[param(max_length = 200, example = "운동화")]
    q: Option<String>,
    /// Only in this category and those below it: `shoes` has what `shoes/running` has.
    #[param(example = "shoes")]
    category: Option<String>,
    /// Only of this brand, written as the facet writes it.
    #[param(example = "나이키")]
    brand: Option<String>,
    /// Only what costs at least this, in minor units of `currency`; what has no price in it is left out.
    #[param(value_type = Option<i64>, minimum = 0)]
    price_min: Option<String>,
    /// Only what costs at most this, in minor units of `currency`; what has no price in it is left out.
    #[param(value_type = Option<i64>, minimum = 0)]
    price_max: Option<String>,
    /// `true`: only what can be bought now; `false`: only what is sold out.
    #[param(value_type = Option<bool>)]
    in_stock: Option<String>,
    /// `relevance` (when there is a `q` and nothing else is asked for), `newest` (when there is none), `price_asc`,
    /// `price_desc` (both leave out what has no price in `currency`) or `name`. By relevance: the name itself, names that begin
    /// with `q`, names that hold it, then brand, category and SKU; among equals what is bought most.
    #[param(example = "price_asc")]
    sort: Option<String>,
    /// The language of names; `ko` when it is left out.
    #[param(example = "ko")]
    locale: Option<String>,
    /// The currency of prices (ISO 4217), `KRW` when it is left out. What has no price in it is listed with `price: null`,
    /// unless prices are filtered or sorted by.
    #[param(example = "KRW")]
    currency: Option<String>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// At most so many, 1 to 100; 20 when it is left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

impl Asked {
    /// The search that is asked for, from where the last page ended.
    pub(super) fn search(&self, keys: &Keys) -> Result<Search, Error> {
        let (price_min, price_max) = self.prices()?;
        let category = text("category", self.category.as_deref(), NAME_MAX)?;
        let mut search = Search {
            q: text("q", self.q.as_deref(), Q_MAX)?,
            category: category.map(|path| path.trim_matches('/').to_owned()).filter(|path| !path.is_empty()),
            brand: text("brand", self.brand.as_deref(), NAME_MAX)?,
            price_min,
            price_max,
            in_stock: parsed("in_stock", self.in_stock.as_deref(), "must be true or false")?,
            sort: self.sort()?,
            locale: locale(self.locale.as_deref())?,
            currency: currency(self.currency.as_deref())?,
            after: None,
            limit: page::limit(parsed("limit", self.limit.as_deref(), "must be 1 to 100")?)?,
        };
        search.after = page::after(keys, LIST, &apart_from_page(&search), given(self.cursor.as_deref()))?;
        Ok(search)
    }

    fn prices(&self) -> Result<(Option<i64>, Option<i64>), Error> {
        let amount = |name, text: &Option<String>| {
            let rule = "must be a whole number of minor units, 0 or more";
            let amount: Option<i64> = parsed(name, text.as_deref(), rule)?;
            if amount.is_some_and(|amount| amount < 0) { Err(wrong(name, rule)) } else { Ok(amount) }
        };
        let (least, most) = (amount("price_min", &self.price_min)?, amount("price_max", &self.price_max)?);
        if least.zip(most).is_some_and(|(least, most)| least > most) {
            return Err(wrong("price_min", "must not be above price_max"));
        }
        Ok((least, most))
    }

    fn sort(&self) -> Result<Option<Sort>, Error> {
        let Some(name) = given(self.sort.as_deref()) else { return Ok(None) };
        let sort = serde_json::from_value(name.into());
        sort.map(Some).map_err(|_| wrong("sort", "must be relevance, newest, price_asc, price_desc or name"))
    }
}

/// The cursor for what follows. It is good for the same search, however it is written: what was answered is given again to whoever asks for
/// the same in other words.
pub(super) fn cursor(keys: &Keys, search: &Search, key: impl Serialize) -> Result<String, Error> {
    page::cursor(keys, LIST, &apart_from_page(search), key)
}

/// How to show what is recommended.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Shown {
    /// The language of names; `ko` when it is left out.
    #[param(example = "ko")]
    locale: Option<String>,
    /// The currency of prices (ISO 4217); `KRW` when it is left out. What has no price in it has `price: null`.
    #[param(example = "KRW")]
    currency: Option<String>,
    /// At most so many, 1 to 50; 10 when it is left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 50)]
    limit: Option<String>,
}

impl Shown {
    /// The language, the currency, and how many.
    pub(super) fn parse(&self) -> Result<(Locale, Currency, u32), Error> {
        Ok((
            locale(self.locale.as_deref())?,
            currency(self.currency.as_deref())?,
            few(self.limit.as_deref())?,
        ))
    }
}

/// What was typed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Typed {
    /// What was typed so far; at most 200 characters.
    #[param(max_length = 200, example = "에어")]
    q: String,
    /// The language of names; `ko` when it is left out.
    #[param(example = "ko")]
    locale: Option<String>,
    /// At most so many, 1 to 50; 10 when it is left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 50)]
    limit: Option<String>,
}

/// What was typed, the language, and how many.
pub(super) type Words = (String, Locale, u32);

impl Typed {
    /// The words to suggest something for.
    pub(super) fn parse(&self) -> Result<Words, Error> {
        let q = text("q", Some(&self.q), Q_MAX)?.unwrap_or_default();
        Ok((q, locale(self.locale.as_deref())?, few(self.limit.as_deref())?))
    }
}

fn wrong(name: &'static str, rule: impl Into<String>) -> Error {
    Error::Parameter { name, rule: rule.into() }
}

fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn text(name: &'static str, text: Option<&str>, most: usize) -> Result<Option<String>, Error> {
    let Some(text) = given(text) else { return Ok(None) };
    let text = bounded(name, text, 0..=most).map_err(|invalid| wrong(name, invalid.rule))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn parsed<T: FromStr>(name: &'static str, text: Option<&str>, rule: &str) -> Result<Option<T>, Error> {
    given(text).map(|text| text.parse().map_err(|_| wrong(name, rule))).transpose()
}

fn locale(text: Option<&str>) -> Result<Locale, Error> {
    Locale::parse(given(text).unwrap_or("ko")).map_err(|invalid| wrong("locale", invalid.rule))
}

fn currency(code: Option<&str>) -> Result<Currency, Error> {
    let Some(code) = given(code) else { return Ok(Currency::KRW) };
    Currency::parse(code)
        .map_err(|_| wrong("currency", "must be a code of ISO 4217, in capitals, such as KRW"))
}

fn few(limit: Option<&str>) -> Result<u32, Error> {
    let rule = format!("must be 1 to {FEW_MAX}");
    let limit = parsed("limit", limit, &rule)?.unwrap_or(FEW_DEFAULT);
    if (1..=FEW_MAX).contains(&limit) { Ok(limit) } else { Err(wrong("limit", rule)) }
}
