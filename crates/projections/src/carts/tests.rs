use std::collections::BTreeMap;

use domain::ids::{CartId, ProductId};
use domain::text::{Locale, LocalisedText, Sku};
use domain::{Currency, Event, Money, Owner, StreamId, cart, product};
use event_store::Recorded;
use futures::future::BoxFuture;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Carts, query};
use crate::orders::examples::{CART, CUSTOMER, ORDER, won};
use crate::orders::given::{at, given};
use crate::products::Products;
use crate::{Error, ReadModel};

const SHOES: ProductId = ProductId(Uuid::from_u128(0x31));
const SOCKS: ProductId = ProductId(Uuid::from_u128(0x32));

/// Carts with the catalogue that their prices come from.
#[derive(Clone, Copy)]
struct Shop;

impl ReadModel for Shop {
    fn name(&self) -> &'static str {
        "shop"
    }
    fn tables(&self) -> &'static [&'static str] {
        &["carts", "products"]
    }
    fn topics(&self) -> &'static [event_store::Topic] {
        &event_store::Topic::ALL
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            Products.apply(connection, events).await?;
            Carts.apply(connection, events).await
        })
    }
}

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

fn name(text: &str) -> LocalisedText {
    LocalisedText::names(BTreeMap::from([(Locale::parse("ko").unwrap(), text.to_owned())])).unwrap()
}

fn happened(event: impl Into<cart::Event>) -> (StreamId, Event) {
    (StreamId::cart(CART), Event::Cart(event.into()))
}

fn opened() -> (StreamId, Event) {
    happened(cart::Opened {
        cart_id: CART,
        owner: Owner::Guest(CART),
        currency: Currency::KRW,
        locale: Locale::parse("ko").unwrap(),
    })
}

fn set(text: &str, product_id: ProductId, quantity: u32) -> (StreamId, Event) {
    happened(cart::ItemSet { sku: sku(text), product_id, quantity })
}

fn about(product_id: ProductId, event: impl Into<product::Event>) -> (StreamId, Event) {
    (StreamId::product(product_id), Event::Product(event.into()))
}

fn created(product_id: ProductId, text: &str, called: &str, prices: Vec<Money>) -> (StreamId, Event) {
    let event = product::Created {
        product_id,
        sku: sku(text),
        name: name(called),
        description: LocalisedText::default(),
        category: "shoes".to_owned(),
        brand: None,
        attributes: BTreeMap::new(),
        prices,
        images: Vec::new(),
    };
    about(product_id, event)
}

/// Shoes for 60,000 won and socks for 5,000 won, both on sale.
fn catalogue() -> Vec<(StreamId, Event)> {
    vec![
        created(
            SHOES,
            "SHOES",
            "운동화",
            vec![won(60_000), Money::new(4_500, Currency::parse("USD").unwrap())],
        ),
        about(SHOES, product::Published {}),
        created(SOCKS, "SOCKS", "양말", vec![won(5_000)]),
        about(SOCKS, product::Published {}),
    ]
}

#[tokio::test]
async fn what_goes_in_and_out_is_in_the_row() {
    given(Carts, [opened()])
        .await
        .then("carts", json!({"status": "open", "owner_kind": "guest", "currency": "KRW", "items": []}))
        .await
        .when([set("SHOES", SHOES, 1), set("SOCKS", SOCKS, 2), set("SHOES", SHOES, 3)])
        .await
        .then(
            "carts",
            json!({"version": 4, "items": [
                {"sku": "SHOES", "product_id": SHOES, "quantity": 3},
                {"sku": "SOCKS", "product_id": SOCKS, "quantity": 2}
            ]}),
        )
        .await
        .when([happened(cart::ItemRemoved { sku: sku("SHOES") })])
        .await
        .then("carts", json!({"items": [{"sku": "SOCKS", "product_id": SOCKS, "quantity": 2}]}))
        .await
        .when([happened(cart::CheckedOut { order_id: ORDER })])
        .await
        .then("carts", json!({"status": "checked_out", "order_id": ORDER, "version": 6}))
        .await
        .and_again()
        .await;
}

#[tokio::test]
async fn a_cart_shows_what_its_items_cost_today() {
    let given = given(Shop, catalogue()).await;
    let given = given.when([opened(), set("SHOES", SHOES, 2), set("SOCKS", SOCKS, 3)]).await;
    let cart = query::find(&given.pool, CART).await.unwrap().unwrap();
    assert_eq!((cart.version, cart.owner, cart.status.as_str()), (3, Owner::Guest(CART), "open"));
    assert_eq!(cart.updated_at, at(7));
    assert_eq!(cart.items[0].name, name("운동화"));
    assert_eq!((cart.items[0].unit_price, cart.items[0].total), (Some(won(60_000)), Some(won(120_000))));
    assert_eq!(cart.subtotal, Some(won(135_000)));

    let dearer = product::Changed { prices: Some(vec![won(70_000)]), ..product::Changed::default() };
    let given = given.when([about(SHOES, dearer), about(SOCKS, product::Unpublished {})]).await;
    let cart = query::find(&given.pool, CART).await.unwrap().unwrap();
    assert_eq!(cart.items[0].unit_price, Some(won(70_000)));
    assert_eq!((cart.items[1].unit_price, cart.items[1].total), (None, None), "no longer on sale");
    assert_eq!(cart.items[1].name, name("양말"), "it still has its name");
    assert_eq!(cart.subtotal, Some(won(140_000)));
}

#[tokio::test]
async fn what_has_no_price_in_the_carts_currency_has_none() {
    let dollars = Money::new(4_500, Currency::parse("USD").unwrap());
    let abroad = [created(SHOES, "SHOES", "운동화", vec![dollars]), about(SHOES, product::Published {})];
    let given = given(Shop, abroad).await.when([opened(), set("SHOES", SHOES, 1)]).await;
    let cart = query::find(&given.pool, CART).await.unwrap().unwrap();
    assert_eq!((cart.items[0].unit_price, cart.subtotal), (None, Some(won(0))));
}

#[tokio::test]
async fn a_sum_that_is_too_large_is_no_sum() {
    let given = given(Shop, [created(SHOES, "SHOES", "운동화", vec![won(i64::MAX)])]).await;
    let given = given.when([about(SHOES, product::Published {}), opened(), set("SHOES", SHOES, 2)]).await;
    let cart = query::find(&given.pool, CART).await.unwrap().unwrap();
    assert_eq!((cart.items[0].unit_price, cart.items[0].total), (Some(won(i64::MAX)), None));
    assert_eq!(cart.subtotal, None);
}

#[tokio::test]
async fn a_cart_that_is_not_there_is_not_found() {
    let given = given(Shop, [opened()]).await;
    let other = CartId(CUSTOMER.0);
    assert_eq!(query::find(&given.pool, other).await.unwrap(), None);
    assert_eq!(query::owner(&given.pool, other).await.unwrap(), None);
    assert_eq!(query::owner(&given.pool, CART).await.unwrap(), Some(Owner::Guest(CART)));
}
