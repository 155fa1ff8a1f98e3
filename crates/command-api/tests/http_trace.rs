//! What follows from a request can be traced back to it.

use domain::{Actor, Event, StreamId, order};
use serde_json::json;
use uuid::Uuid;

use crate::shop::{Call, Config, Shop, order_body};

#[tokio::test]
async fn every_event_says_who_did_it_and_what_it_followed_from() {
    let shop = Shop::open().await;
    let sku = shop.product(1).await;
    let (cart, guest) = shop.cart(&sku, 1).await;
    let (request, trace) = (Uuid::now_v7(), "4bf92f3577b34da6a3ce929d0e0e4736");
    let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
    let place = Call::post("/v1/orders", order_body(&cart)).bearer(&guest);
    let place = place.header("x-request-id", &request.to_string()).header("traceparent", &traceparent);
    let placed = shop.send(place).await.expect(201);
    assert_eq!(placed.header("x-request-id"), Some(request.to_string().as_str()));
    assert_eq!(placed.header("trace-id"), Some(trace));
    let order = StreamId::order(placed.text("/order_id").parse().unwrap());
    for stream in [order, StreamId::stock(&sku.parse().unwrap())] {
        let events = shop.store.read_stream(&stream, 0).await.unwrap();
        let metadata = &events.last().unwrap().metadata;
        assert_eq!(metadata.correlation_id, request);
        assert_eq!(metadata.traceparent.as_deref(), Some(traceparent.as_str()));
        assert_eq!(metadata.actor, Actor::Guest(cart.parse().unwrap()));
    }
}

#[tokio::test]
async fn a_problem_names_the_trace() {
    let shop = Shop::open().await;
    let answer = shop.refused(Call::post("/v1/carts", json!({"owner": "me"})), 422, "invalid-body").await;
    assert_eq!(answer.body["trace_id"].as_str(), answer.header("trace-id"));
}

#[tokio::test]
async fn a_reservation_lasts_as_long_as_it_is_configured_to() {
    let reservation = std::time::Duration::from_secs(7);
    let shop = Shop::open_with(Config { reservation }).await;
    let sku = shop.product(1).await;
    let (order, _) = shop.order(&sku, 1).await;
    let events = shop.store.read_stream(&StreamId::order(order), 0).await.unwrap();
    let Event::Order(order::Event::Placed(placed)) = &events[0].event else { panic!("{events:?}") };
    let held = placed.reserved_until - events[0].recorded_at;
    assert!((5_000..=7_000).contains(&held.num_milliseconds()), "{held}");
}
