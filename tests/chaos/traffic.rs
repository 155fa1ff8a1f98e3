//! Who does what: buyers with the staff that serves them, and keepers of stock who look at what they wrote.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::client::{Ask, By, Client};
use super::history::{History, Outcome};
use super::random::Random;
use crate::shop::order_body;

/// What a buyer says to pay with: what the gateway then does.
const PAYMENTS: &[&str] = &[
    "approve",
    "approve",
    "approve",
    "decline",
    "slow",
    "timeout_after_charge",
    "webhook_late",
    "webhook_twice",
    "webhook_reordered",
];
/// Looks at an order until it is settled; then the next one is bought, whatever became of it.
const LOOKS: u32 = 25;

/// What becomes of an order that is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Left,
    CancelledAtOnce,
    CancelledLater,
    Shipped,
    Delivered,
    Returned,
    Refunded,
}

const ENDINGS: &[Ending] = &[
    Ending::Left,
    Ending::CancelledAtOnce,
    Ending::CancelledLater,
    Ending::Shipped,
    Ending::Delivered,
    Ending::Returned,
    Ending::Refunded,
];

/// One purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Purchase {
    /// What, and how many pieces; in any order, so that orders meet at the same items from both sides.
    lines: Vec<(String, u64)>,
    payment: &'static str,
    ending: Ending,
    /// The order is sent to both nodes at once.
    twice: bool,
}

impl Purchase {
    pub(super) fn next(random: &mut Random, skus: &[String]) -> Self {
        let mut skus = skus.to_vec();
        random.shuffle(&mut skus);
        skus.truncate(usize::try_from(random.between(1, 2)).unwrap());
        Self {
            lines: skus.into_iter().map(|sku| (sku, random.between(1, 3))).collect(),
            payment: random.pick(PAYMENTS),
            ending: random.pick(ENDINGS),
            twice: random.percent(20),
        }
    }
}

/// Buys until it is told to stop; what it was told.
pub(super) async fn buyer(mut client: Client, skus: Vec<String>) -> History {
    while !client.world.stopped() {
        let purchase = Purchase::next(&mut client.plan, &skus);
        client.buy(&purchase).await;
    }
    client.history
}

impl Client {
    /// `None`: it went no further, since something was refused or is not known.
    async fn buy(&mut self, purchase: &Purchase) -> Option<()> {
        let cart = json!({"currency": "KRW", "locale": "ko"});
        let opened = self.command(Ask::post("open a cart", "/v1/carts", By::Nobody, cart)).await?;
        let (cart, guest) = (text(&opened, "cart_id"), text(&opened, "guest_token"));
        let by = By::Bearer(guest.clone());
        for (sku, quantity) in &purchase.lines {
            let (path, pieces) = (format!("/v1/carts/{cart}/items/{sku}"), json!({"quantity": quantity}));
            let item = Ask::post("set an item", path, by.clone(), pieces);
            self.command(Ask { method: Method::PUT, ..item }).await?;
        }
        let order =
            Ask::post("place an order", "/v1/orders", by.clone(), order_body(&cart, purchase.payment));
        let placed = self.command(Ask { twice: purchase.twice, ..order }).await?;
        let order = text(&placed, "order_id");
        self.sees_its_order(&order, &guest).await;
        self.end(purchase.ending, &order, &guest).await
    }

    /// Whoever asks with the token of an answer is shown what it did.
    async fn sees_its_order(&mut self, order: &str, guest: &str) {
        let token = self.token.clone();
        let path = format!("/v1/orders/{order}");
        let Some(shown) = self.query(&path, Some(guest), token.as_deref()).await else { return };
        if shown.status != StatusCode::OK || shown.body["order_id"] != *order {
            self.lied(format!("{order} was placed and is not shown: {shown:?}"));
        }
    }

    async fn end(&mut self, ending: Ending, order: &str, guest: &str) -> Option<()> {
        let cancel = |name| {
            let by = By::Bearer(guest.to_owned());
            Ask::post(name, format!("/v1/orders/{order}/cancel"), by, json!({"reason": "changed my mind"}))
        };
        if ending == Ending::CancelledAtOnce {
            self.command(cancel("cancel at once")).await?;
            return Some(());
        }
        if ending == Ending::Left || self.settled(order, guest).await? != "confirmed" {
            return Some(());
        }
        if ending == Ending::CancelledLater {
            self.command(cancel("cancel what is paid")).await?;
            return Some(());
        }
        self.serve(ending, order, guest).await
    }

    /// What the staff does with what is paid.
    async fn serve(&mut self, ending: Ending, order: &str, guest: &str) -> Option<()> {
        let orders = format!("/v1/orders/{order}");
        let parcel = json!({"carrier": "CJ", "tracking_number": "1"});
        let ship = Ask::post("ship", format!("{orders}/shipments"), By::Staff, parcel);
        let shipped = self.command(ship).await?;
        if ending == Ending::Shipped {
            return Some(());
        }
        let delivered = format!("{orders}/shipments/{}/delivered", text(&shipped, "shipment_id"));
        self.command(Ask::post("deliver", delivered, By::Staff, json!({}))).await?;
        match ending {
            Ending::Refunded => {
                let refund = json!({"amount": {"amount": 100, "currency": "KRW"}, "reason": "goodwill"});
                self.command(Ask::post("refund", format!("{orders}/refunds"), By::Staff, refund)).await?;
            }
            Ending::Returned => {
                let (by, why) = (By::Bearer(guest.to_owned()), json!({"reason": "too small"}));
                let asked =
                    self.command(Ask::post("ask to return", format!("{orders}/returns"), by, why)).await?;
                let received = format!("{orders}/returns/{}/received", text(&asked, "return_id"));
                let state = json!({"reason": "as new"});
                self.command(Ask::post("receive a return", received, By::Staff, state)).await?;
            }
            _ => {}
        }
        Some(())
    }

    /// What became of its payment, when that is seen in time.
    async fn settled(&mut self, order: &str, guest: &str) -> Option<String> {
        let token = self.token.clone();
        for _ in 0..LOOKS {
            let shown = self.query(&format!("/v1/orders/{order}"), Some(guest), token.as_deref()).await?;
            let status = shown.body["status"].as_str()?.to_owned();
            if status != "pending_payment" {
                return Some(status);
            }
            if self.world.stopped() {
                return None;
            }
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
        None
    }
}

/// Adds to a SKU of its own, asks with the token of every answer, and brings goods for everybody now and then.
pub(super) async fn keeper(mut client: Client, own: String, shared: Vec<String>) -> History {
    let (mut certain, mut perhaps) = (0, 0);
    while !client.world.stopped() {
        let pieces = i64::try_from(client.plan.between(1, 5)).unwrap();
        match client.receive(&own, pieces).await {
            Outcome::Acknowledged { .. } => certain += pieces,
            Outcome::Refused { .. } => {}
            Outcome::Unknown { .. } => perhaps += pieces,
        }
        // A refusal after a try that nobody knows of is none for certain.
        let doubted = client
            .history
            .ops
            .last()
            .is_some_and(|op| op.in_doubt > 0 && matches!(op.outcome, Outcome::Refused { .. }));
        perhaps += if doubted { pieces } else { 0 };
        client.sees_its_stock(&own, certain, perhaps).await;
        if client.plan.percent(30) {
            let (sku, pieces) =
                (client.plan.pick(&shared), i64::try_from(client.plan.between(1, 4)).unwrap());
            client.receive(&sku, pieces).await;
        }
    }
    client.history
}

impl Client {
    async fn receive(&mut self, sku: &str, pieces: i64) -> Outcome {
        let goods = json!({"quantity": pieces, "reason": "delivery"});
        self.command(Ask::post("receive goods", format!("/v1/stock/{sku}/receipts"), By::Staff, goods)).await;
        self.history.ops.last().unwrap().outcome.clone()
    }

    async fn sees_its_stock(&mut self, sku: &str, certain: i64, perhaps: i64) {
        let token = self.token.clone();
        let Some(shown) = self.query(&format!("/v1/stock/{sku}"), None, token.as_deref()).await else {
            return;
        };
        let on_hand = shown.body["on_hand"].as_i64();
        if token.is_some() && !on_hand.is_some_and(|pieces| (certain..=certain + perhaps).contains(&pieces)) {
            self.lied(format!("{sku}: {certain} and perhaps {perhaps} more were received, shown: {shown:?}"));
        }
    }
}

/// Searches and looks around without tokens.
pub(super) async fn visitor(mut client: Client, skus: Vec<String>) -> History {
    while !client.world.stopped() {
        let sku = client.plan.pick(&skus);
        let path = client.plan.pick(&[
            "/v1/products?q=%EC%9A%B4%EB%8F%99%ED%99%94&locale=ko&currency=KRW".to_owned(),
            "/v1/products?limit=5".to_owned(),
            format!("/v1/stock/{sku}"),
        ]);
        client.query(&path, None, None).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    client.history
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
}

#[test]
fn a_client_buys_the_same_with_the_same_seed() {
    let skus = ["A".to_owned(), "B".to_owned()];
    let of = |seed| {
        let mut random = Random::of(seed, 1);
        (0..50).map(|_| Purchase::next(&mut random, &skus)).collect::<Vec<_>>()
    };
    assert_eq!(of(3), of(3));
    assert_ne!(of(3), of(4));
}
