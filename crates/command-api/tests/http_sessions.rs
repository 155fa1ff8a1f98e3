//! Signing in, going on, signing out.

use domain::text::Email;
use http_surface::auth::Role;
use serde_json::json;
use uuid::Uuid;

use crate::shop::{Answer, Call, Shop};

const PASSWORD: &str = "correct horse battery";

async fn shop() -> (Shop, Uuid) {
    let (shop, id) = (Shop::open().await, Uuid::now_v7());
    let index = shop.store.email_index(&Email::parse("staff@example.com").unwrap());
    shop.accounts.add(&index, &PASSWORD.into(), id, &[Role::Staff, Role::Auditor]).await.unwrap();
    (shop, id)
}

async fn sign_in(shop: &Shop, email: &str, password: &str) -> Answer {
    shop.send(Call::post("/v1/sessions", json!({"email": email, "password": password}))).await
}

async fn refresh(shop: &Shop, token: &str) -> Answer {
    shop.send(Call::post("/v1/sessions/refresh", json!({"refresh_token": token}))).await
}

#[tokio::test]
async fn a_session_gives_the_accounts_roles_for_15_minutes() {
    let (shop, id) = shop().await;
    let answer = sign_in(&shop, "STAFF@example.com", PASSWORD).await.expect(201);
    assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let claims = shop.keys.verify(&answer.text("/access_token")).unwrap();
    assert_eq!((claims.sub, claims.roles), (id, vec![Role::Staff, Role::Auditor]));
    assert_eq!(claims.exp - claims.nbf, 900);
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_are_answered_alike() {
    let (shop, _) = shop().await;
    let wrong =
        sign_in(&shop, "staff@example.com", "wrong password").await.problem(401, "invalid-credentials");
    let unknown = sign_in(&shop, "nobody@example.com", PASSWORD).await.problem(401, "invalid-credentials");
    let senseless = sign_in(&shop, "nonsense", PASSWORD).await.problem(401, "invalid-credentials");
    for answer in [unknown, senseless] {
        assert_eq!(answer.body["detail"], wrong.body["detail"]);
    }
}

#[tokio::test]
async fn a_refresh_token_is_used_once_and_kept_as_a_hash() {
    let (shop, id) = shop().await;
    let first = sign_in(&shop, "staff@example.com", PASSWORD).await.expect(201);
    let second = refresh(&shop, &first.text("/refresh_token")).await.expect(201);
    assert_ne!(first.text("/refresh_token"), second.text("/refresh_token"));
    let claims = |answer: &Answer| shop.keys.verify(&answer.text("/access_token")).unwrap();
    assert_eq!((claims(&second).sub, claims(&second).sid), (id, claims(&first).sid));
    refresh(&shop, &second.text("/refresh_token")).await.expect(201);
    let dump: Vec<String> = sqlx::query_scalar("SELECT to_json(t)::text FROM vault.refresh_tokens t")
        .fetch_all(&shop.database.pool)
        .await
        .unwrap();
    assert_eq!(dump.len(), 3);
    assert!(!dump.iter().any(|row| row.contains(&first.text("/refresh_token"))));
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_ends_the_whole_session() {
    let (shop, _) = shop().await;
    let stolen = sign_in(&shop, "staff@example.com", PASSWORD).await.expect(201).text("/refresh_token");
    let elsewhere = sign_in(&shop, "staff@example.com", PASSWORD).await.expect(201).text("/refresh_token");
    let next = refresh(&shop, &stolen).await.expect(201).text("/refresh_token");
    refresh(&shop, &stolen).await.problem(401, "invalid-refresh-token");
    refresh(&shop, &next).await.problem(401, "invalid-refresh-token");
    refresh(&shop, &elsewhere).await.expect(201);
    refresh(&shop, "nonsense").await.problem(401, "invalid-refresh-token");
}

#[tokio::test]
async fn of_many_at_once_one_gets_the_next_token() {
    let (shop, _) = shop().await;
    let token = sign_in(&shop, "staff@example.com", PASSWORD).await.expect(201).text("/refresh_token");
    let answers = futures::future::join_all((0..8).map(|_| refresh(&shop, &token))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
}

#[tokio::test]
async fn an_expired_refresh_token_is_of_no_use() {
    let (shop, _) = shop().await;
    let token = sign_in(&shop, "staff@example.com", PASSWORD).await.expect(201).text("/refresh_token");
    let past = "UPDATE vault.refresh_tokens SET expires_at = now() - interval '1 second'";
    sqlx::query(past).execute(&shop.database.pool).await.unwrap();
    refresh(&shop, &token).await.problem(401, "invalid-refresh-token");
}

#[tokio::test]
async fn a_renewal_forgets_the_sessions_tokens_that_have_run_out() {
    let (shop, _) = shop().await;
    let first = sign_in(&shop, "staff@example.com", PASSWORD).await.expect(201).text("/refresh_token");
    let second = refresh(&shop, &first).await.expect(201).text("/refresh_token");
    let past =
        "UPDATE vault.refresh_tokens SET expires_at = now() - interval '1 second' WHERE used_at IS NOT NULL";
    sqlx::query(past).execute(&shop.database.pool).await.unwrap();
    let third = refresh(&shop, &second).await.expect(201).text("/refresh_token");
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM vault.refresh_tokens")
        .fetch_one(&shop.database.pool)
        .await
        .unwrap();
    assert_eq!(left, 2, "the one just used, so that using it again is noticed, and the next one");
    refresh(&shop, &second).await.problem(401, "invalid-refresh-token");
    refresh(&shop, &third).await.problem(401, "invalid-refresh-token");
}

#[tokio::test]
async fn a_session_goes_on_for_90_days_at_most() {
    let (shop, _) = shop().await;
    let token = sign_in(&shop, "staff@example.com", PASSWORD).await.expect(201).text("/refresh_token");
    let begun = |days: i32| {
        sqlx::query("UPDATE vault.sessions SET created_at = now() - make_interval(days => $1)")
            .bind(days)
            .execute(&shop.database.pool)
    };
    begun(80).await.unwrap();
    let token = refresh(&shop, &token).await.expect(201).text("/refresh_token");
    let beyond: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM vault.refresh_tokens t JOIN vault.sessions s USING (session_id)
          WHERE t.used_at IS NULL AND t.expires_at > s.created_at + interval '90 days'",
    )
    .fetch_one(&shop.database.pool)
    .await
    .unwrap();
    assert_eq!(beyond, 0, "the last token ends with the session");
    begun(91).await.unwrap();
    refresh(&shop, &token).await.problem(401, "invalid-refresh-token");
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let (shop, _) = shop().await;
    let session = sign_in(&shop, "staff@example.com", PASSWORD).await.expect(201);
    let sign_out = || Call::delete("/v1/sessions/current").bearer(&session.text("/access_token"));
    shop.send(sign_out()).await.expect(204);
    refresh(&shop, &session.text("/refresh_token")).await.problem(401, "invalid-refresh-token");
    shop.send(sign_out()).await.problem(404, "not-found");
    let guest = shop.token(Uuid::now_v7(), &[Role::Guest]);
    shop.send(Call::delete("/v1/sessions/current").bearer(&guest)).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_removed_account_has_no_sessions() {
    let (shop, id) = shop().await;
    let token = sign_in(&shop, "staff@example.com", PASSWORD).await.expect(201).text("/refresh_token");
    shop.accounts.forget(id).await.unwrap();
    shop.accounts.forget(id).await.unwrap();
    refresh(&shop, &token).await.problem(401, "invalid-refresh-token");
    sign_in(&shop, "staff@example.com", PASSWORD).await.problem(401, "invalid-credentials");
}

#[tokio::test]
async fn after_ten_wrong_passwords_nobody_can_guess_on() {
    let (shop, _) = shop().await;
    for _ in 0..10 {
        sign_in(&shop, "staff@example.com", "wrong password").await.problem(401, "invalid-credentials");
    }
    let answer = sign_in(&shop, "staff@example.com", PASSWORD).await.problem(429, "too-many-attempts");
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=901).contains(&seconds));
    sign_in(&shop, "nobody@example.com", PASSWORD).await.problem(401, "invalid-credentials");
}
