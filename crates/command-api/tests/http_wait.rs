//! `Prefer: wait=N`.

use std::time::{Duration, Instant};

use domain::StreamId;
use domain::ids::OrderId;
use event_store::{Filter, Position};
use serde_json::json;

use crate::shop::{Answer, Call, Shop, order_body};

const DEADLINE: Duration = Duration::from_secs(30);

/// The order of a cart, as soon as the log has it.
async fn order_of(shop: &Shop, cart: &str) -> OrderId {
    let begun = Instant::now();
    loop {
        let filter = Filter { stream: StreamId::parse(&format!("cart-{cart}")), ..Filter::default() };
        for recorded in shop.store.read(Position(0), 1_000, &filter).await.unwrap() {
            if let domain::Event::Cart(domain::cart::Event::CheckedOut(out)) = recorded.event {
                return out.order_id;
            }
        }
        assert!(begun.elapsed() < DEADLINE, "no order is placed");
        tokio::task::yield_now().await;
    }
}

fn wait(cart: &str, guest: &str, seconds: u32) -> Call {
    Call::post("/v1/orders", order_body(cart)).bearer(guest).header("prefer", &format!("wait={seconds}"))
}

/// Places an order with a wait, settles it meanwhile, and answers.
async fn settled(shop: &Shop, yes: bool) -> Answer {
    let sku = shop.product(1).await;
    let (cart, guest) = shop.cart(&sku, 1).await;
    let waiting = shop.send(wait(&cart, &guest, 30));
    let settling = async {
        let order = order_of(shop, &cart).await;
        shop.settle(order, yes).await;
    };
    let begun = Instant::now();
    let (answer, ()) = tokio::join!(waiting, settling);
    assert!(begun.elapsed() < Duration::from_secs(20), "it did not wait for the time to pass");
    answer.expect(201)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_answered_when_it_is_paid() {
    let shop = Shop::open().await;
    let answer = settled(&shop, true).await;
    assert_eq!(answer.text("/status"), "confirmed");
    assert_eq!(answer.header("preference-applied"), Some("wait=30"));
    assert_eq!(answer.header("etag"), Some("\"v2\""));
    assert_eq!(answer.token(), shop.head().await, "a query with it shows that it is paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_answered_when_it_will_not_be_paid() {
    let shop = Shop::open().await;
    assert_eq!(settled(&shop, false).await.text("/status"), "payment_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_by_another_node_is_seen() {
    let shop = Shop::open().await;
    let sku = shop.product(1).await;
    let (cart, guest) = shop.cart(&sku, 1).await;
    let other = crate::given::engine(&shop.database.another_node(&shop.store).await);
    let cancelling = async {
        let order_id = order_of(&shop, &cart).await;
        let refund_id = domain::ids::RefundId(uuid::Uuid::now_v7());
        let (by, reason) = (domain::Actor::system("test"), "test".to_owned());
        let cancel = domain::checkout::Command::CancelOrder { order_id, by, reason, refund_id };
        crate::given::ask(&other, domain::Command::Checkout(cancel)).await.unwrap();
    };
    let (answer, ()) = tokio::join!(shop.send(wait(&cart, &guest, 30)), cancelling);
    assert_eq!(answer.expect(201).text("/status"), "cancelled");
}

#[tokio::test]
async fn nobody_waits_longer_than_they_want() {
    let shop = Shop::open().await;
    let sku = shop.product(2).await;
    for (seconds, least) in [(0, Duration::ZERO), (1, Duration::from_millis(900))] {
        let (cart, guest) = shop.cart(&sku, 1).await;
        let begun = Instant::now();
        let answer = shop.send(wait(&cart, &guest, seconds)).await.expect(201);
        assert!(begun.elapsed() >= least && begun.elapsed() < Duration::from_secs(15));
        assert_eq!(answer.text("/status"), "pending_payment");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_wait_at_once_and_each_hears_of_its_own() {
    let shop = Shop::open().await;
    let sku = shop.product(20).await;
    let orders = (0..20).map(|number| {
        let (shop, sku) = (&shop, &sku);
        async move {
            let (cart, guest) = shop.cart(sku, 1).await;
            let settling = async {
                let order = order_of(shop, &cart).await;
                shop.settle(order, number % 2 == 0).await;
            };
            let (answer, ()) = tokio::join!(shop.send(wait(&cart, &guest, 30)), settling);
            let wanted = if number % 2 == 0 { "confirmed" } else { "payment_failed" };
            assert_eq!(answer.expect(201).text("/status"), wanted);
        }
    });
    futures::future::join_all(orders).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_sent_again_waits_for_the_first_one() {
    let shop = Shop::open().await;
    let sku = shop.product(1).await;
    let (cart, guest) = shop.cart(&sku, 1).await;
    let first = shop.send(wait(&cart, &guest, 0).key("one-order")).await.expect(201);
    let order: OrderId = first.text("/order_id").parse().unwrap();
    let again = shop.send(wait(&cart, &guest, 30).key("one-order"));
    let (again, ()) = tokio::join!(again, shop.settle(order, true));
    let again = again.expect(201);
    assert_eq!((again.text("/order_id"), again.text("/status")), (order.to_string(), "confirmed".to_owned()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn a_refused_order_is_refused_at_once() {
    let shop = Shop::open().await;
    let sku = shop.product(0).await;
    let (cart, guest) = shop.cart(&sku, 1).await;
    let begun = Instant::now();
    shop.refused(wait(&cart, &guest, 30), 409, "out-of-stock").await;
    let nowhere = json!({"cart_id": cart, "shipping_address": crate::shop::address(), "payment": {"gateway": "sandbox", "token": "t"}});
    let nowhere = Call::post("/v1/orders", nowhere).bearer(&guest).header("prefer", "wait=30");
    shop.refused(nowhere, 422, "invalid-field").await;
    assert!(begun.elapsed() < Duration::from_secs(20));
}
