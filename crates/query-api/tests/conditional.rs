//! `ETag` and `If-None-Match`.

use domain::stock::Action;
use http_surface::auth::Role;

use crate::shop::Shop;

#[tokio::test]
async fn who_has_the_version_is_sent_nothing_and_who_has_not_is_sent_the_thing() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let customer = shop.customer().await;
    let placed = shop.order_of(customer, &sku).await;
    let order = format!("/v1/orders/{}", placed.order_id);
    let token = shop.token(customer.0, &[Role::Customer, Role::Staff]);
    for path in [
        format!("{order}/tracking"),
        format!("{order}/payment"),
        order,
        "/v1/customers/me".to_owned(),
        format!("/v1/stock/{sku}"),
    ] {
        let fresh = shop.get(&path, Some(&token)).await.expect(200);
        let tag = fresh.header("etag").to_owned();
        let version = fresh.json()["version"].as_u64().unwrap();
        assert_eq!(tag, format!("\"v{version}\""), "{path}");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"v0\", {tag}"), "*".to_owned()] {
            let known = shop.get_with(&path, Some(&token), &[("if-none-match", &known)]).await.expect(304);
            assert_eq!(known.body, b"", "{path}");
            assert_eq!(known.header("etag"), tag, "{path}");
        }
        shop.get_with(&path, Some(&token), &[("if-none-match", "\"v999\"")]).await.expect(200);
    }
}

#[tokio::test]
async fn a_cart_has_a_tag_and_is_always_sent_because_prices_change_without_it() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let cart_id = shop.guest_cart(&sku, 1).await;
    let (path, guest) = (format!("/v1/carts/{cart_id}"), shop.guest(cart_id));
    let tag = shop.get(&path, Some(&guest)).await.expect(200).header("etag").to_owned();
    assert_eq!(tag, "\"v2\"");
    shop.get_with(&path, Some(&guest), &[("if-none-match", &tag)]).await.expect(200);
}

#[tokio::test]
async fn a_version_that_has_passed_is_sent_the_new_one() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let path = format!("/v1/stock/{sku}");
    let before = shop.get(&path, None).await.expect(200).header("etag").to_owned();
    shop.stock(&sku, Action::Receive { quantity: 1, reason: "test".to_owned() }).await;
    let now = shop.now().await;
    let headers = [("if-none-match", before.as_str()), ("consistency-token", now.as_str())];
    let after = shop.get_with(&path, None, &headers).await.expect(200);
    assert_ne!(after.header("etag"), before);
    assert_eq!(after.json()["on_hand"], 6);
}

#[tokio::test]
async fn no_tag_brings_back_an_order_of_somebody_who_was_forgotten() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let customer = shop.customer().await;
    let placed = shop.order_of(customer, &sku).await;
    let (path, staff) = (format!("/v1/orders/{}", placed.order_id), shop.role(Role::Staff));
    let before = shop.get(&path, Some(&staff)).await.expect(200);
    assert!(before.text().contains("Canary"));
    let forget = domain::customer::Command::Forget { customer_id: customer };
    shop.ask_as(domain::Actor::Customer(customer), domain::Command::Customer(forget)).await;
    let now = shop.now().await;
    let headers = [("if-none-match", before.header("etag")), ("consistency-token", now.as_str())];
    let after = shop.get_with(&path, Some(&staff), &headers).await.expect(200);
    assert!(!after.text().contains("Canary"), "{}", after.text());
    assert_eq!(after.json()["order_id"], placed.order_id.to_string());
}
