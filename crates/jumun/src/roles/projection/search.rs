//! The search index, which is looked after like a read model: under the name `search`.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use search::Parked;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::super::searching;
use crate::config::Configuration;

/// What it is called among the read models.
pub(super) const NAME: &str = "search";
/// Streams of products are named so.
const STREAM: &str = "product-";
/// Documents between two lines of progress.
const SAID_EVERY: u64 = 10_000;

/// Makes another index beside the one that is asked, and puts it in its place.
pub(super) async fn rebuild(read: &PgPool, configuration: &Configuration, as_json: bool) -> Result<()> {
    let opensearch = searching::configured(configuration)?
        .context("opensearch_url is not set: there is no search index to rebuild")?;
    let mut said = 0;
    let rebuilt = search::rebuild(read, &opensearch, |documents| {
        if documents >= said + SAID_EVERY {
            said = documents;
            eprintln!("{NAME:<14}{documents} documents");
        }
    });
    let rebuilt = rebuilt.await?;
    if as_json {
        let row = json!({"name": NAME, "swapped": true, "index": rebuilt.index, "replaced": rebuilt.replaced,
            "documents": rebuilt.documents});
        println!("{}", json!({"ok": true, "models": [row]}));
    } else {
        println!("{NAME:<14}swapped: {} of {} documents is asked now", rebuilt.index, rebuilt.documents);
    }
    Ok(())
}

/// Products whose documents OpenSearch refuses.
pub(super) async fn parked(read: &PgPool) -> Result<Vec<Parked>> {
    Ok(search::parked(read).await?)
}

/// The same for machines.
pub(super) fn as_row(one: &Parked) -> Value {
    json!({"model": NAME, "stream": stream(one), "error": one.error, "parked_at": one.parked_at})
}

/// The stream of the product.
pub(super) fn stream(one: &Parked) -> String {
    format!("{STREAM}{}", one.product_id)
}

/// Has refused documents written again: those of one product, or all.
pub(super) async fn retry(read: &PgPool, stream: Option<&str>, as_json: bool) -> Result<ExitCode> {
    let product: Option<Uuid> = match stream.map(|stream| stream.strip_prefix(STREAM)) {
        None => None,
        Some(id) => Some(id.and_then(|id| id.parse().ok()).context("the stream must be a product's")?),
    };
    let retried = search::retry(read, product).await?;
    if let (Some(product), 0) = (product, retried) {
        bail!("{STREAM}{product} is not parked for {NAME}");
    }
    if as_json {
        println!("{}", json!({"model": NAME, "retried": retried}));
    } else {
        println!("{retried} documents are written again");
    }
    Ok(ExitCode::SUCCESS)
}
