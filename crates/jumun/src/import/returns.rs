//! A C invoice through the shop: a return to each order that its pieces were bought with, its arrival, its refund.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::call::{Answer, As, Call, Failure};
use super::logged;
use super::plan::{GiveBack, Part};
use super::player::Player;

/// How long the price of what was sent a moment ago may take to be captured: only then it can be given back.
const CAPTURED_MAX: Duration = Duration::from_secs(30);
/// How long a refund may take; after that the run ends, and another one goes on.
const REFUNDED_MAX: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(50);

impl Player {
    /// Plays a C invoice.
    pub(super) async fn give_back(&self, back: &GiveBack) -> Result<()> {
        for part in &back.parts {
            if self.journal.look(|known| known.refusal(&back.number, &part.sale).is_some()) {
                continue;
            }
            let order = self.journal.look(|known| known.order(&part.sale).map(str::to_owned));
            let played = match order {
                Some(order_id) => self.part(back, part, &order_id).await,
                None => self.without_order(back, part),
            };
            let what = || format!("a return of invoice {}", back.number);
            match played.map_err(|failure| failure.unless_of_the_key(&what())) {
                Ok(()) => {}
                Err(Failure::Refused(refusal)) => {
                    self.journal.refused(&back.number, &part.sale, &refusal.to_string())?;
                }
                Err(Failure::Broken(error)) => return Err(error),
            }
        }
        self.journal.done(&back.number, None)
    }

    fn without_order(&self, back: &GiveBack, part: &Part) -> Result<(), Failure> {
        let reason = format!("invoice {}, with which it was bought, has become no order", part.sale);
        Ok(self.journal.refused(&back.number, &part.sale, &reason)?)
    }

    async fn part(&self, back: &GiveBack, part: &Part, order_id: &str) -> Result<(), Failure> {
        let reason = format!("invoice {}", back.number);
        // The order may be as new as its return: a read model need not have it yet.
        let now = logged::now(&self.shop, order_id).await?;
        let shown = self.show(order_id, now.as_deref()).await?;
        let known = returns(&shown).iter().find(|known| known["reason"] == reason.as_str());
        let (return_id, received) = match known {
            Some(known) => (known["return_id"].as_str().map(str::to_owned), !known["received_at"].is_null()),
            None => (self.ask(back, part, order_id, &reason).await?, false),
        };
        let return_id = return_id.unwrap_or_default();
        let token = if received {
            shown.token
        } else {
            self.take(back, part, &format!("/v1/orders/{order_id}/returns/{return_id}/received")).await?
        };
        Ok(self.refunded(order_id, token.as_deref()).await?)
    }

    async fn ask(
        &self,
        back: &GiveBack,
        part: &Part,
        order_id: &str,
        reason: &str,
    ) -> Result<Option<String>, Failure> {
        let lines: Vec<_> =
            part.pieces.iter().map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity})).collect();
        let body = json!({"reason": reason, "lines": lines});
        let call = Call::post(format!("/v1/orders/{order_id}/returns"), As::Staff, body);
        let answer = self.shop.send(&call.key(self.keys.of(&["return", &back.number, &part.sale]))).await?;
        Ok(Some(answer.text("return_id")?.to_owned()))
    }

    /// The pieces have arrived: they are for sale again, and their money goes back.
    async fn take(&self, back: &GiveBack, part: &Part, path: &str) -> Result<Option<String>, Failure> {
        let amount = json!({"amount": part.amount, "currency": self.currency.code()});
        let body = json!({"amount": amount, "reason": format!("invoice {}", back.number), "restock": true});
        let call = Call::post(path, As::Staff, body);
        let call = call.key(self.keys.of(&["received", &back.number, &part.sale]));
        let begun = Instant::now();
        loop {
            match self.shop.send(&call).await {
                Ok(answer) => return Ok(answer.token),
                Err(Failure::Refused(refusal))
                    if refusal.code == "refund-too-high" && begun.elapsed() < CAPTURED_MAX =>
                {
                    tokio::time::sleep(POLL).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Waits until the order says that all its returns are paid back.
    async fn refunded(&self, order_id: &str, token: Option<&str>) -> Result<()> {
        let begun = Instant::now();
        loop {
            let shown = self.show(order_id, token).await?;
            let owed: i64 =
                returns(&shown).iter().filter_map(|known| known["refund"]["amount"].as_i64()).sum();
            if shown.body["refunded"]["amount"].as_i64().unwrap_or_default() >= owed {
                return Ok(());
            }
            if begun.elapsed() > REFUNDED_MAX {
                bail!("the refund of the order {order_id} is not settled");
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

fn returns(order: &Answer) -> &[Value] {
    order.body["returns"].as_array().map_or(&[], Vec::as_slice)
}
