//! Search in OpenSearch, for the roles that feed it and ask it: when opensearch_url is set.

use std::sync::Arc;

use anyhow::{Context, Result};
use projections::verify::Check;
use search::{Audit, OpenSearch};
use sqlx::PgPool;

use super::supervisor::Parts;
use crate::config::Configuration;

/// OpenSearch as configured. `None`: search is in PostgreSQL.
pub(super) fn configured(configuration: &Configuration) -> Result<Option<Arc<OpenSearch>>> {
    let Some(url) = &configuration.opensearch_url else { return Ok(None) };
    let ca_file = configuration.opensearch_ca_file.as_deref();
    Ok(Some(Arc::new(OpenSearch::new(url, ca_file, &configuration.opensearch_index)?)))
}

/// Writes the search documents, and compares them with the rows slowly and for ever, as two of these parts. `read` are connections
/// to the read primary.
pub(super) fn keep(parts: &mut Parts, read: &PgPool, configuration: &Configuration) -> Result<()> {
    let Some(opensearch) = configured(configuration)? else { return Ok(()) };
    let (pool, engine) = (read.clone(), opensearch.clone());
    parts.keep("search indexer", move |shutdown| search::run(pool.clone(), engine.clone(), shutdown));
    let pool = read.clone();
    parts.keep("search auditor", move |shutdown| {
        search::keep_auditing(pool.clone(), opensearch.clone(), shutdown)
    });
    Ok(())
}

/// Differences that are named.
const NAMED: usize = 3;

/// Whether OpenSearch shows what the read model says; with `repair` what it does not is queued to be written again.
pub(super) async fn check(read: &PgPool, configuration: &Configuration, repair: bool) -> Result<Check> {
    let opensearch =
        configured(configuration)?.context("opensearch_url is not set: there is nothing to compare")?;
    let audit = search::audit(read, &opensearch, repair).await?;
    let name = "search is what the products' rows say".to_owned();
    Ok(Check { name, ok: audit.is_clean(), detail: detail(&audit, repair) })
}

fn detail(audit: &Audit, repair: bool) -> String {
    if audit.is_clean() {
        return format!("{} documents", audit.compared);
    }
    let mut said: Vec<String> =
        audit.drifted.iter().take(NAMED).map(|(product, drift)| format!("{product} {drift}")).collect();
    let more = audit.drifted.len().saturating_sub(NAMED);
    for (count, what) in [
        (more as u64, "more differ"),
        (audit.waiting, "wait to be written"),
        (audit.parked, "are refused by OpenSearch and parked"),
        (if repair { audit.drifted.len() as u64 } else { 0 }, "are written again"),
    ] {
        if count > 0 {
            said.push(format!("{count} {what}"));
        }
    }
    said.join("; ")
}
