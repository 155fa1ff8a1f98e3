//! Lists of orders: pages, cursors, filters.

use std::collections::HashSet;

use http_surface::auth::Role;
use serde_json::Value;

use crate::given::Placed;
use crate::shop::Shop;

async fn orders(shop: &Shop, count: usize) -> Vec<Placed> {
    let sku = shop.product(1_000).await;
    let mut placed = Vec::new();
    for _ in 0..count {
        placed.push(shop.order(&sku, 1).await);
    }
    placed
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|order| order["order_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_order_is_on_exactly_one_page_newest_first_whatever_is_placed_meanwhile() {
    let shop = Shop::open().await;
    let staff = shop.role(Role::Staff);
    let placed = orders(&shop, 7).await;
    let mut path = "/v1/orders?limit=3".to_owned();
    let (mut listed, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = shop.get(&path, Some(&staff)).await.expect(200).json();
        sizes.push(ids(&page).len());
        listed.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/orders?limit=3&cursor={cursor}");
        orders(&shop, 1).await;
    }
    let newest_first: Vec<_> = placed.iter().rev().map(|placed| placed.order_id.to_string()).collect();
    assert_eq!(listed, newest_first);
    assert_eq!(sizes, [3, 3, 1]);
}

#[tokio::test]
async fn a_full_last_page_has_no_cursor() {
    let shop = Shop::open().await;
    orders(&shop, 4).await;
    let page = shop.get("/v1/orders?limit=4", Some(&shop.role(Role::Staff))).await.expect(200).json();
    assert_eq!(ids(&page).len(), 4);
    assert!(page["next_cursor"].is_null());
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_only() {
    let shop = Shop::open().await;
    let staff = shop.role(Role::Staff);
    let placed = orders(&shop, 3).await;
    let page = shop.get("/v1/orders?limit=1", Some(&staff)).await.expect(200).json();
    let cursor = page["next_cursor"].as_str().unwrap();

    let mut tampered = cursor.as_bytes().to_vec();
    let middle = tampered.len() / 2;
    tampered[middle] = if tampered[middle] == b'A' { b'B' } else { b'A' };
    let tampered = String::from_utf8(tampered).unwrap();
    for cursor in [tampered.as_str(), &cursor[..cursor.len() - 2], "AAAA", ""] {
        let path = format!("/v1/orders?limit=1&cursor={cursor}");
        assert_eq!(shop.get(&path, Some(&staff)).await.expect(400).code(), "invalid-cursor");
    }
    let filtered = format!("/v1/orders?limit=1&status=confirmed&cursor={cursor}");
    assert_eq!(shop.get(&filtered, Some(&staff)).await.expect(400).code(), "invalid-cursor");
    let alerts = format!("/v1/replenishment-alerts?cursor={cursor}");
    assert_eq!(shop.get(&alerts, Some(&staff)).await.expect(400).code(), "invalid-cursor");
    // Somebody else's cursor says nothing about their orders, and opens no list.
    let guest = shop.guest(placed[0].cart_id);
    let path = format!("/v1/orders?limit=1&cursor={cursor}");
    shop.get(&path, Some(&guest)).await.expect(400);
    // Another page size is the same list.
    let path = format!("/v1/orders?limit=2&cursor={cursor}");
    assert_eq!(ids(&shop.get(&path, Some(&staff)).await.expect(200).json()).len(), 2);
}

#[tokio::test]
async fn orders_are_found_by_status_and_time() {
    let shop = Shop::open().await;
    let staff = shop.role(Role::Staff);
    let placed = orders(&shop, 3).await;
    shop.cancel(&placed[1]).await;
    let listed = async |path: &str| ids(&shop.get(path, Some(&staff)).await.expect(200).json());
    let id = |index: usize| placed[index].order_id.to_string();
    assert_eq!(listed("/v1/orders?status=cancelled").await, [id(1)]);
    assert_eq!(listed("/v1/orders?status=pending_payment").await, [id(2), id(0)]);
    assert_eq!(listed("/v1/orders?status=delivered").await, Vec::<String>::new());
    let first = shop.get(&format!("/v1/orders/{}", id(0)), Some(&staff)).await.json();
    let second = shop.get(&format!("/v1/orders/{}", id(1)), Some(&staff)).await.json();
    let (first, second) = (first["placed_at"].as_str().unwrap(), second["placed_at"].as_str().unwrap());
    assert_eq!(listed(&format!("/v1/orders?from={second}")).await, [id(2), id(1)]);
    assert_eq!(listed(&format!("/v1/orders?to={second}")).await, [id(0)]);
    assert_eq!(listed(&format!("/v1/orders?from={first}&to={second}")).await, [id(0)]);
    assert_eq!(HashSet::<String>::from_iter(listed("/v1/orders").await).len(), 3);
}
