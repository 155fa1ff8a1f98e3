//! What the file says, what the log says, what the query API says.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::Value;

use super::call::{As, Call};
use super::journal::Known;
use super::plan::{Invoice, Plan};
use super::shop::Shop;

/// How often the log is read anew when its transfer breaks off.
const ATTEMPTS_MAX: usize = 5;
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
    pub(super) orders: HashSet<String>,
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
                played.orders.extend(known.order(&sale.number).map(str::to_owned));
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

#[derive(Deserialize)]
struct Money {
    amount: i64,
    currency: String,
}

#[derive(Deserialize)]
struct Recorded {
    stream: String,
    #[serde(rename = "type")]
    name: String,
    data: Value,
}

/// Folds one event of the log into the sums.
fn add(sums: &mut Sums, orders: &HashSet<String>, line: &[u8]) -> Result<()> {
    let event: Recorded = serde_json::from_slice(line).context("an event of the log cannot be read")?;
    if !event.stream.strip_prefix("order-").is_some_and(|id| orders.contains(id)) {
        return Ok(());
    }
    let money = |field: &str| -> Result<Money> { Ok(Money::deserialize(&event.data[field])?) };
    let (sold, refunded) = match event.name.as_str() {
        "OrderPlaced" => (money("total")?, None),
        "OrderRefunded" => (Money { amount: 0, ..money("amount")? }, Some(money("amount")?.amount)),
        _ => return Ok(()),
    };
    let sum = sums.entry(sold.currency).or_default();
    let overflow = || anyhow!("the sum of the log is too large");
    sum.sold = sum.sold.checked_add(sold.amount).ok_or_else(overflow)?;
    sum.refunded = sum.refunded.checked_add(refunded.unwrap_or_default()).ok_or_else(overflow)?;
    Ok(())
}

/// What the log says of these orders, and the token of where it was read to.
pub(super) async fn of_log(shop: &Shop, orders: &HashSet<String>) -> Result<(Sums, Option<String>)> {
    let mut attempt = 1;
    loop {
        match read_log(shop, orders).await {
            Err(_) if attempt < ATTEMPTS_MAX => attempt += 1,
            read => return read.context("the log cannot be read"),
        }
    }
}

async fn read_log(shop: &Shop, orders: &HashSet<String>) -> Result<(Sums, Option<String>)> {
    let call = Call::get("/v1/events?category=order&type=OrderPlaced,OrderRefunded", As::Analyst);
    let mut response = shop.open_stream(&call).await.map_err(|failure| failure.fatal("no events"))?;
    let token = response.headers().get("consistency-token").and_then(|value| value.to_str().ok());
    let token = token.map(str::to_owned);
    let (mut sums, mut rest) = (Sums::new(), Vec::new());
    while let Some(chunk) = response.chunk().await.context("the transfer broke off")? {
        rest.extend_from_slice(&chunk);
        let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { continue };
        let whole: Vec<u8> = rest.drain(..=end).collect();
        let lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.into_iter().try_for_each(|line| add(&mut sums, orders, line))?;
    }
    if !rest.is_empty() {
        add(&mut sums, orders, &rest)?;
    }
    Ok((sums, token))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_log_is_summed_for_these_orders_only() {
        let orders = HashSet::from(["1".to_owned()]);
        let mut sums = Sums::new();
        let money = |amount: i64| json!({"amount": amount, "currency": "GBP"});
        for event in [
            json!({"stream": "order-1", "type": "OrderPlaced", "data": {"total": money(700)}}),
            json!({"stream": "order-2", "type": "OrderPlaced", "data": {"total": money(900)}}),
            json!({"stream": "order-1", "type": "OrderRefunded", "data": {"amount": money(30)}}),
            json!({"stream": "order-1", "type": "OrderConfirmed", "data": {}}),
        ] {
            add(&mut sums, &orders, event.to_string().as_bytes()).unwrap();
        }
        assert_eq!(sums, Sums::from([("GBP".to_owned(), Sum { sold: 700, refunded: 30 })]));
        assert!(add(&mut sums, &orders, b"{\"stream\":").is_err());
    }
}
