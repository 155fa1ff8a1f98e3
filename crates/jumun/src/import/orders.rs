//! A sale through the shop: a cart, its pieces brought into stock, the order.

use std::sync::Arc;

use anyhow::Result;
use domain::Money;
use domain::order::shipping_fee;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::CALLS_AT_ONCE;
use super::call::{Answer, As, Call, Failure};
use super::catalogue::in_path;
use super::journal::WHOLE;
use super::plan::{Item, Sale};
use super::player::Player;

/// A cart with everything in it that its invoice names.
pub(super) struct Cart {
    id: String,
    /// The guest's token. `None`: a customer's cart.
    guest: Option<tokio::sync::Mutex<String>>,
    /// It has become an order in an earlier run.
    closed: bool,
}

impl Player {
    /// Fills a cart for a sale, and brings its pieces into stock. May run ahead of the sales before it: no price is fixed here.
    pub(super) async fn fill(self: Arc<Self>, sale: Arc<Sale>) -> Result<Cart> {
        let (answer, guest) = self.open_cart(&sale).await?;
        let id = answer.text("cart_id")?.to_owned();
        let mut cart = Cart { id, guest: guest.map(tokio::sync::Mutex::new), closed: false };
        let mut items = self.open_items(&sale);
        if answer.replayed && !items.is_empty() {
            // Either it was filled halfway, or it is an order already, which a cart says whatever is put in.
            let first = items.remove(0);
            cart.closed = self.add(&sale, &cart, first).await?;
            if cart.closed {
                return Ok(cart);
            }
        }
        let (player, to) = (&self, (&*sale, &cart));
        let one = |item: Item| async move { player.add(to.0, to.1, item).await };
        let closed: Vec<bool> =
            stream::iter(items).map(one).buffer_unordered(CALLS_AT_ONCE).try_collect().await?;
        cart.closed = closed.contains(&true);
        Ok(cart)
    }

    /// Puts a line into the cart, and brings its pieces into stock. `true`: the cart is an order already.
    async fn add(&self, sale: &Sale, cart: &Cart, item: Item) -> Result<bool> {
        let path = format!("/v1/carts/{}/items/{}", cart.id, in_path(&item.sku));
        let call = Call::put(path, As::Nobody, json!({"quantity": item.quantity}));
        match self.as_buyer(sale, cart, call).await {
            Ok(_) => self.receive(sale, &item).await.map(|()| false),
            Err(Failure::Refused(refusal)) if refusal.code == "cart-closed" => Ok(true),
            Err(Failure::Refused(refusal)) => {
                self.journal.refused(&sale.number, item.sku.as_str(), &refusal.to_string())?;
                Ok(false)
            }
            Err(Failure::Broken(error)) => Err(error),
        }
    }

    /// What the shop has not refused.
    fn open_items(&self, sale: &Sale) -> Vec<Item> {
        let open = |item: &&Item| {
            self.journal.look(|known| known.refusal(&sale.number, item.sku.as_str()).is_none())
        };
        sale.items.iter().filter(open).cloned().collect()
    }

    async fn open_cart(&self, sale: &Sale) -> Result<(Answer, Option<String>)> {
        let body = json!({"currency": self.currency.code(), "locale": "en"});
        // The staff opens guests' carts: the key can be made from the file, which is no secret, and so must be one of a caller's own.
        let call = Call::post("/v1/carts", As::Staff, body).key(self.key(sale, "cart"));
        let answer = match &sale.customer {
            None => self.shop.send(&call).await,
            Some(customer) => self.as_customer(customer, call).await,
        };
        let answer = answer.map_err(|failure| failure.fatal(&format!("invoice {}: no cart", sale.number)))?;
        let guest = match sale.customer {
            Some(_) => None,
            None => Some(answer.text("guest_token")?.to_owned()),
        };
        Ok((answer, guest))
    }

    /// Brings exactly the invoice's pieces into stock.
    async fn receive(&self, sale: &Sale, item: &Item) -> Result<()> {
        let path = format!("/v1/stock/{}/receipts", in_path(&item.sku));
        let body = json!({"quantity": item.quantity, "reason": format!("import, invoice {}", sale.number)});
        let key = self.keys.of(&["receipt", &sale.number, item.sku.as_str()]);
        let received = self.shop.send(&Call::post(path, As::Staff, body).key(key)).await;
        let what = || format!("invoice {}: {} cannot be received", sale.number, item.sku);
        received.map(drop).map_err(|failure| failure.fatal(&what()))
    }

    /// Places the order of a filled cart, at the invoice's prices. `None`: it was refused.
    pub(super) async fn place(&self, sale: &Sale, cart: &Cart) -> Result<Option<Answer>> {
        let items = self.open_items(sale);
        if items.is_empty() {
            return Ok(None);
        }
        if !cart.closed {
            self.catalogue.price(&items).await?;
        }
        let call = Call::post("/v1/orders", As::Nobody, self.order(sale, cart, &items)?);
        // Its payment is not waited for here: the next order can be placed meanwhile.
        let call = call.key(self.key(sale, "order"));
        let placed = self.as_buyer(sale, cart, call).await;
        let what = || format!("the order of invoice {}", sale.number);
        match placed.map_err(|failure| failure.unless_of_the_key(&what())) {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::Refused(refusal)) => {
                self.journal.refused(&sale.number, WHOLE, &refusal.to_string())?;
                Ok(None)
            }
            Err(Failure::Broken(error)) => Err(error),
        }
    }

    fn order(&self, sale: &Sale, cart: &Cart, items: &[Item]) -> Result<Value> {
        let buyer = match &sale.customer {
            Some(customer) => format!("Customer {customer}"),
            None => "Guest".to_owned(),
        };
        let subtotal = Money::new(items.iter().map(|item| item.total).sum(), self.currency);
        // An invoice has no line for sending that is not a line of its own: the order must not add one.
        let free = shipping_fee("standard", subtotal)?.is_some_and(|fee| !fee.is_positive());
        let mut order = json!({
            "cart_id": cart.id,
            "shipping_address": {
                "recipient": buyer, "line1": "Imported invoice", "city": "Imported",
                "postal_code": "0000", "country": sale.country,
            },
            "shipping_method": if free { "standard" } else { "pickup" },
            "payment": {"gateway": "sandbox", "token": "approve"},
        });
        if sale.customer.is_none() {
            let email = format!("guest-{}@import.invalid", self.key(sale, "contact").simple());
            order["contact"] = json!({"email": email, "name": buyer});
        }
        Ok(order)
    }

    async fn as_customer(&self, customer: &str, call: Call) -> Result<Answer, Failure> {
        let token = self.customers.token(customer).await?;
        match self.shop.send(&call.clone().by(As::Bearer(token.clone()))).await {
            Err(Failure::Refused(refusal)) if refusal.status == 401 => {
                let token = self.customers.renew(customer, &token).await?;
                self.shop.send(&call.by(As::Bearer(token))).await
            }
            answer => answer,
        }
    }

    async fn as_buyer(&self, sale: &Sale, cart: &Cart, call: Call) -> Result<Answer, Failure> {
        let Some(guest) = &cart.guest else {
            return self.as_customer(sale.customer.as_deref().unwrap_or_default(), call).await;
        };
        let token = guest.lock().await.clone();
        match self.shop.send(&call.clone().by(As::Bearer(token))).await {
            Err(Failure::Refused(refusal)) if refusal.status == 401 => {
                // Asked for once more with the same key, the same cart answers, with a token that is valid from now on.
                let (_, fresh) = self.open_cart(sale).await?;
                let fresh = fresh.unwrap_or_default();
                *guest.lock().await = fresh.clone();
                self.shop.send(&call.by(As::Bearer(fresh))).await
            }
            answer => answer,
        }
    }
}
