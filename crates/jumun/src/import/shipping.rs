//! An order's way to its buyer: paid, sent, arrived.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::call::{Answer, As, Call, Failure};
use super::journal::WHOLE;
use super::plan::Sale;
use super::player::Player;

/// How long a payment may take; after that the run ends, and another one goes on.
const SETTLED_MAX: Duration = Duration::from_secs(300);
const POLL_MIN: Duration = Duration::from_millis(50);
const POLL_MAX: Duration = Duration::from_millis(500);

impl Player {
    /// Follows an order until it is paid, sends it, and says that it has arrived. `false`: it was not paid.
    pub(super) async fn finish(&self, sale: &Sale, placed: &Answer) -> Result<bool> {
        let order_id = placed.text("order_id")?;
        let mut status = placed.text("status")?.to_owned();
        let (begun, mut poll) = (Instant::now(), POLL_MIN);
        while status == "pending_payment" {
            if begun.elapsed() > SETTLED_MAX {
                bail!("invoice {}: the payment of its order {order_id} is not settled", sale.number);
            }
            tokio::time::sleep(poll).await;
            poll = (poll * 2).min(POLL_MAX);
            let shown = self.show(order_id, placed.token.as_deref()).await?;
            status = shown.text("status")?.to_owned();
        }
        if matches!(status.as_str(), "payment_failed" | "cancelled") {
            self.journal.refused(&sale.number, WHOLE, &format!("the order is {status}"))?;
            return Ok(false);
        }
        for shipment in self.ship(sale, order_id).await? {
            let path = format!("/v1/orders/{order_id}/shipments/{shipment}/delivered");
            let call = Call::post(path, As::Staff, json!({})).key(self.key(sale, "delivered"));
            let delivered = self.shop.send(&call).await;
            let what = || format!("invoice {}: its shipment cannot arrive", sale.number);
            delivered.map_err(|failure| failure.fatal(&what()))?;
        }
        Ok(true)
    }

    async fn ship(&self, sale: &Sale, order_id: &str) -> Result<Vec<String>> {
        let what = || format!("invoice {}: its order cannot be sent", sale.number);
        let path = format!("/v1/orders/{order_id}/shipments");
        let body = json!({"carrier": "Import", "tracking_number": sale.number});
        let call = Call::post(path, As::Staff, body).key(self.key(sale, "shipment"));
        match self.shop.send(&call).await {
            Ok(answer) => Ok(vec![answer.text("shipment_id")?.to_owned()]),
            // Somebody else of the staff has sent it, or this run has another name than the one before.
            Err(Failure::Refused(refusal)) if refusal.code == "nothing-to-ship" => {
                let way = Call::get(format!("/v1/orders/{order_id}/tracking"), As::Staff);
                let way = self.shop.send(&way).await.map_err(|failure| failure.fatal(&what()))?;
                let shipments = way.body["shipments"].as_array().cloned().unwrap_or_default();
                let id = |shipment: &Value| shipment["shipment_id"].as_str().map(str::to_owned);
                Ok(shipments.iter().filter_map(id).collect())
            }
            Err(failure) => Err(failure.fatal(&what())),
        }
    }
}
