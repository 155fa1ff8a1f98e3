use std::collections::BTreeMap;
use std::time::Instant;

use domain::product::Created;
use domain::{Currency, Money};

use super::examples::*;
use crate::orders::given::given;
use crate::products::Products;
use crate::products::query::*;

const KINDS: [&str; 12] =
    ["운동화", "구두", "샌들", "셔츠", "바지", "양말", "모자", "가방", "지갑", "시계", "재킷", "코트"];
const BRANDS: [&str; 40] = [
    "나이키",
    "아디다스",
    "푸마",
    "Reebok",
    "New Balance",
    "FILA",
    "Spalding",
    "Converse",
    "Vans",
    "Asics",
    "B10",
    "B11",
    "B12",
    "B13",
    "B14",
    "B15",
    "B16",
    "B17",
    "B18",
    "B19",
    "B20",
    "B21",
    "B22",
    "B23",
    "B24",
    "B25",
    "B26",
    "B27",
    "B28",
    "B29",
    "B30",
    "B31",
    "B32",
    "B33",
    "B34",
    "B35",
    "B36",
    "B37",
    "B38",
    "B39",
];
const WORDS: [&str; 20] = [
    "에어맥스",
    "클래식",
    "프로",
    "라이트",
    "울트라",
    "조던",
    "덩크",
    "코르테즈",
    "레트로",
    "스피드",
    "Pro",
    "Max",
    "Air",
    "Sport",
    "Kids",
    "여름",
    "겨울",
    "방수",
    "가죽",
    "캔버스",
];
const COLOURS: [&str; 8] = ["black", "white", "red", "blue", "green", "orange", "grey", "pink"];

fn many(count: u128) -> impl Iterator<Item = Created> {
    (1..=count).map(|number| {
        let r = |salt: u128, of: usize| {
            (number.wrapping_mul(2654435761).wrapping_add(salt * 40503).wrapping_mul(2246822519) >> 13)
                as usize
                % of
        };
        let (brand, kind) = (BRANDS[r(1, 40)], KINDS[r(2, 12)]);
        let name = format!("{brand} {} {} {kind} {number}", WORDS[r(3, 20)], WORDS[r(4, 20)]);
        let english = format!("Product {number} {}", WORDS[10 + r(5, 5)]);
        Created {
            category: format!(
                "{}/{}",
                ["shoes", "clothes", "things"][r(2, 12) / 4],
                ["a", "b", "c", "d", "e"][r(6, 5)]
            ),
            brand: Some(brand.to_owned()),
            attributes: BTreeMap::from([
                ("colour".to_owned(), COLOURS[r(7, 8)].to_owned()),
                ("size".to_owned(), format!("{}", 200 + 5 * r(8, 20))),
                ("material".to_owned(), WORDS[r(9, 20)].to_owned()),
            ]),
            prices: vec![
                Money::new(1000 * (1 + r(10, 300)) as i64, Currency::KRW),
                Money::new(100 * (1 + r(10, 300)) as i64, Currency::parse("USD").unwrap()),
            ],
            description: texts(&[
                ("ko", &"설명이 길게 이어진다. ".repeat(12)),
                ("en", &"A long description goes on. ".repeat(9)),
            ]),
            images: vec![
                format!("https://cdn.example.com/products/{number}/1.jpg"),
                format!("https://cdn.example.com/products/{number}/2.jpg"),
            ],
            ..product(number, &[("ko", &name), ("en", &english)])
        }
    })
}

#[tokio::test]
async fn speed() {
    let count: u128 = std::env::var("COUNT").map_or(20_000, |n| n.parse().unwrap());
    let mut g = given(Products, []).await;
    let all: Vec<_> = many(count).collect();
    let begun = Instant::now();
    for chunk in all.chunks(500) {
        g = g.when(chunk.iter().cloned().flat_map(offered)).await;
    }
    println!("loaded {count} in {:?}", begun.elapsed());
    let begun = Instant::now();
    for chunk in all.chunks(1000) {
        g = g
            .when(
                chunk
                    .iter()
                    .filter(|c| c.product_id.0.as_u128() % 5 > 0)
                    .map(|c| stocked(c.product_id.0.as_u128(), received(10))),
            )
            .await;
    }
    println!("stock in {:?}", begun.elapsed());
    let begun = Instant::now();
    let n = 400u128;
    let batches: Vec<_> = (0..n)
        .map(|o| bought(1_000_000 + o, (0..20).map(move |l| 1 + (o * 7919 + l * l * 104729) % count)))
        .collect();
    for chunk in batches.chunks(50) {
        g = g.when(chunk.to_vec()).await;
    }
    println!("400 orders of 20 lines in {:?}", begun.elapsed());
    sqlx::query("VACUUM ANALYZE").execute(&g.pool).await.unwrap();
    let (url,): (String,) = sqlx::query_as("SELECT current_database() || ' ' || inet_server_port()")
        .fetch_one(&g.pool)
        .await
        .unwrap();
    println!("db {url}");
    type Change = fn(&mut Search);
    let asks: Vec<(&str, Change)> = vec![
        ("all", |_| ()),
        ("q 운동화", |s| s.q = Some("운동화".into())),
        ("q 동화 에어", |s| s.q = Some("동화 에어".into())),
        ("q 가 (1 syllable)", |s| s.q = Some("가".into())),
        ("q a", |s| s.q = Some("a".into())),
        ("q product (all match)", |s| s.q = Some("product".into())),
        ("q 에어맥스 19999", |s| s.q = Some("에어맥스 1999".into())),
        ("q none", |s| s.q = Some("없는것".into())),
        ("category shoes", |s| s.category = Some("shoes".into())),
        ("brand", |s| s.brand = Some("푸마".into())),
        ("price filter", |s| {
            s.price_min = Some(50_000);
            s.price_max = Some(60_000);
        }),
        ("in_stock", |s| s.in_stock = Some(true)),
        ("category brand stock price", |s| {
            s.category = Some("shoes".into());
            s.brand = Some("푸마".into());
            s.in_stock = Some(true);
            s.price_max = Some(100_000);
        }),
        ("sort price", |s| s.sort = Some(Sort::PriceAsc)),
        ("sort name", |s| s.sort = Some(Sort::Name)),
        ("sort name fr", |s| {
            s.sort = Some(Sort::Name);
            s.locale = locale("fr");
        }),
    ];
    for (name, change) in asks {
        let mut asked = everything();
        asked.limit = 20;
        change(&mut asked);
        let mut times = Vec::new();
        let mut total = 0;
        for _ in 0..12 {
            let begun = Instant::now();
            total = search(&g.pool, &asked).await.unwrap().facets.total;
            times.push(begun.elapsed());
        }
        times.sort();
        println!("{name:30} total {total:6} median {:?} max {:?}", times[6], times[11]);
    }
    for q in ["가", "에어", "pro", "나이키"] {
        let mut times = Vec::new();
        for _ in 0..12 {
            let begun = Instant::now();
            suggest(&g.pool, q, &locale("ko"), 10).await.unwrap();
            times.push(begun.elapsed());
        }
        times.sort();
        println!("suggest {q} {:?}", times[6]);
    }
    let begun = Instant::now();
    recommendations(&g.pool, id(1), &locale("ko"), Currency::KRW, 10).await.unwrap();
    println!("recommendations {:?}", begun.elapsed());
    std::mem::forget(g);
}
