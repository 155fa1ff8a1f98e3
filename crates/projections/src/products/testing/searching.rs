use domain::Currency;

use super::Stage;
use super::examples::*;
use crate::products::query::Sort;

pub async fn korean_is_found_by_words_parts_and_syllables<S: Stage>() {
    let stage = S::open(catalogue()).await;
    let finder = stage.finder();
    for q in
        ["운동화", "동화", "에어", "화", "에어맥스 나이키", "맥스 운동", "나이키 에어맥스 운동화", " 운동화 "]
    {
        assert_eq!(sorted(finder, q).await, [SHOES], "{q}");
    }
    assert_eq!(sorted(finder, "운동").await, [SHOES, SOCKS]);
    assert_eq!(sorted(finder, "나이키").await, [SHOES, SHIRT]);
    assert_eq!(sorted(finder, "운화").await, [0; 0], "no part, though both syllables occur");
    assert_eq!(sorted(finder, "운동화 셔츠").await, [0; 0], "all words must occur");
}

pub async fn spaces_do_not_matter_to_korean_names<S: Stage>() {
    let stage = S::open(catalogue()).await;
    assert_eq!(sorted(stage.finder(), "운동양말").await, [SOCKS]);
    assert_eq!(sorted(stage.finder(), "에어 맥스").await, [SHOES]);
}

pub async fn the_way_of_writing_does_not_matter<S: Stage>() {
    let stage = S::open(catalogue()).await;
    let finder = stage.finder();
    for q in ["nike", "NIKE", "Ｎｉｋｅ", "nik", "ike", "nike\u{a0}\u{3000}nike", "ni\u{200b}ke"] {
        assert_eq!(sorted(finder, q).await, [SHOES, SHIRT], "{q}");
    }
    // 운동화 in jamo, as macOS names files.
    assert_eq!(
        sorted(finder, "\u{110b}\u{116e}\u{11ab}\u{1103}\u{1169}\u{11bc}\u{1112}\u{116a}").await,
        [SHOES]
    );
    assert_eq!(sorted(finder, "basketball ７").await, [BALL]);
}

pub async fn brand_category_and_sku_are_searched_too<S: Stage>() {
    let stage = S::open(catalogue()).await;
    let finder = stage.finder();
    assert_eq!(sorted(finder, "spalding").await, [BALL]);
    assert_eq!(sorted(finder, "socks").await, [SOCKS]);
    assert_eq!(sorted(finder, "running").await, [SHOES]);
    assert_eq!(sorted(finder, "sku-3").await, [SOCKS]);
    assert_eq!(sorted(finder, "sku").await, [SHOES, SHIRT, SOCKS, BALL]);
}

pub async fn hostile_words_are_only_words<S: Stage>() {
    let mut events = catalogue();
    events.extend(offered(product(9, &[("en", "100% _cotton_ 'soft' \\o/ \"x\" <b>")])));
    let stage = S::open(events).await;
    let finder = stage.finder();
    for q in ["%", "_", "'", "\\", "100%", "_cotton_", "'soft'", "\\o/", "\"x\"", "<b>"] {
        assert_eq!(sorted(finder, q).await, [9], "{q}");
    }
    for q in ["%%", "n_ke", "nike%", "' OR 1=1 --", "'; DROP TABLE products; --", "\\\\", "{}", "$1"] {
        assert_eq!(sorted(finder, q).await, [0; 0], "{q}");
    }
    let long = "가".repeat(200);
    assert_eq!(sorted(finder, &long).await, [0; 0]);
    assert_eq!(sorted(finder, &"나 ".repeat(100)).await, [SHOES, SHIRT]);
    assert_eq!(sorted(finder, " \u{200b} ").await.len(), 5, "nothing to search for is everything");
}

pub async fn what_fits_best_comes_first<S: Stage>() {
    let names = ["가방", "가방 큰 것", "큰 가방", "가죽 큰 방 가방", "지갑"];
    let mut events: Vec<_> = names
        .iter()
        .zip(1..)
        .flat_map(|(name, number)| {
            let mut created = product(number, &[("ko", name)]);
            created.category = if number == 5 { "가방" } else { "misc" }.to_owned();
            offered(created)
        })
        .collect();
    events.extend(offered(product(6, &[("ko", "작은 가방")])));
    events.extend(offered(product(7, &[("ko", "새 가방")])));
    events.push(bought(90, [3]));
    let stage = S::open(events).await;
    let by_relevance = numbers(stage.finder(), |search| search.q = Some("가방".to_owned())).await;
    assert_eq!(by_relevance, [1, 2, 3, 7, 6, 4, 5]);
    let words = numbers(stage.finder(), |search| search.q = Some("가방 큰".to_owned())).await;
    assert_eq!(words, [2, 3, 4], "the phrase first, then what is bought most");
}

pub async fn a_withdrawn_product_is_not_found_and_a_changed_one_by_its_new_name<S: Stage>() {
    let mut events = catalogue();
    events.push(happened(SHOES, domain::product::Unpublished {}));
    let name = domain::product::Changed { name: Some(texts(&[("ko", "긴팔")])), ..Default::default() };
    events.push(happened(SHIRT, name));
    let stage = S::open(events).await;
    assert_eq!(sorted(stage.finder(), "운동화").await, [0; 0]);
    assert_eq!(sorted(stage.finder(), "셔츠").await, [0; 0]);
    assert_eq!(sorted(stage.finder(), "긴팔").await, [SHIRT]);
    assert_eq!(numbers(stage.finder(), |_| ()).await, [BALL, SOCKS, SHIRT]);
}

pub async fn filters_narrow_what_is_found<S: Stage>() {
    let stage = S::open(catalogue()).await;
    let finder = stage.finder();
    assert_eq!(numbers(finder, |search| search.category = Some("shoes".to_owned())).await, [SHOES]);
    assert_eq!(numbers(finder, |search| search.category = Some("clothes".to_owned())).await, [SOCKS, SHIRT]);
    assert_eq!(numbers(finder, |search| search.category = Some("cloth".to_owned())).await, [0; 0]);
    assert_eq!(numbers(finder, |search| search.category = Some("clothes/socks".to_owned())).await, [SOCKS]);
    assert_eq!(numbers(finder, |search| search.brand = Some("Nike".to_owned())).await, [SHIRT, SHOES]);
    assert_eq!(numbers(finder, |search| search.in_stock = Some(true)).await, [BALL, SOCKS, SHOES]);
    assert_eq!(numbers(finder, |search| search.in_stock = Some(false)).await, [SHIRT]);
    assert_eq!(numbers(finder, |search| search.price_min = Some(39_000)).await, [SHIRT, SHOES]);
    assert_eq!(numbers(finder, |search| search.price_max = Some(39_000)).await, [SOCKS, SHIRT]);
    let both = numbers(finder, |search| {
        search.brand = Some("Nike".to_owned());
        search.in_stock = Some(true);
        search.q = Some("나이키".to_owned());
    });
    assert_eq!(both.await, [SHOES]);
}

pub async fn prices_are_those_of_the_currency<S: Stage>() {
    let stage = S::open(catalogue()).await;
    let finder = stage.finder();
    let usd = Currency::parse("USD").unwrap();
    let all = found(finder, |search| search.currency = usd).await;
    let prices: Vec<_> = all.hits.iter().map(|hit| hit.price.map(|price| price.amount)).collect();
    assert_eq!(prices, [Some(1_999), None, None, None], "what has no price in it is listed all the same");
    let cheap = |search: &mut crate::products::query::Search| {
        search.currency = usd;
        search.price_min = Some(0);
    };
    assert_eq!(numbers(finder, cheap).await, [BALL]);
    assert_eq!(numbers(finder, |search| search.sort = Some(Sort::PriceAsc)).await, [SOCKS, SHIRT, SHOES]);
    assert_eq!(numbers(finder, |search| search.sort = Some(Sort::PriceDesc)).await, [SHOES, SHIRT, SOCKS]);
}

pub async fn names_are_shown_sorted_and_marked_in_the_language_that_is_asked_for<S: Stage>() {
    let stage = S::open(catalogue()).await;
    let in_english = found(stage.finder(), |search| {
        search.locale = locale("en-US");
        search.sort = Some(Sort::Name);
    });
    let names: Vec<_> = in_english.await.hits.into_iter().map(|hit| hit.name).collect();
    assert_eq!(names, ["Basketball 7", "Nike Air Max Shoes", "Nike Shirt", "Sports Socks"]);
    let in_korean = found(stage.finder(), |search| search.sort = Some(Sort::Name)).await;
    let names: Vec<_> = in_korean.hits.iter().map(|hit| hit.name.as_str()).collect();
    assert_eq!(names, ["Basketball 7", "나이키 반팔 셔츠", "나이키 에어맥스 운동화", "운동 양말"]);
    assert!(in_korean.hits.iter().all(|hit| hit.highlight.is_none()));
    let marked = found(stage.finder(), |search| search.q = Some("에어".to_owned())).await;
    assert_eq!(marked.hits[0].highlight.as_deref(), Some("나이키 <mark>에어</mark>맥스 운동화"));
    let elsewhere = found(stage.finder(), |search| search.q = Some("shoes".to_owned())).await;
    assert_eq!(elsewhere.hits[0].highlight.as_deref(), Some("나이키 에어맥스 운동화"));
}
