//! The catalogue over HTTP. How it is searched is tested where it is: in the read model.

use domain::product::Command as Product;
use domain::{Command, ids::ProductId};
use http_surface::auth::Role;
use serde_json::{Value, json};

use crate::shop::Shop;

fn skus(found: &Value) -> Vec<String> {
    let items = found["items"].as_array().unwrap();
    items.iter().map(|item| item["sku"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_product_is_found_by_a_part_of_a_word_and_shown() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    for q in ["%EC%9A%B4%EB%8F%99%ED%99%94", "%EB%8F%99%ED%99%94", "running"] {
        let found =
            shop.get(&format!("/v1/products?q={q}&locale=ko&currency=KRW"), None).await.expect(200).json();
        assert_eq!(skus(&found), [sku.as_str()], "{q}");
        assert_eq!(found["total"], 1);
        assert_eq!(found["items"][0]["price"], json!({"amount": 10_000, "currency": "KRW"}));
        assert!(found["facets"].is_object());
    }
    let path = format!("/v1/products/{}", shop.product_id(&sku).await);
    let shown = shop.get(&path, None).await.expect(200);
    assert_eq!(shown.header("etag"), "\"v2\"");
    assert_eq!(shown.json()["sku"], json!(sku));
    let suggested = shop.get("/v1/search/suggest?q=%EC%9A%B4%EB%8F%99", None).await.expect(200).json();
    assert!(suggested.to_string().contains("운동화"), "{suggested}");
}

#[tokio::test]
async fn every_product_is_on_exactly_one_page() {
    let shop = Shop::open().await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(shop.product(1).await.to_string());
    }
    let (mut listed, mut path) = (Vec::new(), "/v1/products?limit=2".to_owned());
    loop {
        let page = shop.get(&path, None).await.expect(200).json();
        assert_eq!(page["total"], 5);
        listed.extend(skus(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/products?limit=2&cursor={cursor}");
    }
    listed.sort();
    all.sort();
    assert_eq!(listed, all);
}

#[tokio::test]
async fn what_was_bought_together_is_recommended() {
    let shop = Shop::open().await;
    let (one, other) = (shop.product(5).await, shop.product(5).await);
    let id = shop.product_id(&one).await;
    let found = shop.get(&format!("/v1/products/{id}/recommendations"), None).await.expect(200).json();
    assert_eq!(skus(&found), [other.as_str()]);
}

#[tokio::test]
async fn what_is_not_published_is_there_for_the_staff_only() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let id = shop.product_id(&sku).await;
    let product_id: ProductId = id.parse().unwrap();
    shop.ask(Command::Product(Product::Unpublish { product_id })).await;
    for path in [format!("/v1/products/{id}"), format!("/v1/products/{id}/recommendations")] {
        shop.get(&path, None).await.expect(404);
        shop.get(&path, Some(&shop.role(Role::Customer))).await.expect(404);
        shop.get(&path, Some("forged")).await.expect(401);
        shop.get(&path, Some(&shop.role(Role::Staff))).await.expect(200);
    }
    let found = shop.get("/v1/products", Some(&shop.role(Role::Staff))).await.expect(200).json();
    assert_eq!(skus(&found), Vec::<String>::new());
}
