//! How many pieces of a product can be bought: the events of its stock item, as far as they change that.

use std::collections::{BTreeMap, HashMap};

use domain::stock::Event;
use event_store::Recorded;
use sqlx::PgConnection;
use uuid::Uuid;

use super::counts::Counts;
use super::{ahead, queue, table};

/// What rows say of their stock: pieces that can be bought, and up to which version of the stock item.
pub(super) type Seen = HashMap<String, (i64, i32)>;

/// Adds up what a batch changes, and counts what comes into stock or goes out of it. What a row has seen already changes nothing,
/// and what has no row yet waits for it. The rows are locked.
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
    let seen = table::stock(connection, &skus).await?;
    change(connection, &seen, &changes(&seen, events), counts).await?;
    skus.retain(|sku| !seen.contains_key(*sku));
    if skus.is_empty() {
        return Ok(());
    }
    wait(connection, &skus, events, counts).await
}

/// The products of these SKUs were not there: their stock waits for them.
async fn wait(
    connection: &mut PgConnection,
    skus: &[&str],
    events: &[(&Recorded, &Event)],
    counts: &mut Counts,
) -> Result<(), sqlx::Error> {
    let mut waiting = ahead::stock(connection, skus).await?;
    // Those that another lane has brought until now have claimed what waited before, and see no more of it.
    let come = table::stock(connection, skus).await?;
    waiting.retain(|sku, _| !come.contains_key(sku));
    ahead::add_stock(connection, &changes(&waiting, events)).await?;
    if come.is_empty() {
        return Ok(());
    }
    change(connection, &come, &changes(&come, events), counts).await?;
    let come: Vec<&str> = come.keys().map(String::as_str).collect();
    ahead::take_stock(connection, &come).await.map(drop)
}

/// These products are there now: what waited for them is theirs.
pub(super) async fn claim(
    connection: &mut PgConnection,
    skus: &[&str],
    counts: &mut Counts,
) -> Result<(), sqlx::Error> {
    if skus.is_empty() {
        return Ok(());
    }
    let waiting = ahead::take_stock(connection, skus).await?;
    let seen = table::stock(connection, skus).await?;
    change(connection, &seen, &ahead::unseen(&waiting, &seen), counts).await
}

async fn change(
    connection: &mut PgConnection,
    seen: &Seen,
    changes: &BTreeMap<&str, (i64, i32)>,
    counts: &mut Counts,
) -> Result<(), sqlx::Error> {
    for mut row in table::load_by_sku(connection, &turning(seen, changes)).await? {
        counts.take_away(&row);
        row.available += changes.get(row.sku.as_str()).map_or(0, |(pieces, _)| *pieces);
        counts.add(&row);
    }
    save(connection, changes).await
}

/// By SKU: how many pieces more or fewer, and the last version that says so.
fn changes<'a>(seen: &Seen, events: &[(&'a Recorded, &Event)]) -> BTreeMap<&'a str, (i64, i32)> {
    let mut changes = BTreeMap::new();
    for (recorded, event) in events {
        let (sku, version) = (recorded.stream.key(), recorded.version as i32);
        let Some((_, seen)) = seen.get(sku) else { continue };
        let (pieces, last) = changes.entry(sku).or_insert((0, *seen));
        if version > *last {
            *pieces += pieces_of(event);
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
fn pieces_of(event: &Event) -> i64 {
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
    let changed: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE products SET available = products.available + new.pieces, stock_version = new.version \
         FROM UNNEST($1::text[], $2::bigint[], $3::int[]) AS new (sku, pieces, version) \
         WHERE products.sku = new.sku RETURNING products.product_id",
    )
    .bind(changes.keys().copied().collect::<Vec<_>>())
    .bind(pieces)
    .bind(versions)
    .fetch_all(&mut *connection)
    .await?;
    queue::add(connection, &changed).await
}
