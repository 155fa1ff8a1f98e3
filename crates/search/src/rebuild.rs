//! Another index, made beside the one that is asked and put in its place at once.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::bulk::{Outcome, To, Write};
use crate::compare::{Drift, PAGE, page};
use crate::document::Document;
use crate::indexer::prepare;
use crate::queue::{self, Part};
use crate::{Error, OpenSearch};

/// So often it is compared and mended before it is given up.
const ROUNDS: u32 = 3;
/// Differences that are named.
const NAMED: usize = 3;

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// The index that is asked now.
    pub index: String,
    /// The one that was asked before; kept until the next rebuild.
    pub replaced: String,
    /// Documents in it.
    pub documents: u64,
}

/// Builds another index from the rows, keeps it up meanwhile, compares it with them document by document, and puts it in the place
/// of the old one. Searches are answered all the time. `progress` is told how many documents are written.
///
/// Broken off anywhere, nothing has changed; the next rebuild begins anew and takes away what is left over.
///
/// # Errors
/// When OpenSearch or the database is away, another process does it already, or the new index is not what the rows say.
pub async fn rebuild(
    read: &PgPool,
    opensearch: &OpenSearch,
    mut progress: impl FnMut(u64) + Send,
) -> Result<Rebuilt, Error> {
    let mut connection = queue::connect(read).await?;
    if !queue::lead(&mut connection, Part::Rebuilding).await? {
        return Err(Error::Taken("rebuilding the search index"));
    }
    prepare(&mut connection, opensearch).await?;
    clear(&mut connection, opensearch).await?;
    let old = opensearch.current().await?.ok_or_else(|| Error::Strange("the alias is gone".to_owned()))?;
    let new = opensearch.create_next().await?;
    // From here on the indexer writes to both. What it took before is older than what is read now.
    queue::build(&mut connection, Some(&new)).await?;
    fill(&mut connection, opensearch, &new, &mut progress).await?;
    let documents = match prove(read, &mut connection, opensearch, &new).await {
        Ok(documents) => documents,
        Err(error) => {
            clear(&mut connection, opensearch).await?;
            return Err(error);
        }
    };
    opensearch.swap(&old, &new).await?;
    queue::build(&mut connection, None).await?;
    for (_, index) in opensearch.indexes().await? {
        if index != new && index != old {
            opensearch.delete(&index).await?;
        }
    }
    Ok(Rebuilt { index: new, replaced: old, documents })
}

/// Takes away what an earlier rebuild has left over.
async fn clear(connection: &mut PgConnection, opensearch: &OpenSearch) -> Result<(), Error> {
    let Some(index) = queue::building(connection).await? else { return Ok(()) };
    // It may have come as far as the swap.
    if opensearch.current().await?.as_deref() != Some(&index) {
        opensearch.delete(&index).await?;
    }
    queue::build(connection, None).await?;
    Ok(())
}

async fn fill(
    connection: &mut PgConnection,
    opensearch: &OpenSearch,
    index: &str,
    progress: &mut (impl FnMut(u64) + Send),
) -> Result<(), Error> {
    let (mut after, mut written) = (None, 0);
    loop {
        let (version, documents) = queue::page(connection, after, PAGE).await?;
        let Some(last) = documents.last() else { return Ok(()) };
        after = Some(last.product_id());
        write(opensearch, index, version, &documents).await?;
        written += documents.len() as u64;
        progress(written);
    }
}

async fn write(
    opensearch: &OpenSearch,
    index: &str,
    version: i64,
    documents: &[Document],
) -> Result<(), Error> {
    let write =
        |document| Write { product_id: Document::product_id(document), version, document: Some(document) };
    let writes: Vec<Write<'_>> = documents.iter().map(write).collect();
    let outcomes = opensearch.write(To::Index(index), &writes).await?;
    // What is refused is missing afterwards, and found so.
    if outcomes.contains(&Outcome::Busy) {
        return Err(Error::Away("it is too busy for a rebuild".to_owned()));
    }
    Ok(())
}

/// Compares the whole index with the rows, and writes what differs once more. Answers how many documents it has.
async fn prove(
    read: &PgPool,
    connection: &mut PgConnection,
    opensearch: &OpenSearch,
    index: &str,
) -> Result<u64, Error> {
    let mut left = Vec::new();
    for _ in 0..ROUNDS {
        opensearch.refresh(index).await?;
        let (mut after, mut count) = (None, 0);
        left.clear();
        loop {
            let found = page(read, opensearch, index, after).await?;
            count += found.count;
            left.extend(found.drifted);
            after = found.last;
            if after.is_none() {
                break;
            }
        }
        if left.is_empty() {
            return Ok(count);
        }
        let ids: Vec<Uuid> = left.iter().map(|(id, _)| *id).collect();
        let (version, documents) = queue::some(connection, &ids).await?;
        write(opensearch, index, version, &documents).await?;
    }
    Err(Error::Differs(named(&left)))
}

fn named(left: &[(Uuid, Drift)]) -> String {
    let mut named: Vec<String> = left.iter().take(NAMED).map(|(id, drift)| format!("{id} {drift}")).collect();
    if left.len() > NAMED {
        named.push(format!("and {} more", left.len() - NAMED));
    }
    named.join("; ")
}
