//! The invoices' customers as people of the shop: registered once, signed in when they buy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use serde_json::json;

use super::call::{As, Call, Failure};
use super::keys::Secret;
use super::shop::Shop;

/// A customer's access token, once there is one; held while one is fetched, so that each is fetched once.
type Token = Arc<tokio::sync::Mutex<Option<String>>>;

/// All customers of an import.
pub(super) struct Customers {
    shop: Arc<Shop>,
    secret: Secret,
    tokens: Mutex<HashMap<String, Token>>,
}

/// What the shop says when a customer is registered already.
const KNOWN: [&str; 2] = ["email-taken", "idempotency-key-reused"];

/// The address of an imported customer; nobody can receive mail there (RFC 2606).
pub(super) fn email(customer: &str) -> String {
    format!("customer-{customer}@import.invalid")
}

impl Customers {
    pub(super) fn new(shop: Arc<Shop>, secret: Secret) -> Self {
        Self { shop, secret, tokens: Mutex::default() }
    }

    /// The access token of a customer, who is registered and signed in when that has not happened yet.
    pub(super) async fn token(&self, customer: &str) -> Result<String> {
        let token = self.of(customer);
        let mut token = token.lock().await;
        if let Some(token) = &*token {
            return Ok(token.clone());
        }
        self.register(customer).await?;
        let fresh = self.sign_in(customer).await?;
        Ok(token.insert(fresh).clone())
    }

    /// Another token in place of one that has ended.
    pub(super) async fn renew(&self, customer: &str, ended: &str) -> Result<String> {
        let token = self.of(customer);
        let mut token = token.lock().await;
        match &*token {
            Some(token) if token != ended => Ok(token.clone()),
            _ => {
                let fresh = self.sign_in(customer).await?;
                Ok(token.insert(fresh).clone())
            }
        }
    }

    fn of(&self, customer: &str) -> Token {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.entry(customer.to_owned()).or_default().clone()
    }

    async fn register(&self, customer: &str) -> Result<()> {
        let person = json!({
            "email": email(customer),
            "password": self.secret.password(customer),
            "name": format!("Customer {customer}"),
            "locale": "en",
        });
        let call = Call::post("/v1/customers", As::Nobody, person).key(self.secret.key(customer));
        match self.shop.send(&call).await {
            Ok(_) => Ok(()),
            // An earlier import has registered them. Whether with this secret, signing in shows.
            Err(Failure::Refused(refusal)) if KNOWN.contains(&refusal.code.as_str()) => Ok(()),
            Err(failure) => Err(failure.fatal(&format!("customer {customer} cannot be registered"))),
        }
    }

    async fn sign_in(&self, customer: &str) -> Result<String> {
        let person = json!({"email": email(customer), "password": self.secret.password(customer)});
        // Without a key: a session is for now, and a repeated one costs nothing.
        match self.shop.send(&Call::post("/v1/sessions", As::Nobody, person)).await {
            Ok(answer) => Ok(answer.text("access_token")?.to_owned()),
            Err(Failure::Refused(refusal)) if refusal.status == 401 => bail!(
                "customer {customer} was imported before, and the file with the passwords of that import is not here"
            ),
            Err(failure) => Err(failure.fatal(&format!("customer {customer} cannot sign in"))),
        }
    }
}
