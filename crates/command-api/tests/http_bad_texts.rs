//! Texts: any script is welcome, nothing else is.

use domain::{Event, StreamId};
use serde_json::{Value, json};

use crate::shop::{Call, Shop, address, order_body, product};

#[tokio::test]
async fn names_in_hangul_and_emoji_are_kept_as_they_are() {
    let shop = Shop::open().await;
    let staff = shop.staff();
    for name in ["나이키 에어맥스 운동화", "👟✨ 한정판 👨‍👩‍👧‍👦", "スニーカー", "ﷺ", "a\u{301}"]
    {
        let mut body = product(crate::given::sku().as_str());
        body["name"] = json!({ "ko": name });
        let created = shop.send(Call::post("/v1/products", body).bearer(&staff)).await.expect(201);
        let id = created.text("/product_id").parse().unwrap();
        let events = shop.store.read_stream(&StreamId::product(id), 0).await.unwrap();
        let Event::Product(domain::product::Event::Created(kept)) = &events[0].event else {
            panic!("{events:?}")
        };
        let composed: String = name.chars().collect::<String>().replace("a\u{301}", "á");
        assert_eq!(kept.name.iter().next().unwrap().1, composed, "kept as it is, in NFC");
    }
}

#[tokio::test]
async fn a_name_of_10000_characters_is_refused_and_a_description_of_10000_is_not() {
    let shop = Shop::open().await;
    let staff = shop.staff();
    let long = "긴".repeat(10_000);
    let with = |field: &str, text: &str| {
        let mut body = product(crate::given::sku().as_str());
        body[field] = json!({ "ko": text });
        Call::post("/v1/products", body).bearer(&staff)
    };
    shop.refused(with("name", &long), 422, "invalid-field").await.at("/name/ko");
    shop.send(with("description", &long)).await.expect(201);
    shop.refused(with("description", &format!("{long}!")), 422, "invalid-field").await.at("/description/ko");
    let person = json!({"email": "long@example.com", "password": "correct horse", "name": long});
    shop.refused(Call::post("/v1/customers", person), 422, "invalid-field").await.at("/name");
}

#[tokio::test]
async fn nul_and_control_characters_are_refused() {
    let shop = Shop::open().await;
    let staff = shop.staff();
    for bad in ["nul\u{0}", "bell\u{7}", "escape\u{1b}[31m", "", "   "] {
        let mut body = product("A");
        body["name"] = json!({ "ko": bad });
        shop.refused(Call::post("/v1/products", body).bearer(&staff), 422, "invalid-field")
            .await
            .at("/name/ko");
    }
}

#[tokio::test]
async fn every_field_of_an_order_is_checked_and_named() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let (cart, guest) = shop.cart(&sku, 1).await;
    let cases: [(&str, Value); 14] = [
        ("/contact/email", json!("nobody")),
        ("/contact/name", json!("두\n줄")),
        ("/contact/phone", json!("call me")),
        ("/shipping_address/recipient", json!("")),
        ("/shipping_address/line1", json!("x".repeat(201))),
        ("/shipping_address/line2", json!("\u{7}")),
        ("/shipping_address/city", json!(" ")),
        ("/shipping_address/region", json!("")),
        ("/shipping_address/postal_code", json!("1".repeat(21))),
        ("/shipping_address/country", json!("Korea")),
        ("/shipping_method", json!("")),
        ("/payment/gateway", json!("nobody's")),
        ("/payment/token", json!("")),
        ("/payment/token", json!("t".repeat(501))),
    ];
    for (pointer, value) in cases {
        let mut body = order_body(&cart);
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[field] = value;
        shop.refused(Call::post("/v1/orders", body).bearer(&guest), 422, "invalid-field").await.at(pointer);
    }
    let mut drone = order_body(&cart);
    drone["shipping_method"] = json!("drone");
    let drone = Call::post("/v1/orders", drone).bearer(&guest);
    shop.refused(drone, 422, "shipping-method-unavailable").await.at("/shipping_method");
    let mut anonymous = order_body(&cart);
    anonymous.as_object_mut().unwrap().remove("contact");
    shop.refused(Call::post("/v1/orders", anonymous).bearer(&guest), 422, "invalid-field")
        .await
        .at("/contact");
    shop.send(Call::post("/v1/orders", order_body(&cart)).bearer(&guest)).await.expect(201);
}

#[tokio::test]
async fn skus_locales_and_addresses_keep_their_rules() {
    let shop = Shop::open().await;
    let staff = shop.staff();
    for sku in ["", " A", "신발", &"A".repeat(65), "A/B", "A;DROP"] {
        shop.refused(Call::post("/v1/products", product(sku)).bearer(&staff), 422, "invalid-field")
            .await
            .at("/sku");
    }
    for locale in ["", "korean", "KO", "ko_KR", "한국어"] {
        shop.refused(Call::post("/v1/carts", json!({"locale": locale})), 422, "invalid-field")
            .await
            .at("/locale");
    }
    let mut nowhere = address();
    nowhere["postal_code"] = json!("");
    let customer = shop.token(uuid::Uuid::now_v7(), &[http_surface::auth::Role::Customer]);
    let add = Call::post("/v1/customers/me/addresses", nowhere).bearer(&customer);
    shop.refused(add, 422, "invalid-field").await.at("/postal_code");
}
