//! The log against its own rules: one walk through all of it.

use event_store::{EventStore, Position, Recorded};

use super::finding::{Finding, counted};
use super::money::Books;
use super::pages::{Page, Pages};
use super::positions::Positions;
use super::stock::Levels;
use super::{Check, commands};
use crate::Error;

/// What was seen of the log.
#[derive(Default)]
struct Log {
    positions: Positions,
    unreadable: Finding,
    stock: Levels,
    money: Books,
}

/// Checks the log up to where it ends now.
pub(super) async fn checks(store: &EventStore) -> Result<Vec<Check>, Error> {
    let head = store.head().await?.position;
    let mut log = Log::default();
    let mut pages = Pages::new(store, Position(0), head);
    while let Some(page) = pages.next().await? {
        match page {
            Page::Events(events) => events.iter().for_each(|recorded| log.see(recorded)),
            Page::Unreadable(position, raw, error) => {
                log.unreadable.found(|| format!("position {position}: {error}"));
                if let Some(raw) = raw {
                    log.positions.see(raw.position, &raw.stream, raw.version);
                }
            }
        }
    }
    let mut checks = log.finish(head);
    checks.push(commands::check(store, head).await?);
    Ok(checks)
}

impl Log {
    fn see(&mut self, recorded: &Recorded) {
        self.positions.see(recorded.position, &recorded.stream, recorded.version);
        self.stock.see(recorded);
        self.money.see(recorded);
    }

    fn finish(self, head: Position) -> Vec<Check> {
        let read = format!("{}, with their personal data", counted(self.positions.count(), "event"));
        let mut checks = self.positions.finish(head);
        checks.push(self.unreadable.check("every event can be read", read));
        checks.push(self.stock.finish());
        checks.extend(self.money.finish());
        checks
    }
}
