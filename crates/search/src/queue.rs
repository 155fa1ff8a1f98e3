//! The queue of products whose documents must be written, and how far all documents are: `read.search_queue` and
//! `read.search_progress`.
//!
//! The version of a document is drawn from one counter, and the rows it is made of are read while the counter's row is locked. So a
//! higher version was always read later, whoever made it (the indexer, a rebuild, an indexer that was frozen and wakes up), and
//! OpenSearch, which refuses lower ones, always ends with the newest.

use event_store::Position;
use projections::products::{Source, queue_all, sources, sources_after};
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use crate::document::Document;

/// A product that waits to be written, with the change that it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Queued {
    pub(crate) product_id: Uuid,
    pub(crate) revision: i64,
}

/// What is written next.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The version of the documents.
    pub(crate) version: i64,
    /// The documents, of those products that there are.
    pub(crate) documents: Vec<Document>,
    /// What was queued for them.
    pub(crate) queued: Vec<Queued>,
    /// The index that is filled beside the one that is asked.
    pub(crate) building: Option<String>,
    /// The products' place in the log, when this is all that was queued at it.
    pub(crate) reached: Option<(Uuid, Position)>,
}

/// A connection of its own, whose commits are on disk.
///
/// The read models commit without waiting for the disk: a crash of PostgreSQL may take back what was read here. OpenSearch would
/// then show what never was, and keep it. So what is read is read in a transaction that writes as well, and its commit, which
/// waits, brings everything before it to the disk.
pub(crate) async fn connect(read: &PgPool) -> Result<PgConnection, sqlx::Error> {
    let mut connection = PgConnection::connect_with(&read.connect_options()).await?;
    sqlx::query("SET synchronous_commit TO on").execute(&mut connection).await?;
    Ok(connection)
}

/// Takes one of the parts that only one process may have, for as long as the connection lives. `false`: another one has it.
pub(crate) async fn lead(connection: &mut PgConnection, part: Part) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(part as i64).fetch_one(connection).await
}

/// What only one process does at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Indexing = 7_236_483,
    Rebuilding = 7_236_484,
    Auditing = 7_236_485,
}

/// From here on changes are queued. Everything that is there already is queued now, when nothing was before.
pub(crate) async fn begin(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let begun: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM read.search_progress)")
        .fetch_one(&mut *connection)
        .await?;
    if begun {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    // A projector that looked before this row was there has queued nothing: its transaction must end before all is queued.
    sqlx::query("LOCK TABLE read.search_progress IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *transaction)
        .await?;
    let begun = sqlx::query("INSERT INTO read.search_progress (version) VALUES (0) ON CONFLICT DO NOTHING")
        .execute(&mut *transaction)
        .await?;
    if begun.rows_affected() == 1 {
        queue_all(&mut transaction).await?;
    }
    transaction.commit().await
}

/// Queues everything, because nothing that is in the index can be trusted; until all is written, the index is not asked.
pub(crate) async fn begin_anew(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query("UPDATE read.search_progress SET epoch = NULL, position = NULL")
        .execute(&mut *transaction)
        .await?;
    queue_all(&mut transaction).await?;
    transaction.commit().await
}

/// Makes sure that the next version is above this one. `true`: it would not have been.
pub(crate) async fn raise(connection: &mut PgConnection, version: i64) -> Result<bool, sqlx::Error> {
    let raised = sqlx::query("UPDATE read.search_progress SET version = $1 WHERE version < $1")
        .bind(version)
        .execute(connection)
        .await?;
    Ok(raised.rows_affected() > 0)
}

/// Versions that are left out when something is mended.
const LEAP: i64 = 1_000;

/// Queues these, whose documents are not what their rows say, to be written with versions above this one. Somebody else has written
/// there, and counted up as well, even where there is no document any more to tell: so some versions are left out.
pub(crate) async fn mend(
    connection: &mut PgConnection,
    products: &[Uuid],
    version: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE read.search_progress SET version = greatest(version + $1, $2)")
        .bind(LEAP)
        .bind(version)
        .execute(&mut *connection)
        .await?;
    sqlx::query("SELECT read.queue_for_search($1)").bind(products).execute(connection).await?;
    Ok(())
}

/// Takes what was queued first, up to so many. `None`: there is nothing, and the place of the products is written down as reached.
pub(crate) async fn take(connection: &mut PgConnection, limit: u32) -> Result<Option<Taken>, sqlx::Error> {
    if is_idle(connection).await? {
        return Ok(None);
    }
    let mut transaction = connection.begin().await?;
    let (version, building) = count_up(&mut transaction).await?;
    let place = products_place(&mut transaction).await?;
    let queued: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT product_id, revision FROM read.search_queue WHERE error IS NULL ORDER BY revision LIMIT $1",
    )
    .bind(i64::from(limit))
    .fetch_all(&mut *transaction)
    .await?;
    let queued: Vec<Queued> =
        queued.into_iter().map(|(product_id, revision)| Queued { product_id, revision }).collect();
    let ids: Vec<Uuid> = queued.iter().map(|queued| queued.product_id).collect();
    let found = sources(&mut transaction, &ids).await?;
    transaction.commit().await?;
    // The place was read before the queue: whatever came between is queued.
    let reached = place.filter(|_| queued.len() < limit as usize);
    Ok(Some(Taken { version, documents: documents(&found, version), queued, building, reached }))
}

/// The next products after one, as documents of a version of their own: for filling another index.
pub(crate) async fn page(
    connection: &mut PgConnection,
    after: Option<Uuid>,
    limit: u32,
) -> Result<(i64, Vec<Document>), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let (version, _) = count_up(&mut transaction).await?;
    let found = sources_after(&mut transaction, after, limit).await?;
    transaction.commit().await?;
    Ok((version, documents(&found, version)))
}

/// These products, as documents of a version of their own.
pub(crate) async fn some(
    connection: &mut PgConnection,
    products: &[Uuid],
) -> Result<(i64, Vec<Document>), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let (version, _) = count_up(&mut transaction).await?;
    let found = sources(&mut transaction, products).await?;
    transaction.commit().await?;
    Ok((version, documents(&found, version)))
}

fn documents(sources: &[Source], version: i64) -> Vec<Document> {
    sources.iter().map(|source| Document::of(source, version)).collect()
}

/// The next version, which nobody else gets before this transaction ends, and the index that is being built.
async fn count_up(connection: &mut PgConnection) -> Result<(i64, Option<String>), sqlx::Error> {
    sqlx::query_as("UPDATE read.search_progress SET version = version + 1 RETURNING version, building")
        .fetch_one(connection)
        .await
}

/// Whether nothing is queued. Then everything up to the products' place is written: the place is written down.
async fn is_idle(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    // One statement, one snapshot: the place and the queue belong together.
    let (waits, epoch, position): (bool, Option<Uuid>, Option<i64>) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM read.search_queue WHERE error IS NULL), p.epoch, p.position FROM (VALUES (1)) one \
         LEFT JOIN (SELECT epoch, min(position) AS position FROM read.progress WHERE model = 'products' GROUP BY epoch) p \
         ON true",
    )
    .fetch_one(&mut *connection)
    .await?;
    if let (false, Some(epoch), Some(position)) = (waits, epoch, position) {
        write_down(connection, epoch, position).await?;
    }
    Ok(!waits)
}

async fn products_place(connection: &mut PgConnection) -> Result<Option<(Uuid, Position)>, sqlx::Error> {
    let place: Option<(Uuid, i64)> = sqlx::query_as(
        "SELECT epoch, min(position) FROM read.progress WHERE model = 'products' GROUP BY epoch",
    )
    .fetch_optional(connection)
    .await?;
    Ok(place.map(|(epoch, position)| (epoch, position.into())))
}

async fn write_down(connection: &mut PgConnection, epoch: Uuid, position: i64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE read.search_progress SET epoch = $1, position = $2 \
         WHERE (epoch, position) IS DISTINCT FROM ($1, $2)",
    )
    .bind(epoch)
    .bind(position)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes out of the queue what was written, as far as it has not changed again, and parks what was refused, with the reason.
pub(crate) async fn settle(
    connection: &mut PgConnection,
    written: &[Queued],
    refused: &[(Queued, String)],
    reached: Option<(Uuid, Position)>,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    // A row that somebody holds is changing again: it stays, and nobody waits.
    sqlx::query(
        "DELETE FROM read.search_queue WHERE product_id IN (\
         SELECT product_id FROM read.search_queue JOIN unnest($1::uuid[], $2::bigint[]) AS done (product_id, revision) \
         USING (product_id, revision) FOR UPDATE OF search_queue SKIP LOCKED)",
    )
    .bind(written.iter().map(|queued| queued.product_id).collect::<Vec<_>>())
    .bind(written.iter().map(|queued| queued.revision).collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "UPDATE read.search_queue AS queue SET error = refused.error, parked_at = now() \
         FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS refused (product_id, revision, error) \
         WHERE queue.product_id = refused.product_id AND queue.revision = refused.revision",
    )
    .bind(refused.iter().map(|(queued, _)| queued.product_id).collect::<Vec<_>>())
    .bind(refused.iter().map(|(queued, _)| queued.revision).collect::<Vec<_>>())
    .bind(refused.iter().map(|(_, error)| error.as_str()).collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await?;
    if let Some((epoch, position)) = reached {
        write_down(&mut transaction, epoch, position.into()).await?;
    }
    transaction.commit().await
}

/// Says which index is being built; what is written from here on is written there, too.
pub(crate) async fn build(connection: &mut PgConnection, index: Option<&str>) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE read.search_progress SET building = $1").bind(index).execute(connection).await?;
    Ok(())
}

/// The index that is being built, or was when somebody crashed.
pub(crate) async fn building(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT building FROM read.search_progress").fetch_one(connection).await
}
