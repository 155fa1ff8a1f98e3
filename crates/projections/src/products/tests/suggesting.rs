use super::examples::*;
use crate::orders::given::given;
use crate::products::Products;
use crate::products::query::{Suggested, suggest};

async fn suggested(pool: &sqlx::PgPool, q: &str, language: &str) -> Vec<(Suggested, String)> {
    let all = suggest(pool, q, &locale(language), 10).await.unwrap();
    all.into_iter().map(|suggestion| (suggestion.kind, suggestion.text)).collect()
}

fn of<const N: usize>(wanted: [(Suggested, &str); N]) -> Vec<(Suggested, String)> {
    wanted.into_iter().map(|(kind, text)| (kind, text.to_owned())).collect()
}

#[tokio::test]
async fn categories_brands_and_products_are_suggested_what_begins_so_first() {
    let given = given(Products, catalogue()).await;
    let pool = &given.pool;
    let nike = of([
        (Suggested::Brand, "Nike"),
        (Suggested::Product, "Nike Shirt"),
        (Suggested::Product, "Nike Air Max Shoes"),
    ]);
    assert_eq!(suggested(pool, "nik", "en").await, nike);
    let shoes = of([(Suggested::Category, "shoes/running"), (Suggested::Product, "나이키 에어맥스 운동화")]);
    assert_eq!(suggested(pool, "SHOE", "ko").await, shoes);
    let sports = of([(Suggested::Product, "운동 양말"), (Suggested::Product, "나이키 에어맥스 운동화")]);
    assert_eq!(suggested(pool, "운동", "ko").await, sports);
    assert_eq!(suggested(pool, "없는 것", "ko").await, of([]));
    assert_eq!(suggested(pool, "  ", "ko").await, of([]));
}

#[tokio::test]
async fn suggestions_are_few_and_marked() {
    let many = (1..=30).flat_map(|number| offered(product(number, &[("ko", &format!("가방 <{number}>"))])));
    let given = given(Products, many).await;
    let all = suggest(&given.pool, "가", &locale("ko"), 10).await.unwrap();
    assert_eq!(all.len(), 10);
    assert_eq!(all[0].highlight, "<mark>가</mark>방 &lt;30&gt;");
    assert_eq!(all[0].product_id, Some(id(30)));
}
