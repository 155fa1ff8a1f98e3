//! Facets that are counted among what is found.
//!
//! With words to search for, what holds them is found once, and every facet filters that. Without, what passes all filters is
//! found once, and each facet whose own filter is set is counted over an index of the others.

use sqlx::{Postgres, QueryBuilder};

use super::{ATTRIBUTE_VALUES_MAX, Facet};
use crate::products::counts::VALUE_CHARACTERS_MAX;
use crate::products::price_ranges;
use crate::products::query::Search;
use crate::products::query::conditions::{Filter, price, push_filters, push_texts};
use crate::products::query::terms::Terms;

impl Filter {
    /// The name of its facet, and of the column of its values in what is counted.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Brand => "brand",
            Self::Price => "price_range",
            Self::Stock => "in_stock",
        }
    }
}

/// `WITH found AS …`: what several facets share.
pub(super) fn push_what(
    sql: &mut QueryBuilder<Postgres>,
    search: &Search,
    terms: Option<&Terms>,
    facets: &[Facet],
) {
    if facets.is_empty() {
        return;
    }
    sql.push("WITH found AS MATERIALIZED (SELECT p.category, p.brand, p.available, p.prices, p.attributes");
    push_texts(sql, terms);
    if terms.is_none() {
        push_filters(sql, search, None);
    }
    sql.push(") ");
}

/// Their counts: `SELECT facet, name, value, count(*) …`.
pub(super) fn push(
    sql: &mut QueryBuilder<Postgres>,
    search: &Search,
    terms: Option<&Terms>,
    facets: &[Facet],
) {
    let set = |facet: &Facet| facet.own().filter(|own| search.filters(*own));
    let apart = facets.iter().filter_map(set);
    let together: Vec<Filter> =
        facets.iter().filter(|facet| set(facet).is_none()).filter_map(|facet| facet.own()).collect();
    let mut between = "";
    if facets.contains(&Facet::Total) {
        push_together(sql, search, terms, &together);
        sql.push(" UNION ALL ");
        push_attributes(sql, search, terms);
        between = " UNION ALL ";
    }
    for filter in apart {
        let column = filter.column();
        sql.push(between).push(format!("SELECT '{column}', NULL::text, {column}::text, count(*)"));
        push_counted(sql, search, terms, Some(filter));
        sql.push(" GROUP BY ").push(column);
        between = " UNION ALL ";
    }
}

/// The total, and these facets, over all that is found.
fn push_together(
    sql: &mut QueryBuilder<Postgres>,
    search: &Search,
    terms: Option<&Terms>,
    facets: &[Filter],
) {
    let each = |text: fn(&str) -> String| facets.iter().map(|facet| text(facet.column())).collect::<String>();
    let names = each(|column| format!(" WHEN grouping({column}) = 0 THEN '{column}'"));
    let values = each(|column| format!("{column}::text, "));
    let sets = each(|column| format!(", ({column})"));
    let facet =
        if facets.is_empty() { "'total'".to_owned() } else { format!("CASE{names} ELSE 'total' END") };
    sql.push(format!("SELECT {facet}, NULL::text, COALESCE({values}NULL), count(*)"));
    push_counted(sql, search, terms, None);
    sql.push(format!(" GROUP BY GROUPING SETS ((){sets})"));
}

/// ` FROM (…) counted`: what is counted, with the columns of [`Filter::column`].
fn push_counted(
    sql: &mut QueryBuilder<Postgres>,
    search: &Search,
    terms: Option<&Terms>,
    without: Option<Filter>,
) {
    sql.push(" FROM (SELECT p.category, p.brand, p.available > 0 AS in_stock, width_bucket(");
    sql.push(price(search.currency)).push(", ").push_bind(price_ranges::bounds(search.currency));
    sql.push(") AS price_range");
    push_found(sql, search, terms, without);
    sql.push(") counted");
}

fn push_attributes(sql: &mut QueryBuilder<Postgres>, search: &Search, terms: Option<&Terms>) {
    sql.push(
        "SELECT 'attribute', name, value, products FROM (SELECT name, value, products, \
         row_number() OVER (PARTITION BY name ORDER BY products DESC, value COLLATE \"C\") AS place \
         FROM (SELECT name, value, count(*) AS products FROM (SELECT p.attributes",
    );
    push_found(sql, search, terms, None);
    sql.push(
        ") counted, jsonb_each_text(counted.attributes) AS each (name, value) WHERE char_length(value) <= ",
    );
    sql.push_bind(VALUE_CHARACTERS_MAX as i32);
    sql.push(" GROUP BY name, value) each) ranked WHERE place <= ").push_bind(ATTRIBUTE_VALUES_MAX);
}

/// ` FROM … p WHERE …`: what is found, without one filter.
fn push_found(
    sql: &mut QueryBuilder<Postgres>,
    search: &Search,
    terms: Option<&Terms>,
    without: Option<Filter>,
) {
    match (terms, without) {
        (Some(_), _) => {
            sql.push(" FROM found p WHERE true");
            push_filters(sql, search, without);
        }
        (None, None) => {
            sql.push(" FROM found p");
        }
        (None, Some(_)) => {
            sql.push(" FROM products p WHERE p.published");
            push_filters(sql, search, without);
        }
    }
}
