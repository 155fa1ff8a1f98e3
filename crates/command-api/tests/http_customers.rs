//! Customers: registering, profile, addresses, orders without contact, being forgotten.

use domain::ids::CustomerId;
use domain::{Event, StreamId, order};
use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::shop::{Answer, Call, Shop, address, order_body};

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) fn person(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "name": "김하늘", "phone": "010-1234-5678", "locale": "ko"})
}

pub(crate) async fn sign_in(shop: &Shop, email: &str) -> Answer {
    shop.send(Call::post("/v1/sessions", json!({"email": email, "password": PASSWORD}))).await
}

/// A registered customer's id and access token.
pub(crate) async fn customer(shop: &Shop, email: &str) -> (CustomerId, String) {
    let id = shop.send(Call::post("/v1/customers", person(email))).await.expect(201).text("/customer_id");
    (CustomerId(id.parse().unwrap()), sign_in(shop, email).await.expect(201).text("/access_token"))
}

pub(crate) async fn rows(shop: &Shop) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM vault.credentials").fetch_one(&shop.database.pool).await.unwrap()
}

#[tokio::test]
async fn an_address_has_one_account() {
    let shop = Shop::open().await;
    let first = shop.send(Call::post("/v1/customers", person("haneul@example.com"))).await.expect(201);
    assert_eq!(first.header("location"), Some("/v1/customers/me"));
    assert_eq!(first.token(), shop.head().await);
    let again = Call::post("/v1/customers", person("Haneul@EXAMPLE.com"));
    shop.refused(again, 409, "email-taken").await.at("/email");
    assert_eq!(rows(&shop).await, 1, "a refused registration leaves nothing behind");
    sign_in(&shop, "haneul@example.com").await.expect(201);
}

#[tokio::test]
async fn the_same_registration_sent_again_is_the_same_customer() {
    let shop = Shop::open().await;
    let key = Uuid::new_v4().to_string();
    let register = |body: Value| Call::post("/v1/customers", body).key(&key);
    let first = shop.send(register(person("haneul@example.com"))).await.expect(201).text("/customer_id");
    let again = shop.send(register(person("haneul@example.com"))).await.expect(201);
    assert_eq!((again.text("/customer_id"), again.header("idempotency-replayed")), (first, Some("true")));
    let mut other = person("haneul@example.com");
    other["password"] = json!("another password");
    shop.refused(register(other), 422, "idempotency-key-reused").await;
    assert_eq!(rows(&shop).await, 1);
    sign_in(&shop, "haneul@example.com").await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_register_one_address_at_once_one_gets_it() {
    let shop = Shop::open().await;
    let register = || shop.send(Call::post("/v1/customers", person("haneul@example.com")));
    let answers = futures::future::join_all((0..8).map(|_| register())).await;
    let registered: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(registered.len(), 1);
    assert!(
        answers.iter().all(|answer| answer.status == 201 || answer.body["code"] == "email-taken"),
        "{answers:#?}"
    );
    assert_eq!(rows(&shop).await, 1);
    let token = sign_in(&shop, "haneul@example.com").await.expect(201).text("/access_token");
    let signed_in = shop.keys.verify(&token).unwrap().sub.to_string();
    assert_eq!(signed_in, registered[0].text("/customer_id"));
}

#[tokio::test]
async fn passwords_have_8_to_128_characters_and_no_other_rule() {
    let shop = Shop::open().await;
    let with = |email: &str, password: &str| {
        let mut body = person(email);
        body["password"] = json!(password);
        Call::post("/v1/customers", body)
    };
    for password in ["", "seven77", "일곱글자비밀번", &"x".repeat(129)] {
        let answer =
            shop.refused(with("a@example.com", password), 422, "invalid-field").await.at("/password");
        assert!(password.is_empty() || !answer.body.to_string().contains(password), "{answer:#?}");
    }
    assert_eq!(rows(&shop).await, 0);
    for (index, password) in
        ["aaaaaaaa", "비밀번호여덟글자", "🔑🔑🔑🔑🔑🔑🔑🔑", &"x".repeat(128)].iter().enumerate()
    {
        let email = format!("p{index}@example.com");
        shop.send(with(&email, password)).await.expect(201);
        let known = json!({"email": email, "password": password});
        shop.send(Call::post("/v1/sessions", known)).await.expect(201);
    }
}

#[tokio::test]
async fn the_address_of_somebody_of_the_staff_cannot_be_registered() {
    let shop = Shop::open().await;
    let index = shop.store.email_index(&"staff@example.com".parse().unwrap());
    let password: SecretString = PASSWORD.into();
    let staff = [http_surface::auth::Role::Staff];
    shop.accounts.add(&index, &password, Uuid::now_v7(), &staff).await.unwrap();
    shop.refused(Call::post("/v1/customers", person("staff@example.com")), 409, "email-taken").await;
    let token = sign_in(&shop, "staff@example.com").await.expect(201).text("/access_token");
    shop.send(Call::post("/v1/products", crate::shop::product("A")).bearer(&token)).await.expect(201);
    assert!(
        shop.accounts.add(&index, &password, Uuid::now_v7(), &staff).await.is_err(),
        "the address is taken"
    );
}

#[tokio::test]
async fn a_customer_changes_the_profile_and_orders_without_contact() {
    let shop = Shop::open().await;
    let (id, token) = customer(&shop, "haneul@example.com").await;
    let change = json!({"name": "김바다", "locale": "en"});
    shop.send(Call::patch("/v1/customers/me", change).bearer(&token)).await.expect(204);
    let nothing = shop.send(Call::patch("/v1/customers/me", json!({})).bearer(&token)).await.expect(204);
    assert_eq!(nothing.header("etag"), Some("\"v2\""));
    let added =
        shop.send(Call::post("/v1/customers/me/addresses", address()).bearer(&token)).await.expect(201);
    added.text("/address_id");

    let sku = shop.product(2).await;
    let opened = shop.send(Call::post("/v1/carts", json!({})).bearer(&token)).await.expect(201);
    assert_eq!(opened.body.get("guest_token"), None, "a customer needs none");
    let cart = opened.text("/cart_id");
    let item = Call::put(format!("/v1/carts/{cart}/items/{sku}"), json!({"quantity": 1}));
    shop.send(item.bearer(&token)).await.expect(204);
    let mut body = order_body(&cart);
    body.as_object_mut().unwrap().remove("contact");
    let placed = shop.send(Call::post("/v1/orders", body).bearer(&token)).await.expect(201);
    let events = shop.order_events(placed.text("/order_id").parse().unwrap()).await;
    let order::Event::Placed(placed) = &events[0] else { panic!("{events:?}") };
    let contact = &placed.personal.known().unwrap().contact;
    assert_eq!((contact.name.as_str(), contact.email.as_str()), ("김바다", "haneul@example.com"));
    assert_eq!(placed.owner, domain::Owner::Customer(id));
}

#[tokio::test]
async fn a_forgotten_customer_is_nobody() {
    let shop = Shop::open().await;
    let (id, token) = customer(&shop, "haneul@example.com").await;
    // A body means nothing here.
    let gone =
        shop.send(Call::delete("/v1/customers/me").json(&Value::Null).bearer(&token)).await.expect(204);
    assert_eq!(gone.token(), shop.head().await);
    let events = shop.store.read_stream(&StreamId::customer(id), 0).await.unwrap();
    let Event::Customer(domain::customer::Event::Registered(registered)) = &events[0].event else {
        panic!("{events:?}")
    };
    assert_eq!(registered.personal.known(), None, "the key is destroyed");
    assert_eq!(rows(&shop).await, 0);
    sign_in(&shop, "haneul@example.com").await.problem(401, "invalid-credentials");
    let change = Call::patch("/v1/customers/me", json!({"name": "누구"})).bearer(&token);
    shop.refused(change, 404, "forgotten").await;
    shop.refused(Call::delete("/v1/customers/me").bearer(&token), 404, "forgotten").await;
    shop.refused(Call::post("/v1/carts", json!({})).bearer(&token), 401, "unauthenticated").await;
    customer(&shop, "haneul@example.com").await;
}

#[tokio::test]
async fn a_profile_is_a_customers() {
    let shop = Shop::open().await;
    for token in [shop.staff(), shop.token(Uuid::now_v7(), &[http_surface::auth::Role::Guest])] {
        let change = Call::patch("/v1/customers/me", json!({"name": "누구"})).bearer(&token);
        shop.refused(change, 403, "forbidden").await;
        shop.refused(Call::post("/v1/customers/me/addresses", address()).bearer(&token), 403, "forbidden")
            .await;
        shop.refused(Call::delete("/v1/customers/me").bearer(&token), 403, "forbidden").await;
    }
}

#[tokio::test]
async fn the_log_holds_no_hash_of_a_password_that_could_be_guessed_at() {
    let shop = Shop::open().await;
    let body = person("haneul@example.com");
    let key = Uuid::new_v4().to_string();
    shop.send(Call::post("/v1/customers", body.clone()).key(&key)).await.expect(201);
    let kept: Vec<Vec<u8>> = sqlx::query_scalar("SELECT fingerprint FROM log.commands")
        .fetch_all(shop.store.pool())
        .await
        .unwrap();
    let plain = <sha2::Sha256 as sha2::Digest>::digest(format!("POST\n/v1/customers\n{body}").as_bytes());
    assert_eq!(kept.len(), 1);
    assert_ne!(kept[0], plain.to_vec());
}
