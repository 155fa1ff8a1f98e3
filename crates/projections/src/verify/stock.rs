//! Stock: never below zero, at no moment.

use std::collections::HashMap;

use domain::{Event, StreamId, stock};
use event_store::Recorded;

use super::Check;
use super::finding::{Finding, counted};

/// What was seen of stock items: on hand and reserved.
#[derive(Debug, Default)]
pub(super) struct Levels {
    items: HashMap<StreamId, (i64, i64)>,
    changes: u64,
    below: Finding,
}

impl Levels {
    pub(super) fn see(&mut self, recorded: &Recorded) {
        let Event::Stock(event) = &recorded.event else { return };
        let (in_house, held) = change(event);
        let (on_hand, reserved) = self.items.entry(recorded.stream.clone()).or_default();
        *on_hand = on_hand.saturating_add(in_house);
        *reserved = reserved.saturating_add(held);
        let (on_hand, reserved) = (*on_hand, *reserved);
        self.changes += 1;
        if on_hand < 0 || reserved < 0 || on_hand < reserved {
            let (position, stream) = (recorded.position, &recorded.stream);
            self.below.found(|| {
                format!("{stream} has {on_hand} on hand and {reserved} reserved at position {position}")
            });
        }
    }

    pub(super) fn finish(self) -> Check {
        let items = counted(self.items.len() as u64, "item");
        let fine = format!("{items}, {}", counted(self.changes, "change"));
        self.below.check("stock is never below zero", fine)
    }
}

/// How many pieces more are in the house, and how many more are held.
fn change(event: &stock::Event) -> (i64, i64) {
    match event {
        stock::Event::Received(received) => (received.quantity.into(), 0),
        stock::Event::Adjusted(adjusted) => (adjusted.delta, 0),
        stock::Event::Restocked(restocked) => (restocked.quantity.into(), 0),
        stock::Event::Reserved(reserved) => (0, reserved.quantity.into()),
        stock::Event::Released(released) => (0, -i64::from(released.quantity)),
        stock::Event::Shipped(shipped) => (-i64::from(shipped.quantity), -i64::from(shipped.quantity)),
        stock::Event::Listed(_) | stock::Event::ReorderPointSet(_) | stock::Event::ReplenishmentNeeded(_) => {
            (0, 0)
        }
    }
}
