//! I8: pieces are sold once. Folded here by itself: the checker must not believe what it checks.

use std::collections::HashMap;

use super::super::evidence::{Event, Evidence};
use super::Findings;

#[derive(Default)]
struct Item<'a> {
    on_hand: i64,
    held: HashMap<&'a str, i64>,
    /// Pieces that left, by order.
    shipped: HashMap<&'a str, i64>,
}

pub(super) fn check(evidence: &Evidence, found: &mut Findings) {
    let mut items = HashMap::<&str, Item<'_>>::new();
    for event in &evidence.events {
        let Some(sku) = event.key_in("stock") else { continue };
        let item = items.entry(sku).or_default();
        item.apply(event);
        let free = item.on_hand - item.held.values().sum::<i64>();
        // Only what is taken can be too much: a count that was corrected may leave too little.
        if free < 0 && event.kind == "StockReserved" {
            found.add("I8", format!("{sku} is oversold by {} at {}", -free, event.position));
        }
        if item.held.values().chain(item.shipped.values()).any(|pieces| *pieces < 0) {
            found.add("I8", format!("{sku}: more pieces go than were held, at {}", event.position));
        }
    }
}

impl<'a> Item<'a> {
    fn apply(&mut self, event: &'a Event) {
        let (order, pieces) = (event.text("order_id"), event.number("quantity"));
        match event.kind.as_str() {
            "StockReceived" => self.on_hand += pieces,
            "StockAdjusted" => self.on_hand += event.number("delta"),
            "StockReserved" => *self.held.entry(order).or_default() += pieces,
            "StockReleased" => *self.held.entry(order).or_default() -= pieces,
            "StockShipped" => {
                self.on_hand -= pieces;
                *self.held.entry(order).or_default() -= pieces;
                *self.shipped.entry(order).or_default() += pieces;
            }
            "StockRestocked" => {
                self.on_hand += pieces;
                *self.shipped.entry(order).or_default() -= pieces;
            }
            _ => {}
        }
    }
}
