//! What the file says, and what the query API says; what the log says is [`super::logged`]'s.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use anyhow::{Result, anyhow};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;

use super::call::{As, Call};
use super::journal::Known;
use super::plan::{Invoice, Plan};
use super::shop::Shop;

/// So many orders are asked for at once.
const QUERIES_AT_ONCE: usize = 8;

/// Minor units of one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) sold: i64,
    pub(super) refunded: i64,
}

/// Sums by currency.
pub(super) type Sums = BTreeMap<String, Sum>;

/// What the file says, without what was rejected; and how much that is.
#[derive(Debug, Default)]
pub(super) struct Played {
    pub(super) sums: Sums,
    pub(super) invoices: usize,
    pub(super) returns: usize,
    /// Lines that the shop has refused, with the reason.
    pub(super) rejected: BTreeMap<u64, String>,
}

/// What of the plan was played.
pub(super) fn played(plan: &Plan, known: &Known) -> Played {
    let mut played = Played::default();
    let mut sum = Sum::default();
    for invoice in &plan.invoices {
        let before = (sum, played.returns);
        match invoice {
            Invoice::Sale(sale) => {
                for item in &sale.items {
                    match known.refusal(&sale.number, item.sku.as_str()) {
                        None => sum.sold += item.total,
                        Some(reason) => reject(&mut played, &item.lines, reason),
                    }
                }
            }
            Invoice::GiveBack(back) => {
                for part in &back.parts {
                    match known.refusal(&back.number, &part.sale) {
                        None => {
                            sum.refunded += part.amount;
                            played.returns += 1;
                        }
                        Some(reason) => reject(&mut played, &part.lines, reason),
                    }
                }
            }
        }
        played.invoices += usize::from(before != (sum, played.returns));
    }
    played.sums.insert(plan.currency.code().to_owned(), sum);
    played
}

fn reject(played: &mut Played, lines: &[u64], reason: &str) {
    for line in lines {
        played.rejected.insert(*line, reason.to_owned());
    }
}

/// An amount as the APIs write it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Money {
    pub(super) amount: i64,
    pub(super) currency: String,
}

/// What the query API says of these orders, once it has reached `token`.
pub(super) async fn of_query(
    shop: &Arc<Shop>,
    orders: &HashSet<String>,
    token: Option<&str>,
) -> Result<Sums> {
    let one = |order_id: String| {
        let shop = shop.clone();
        let call = Call::get(format!("/v1/orders/{order_id}"), As::Staff).after(token);
        async move {
            let answer = shop.send(&call).await;
            answer.map_err(|failure| failure.fatal(&format!("the order {order_id} cannot be read")))
        }
    };
    let mut answers = stream::iter(orders.clone()).map(one).buffer_unordered(QUERIES_AT_ONCE);
    let mut sums = Sums::new();
    while let Some(answer) = answers.try_next().await? {
        let (total, refunded) =
            (Money::deserialize(&answer.body["total"])?, Money::deserialize(&answer.body["refunded"])?);
        let sum = sums.entry(total.currency).or_default();
        let overflow = || anyhow!("the sum of the orders is too large");
        sum.sold = sum.sold.checked_add(total.amount).ok_or_else(overflow)?;
        sum.refunded = sum.refunded.checked_add(refunded.amount).ok_or_else(overflow)?;
    }
    Ok(sums)
}
