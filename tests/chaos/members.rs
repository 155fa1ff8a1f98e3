//! People who register, sign in, look at themselves, and want to be forgotten.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::client::{Ask, By, Client};
use super::history::History;

/// In every address and name: no log may show it.
pub(super) const CANARY: &str = "canary-of-members";
/// No log may show it either.
pub(super) const PASSWORD: &str = "correct horse battery canary";
const SIGN_INS: u32 = 20;

/// One person after another, until it is told to stop.
pub(super) async fn members(mut client: Client, seed: u64) -> History {
    let mut number = 0;
    while !client.world.stopped() {
        number += 1;
        let email = format!("{CANARY}-{seed}-{number}@example.com");
        let forgotten = client.plan.percent(50);
        client.joins(&email, forgotten).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    client.history
}

impl Client {
    async fn joins(&mut self, email: &str, forgotten: bool) -> Option<()> {
        let person = json!({"email": email, "password": PASSWORD, "name": CANARY, "locale": "ko"});
        self.command(Ask::post("register", "/v1/customers", By::Nobody, person)).await?;
        let bearer = self.signs_in(email).await?;
        let me = |method, name| Ask {
            method,
            ..Ask::post(name, "/v1/customers/me", By::Bearer(bearer.clone()), Value::Null)
        };
        self.sees_itself(&bearer, email).await;
        let change =
            Ask { body: json!({"name": format!("{CANARY} II")}), ..me(Method::PATCH, "change a profile") };
        self.command(change).await?;
        if forgotten {
            self.command(me(Method::DELETE, "be forgotten")).await?;
        }
        Some(())
    }

    /// A bearer token. Who has registered is known at once, on every node.
    async fn signs_in(&mut self, email: &str) -> Option<String> {
        let body = json!({"email": email, "password": PASSWORD});
        let urls = self.world.command_urls.clone();
        for url in urls.iter().cycle().take(usize::try_from(SIGN_INS).unwrap()) {
            let asked = self.world.http.post(format!("{url}/v1/sessions")).json(&body).send().await;
            match asked {
                Ok(answer) if answer.status() == StatusCode::CREATED => {
                    let body: Value = answer.json().await.ok()?;
                    return body["access_token"].as_str().map(str::to_owned);
                }
                Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
                    self.history.wrong.push("whoever has just registered cannot sign in".to_owned());
                    return None;
                }
                _ => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
        None
    }

    async fn sees_itself(&mut self, bearer: &str, email: &str) {
        let token = self.token.clone();
        let Some(shown) = self.query("/v1/customers/me", Some(bearer), token.as_deref()).await else {
            return;
        };
        if shown.status != StatusCode::OK || shown.body["email"] != *email {
            self.lied(format!("somebody has registered and is not shown: {}", shown.status));
        }
    }
}
