//! What is not the caller's, not for the caller's role, or not asked rightly.

use http_surface::auth::Role;
use uuid::Uuid;

use crate::shop::Shop;

const STAFF: &[Role] = &[Role::Staff, Role::Admin];

#[tokio::test]
async fn what_belongs_to_somebody_else_is_not_there() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let (guests, customer) = (shop.order(&sku, 1).await, shop.customer().await);
    let customers = shop.order_of(customer, &sku).await;
    let another = [
        shop.guest(domain::ids::CartId(Uuid::now_v7())),
        shop.customer_token(domain::ids::CustomerId(Uuid::now_v7())),
        // These roles have views of their own, without personal data.
        shop.role(Role::Analyst),
        shop.role(Role::Auditor),
    ];
    for placed in [guests, customers] {
        let order = format!("/v1/orders/{}", placed.order_id);
        for path in [order.clone(), format!("{order}/tracking"), format!("/v1/carts/{}", placed.cart_id)] {
            for token in &another {
                let answer = shop.get(&path, Some(token)).await.expect(404);
                let nothing = format!("/v1/{}/{}", path.split('/').nth(2).unwrap(), Uuid::now_v7());
                let nothing = shop.get(&nothing, Some(token)).await.expect(404);
                assert_eq!(
                    answer.json()["detail"],
                    nothing.json()["detail"],
                    "{path} can be told from nothing"
                );
            }
            shop.get(&path, Some(&shop.role(Role::Staff))).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_customers_list_holds_their_own_orders_only() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let (one, other) = (shop.customer().await, shop.customer().await);
    let placed = shop.order_of(one, &sku).await;
    shop.order_of(other, &sku).await;
    shop.order(&sku, 1).await;
    let list = shop.get("/v1/orders", Some(&shop.customer_token(one))).await.expect(200).json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["order_id"], placed.order_id.to_string());
    let list = shop.get("/v1/orders", Some(&shop.role(Role::Staff))).await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn without_a_token_or_with_the_wrong_role_nothing_is_told() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let placed = shop.order(&sku, 1).await;
    let order = format!("/v1/orders/{}", placed.order_id);
    let audit = format!("/v1/audit/orders/{}", placed.order_id);
    let calls: [(&str, &[Role]); 6] = [
        (&format!("{order}/payment"), STAFF),
        ("/v1/replenishment-alerts", STAFF),
        ("/v1/events", &[Role::Analyst, Role::Admin]),
        (&audit, &[Role::Auditor, Role::Admin]),
        ("/v1/customers/me", &[Role::Customer]),
        ("/v1/orders", &[Role::Staff, Role::Admin, Role::Customer, Role::Guest]),
    ];
    let all = [Role::Customer, Role::Guest, Role::Staff, Role::Analyst, Role::Auditor, Role::Admin];
    for (path, allowed) in calls {
        let answer = shop.get(path, None).await.expect(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        shop.get(path, Some("forged")).await.expect(401);
        for role in all {
            let answer = shop.get(path, Some(&shop.role(role))).await;
            if allowed.contains(&role) {
                assert!([200, 404].contains(&answer.status.as_u16()), "{path} as {}", role.as_str());
            } else {
                assert_eq!(answer.status, 403, "{path} as {}", role.as_str());
                assert_eq!(answer.code(), "forbidden");
            }
        }
    }
    for path in [order.clone(), format!("{order}/tracking"), format!("/v1/carts/{}", placed.cart_id)] {
        shop.get(&path, None).await.expect(401);
    }
}

#[tokio::test]
async fn a_parameter_that_breaks_a_rule_is_named() {
    let shop = Shop::open().await;
    let staff = shop.token(Uuid::from_u128(1), &[Role::Staff, Role::Analyst]);
    for (path, parameter) in [
        ("/v1/orders?limit=0", "limit"),
        ("/v1/orders?limit=101", "limit"),
        ("/v1/orders?limit=many", "limit"),
        ("/v1/orders?status=lost", "status"),
        ("/v1/orders?from=yesterday", "from"),
        ("/v1/orders?to=2026-13-01T00:00:00Z", "to"),
        ("/v1/orders?colour=red", "colour"),
        ("/v1/orders?cursor=x", "cursor"),
        ("/v1/products?limit=0", "limit"),
        ("/v1/products?sort=best", "sort"),
        ("/v1/products?price_min=cheap", "price_min"),
        ("/v1/products?price_min=2&price_max=1", "price_min"),
        ("/v1/products?in_stock=perhaps", "in_stock"),
        ("/v1/products?currency=WON", "currency"),
        ("/v1/products?locale=korean", "locale"),
        ("/v1/products?q=%00", "q"),
        ("/v1/products?colour=red", "colour"),
        ("/v1/products?cursor=x", "cursor"),
        ("/v1/search/suggest", "q"),
        ("/v1/search/suggest?q=x&limit=51", "limit"),
        ("/v1/replenishment-alerts?all=maybe", "all"),
        ("/v1/replenishment-alerts?limit=0", "limit"),
        ("/v1/replenishment-alerts?cursor=x", "cursor"),
        ("/v1/events?after=-1", "after"),
        ("/v1/events?until=x", "until"),
        ("/v1/events?limit=0", "limit"),
        ("/v1/events?category=orders", "category"),
        ("/v1/events?category=", "category"),
        ("/v1/events?type=OrderPlaced,OrderPlacd", "type"),
        ("/v1/events?stream=nothing", "stream"),
        ("/v1/events?stream=order-%00", "stream"),
        ("/v1/events?colour=red", "colour"),
    ] {
        let answer = shop.get(path, Some(&staff)).await.expect(400);
        let problem = answer.json();
        assert!(problem["detail"].as_str().unwrap().contains(parameter), "{path}: {problem}");
    }
    let now = shop.now().await;
    let headers =
        [("consistency-token", now.as_str()), ("accept", "text/event-stream"), ("last-event-id", "x")];
    let answer = shop.get_with("/v1/events", Some(&staff), &headers).await.expect(400);
    assert!(answer.json()["detail"].as_str().unwrap().contains("Last-Event-ID"));
}

#[tokio::test]
async fn an_id_that_is_none_names_nothing() {
    let shop = Shop::open().await;
    let staff = shop.token(Uuid::from_u128(1), &[Role::Staff, Role::Auditor]);
    for path in [
        "/v1/orders/1",
        "/v1/orders/%00/tracking",
        "/v1/carts/x",
        "/v1/audit/orders/x",
        "/v1/stock/%00",
        "/v1/products/x",
    ] {
        shop.get(path, Some(&staff)).await.expect(404);
    }
}
