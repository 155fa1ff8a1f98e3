//! The conditions of a search as SQL. Whatever comes from outside is bound; only codes of known currencies and names of
//! languages with an index of their own are written out, so that the indexes over them can be used.

use domain::Currency;
use domain::text::Locale;
use sqlx::{Postgres, QueryBuilder};

use super::terms::Terms;
use super::{Search, Sort};

/// A filter that has a facet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    Category,
    Brand,
    Price,
    Stock,
}

impl Search {
    /// Whether something is filtered by it.
    pub(super) fn filters(&self, filter: Filter) -> bool {
        match filter {
            Filter::Category => self.category.is_some(),
            Filter::Brand => self.brand.is_some(),
            Filter::Price => self.price_min.is_some() || self.price_max.is_some(),
            Filter::Stock => self.in_stock.is_some(),
        }
    }

    /// Whether prices decide the order. What has none is left out then.
    pub(super) fn sorts_prices(&self) -> bool {
        matches!(self.sort, Some(Sort::PriceAsc | Sort::PriceDesc))
    }
}

/// The price of a product `p` in that currency: null when it has none.
pub(super) fn price(currency: Currency) -> String {
    format!("(p.prices -> '{}')::bigint", currency.code())
}

/// The name of a product `p` that it is sorted by.
pub(super) fn push_sort_name(sql: &mut QueryBuilder<Postgres>, locale: &Locale) {
    let name = match locale.as_str() {
        "ko" => "(p.sort_names ->> 'ko') COLLATE \"C\"",
        "en" => "(p.sort_names ->> 'en') COLLATE \"C\"",
        "ja" => "(p.sort_names ->> 'ja') COLLATE \"C\"",
        other => {
            let language = other.split('-').next().unwrap_or(other);
            sql.push("COALESCE(p.sort_names ->> ").push_bind(other.to_owned());
            sql.push(", p.sort_names ->> ").push_bind(language.to_owned());
            ", p.sort_names ->> 'ko') COLLATE \"C\""
        }
    };
    sql.push(name);
}

/// ` AND …`: what the filters let pass of products `p`, without one of them.
pub(super) fn push_filters(sql: &mut QueryBuilder<Postgres>, search: &Search, without: Option<Filter>) {
    let wanted = |filter| Some(filter) != without;
    if let Some(category) = search.category.as_deref().filter(|_| wanted(Filter::Category)) {
        // All that begins with `shoes/`: the character after `/` is `0`.
        sql.push(" AND (p.category = ").push_bind(category.to_owned());
        sql.push(" OR (p.category >= ").push_bind(format!("{category}/"));
        sql.push(" AND p.category < ").push_bind(format!("{category}0")).push("))");
    }
    if let Some(brand) = search.brand.as_deref().filter(|_| wanted(Filter::Brand)) {
        sql.push(" AND p.brand = ").push_bind(brand.to_owned());
    }
    if let Some(in_stock) = search.in_stock.filter(|_| wanted(Filter::Stock)) {
        sql.push(if in_stock { " AND p.available > 0" } else { " AND p.available <= 0" });
    }
    let price = price(search.currency);
    if let Some(least) = search.price_min.filter(|_| wanted(Filter::Price)) {
        sql.push(" AND ").push(&price).push(" >= ").push_bind(least);
    }
    if let Some(most) = search.price_max.filter(|_| wanted(Filter::Price)) {
        sql.push(" AND ").push(&price).push(" <= ").push_bind(most);
    }
    if search.sorts_prices() {
        sql.push(" AND ").push(&price).push(" IS NOT NULL");
    }
}

/// ` FROM … WHERE …`: published products `p`, with their texts `t` when something is searched for: those that hold all words.
/// The index finds what holds all parts of the words; the words themselves are looked for in what it finds.
pub(super) fn push_texts(sql: &mut QueryBuilder<Postgres>, terms: Option<&Terms>) {
    let Some(terms) = terms else {
        sql.push(" FROM products p WHERE p.published");
        return;
    };
    sql.push(" FROM products p JOIN product_texts t USING (product_id) WHERE p.published");
    for word in terms.words.iter().filter(|word| word.chars().count() > 2) {
        sql.push(" AND strpos(t.folded, ").push_bind(word.clone()).push(") > 0");
    }
    sql.push(" AND t.parts @@ ").push_bind(terms.parts()).push("::tsquery");
}

/// How well a product fits what is searched for: 4 is best.
pub(super) fn push_score(sql: &mut QueryBuilder<Postgres>, terms: Option<&Terms>) {
    let Some(terms) = terms else {
        sql.push("0");
        return;
    };
    let phrase = &terms.phrase;
    for (score, held) in [("4", format!("\n{phrase}\n")), ("3", format!("\n{phrase}")), ("2", phrase.clone())]
    {
        sql.push(if score == "4" { "CASE" } else { "" });
        sql.push(" WHEN strpos(t.names, ").push_bind(held).push(") > 0 THEN ").push(score);
    }
    sql.push(" WHEN true");
    for word in &terms.words {
        sql.push(" AND strpos(t.names, ").push_bind(word.clone()).push(") > 0");
    }
    sql.push(" THEN 1 ELSE 0 END");
}
