//! What a gateway tells: late, twice, out of order, and forged.

use axum::http::Method;
use chrono::Utc;
use domain::ids::{OrderId, PaymentId};
use domain::payment;
use payments::sandbox::SIGNATURE_HEADER;
use payments::signature::sign;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::shop::{Call, Shop, WEBHOOK_SECRET};

fn webhook(body: &Value, secret: &str, at: i64) -> Call {
    let body = body.to_string();
    let signature = sign(secret.as_bytes(), at, body.as_bytes());
    Call::new(Method::POST, "/v1/webhooks/sandbox")
        .raw("application/json", body)
        .header(SIGNATURE_HEADER, &signature)
}

fn signed(body: &Value) -> Call {
    webhook(body, WEBHOOK_SECRET, Utc::now().timestamp())
}

async fn notice(shop: &Shop, order: OrderId, id: &str, status: &str) -> Value {
    let (payment_id, amount) = shop.payment(order).await;
    json!({"id": id, "payment_id": payment_id, "status": status, "reference": "sb-1", "amount": amount, "reason": null})
}

async fn an_order(shop: &Shop) -> OrderId {
    let sku = shop.product(1).await;
    shop.order(&sku, 1).await.0
}

#[tokio::test]
async fn a_signed_notice_settles_the_payment_and_another_one_changes_nothing() {
    let shop = Shop::open().await;
    let order = an_order(&shop).await;
    let pending = notice(&shop, order, "0", "pending").await;
    let before = shop.head().await;
    shop.send(signed(&pending)).await.expect(200);
    assert_eq!(shop.head().await, before, "what says nothing changes nothing");
    let yes = notice(&shop, order, "1", "authorised").await;
    let answer = shop.send(signed(&yes)).await.expect(200);
    assert_eq!(answer.body, json!({"status": "ok"}));
    assert_eq!(shop.status(order).await, "confirmed");
    let settled = shop.head().await;
    // The same one again, the same news in another notice, older news, and a contradiction.
    let again = notice(&shop, order, "2", "authorised").await;
    let contradiction = notice(&shop, order, "3", "declined").await;
    for body in [&yes, &again, &pending, &contradiction] {
        shop.send(signed(body)).await.expect(200);
        assert_eq!(shop.head().await, settled, "{body}");
    }
    let events = shop.store.read_stream(&domain::StreamId::order(order), 1).await.unwrap();
    assert_eq!(events[0].metadata.actor, domain::Actor::Gateway("sandbox".to_owned()));
}

#[tokio::test]
async fn a_refusal_settles_the_payment() {
    let shop = Shop::open().await;
    let order = an_order(&shop).await;
    let mut no = notice(&shop, order, "1", "declined").await;
    no["reason"] = json!("insufficient_funds");
    shop.send(signed(&no)).await.expect(200);
    assert_eq!(shop.status(order).await, "payment_failed");
}

#[tokio::test]
async fn money_that_the_gateway_has_taken_already_is_captured() {
    let shop = Shop::open().await;
    let order = an_order(&shop).await;
    let mut taken = notice(&shop, order, "1", "authorised").await;
    taken["captured"] = json!(true);
    shop.send(signed(&taken)).await.expect(200);
    let (payment_id, amount) = shop.payment(order).await;
    let events = shop.store.read_stream(&domain::StreamId::payment(payment_id), 0).await.unwrap();
    let state = events.iter().fold(payment::State::default(), |state, recorded| match &recorded.event {
        domain::Event::Payment(event) => payment::evolve(state, event),
        other => panic!("{other:?} in a payment's stream"),
    });
    assert_eq!(state.captured(), Some(amount));
}

#[tokio::test]
async fn a_forged_notice_is_not_believed() {
    let shop = Shop::open().await;
    let order = an_order(&shop).await;
    let yes = notice(&shop, order, "1", "authorised").await;
    let now = Utc::now().timestamp();
    let unsigned = Call::post("/v1/webhooks/sandbox", yes.clone());
    let mut changed = yes.clone();
    changed["amount"]["amount"] = json!(1);
    let signature = sign(WEBHOOK_SECRET.as_bytes(), now, yes.to_string().as_bytes());
    let changed = Call::post("/v1/webhooks/sandbox", changed).header(SIGNATURE_HEADER, &signature);
    for call in [
        unsigned,
        changed,
        webhook(&yes, "another secret", now),
        webhook(&yes, WEBHOOK_SECRET, now - 3_600),
        webhook(&yes, WEBHOOK_SECRET, now + 3_600),
        signed(&json!({"signed": "nonsense"})),
        Call::post("/v1/webhooks/sandbox", yes.clone()).header(SIGNATURE_HEADER, "t=x"),
    ] {
        shop.refused(call, 401, "forged-webhook").await;
    }
    assert_eq!(shop.status(order).await, "pending_payment");
}

#[tokio::test]
async fn a_wrong_amount_an_unknown_payment_and_an_unknown_gateway_change_nothing() {
    let shop = Shop::open().await;
    let order = an_order(&shop).await;
    let mut less = notice(&shop, order, "1", "authorised").await;
    less["amount"]["amount"] = json!(1);
    let before = shop.head().await;
    shop.send(signed(&less)).await.expect(200);
    assert_eq!((shop.head().await, shop.status(order).await), (before, "pending_payment"));
    let mut unknown = notice(&shop, order, "2", "authorised").await;
    unknown["payment_id"] = json!(PaymentId(Uuid::now_v7()));
    shop.refused(signed(&unknown), 404, "not-found").await;
    shop.refused(Call::post("/v1/webhooks/nobody", json!({})), 404, "not-found").await;
    let large =
        Call::new(Method::POST, "/v1/webhooks/sandbox").raw("application/json", vec![b' '; 64 * 1024 + 1]);
    shop.refused(large, 413, "body-too-large").await;
}
