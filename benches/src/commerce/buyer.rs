//! A guest who buys: cart, items, order; one request each.

use anyhow::{Result, bail, ensure};

use super::wire::{Call, Connection};
use crate::Shop;

/// When a checkout is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The order is in the log, and its pieces are reserved.
    Placed,
    /// The gateway has been paid as well, and the order is confirmed.
    Paid,
}

/// How a checkout ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bought {
    Order,
    /// The shop has no piece left.
    Refused,
}

/// An open cart.
pub(super) struct Cart {
    pub(super) id: String,
    pub(super) guest: String,
    /// Of its opening.
    pub(super) token: String,
}

/// A buyer's connections.
pub(super) struct Buyer {
    pub(super) command: Connection,
    pub(super) query: Connection,
}

impl Buyer {
    pub(super) async fn enters(shop: &Shop) -> Result<Self> {
        Self::comes_to(&shop.command_url, &shop.query_url).await
    }

    /// To these addresses.
    pub(super) async fn comes_to(command_url: &str, query_url: &str) -> Result<Self> {
        Ok(Self { command: Connection::open(command_url).await?, query: Connection::open(query_url).await? })
    }

    /// A new guest buys one piece of each.
    pub(super) async fn buys(&mut self, skus: &[&str], until: Until) -> Result<Bought> {
        let cart = self.opens().await?;
        for sku in skus {
            self.puts(&cart, sku, 1).await?;
        }
        Ok(if self.orders(&cart, until).await?.is_some() { Bought::Order } else { Bought::Refused })
    }

    pub(super) async fn opens(&mut self) -> Result<Cart> {
        let call =
            Call { method: "POST", path: "/v1/carts", body: r#"{"currency":"KRW"}"#, ..Call::default() };
        let answer = self.command.succeed(call).await?;
        Ok(Cart {
            id: answer.text("cart_id")?.to_owned(),
            guest: answer.text("guest_token")?.to_owned(),
            token: answer.header("consistency-token").unwrap_or_default().to_owned(),
        })
    }

    /// Puts so many into the cart: the token of that.
    pub(super) async fn puts(&mut self, cart: &Cart, sku: &str, pieces: u32) -> Result<String> {
        let (path, body) =
            (format!("/v1/carts/{}/items/{sku}", cart.id), format!("{{\"quantity\":{pieces}}}"));
        let bearer = Some(cart.guest.as_str());
        let answer = self
            .command
            .succeed(Call { method: "PUT", path: &path, bearer, body: &body, headers: "" })
            .await?;
        Ok(answer.header("consistency-token").unwrap_or_default().to_owned())
    }

    /// Orders what is in the cart: the order and the token of it. `None`: it is sold out.
    pub(super) async fn orders(&mut self, cart: &Cart, until: Until) -> Result<Option<(String, String)>> {
        let body = format!(
            r#"{{"cart_id":"{}","contact":{{"email":"{}@example.com","name":"Ada Kim"}},"shipping_address":{{"recipient":"Ada Kim","line1":"1 Long Street","city":"Seoul","postal_code":"04524","country":"KR"}},"payment":{{"gateway":"sandbox","token":"approve"}}}}"#,
            cart.id, cart.id
        );
        let headers = if until == Until::Paid { "prefer: wait=30\r\n" } else { "" };
        let bearer = Some(cart.guest.as_str());
        let call = Call { method: "POST", path: "/v1/orders", bearer, headers, body: &body };
        let answer = self.command.call(call).await?;
        if answer.status == 409 && answer.body.contains("out-of-stock") {
            return Ok(None);
        }
        if !answer.is_success() {
            bail!("the order: {} {}", answer.status, answer.body);
        }
        let (order, status) = (answer.text("order_id")?.to_owned(), answer.text("status")?);
        ensure!(until == Until::Placed || status == "confirmed", "the order is {status}");
        Ok(Some((order, answer.header("consistency-token").unwrap_or_default().to_owned())))
    }

    /// Asks for something of the cart's guest, as of that token.
    pub(super) async fn sees(&mut self, path: &str, cart: &Cart, token: &str) -> Result<String> {
        let headers = format!("consistency-token: {token}\r\n");
        let bearer = Some(cart.guest.as_str());
        let call = Call { method: "GET", path, bearer, headers: &headers, ..Call::default() };
        Ok(self.query.succeed(call).await?.body.to_owned())
    }

    /// Asks for something that everybody may see.
    pub(super) async fn reads(&mut self, path: &str) -> Result<()> {
        let answer = self.query.succeed(Call { method: "GET", path, ..Call::default() }).await?;
        ensure!(!answer.body.contains("\"items\":[]"), "nothing was found: {path}");
        Ok(())
    }
}
