//! A small catalogue.

use std::collections::BTreeMap;

use domain::ids::{OrderId, ProductId};
use domain::product::{Created, Published};
use domain::stock;
use domain::text::{Locale, LocalisedText, Sku};
use domain::{Currency, Event, Money, StreamId, order};
use uuid::Uuid;

use crate::orders::examples::placed;
use crate::products::query::{Finder, Found, Search};

/// Its running shoes of Nike.
pub const SHOES: u128 = 1;
/// Its shirt of Nike; sold out.
pub const SHIRT: u128 = 2;
/// Its socks without a brand.
pub const SOCKS: u128 = 3;
/// Its ball that costs dollars.
pub const BALL: u128 = 4;

/// The product of that number.
pub fn id(number: u128) -> ProductId {
    ProductId(Uuid::from_u128(number))
}

/// Its SKU.
pub fn sku(number: u128) -> Sku {
    Sku::parse(&format!("SKU-{number}")).unwrap()
}

/// A language.
pub fn locale(text: &str) -> Locale {
    Locale::parse(text).unwrap()
}

/// A name by language.
pub fn texts(texts: &[(&str, &str)]) -> LocalisedText {
    let texts: BTreeMap<_, _> = texts.iter().map(|(of, text)| (locale(of), (*text).to_owned())).collect();
    LocalisedText::names(texts).unwrap()
}

/// A product of its own, without anything that another one has.
pub fn product(number: u128, names: &[(&str, &str)]) -> Created {
    Created {
        product_id: id(number),
        sku: sku(number),
        name: texts(names),
        description: texts(&[("ko", "설명")]),
        category: "misc".to_owned(),
        brand: None,
        attributes: BTreeMap::new(),
        prices: vec![Money::new(1_000, Currency::KRW)],
        images: Vec::new(),
    }
}

/// This happens to a product.
pub fn happened(number: u128, event: impl Into<domain::product::Event>) -> (StreamId, Event) {
    (StreamId::product(id(number)), Event::Product(event.into()))
}

/// This happens to its stock item.
pub fn stocked(number: u128, event: impl Into<stock::Event>) -> (StreamId, Event) {
    (StreamId::stock(&sku(number)), Event::Stock(event.into()))
}

/// So many pieces come in.
pub fn received(quantity: u32) -> stock::Received {
    stock::Received { quantity, reason: "delivery".to_owned() }
}

/// It is added and published.
pub fn offered(created: Created) -> [(StreamId, Event); 2] {
    let number = created.product_id.0.as_u128();
    [happened(number, created), happened(number, Published {})]
}

/// An order of one piece each.
pub fn bought(order: u128, products: impl IntoIterator<Item = u128>) -> (StreamId, Event) {
    let order_id = OrderId(Uuid::from_u128(order));
    let line = |number| order::Line { product_id: id(number), sku: sku(number), ..placed().lines[0].clone() };
    let lines = products.into_iter().map(line).collect();
    (StreamId::order(order_id), Event::Order(order::Placed { order_id, lines, ..placed() }.into()))
}

/// Shoes and a shirt of Nike, socks without a brand, a ball that costs dollars only. All but the shirt can be bought.
pub fn catalogue() -> Vec<(StreamId, Event)> {
    let of = |category: &str, brand: &str, price: Money, colour: &str, created: Created| Created {
        category: category.to_owned(),
        brand: Some(brand.to_owned()).filter(|brand| !brand.is_empty()),
        prices: vec![price],
        attributes: BTreeMap::from([("colour".to_owned(), colour.to_owned())]),
        ..created
    };
    let won = |amount| Money::new(amount, Currency::KRW);
    let names = [("ko", "나이키 에어맥스 운동화"), ("en", "Nike Air Max Shoes")];
    let shoes = of("shoes/running", "Nike", won(129_000), "black", product(SHOES, &names));
    let names = [("ko", "나이키 반팔 셔츠"), ("en", "Nike Shirt")];
    let shirt = of("clothes", "Nike", won(39_000), "white", product(SHIRT, &names));
    let names = [("ko", "운동 양말"), ("en", "Sports Socks")];
    let socks = of("clothes/socks", "", won(5_000), "black", product(SOCKS, &names));
    let dollars = Money::new(1_999, Currency::parse("USD").unwrap());
    let ball = of("sports", "Spalding", dollars, "orange", product(BALL, &[("en", "Basketball 7")]));
    let offers = [shoes, shirt, socks, ball].into_iter().flat_map(offered);
    let receipts = [SHOES, SOCKS, BALL].into_iter().map(|number| stocked(number, received(10)));
    offers.chain(receipts).collect()
}

/// A search of everything, in Korean and won.
pub fn everything() -> Search {
    Search::all(locale("ko"), Currency::KRW, 100)
}

/// What is found when a search of everything is changed like this.
pub async fn found(finder: &dyn Finder, change: impl FnOnce(&mut Search)) -> Found {
    let mut asked = everything();
    change(&mut asked);
    finder.search(&asked).await.unwrap()
}

/// The same, as the numbers of the products.
pub async fn numbers(finder: &dyn Finder, change: impl FnOnce(&mut Search)) -> Vec<u128> {
    found(finder, change).await.hits.iter().map(|hit| hit.product_id.0.as_u128()).collect()
}

/// What a search for words finds, in the order of its numbers.
pub async fn sorted(finder: &dyn Finder, q: &str) -> Vec<u128> {
    let mut numbers = numbers(finder, |search| search.q = Some(q.to_owned())).await;
    numbers.sort_unstable();
    numbers
}
