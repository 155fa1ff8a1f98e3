//! Plays a plan. Orders are placed in the order of the file, one after another, because each has its prices. What fixes no
//! price happens beside that: carts and stock a few invoices ahead, payment and delivery a few invoices behind.

use std::sync::Arc;

use anyhow::{Context, Result};
use domain::Currency;
use futures::{StreamExt, stream};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::call::{Answer, As, Call};
use super::catalogue::Catalogue;
use super::customers::Customers;
use super::journal::Journal;
use super::keys::Keys;
use super::orders::Cart;
use super::plan::{Invoice, Plan, Product, Sale};
use super::progress::Progress;
use super::shop::Shop;

/// So many invoices are made ready at once.
const AHEAD: usize = 8;
/// So many orders are on their way at once.
const BEHIND: usize = 16;
/// A defect of ours.
const ENDED: &str = "a part of the import has ended by itself";

/// Plays invoices.
pub(super) struct Player {
    pub(super) shop: Arc<Shop>,
    pub(super) keys: Keys,
    pub(super) currency: Currency,
    pub(super) journal: Arc<Journal>,
    pub(super) customers: Customers,
    pub(super) catalogue: Arc<Catalogue>,
}

/// An invoice that is ready to be played.
enum Ready {
    Sale(Arc<Sale>, Cart),
    GiveBack(super::plan::GiveBack),
}

impl Player {
    /// Plays what no earlier run has finished.
    pub(super) async fn play(self: Arc<Self>, plan: &Plan, progress: &Progress) -> Result<()> {
        let left: Vec<Invoice> =
            plan.invoices.iter().filter(|invoice| !self.is_done(invoice)).cloned().collect();
        let products = products(plan, &left);
        progress.begin("products", products.len());
        self.catalogue.list(products, || progress.step()).await?;
        progress.begin("invoices", left.len());
        let player = self.clone();
        let ready = move |invoice| {
            let player = player.clone();
            tokio::spawn(async move { player.ready(invoice).await })
        };
        let mut ready = stream::iter(left).map(ready).buffered(AHEAD);
        let mut on_the_way = JoinSet::new();
        while let Some(next) = ready.next().await {
            match next.context(ENDED)?? {
                Ready::Sale(sale, cart) => {
                    let placed = self.place(&sale, &cart).await?;
                    on_the_way.spawn(self.clone().complete(sale, placed));
                }
                Ready::GiveBack(back) => {
                    // Only what has arrived can be given back.
                    finish(&mut on_the_way, 0, progress).await?;
                    self.give_back(&back).await?;
                    progress.step();
                }
            }
            finish(&mut on_the_way, BEHIND, progress).await?;
        }
        finish(&mut on_the_way, 0, progress).await
    }

    fn is_done(&self, invoice: &Invoice) -> bool {
        self.journal.look(|known| known.done.contains_key(invoice.number()))
    }

    async fn ready(self: Arc<Self>, invoice: Invoice) -> Result<Ready> {
        match invoice {
            Invoice::GiveBack(give_back) => Ok(Ready::GiveBack(give_back)),
            Invoice::Sale(sale) => {
                let sale = Arc::new(sale);
                let cart = self.fill(sale.clone()).await?;
                Ok(Ready::Sale(sale, cart))
            }
        }
    }

    /// Brings an order that was placed to its buyer. `None`: it was refused.
    async fn complete(self: Arc<Self>, sale: Arc<Sale>, placed: Option<Answer>) -> Result<()> {
        let order = match &placed {
            Some(placed) if self.finish(&sale, placed).await? => Some(placed.text("order_id")?),
            _ => None,
        };
        self.journal.done(&sale.number, order)
    }

    /// The key of one step of a sale.
    pub(super) fn key(&self, sale: &Sale, step: &str) -> Uuid {
        self.keys.of(&[step, &sale.number])
    }

    /// An order as the query API shows it, after what `token` names.
    pub(super) async fn show(&self, order_id: &str, token: Option<&str>) -> Result<Answer> {
        let call = Call::get(format!("/v1/orders/{order_id}"), As::Staff).after(token);
        let shown = self.shop.send(&call).await;
        shown.map_err(|failure| failure.fatal(&format!("the order {order_id} cannot be read")))
    }
}

/// Waits until at most `room` orders are on their way.
async fn finish(on_the_way: &mut JoinSet<Result<()>>, room: usize, progress: &Progress) -> Result<()> {
    while on_the_way.len() > room {
        if let Some(finished) = on_the_way.join_next().await {
            finished.context(ENDED)??;
            progress.step();
        }
    }
    Ok(())
}

/// The products that these invoices sell.
fn products(plan: &Plan, invoices: &[Invoice]) -> Vec<Product> {
    let sold: std::collections::HashSet<_> = invoices
        .iter()
        .filter_map(|invoice| if let Invoice::Sale(sale) = invoice { Some(sale) } else { None })
        .flat_map(|sale| sale.items.iter().map(|item| &item.sku))
        .collect();
    plan.products.iter().filter(|product| sold.contains(&product.sku)).cloned().collect()
}
