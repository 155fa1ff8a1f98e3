//! What the log says of an import. Its orders are those that its own commands have placed, whatever the journal says.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use reqwest::Response;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::call::{As, Call};
use super::journal::{Known, WHOLE};
use super::keys::Keys;
use super::plan::{Invoice, Plan, Sale};
use super::reconciliation::{Money, Sums};
use super::shop::Shop;

/// How often the log is read anew when its transfer breaks off.
const ATTEMPTS_MAX: usize = 5;
/// What is read of the log.
const EVENTS: &str =
    "/v1/events?category=order&type=OrderPlaced,OrderRefunded,OrderPaymentFailed,OrderCancelled";

/// An order that a command of this import has placed.
#[derive(Debug)]
struct Order {
    invoice: String,
    sold: Money,
    refunded: Vec<Money>,
    /// It was never paid, or was called off.
    given_up: bool,
}

/// All of them, by their ids.
#[derive(Debug, Default)]
pub(super) struct Logged {
    orders: BTreeMap<String, Order>,
    /// Where the log was read to.
    pub(super) token: Option<String>,
}

/// What comes of it.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) orders: HashSet<String>,
    pub(super) sums: Sums,
    /// Where the log and the journal do not have the same orders.
    pub(super) differences: Vec<String>,
}

#[derive(Deserialize)]
struct Recorded {
    stream: String,
    #[serde(rename = "type")]
    name: String,
    command_id: Uuid,
    data: Value,
}

/// The commands that place the orders of a plan. The API takes a key that is a UUID as the command's id.
pub(super) fn commands(plan: &Plan, keys: Keys) -> HashMap<Uuid, String> {
    sales(plan).map(|sale| (keys.of(&["order", &sale.number]), sale.number.clone())).collect()
}

fn sales(plan: &Plan) -> impl Iterator<Item = &Sale> {
    plan.invoices.iter().filter_map(|invoice| match invoice {
        Invoice::Sale(sale) => Some(sale),
        Invoice::GiveBack(_) => None,
    })
}

/// Reads the log.
pub(super) async fn read(shop: &Arc<Shop>, commands: &HashMap<Uuid, String>) -> Result<Logged> {
    let mut attempt = 1;
    loop {
        match read_once(shop, commands).await {
            Err(_) if attempt < ATTEMPTS_MAX => attempt += 1,
            read => return read.context("the log cannot be read"),
        }
    }
}

/// A token for everything that has happened to an order so far.
pub(super) async fn now(shop: &Shop, order_id: &str) -> Result<Option<String>> {
    let call = Call::get(format!("/v1/events?stream=order-{order_id}&limit=1"), As::Analyst);
    let response =
        shop.open_stream(&call).await.map_err(|failure| failure.fatal("the log cannot be read"))?;
    Ok(token_of(&response))
}

fn token_of(response: &Response) -> Option<String> {
    let token = response.headers().get("consistency-token")?;
    token.to_str().ok().map(str::to_owned)
}

async fn read_once(shop: &Shop, commands: &HashMap<Uuid, String>) -> Result<Logged> {
    let call = Call::get(EVENTS, As::Analyst);
    let mut response = shop.open_stream(&call).await.map_err(|failure| failure.fatal("no events"))?;
    let (mut logged, mut rest) = (Logged { token: token_of(&response), ..Logged::default() }, Vec::new());
    while let Some(chunk) = response.chunk().await.context("the transfer broke off")? {
        rest.extend_from_slice(&chunk);
        let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { continue };
        let whole: Vec<u8> = rest.drain(..=end).collect();
        let mut lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.try_for_each(|line| logged.add(commands, line))?;
    }
    if !rest.is_empty() {
        logged.add(commands, &rest)?;
    }
    Ok(logged)
}

impl Logged {
    /// Takes one event of the log in.
    fn add(&mut self, commands: &HashMap<Uuid, String>, line: &[u8]) -> Result<()> {
        let event: Recorded = serde_json::from_slice(line).context("an event of the log cannot be read")?;
        let Some(id) = event.stream.strip_prefix("order-") else { return Ok(()) };
        if event.name == "OrderPlaced" {
            if let Some(invoice) = commands.get(&event.command_id) {
                let (invoice, sold) = (invoice.clone(), Money::deserialize(&event.data["total"])?);
                let order = Order { invoice, sold, refunded: Vec::new(), given_up: false };
                self.orders.insert(id.to_owned(), order);
            }
            return Ok(());
        }
        let Some(order) = self.orders.get_mut(id) else { return Ok(()) };
        match event.name.as_str() {
            "OrderRefunded" => order.refunded.push(Money::deserialize(&event.data["amount"])?),
            "OrderPaymentFailed" | "OrderCancelled" => order.given_up = true,
            _ => {}
        }
        Ok(())
    }

    /// The sums of these orders, and whether the journal knows of each of them. An order that was refused for want of money is
    /// in the log, but sells nothing.
    pub(super) fn compare(&self, plan: &Plan, known: &Known) -> Result<Compared> {
        let mut compared = Compared::default();
        let mut given_up = HashSet::new();
        for (id, order) in &self.orders {
            let invoice = &order.invoice;
            let difference = match (known.order(invoice), known.refusal(invoice, WHOLE)) {
                (Some(expected), _) if expected == id => None,
                (Some(expected), _) => Some(format!("has the order {id} as well as {expected}")),
                (None, Some(_)) if order.given_up && given_up.insert(invoice) => continue,
                (None, Some(reason)) => Some(format!("has the order {id}, and was refused ({reason})")),
                (None, None) => Some(format!("has the order {id}, of which the journal knows nothing")),
            };
            let named = difference.map(|difference| format!("invoice {invoice} {difference}"));
            compared.differences.extend(named);
            compared.count(id, order)?;
        }
        for sale in sales(plan) {
            if let Some(id) = known.order(&sale.number).filter(|id| !self.orders.contains_key(*id)) {
                let missing = format!("invoice {}: its order {id} is not in the log", sale.number);
                compared.differences.push(missing);
            }
        }
        Ok(compared)
    }
}

impl Compared {
    fn count(&mut self, id: &str, order: &Order) -> Result<()> {
        let overflow = || anyhow!("the sum of the log is too large");
        let sum = self.sums.entry(order.sold.currency.clone()).or_default();
        sum.sold = sum.sold.checked_add(order.sold.amount).ok_or_else(overflow)?;
        for refund in &order.refunded {
            let sum = self.sums.entry(refund.currency.clone()).or_default();
            sum.refunded = sum.refunded.checked_add(refund.amount).ok_or_else(overflow)?;
        }
        self.orders.insert(id.to_owned());
        Ok(())
    }
}

#[cfg(test)]
#[path = "logged_tests.rs"]
mod tests;
