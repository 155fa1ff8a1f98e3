//! Gathers the history of an order from the log: its own stream, its payment's, its cart's and its notices' whole, and of
//! the stock items' streams what is about this order.

use std::collections::BTreeMap;

use domain::ids::{CartId, OrderId, PaymentId};
use domain::{Category, Event, StreamId, order};
use event_store::{EventStore, Filter, Position, Raw};

use crate::error::Error;

/// Events read from the log at once.
const PAGE: u32 = 500;

/// The history of an order, by position.
pub(super) type History = BTreeMap<u64, Raw>;

/// Reads the history of an order up to a position. `mentions`: where other streams speak of it. `None`: there is no such order.
pub(super) async fn gather(
    store: &EventStore,
    order_id: OrderId,
    until: Position,
    mentions: &[u64],
) -> Result<Option<History>, Error> {
    let mut history = History::new();
    read_stream(store, StreamId::order(order_id), until, &mut history).await?;
    let Some((cart_id, payment_id)) = history.values().find_map(|raw| placed(raw).transpose()).transpose()?
    else {
        return Ok(None);
    };
    read_stream(store, StreamId::cart(cart_id), until, &mut history).await?;
    read_stream(store, StreamId::payment(payment_id), until, &mut history).await?;
    let mut notices = Vec::new();
    for (first, last) in runs(mentions, until) {
        let filter = Filter { until: Some(Position(last)), ..Filter::default() };
        for raw in store.read_raw(Position(first - 1), PAGE, &filter).await? {
            if raw.stream.category() == Category::Notification {
                notices.push(raw.stream.clone());
            }
            history.insert(raw.position.0, raw);
        }
    }
    for notice in notices {
        read_stream(store, notice, until, &mut history).await?;
    }
    Ok(Some(history))
}

async fn read_stream(
    store: &EventStore,
    stream: StreamId,
    until: Position,
    history: &mut History,
) -> Result<(), Error> {
    let filter = Filter { stream: Some(stream), until: Some(until), ..Filter::default() };
    let mut after = Position(0);
    loop {
        let page = store.read_raw(after, PAGE, &filter).await?;
        let full = page.len() == PAGE as usize;
        for raw in page {
            after = raw.position;
            history.insert(raw.position.0, raw);
        }
        if !full {
            return Ok(());
        }
    }
}

fn decode(raw: &Raw) -> Result<Event, Error> {
    Event::decode(&raw.type_name, raw.schema_version, raw.data.get(), None)
        .map_err(|error| Error::Unreadable(format!("position {}: {error}", raw.position.0)))
}

/// The cart and the payment of the order, when this is its placing.
fn placed(raw: &Raw) -> Result<Option<(CartId, PaymentId)>, Error> {
    match decode(raw)? {
        Event::Order(order::Event::Placed(placed)) => Ok(Some((placed.cart_id, placed.payment_id))),
        _ => Ok(None),
    }
}

/// Positions that follow on one another are read at once, at most [`PAGE`] of them: the reservations of one order were
/// appended together.
fn runs(positions: &[u64], until: Position) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for position in positions.iter().copied().filter(|position| *position > 0 && *position <= until.0) {
        match runs.last_mut() {
            Some((first, last)) if *last + 1 == position && position - *first < u64::from(PAGE) => {
                *last = position
            }
            _ => runs.push((position, position)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_run_and_nothing_beyond_the_end_is_read() {
        assert_eq!(runs(&[0, 3, 4, 5, 9, 11, 12], Position(11)), [(3, 5), (9, 9), (11, 11)]);
        assert_eq!(runs(&[], Position(11)), []);
        let long: Vec<u64> = (1..=1_001).collect();
        assert_eq!(runs(&long, Position(2_000)), [(1, 500), (501, 1_000), (1_001, 1_001)]);
    }
}
