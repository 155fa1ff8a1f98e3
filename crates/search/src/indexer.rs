//! Keeps the documents up with the rows: takes what is queued, writes it, and takes it out of the queue.

use std::time::Duration;

use serde_json::json;
use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::bulk::{Outcome, To, Write};
use crate::client::Body;
use crate::queue::{self, Part, Queued, Taken};
use crate::{Error, OpenSearch};

/// Documents of one round.
const BATCH: u32 = 500;
/// With nothing queued, it is looked again after so long.
const IDLE: Duration = Duration::from_millis(50);
/// Who does not lead looks again after so long whether somebody still does.
const FOLLOW: Duration = Duration::from_secs(1);
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Runs until it is told to stop. Several may run on one database: one leads, another one takes over when it is gone.
///
/// What fails is tried again with growing pauses. Nothing is lost or put in a wrong order meanwhile: what is not written stays in
/// the queue, and versions sort out the rest.
///
/// # Errors
/// None yet; what fails is logged and tried again.
pub async fn run(
    read: PgPool,
    opensearch: std::sync::Arc<OpenSearch>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let mut pause = PAUSE_MIN;
    while !shutdown.is_cancelled() {
        let ended = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            ended = lead(&read, &opensearch, &mut pause) => ended,
        };
        let wait = match ended {
            Ok(()) => FOLLOW,
            Err(error) => {
                tracing::warn!(%error, "documents are not written; it is tried again: {error}");
                metrics::counter!("search_index_failures_total").increment(1);
                pause = (pause * 2).min(PAUSE_MAX);
                pause
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    Ok(())
}

/// Writes for as long as this one leads and nothing fails. `Ok`: another one leads.
async fn lead(read: &PgPool, opensearch: &OpenSearch, pause: &mut Duration) -> Result<(), Error> {
    // Dropped with the future, and with it the lead is given up.
    let mut connection = queue::connect(read).await?;
    if !queue::lead(&mut connection, Part::Indexing).await? {
        return Ok(());
    }
    prepare(&mut connection, opensearch).await?;
    tracing::info!("this process writes the search documents");
    loop {
        let busy = round(&mut connection, opensearch).await?;
        match busy {
            Progress::Idle => tokio::time::sleep(IDLE).await,
            Progress::Written => *pause = PAUSE_MIN,
            Progress::Busy => {
                tokio::time::sleep(*pause).await;
                *pause = (*pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

/// Makes the index when there is none, and sees to it that the next versions are above all that are there.
pub(crate) async fn prepare(connection: &mut PgConnection, opensearch: &OpenSearch) -> Result<(), Error> {
    queue::begin(connection).await?;
    let there = opensearch.current().await?;
    if there.is_none() {
        // Not asked until everything is in it.
        queue::begin_anew(connection).await?;
    }
    let index = opensearch.prepare().await?;
    // After a database was restored, the documents may be ahead of it: all are written anew, over them.
    if queue::raise(connection, opensearch.highest_version().await?).await? {
        tracing::warn!("the search documents are ahead of the database; all are written again");
        queue::begin_anew(connection).await?;
    }
    if opensearch.is_outdated(&index).await? {
        tracing::warn!(%index, "the search index was made by another version; `jumun projection rebuild search` renews it");
    }
    Ok(())
}

/// How a round went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There was nothing to do.
    Idle,
    /// All that was taken is settled.
    Written,
    /// OpenSearch was too busy for some, which wait in the queue.
    Busy,
}

/// Takes some, writes them, makes them findable, and settles them; in this order, so that it can break off anywhere.
pub(crate) async fn round(connection: &mut PgConnection, opensearch: &OpenSearch) -> Result<Progress, Error> {
    let Some(taken) = queue::take(connection, BATCH).await? else {
        metrics::gauge!("search_queue_taken").set(0.0);
        return Ok(Progress::Idle);
    };
    metrics::gauge!("search_queue_taken").set(taken.queued.len() as f64);
    let outcomes = write(opensearch, &taken).await?;
    let (mut written, mut refused, mut busy) = (Vec::new(), Vec::new(), false);
    for (queued, outcome) in taken.queued.iter().zip(outcomes) {
        match outcome {
            Outcome::Written => written.push(*queued),
            Outcome::Refused(reason) => {
                let product = queued.product_id;
                tracing::error!(%product, %reason, "the document of product {product} is refused, and parked: {reason}");
                refused.push((*queued, reason));
            }
            Outcome::Busy => busy = true,
        }
    }
    let reached = taken.reached.filter(|_| !busy);
    queue::settle(connection, &written, &refused, reached).await?;
    metrics::counter!("search_documents_written_total").increment(written.len() as u64);
    Ok(if busy { Progress::Busy } else { Progress::Written })
}

/// Writes to the index that is asked, and to the one that is being built.
async fn write(opensearch: &OpenSearch, taken: &Taken) -> Result<Vec<Outcome>, Error> {
    let writes: Vec<Write<'_>> = taken.queued.iter().map(|queued| taken.write(queued)).collect();
    let mut outcomes = opensearch.write(To::Alias, &writes).await?;
    opensearch.refresh(&opensearch.alias).await?;
    if let Some(building) = &taken.building {
        match opensearch.write(To::Index(building), &writes).await {
            Ok(there) => {
                // Whatever it refuses, the rebuild finds when it compares.
                let busy = |(_, there): &(_, Outcome)| *there == Outcome::Busy;
                let again = outcomes.iter_mut().zip(there).filter(busy);
                again.for_each(|(outcome, there)| *outcome = there);
                opensearch.refresh(building).await?;
            }
            // Its rebuild has given up.
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(outcomes)
}

impl Taken {
    fn write(&self, queued: &Queued) -> Write<'_> {
        let own = |document: &&crate::document::Document| document.product_id() == queued.product_id;
        Write {
            product_id: queued.product_id,
            version: self.version,
            document: self.documents.iter().find(own),
        }
    }
}

impl OpenSearch {
    /// The highest version that any document of ours has.
    async fn highest_version(&self) -> Result<i64, Error> {
        let asked = json!({"size": 0, "aggs": {"highest": {"max": {"field": "version"}}}});
        let path = format!("/{}-*/_search", self.alias);
        self.refresh(&format!("{}-*", self.alias)).await?;
        let answer = self.call(reqwest::Method::POST, &path, Body::Json(&asked)).await?;
        Ok(answer["aggregations"]["highest"]["value"].as_f64().unwrap_or_default() as i64)
    }
}

/// A product whose document OpenSearch refuses.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Parked {
    /// The product.
    pub product_id: Uuid,
    /// OpenSearch's own words.
    pub error: String,
    /// When it was refused.
    pub parked_at: chrono::DateTime<chrono::Utc>,
}

/// The products whose documents OpenSearch refuses, the oldest first. Each is tried again when the product changes, or by [`retry`].
///
/// # Errors
/// When the database is away.
pub async fn parked(read: &PgPool) -> Result<Vec<Parked>, Error> {
    let sql = "SELECT product_id, error, parked_at FROM read.search_queue WHERE error IS NOT NULL ORDER BY parked_at";
    Ok(sqlx::query_as(sql).fetch_all(read).await?)
}

/// Has parked products tried again: this one, or all. Answers how many.
///
/// # Errors
/// When the database is away.
pub async fn retry(read: &PgPool, product: Option<Uuid>) -> Result<u64, Error> {
    let retried = sqlx::query(
        "UPDATE read.search_queue SET error = NULL, parked_at = NULL WHERE error IS NOT NULL AND ($1 IS NULL OR product_id = $1)",
    )
    .bind(product)
    .execute(read)
    .await?;
    Ok(retried.rows_affected())
}
