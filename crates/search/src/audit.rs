//! The auditor of drift: whether OpenSearch shows what the rows say, and mending it when it does not.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::compare::{Drift, PAGE, page};
use crate::queue::{self, Part};
use crate::{Error, OpenSearch};

/// Documents a second, when nobody waits for it.
const SLOWLY: u32 = 200;
/// Between two slow runs.
const REST: Duration = Duration::from_secs(60);
/// After a failure, and before it is looked again whether another process does it.
const PAUSE: Duration = Duration::from_secs(10);

/// What an audit has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// Products and documents that were compared.
    pub compared: u64,
    /// What differs, in the order of the products.
    pub drifted: Vec<(Uuid, Drift)>,
    /// Products whose documents are still waiting to be written.
    pub waiting: u64,
    /// Products whose documents OpenSearch refuses.
    pub parked: u64,
}

impl Audit {
    /// Whether OpenSearch shows what the rows say.
    pub fn is_clean(&self) -> bool {
        self.drifted.is_empty() && self.waiting == 0 && self.parked == 0
    }
}

/// Compares every document with its row. With `repair` what differs is queued to be written again, by the indexer that runs.
///
/// # Errors
/// When OpenSearch or the database is away.
pub async fn audit(read: &PgPool, opensearch: &OpenSearch, repair: bool) -> Result<Audit, Error> {
    run(read, opensearch, repair, Duration::ZERO).await
}

async fn run(read: &PgPool, opensearch: &OpenSearch, repair: bool, pause: Duration) -> Result<Audit, Error> {
    opensearch.refresh(&opensearch.alias).await?;
    let (mut audit, mut after) = (Audit::default(), None);
    loop {
        let found = page(read, opensearch, &opensearch.alias, after).await?;
        if repair && !found.drifted.is_empty() {
            let drifted: Vec<Uuid> = found.drifted.iter().map(|(id, _)| *id).collect();
            queue::mend(&mut *read.acquire().await?, &drifted, found.version).await?;
        }
        audit.compared += found.count;
        audit.waiting += found.waiting;
        audit.parked += found.parked;
        audit.drifted.extend(found.drifted);
        after = found.last;
        if after.is_none() {
            return Ok(audit);
        }
        tokio::time::sleep(pause).await;
    }
}

/// Compares and mends slowly, over and over, until it is told to stop. Several may run on one database: one works.
///
/// # Errors
/// None yet; what fails is logged and tried again.
pub async fn keep_auditing(
    read: PgPool,
    opensearch: Arc<OpenSearch>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    while !shutdown.is_cancelled() {
        let work = async {
            if let Err(error) = audit_forever(&read, &opensearch).await {
                tracing::warn!(%error, "the search documents are not compared with the rows; it is tried again: {error}");
            }
            tokio::time::sleep(PAUSE).await;
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = work => {}
        }
    }
    Ok(())
}

/// Ends when another process does it.
async fn audit_forever(read: &PgPool, opensearch: &OpenSearch) -> Result<(), Error> {
    let mut connection = queue::connect(read).await?;
    if !queue::lead(&mut connection, Part::Auditing).await? {
        return Ok(());
    }
    let pause = Duration::from_secs(1) * PAGE / SLOWLY;
    loop {
        if opensearch.current().await?.is_some() {
            report(&run(read, opensearch, true, pause).await?);
        }
        tokio::time::sleep(REST).await;
        // The lead is lost with the connection.
        sqlx::query("SELECT 1").execute(&mut connection).await?;
    }
}

fn report(audit: &Audit) {
    metrics::gauge!("search_documents_compared").set(audit.compared as f64);
    metrics::gauge!("search_documents_parked").set(audit.parked as f64);
    metrics::counter!("search_documents_drifted_total").increment(audit.drifted.len() as u64);
    if let Some((first, drift)) = audit.drifted.first() {
        let count = audit.drifted.len();
        tracing::error!(product = %first, ?drift, count, "{count} search documents were not what the rows say, and are written again");
    }
}
