//! How many pieces of a product can be bought: the events of its stock item, as far as they change that.

use std::collections::{BTreeMap, HashMap};

use domain::stock::Event;
use event_store::Recorded;
use sqlx::PgConnection;

use super::counts::Counts;
use super::table;

/// What a row says of its stock: pieces that can be bought, and up to which version of the stock item.
type Seen = HashMap<String, (i64, i32)>;

/// Adds up what a batch changes, and counts what comes into stock or goes out of it. What a row has seen already changes nothing.
pub(super) async fn apply(
    connection: &mut PgConnection,
    events: &[(&Recorded, &Event)],
    counts: &mut Counts,
) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let mut skus: Vec<&str> = events.iter().map(|(recorded, _)| recorded.stream.key()).collect();
    skus.sort_unstable();
    skus.dedup();
    let seen: Vec<(String, i64, i32)> =
        sqlx::query_as("SELECT sku, available, stock_version FROM products WHERE sku = ANY($1)")
            .bind(&skus)
            .fetch_all(&mut *connection)
            .await?;
    let seen: Seen = seen.into_iter().map(|(sku, available, version)| (sku, (available, version))).collect();
    let changes = changes(&seen, events);
    for mut row in table::load_by_sku(connection, &turning(&seen, &changes)).await? {
        counts.take_away(&row);
        row.available += changes.get(row.sku.as_str()).map_or(0, |(pieces, _)| *pieces);
        counts.add(&row);
    }
    save(connection, &changes).await
}

/// By SKU: how many pieces more or fewer, and the last version that says so.
fn changes<'a>(seen: &Seen, events: &[(&'a Recorded, &Event)]) -> BTreeMap<&'a str, (i64, i32)> {
    let mut changes = BTreeMap::new();
    for (recorded, event) in events {
        let (sku, version) = (recorded.stream.key(), recorded.version as i32);
        let Some((_, seen)) = seen.get(sku) else { continue };
        let (pieces, last) = changes.entry(sku).or_insert((0, *seen));
        if version > *last {
            *pieces += change(event);
            *last = version;
        }
    }
    changes.retain(|sku, (_, last)| seen.get(*sku).is_none_or(|(_, seen)| seen != last));
    changes
}

/// What comes into stock or goes out of it.
fn turning<'a>(seen: &Seen, changes: &BTreeMap<&'a str, (i64, i32)>) -> Vec<&'a str> {
    let turns = |sku: &str, pieces: i64| {
        seen.get(sku).is_some_and(|(available, _)| (*available > 0) != (available + pieces > 0))
    };
    changes.iter().filter(|(sku, (pieces, _))| turns(sku, *pieces)).map(|(sku, _)| *sku).collect()
}

/// Pieces that can be bought after an event, more or fewer. What is shipped was held already.
fn change(event: &Event) -> i64 {
    match event {
        Event::Received(received) => i64::from(received.quantity),
        Event::Adjusted(adjusted) => adjusted.delta,
        Event::Reserved(reserved) => -i64::from(reserved.quantity),
        Event::Released(released) => i64::from(released.quantity),
        Event::Restocked(restocked) => i64::from(restocked.quantity),
        Event::Listed(_) | Event::Shipped(_) | Event::ReorderPointSet(_) | Event::ReplenishmentNeeded(_) => 0,
    }
}

async fn save(
    connection: &mut PgConnection,
    changes: &BTreeMap<&str, (i64, i32)>,
) -> Result<(), sqlx::Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let pieces: Vec<i64> = changes.values().map(|(pieces, _)| *pieces).collect();
    let versions: Vec<i32> = changes.values().map(|(_, version)| *version).collect();
    sqlx::query(
        "UPDATE products SET available = products.available + new.pieces, stock_version = new.version \
         FROM UNNEST($1::text[], $2::bigint[], $3::int[]) AS new (sku, pieces, version) \
         WHERE products.sku = new.sku",
    )
    .bind(changes.keys().copied().collect::<Vec<_>>())
    .bind(pieces)
    .bind(versions)
    .execute(connection)
    .await?;
    Ok(())
}
