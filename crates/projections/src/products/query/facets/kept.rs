//! Facets that are read from the counts that the projection keeps.

use domain::Currency;
use sqlx::{Postgres, QueryBuilder};

use super::{ATTRIBUTE_VALUES_MAX, Facet};
use crate::Reads;
use crate::products::counts;
use crate::products::query::Search;
use crate::products::query::conditions::Filter;
use crate::products::query::terms::Terms;

/// The scope that a facet is kept in, and whether only of what is in stock. `None`: something else narrows it.
pub(super) fn place<'a>(search: &'a Search, terms: Option<&Terms>, facet: Facet) -> Option<(&'a str, bool)> {
    let narrows = |filter| search.filters(filter) && facet.own() != Some(filter);
    if terms.is_some() || search.sorts_prices() || narrows(Filter::Brand) || narrows(Filter::Price) {
        return None;
    }
    let category = search.category.as_deref().filter(|_| narrows(Filter::Category));
    let in_stock = search.in_stock.filter(|_| narrows(Filter::Stock));
    let only_in_stock = in_stock.unwrap_or(false);
    // What is sold out is not counted apart.
    (in_stock != Some(false)).then_some((category.map_or(Some(""), counts::scope)?, only_in_stock))
}

/// Their counts: `SELECT facet, name, value, products …`.
pub(super) fn push(
    sql: &mut QueryBuilder<Postgres>,
    search: &Search,
    terms: Option<&Terms>,
    facets: &[Facet],
) {
    let placed = facets.iter().filter_map(|facet| Some((*facet, place(search, terms, *facet)?)));
    for (number, (facet, (scope, only_in_stock))) in placed.enumerate() {
        sql.push(if number == 0 { "" } else { " UNION ALL " });
        sql.push("(SELECT facet, name, value, products FROM ");
        sql.push(if facet == Facet::Attributes {
            "(SELECT *, row_number() OVER (PARTITION BY name ORDER BY products DESC, value) AS place \
             FROM product_counts"
        } else {
            "product_counts"
        });
        sql.push(" WHERE scope = ").push_bind(scope.to_owned());
        sql.push(" AND only_in_stock = ").push_bind(only_in_stock);
        sql.push(format!(" AND facet = '{}'", facet.name()));
        match facet {
            Facet::Attributes => {
                sql.push(") ranked WHERE place <= ").push_bind(ATTRIBUTE_VALUES_MAX);
            }
            Facet::Of(Filter::Price) => {
                sql.push(" AND name = ").push_bind(search.currency.code());
            }
            _ => {}
        }
        sql.push(")");
    }
}

/// Whether everything that is published has a price in that currency.
pub(super) async fn all_priced(pool: impl Reads<'_>, currency: Currency) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT COALESCE(sum(products) FILTER (WHERE facet = 'total') \
         = sum(products) FILTER (WHERE facet = 'price_range' AND name = $1), false) \
         FROM product_counts WHERE scope = '' AND NOT only_in_stock AND facet IN ('total', 'price_range')",
    )
    .bind(currency.code())
    .fetch_one(pool)
    .await
}
