use super::Stage;
use super::examples::*;
use crate::products::query::{Finder, Suggested};

async fn suggested(finder: &dyn Finder, q: &str, language: &str) -> Vec<(Suggested, String)> {
    let all = finder.suggest(q, &locale(language), 10).await.unwrap();
    all.into_iter().map(|suggestion| (suggestion.kind, suggestion.text)).collect()
}

fn of<const N: usize>(wanted: [(Suggested, &str); N]) -> Vec<(Suggested, String)> {
    wanted.into_iter().map(|(kind, text)| (kind, text.to_owned())).collect()
}

pub async fn categories_brands_and_products_are_suggested_what_begins_so_first<S: Stage>() {
    let stage = S::open(catalogue()).await;
    let finder = stage.finder();
    let nike = of([
        (Suggested::Brand, "Nike"),
        (Suggested::Product, "Nike Shirt"),
        (Suggested::Product, "Nike Air Max Shoes"),
    ]);
    assert_eq!(suggested(finder, "nik", "en").await, nike);
    let shoes = of([(Suggested::Category, "shoes/running"), (Suggested::Product, "나이키 에어맥스 운동화")]);
    assert_eq!(suggested(finder, "SHOE", "ko").await, shoes);
    let sports = of([(Suggested::Product, "운동 양말"), (Suggested::Product, "나이키 에어맥스 운동화")]);
    assert_eq!(suggested(finder, "운동", "ko").await, sports);
    assert_eq!(suggested(finder, "없는 것", "ko").await, of([]));
    assert_eq!(suggested(finder, "  ", "ko").await, of([]));
}

pub async fn suggestions_are_few_and_marked<S: Stage>() {
    let many = (1..=30).flat_map(|number| offered(product(number, &[("ko", &format!("가방 <{number}>"))])));
    let stage = S::open(many).await;
    let all = stage.finder().suggest("가", &locale("ko"), 10).await.unwrap();
    assert_eq!(all.len(), 10);
    assert_eq!(all[0].highlight, "<mark>가</mark>방 &lt;30&gt;");
    assert_eq!(all[0].product_id, Some(id(30)));
}
