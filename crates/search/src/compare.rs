//! Compares an index with the rows: every document with one made of its row, merged by id.
//!
//! Nobody is held up, and changes under way are no difference: what differs is looked at again, with the row before and after it,
//! until it is equal, or differs while its row stays the same and waits for nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use projections::products::{Source, sources, sources_after};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use crate::client::Body;
use crate::document::Document;
use crate::{Error, OpenSearch};

/// Documents that are looked at together.
pub(crate) const PAGE: u32 = 500;
/// So often what differs is looked at again.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// How a document differs from its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// There is a row and no document.
    Missing,
    /// There is a document and no row.
    Extra,
    /// These fields of the document are not as the row says.
    Differs(Vec<String>),
}

impl std::fmt::Display for Drift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::Extra => f.write_str("has no row"),
            Self::Differs(fields) => write!(f, "differs in {}", fields.join(", ")),
        }
    }
}

/// What was found of the products between two ids.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// The last product that was looked at. `None`: these were the last.
    pub(crate) last: Option<Uuid>,
    /// Products and documents that were compared.
    pub(crate) count: u64,
    /// What differs.
    pub(crate) drifted: Vec<(Uuid, Drift)>,
    /// What differs and waits in the queue to be written.
    pub(crate) waiting: u64,
    /// What differs because OpenSearch refuses it.
    pub(crate) parked: u64,
    /// The highest version of the documents that were looked at twice: to be mended they need a higher one.
    pub(crate) version: i64,
}

/// Documents by product, as they are in the index.
type Documents = BTreeMap<Uuid, Value>;

/// The rows of some products as they are at one moment, with what waits for them in the queue.
#[derive(PartialEq)]
struct Seen {
    rows: BTreeMap<Uuid, Source>,
    /// Whether it is parked.
    queued: BTreeMap<Uuid, bool>,
}

/// Compares the next products after one with the documents of an index.
pub(crate) async fn page(
    read: &PgPool,
    opensearch: &OpenSearch,
    index: &str,
    after: Option<Uuid>,
) -> Result<Compared, Error> {
    let rows = sources_after(&mut *read.acquire().await?, after, PAGE).await?;
    let last = rows.last().filter(|_| rows.len() == PAGE as usize).map(|row| row.product_id);
    let found = opensearch.documents(index, after, last).await?;
    let rows: BTreeMap<Uuid, Source> = rows.into_iter().map(|row| (row.product_id, row)).collect();
    let ids = rows.keys().chain(found.keys().filter(|id| !rows.contains_key(*id)));
    let mut compared = Compared { last, ..Compared::default() };
    let mut suspect = Vec::new();
    for id in ids {
        compared.count += 1;
        if drift(rows.get(id), found.get(id)).is_some() {
            suspect.push(*id);
        }
    }
    compared.look_again(read, opensearch, index, suspect).await?;
    Ok(compared)
}

impl Compared {
    /// Looks at these again, until each is equal or differs for good.
    async fn look_again(
        &mut self,
        read: &PgPool,
        opensearch: &OpenSearch,
        index: &str,
        mut suspect: Vec<Uuid>,
    ) -> Result<(), Error> {
        for look in 0..LOOKS {
            if suspect.is_empty() {
                break;
            }
            if look > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let before = Seen::of(read, &suspect).await?;
            let (found, version) = opensearch.some_documents(index, &suspect).await?;
            self.version = self.version.max(version);
            let after = Seen::of(read, &suspect).await?;
            suspect.retain(|id| self.goes_on(*id, &before, &found, &after));
        }
        self.waiting += suspect.len() as u64;
        Ok(())
    }

    /// Whether it must be looked at once more.
    fn goes_on(&mut self, id: Uuid, before: &Seen, found: &Documents, after: &Seen) -> bool {
        let Some(drift) = drift(before.rows.get(&id), found.get(&id)) else { return false };
        match (before.queued.get(&id), after.queued.get(&id)) {
            (Some(true), Some(true)) => {
                self.parked += 1;
                false
            }
            (None, None) if before.rows.get(&id) == after.rows.get(&id) => {
                self.drifted.push((id, drift));
                false
            }
            _ => true,
        }
    }
}

impl Seen {
    async fn of(read: &PgPool, products: &[Uuid]) -> Result<Self, Error> {
        let mut connection = read.acquire().await?;
        let mut transaction =
            connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let rows = sources(&mut transaction, products).await?;
        let queued = queued(&mut transaction, products).await?;
        transaction.commit().await?;
        Ok(Self { rows: rows.into_iter().map(|row| (row.product_id, row)).collect(), queued })
    }
}

async fn queued(connection: &mut PgConnection, products: &[Uuid]) -> Result<BTreeMap<Uuid, bool>, Error> {
    let sql = "SELECT product_id, error IS NOT NULL FROM read.search_queue WHERE product_id = ANY ($1)";
    let queued: Vec<(Uuid, bool)> = sqlx::query_as(sql).bind(products).fetch_all(connection).await?;
    Ok(queued.into_iter().collect())
}

fn drift(row: Option<&Source>, found: Option<&Value>) -> Option<Drift> {
    match (row, found) {
        (None, None) => None,
        (Some(_), None) => Some(Drift::Missing),
        (None, Some(_)) => Some(Drift::Extra),
        (Some(row), Some(found)) => {
            let fields = Document::of(row, 0).differing(found);
            (!fields.is_empty()).then_some(Drift::Differs(fields))
        }
    }
}

impl OpenSearch {
    /// The documents of an index after one product, up to another one.
    async fn documents(
        &self,
        index: &str,
        after: Option<Uuid>,
        last: Option<Uuid>,
    ) -> Result<Documents, Error> {
        let mut documents = Documents::new();
        let mut after = after;
        let bound = last.map_or(json!({}), |last| json!({"lte": last}));
        loop {
            let mut asked = json!({
                "query": {"range": {"product_id": bound}},
                "sort": [{"product_id": "asc"}],
                "size": PAGE,
            });
            if let Some(after) = after {
                asked["search_after"] = json!([after]);
            }
            let answer = self.call(Method::POST, &format!("/{index}/_search"), Body::Json(&asked)).await?;
            let hits = answer["hits"]["hits"].as_array().cloned().unwrap_or_default();
            let full = hits.len() == PAGE as usize;
            for hit in hits {
                let (id, source) = identified(&hit)?;
                after = Some(id);
                documents.insert(id, source);
            }
            if !full {
                return Ok(documents);
            }
        }
    }

    /// The documents of some products, as they are written and not only as they are found, and their highest version.
    async fn some_documents(&self, index: &str, products: &[Uuid]) -> Result<(Documents, i64), Error> {
        let asked = json!({"ids": products});
        let answer = self.call(Method::POST, &format!("/{index}/_mget"), Body::Json(&asked)).await?;
        let documents = answer["docs"].as_array().map_or(&[][..], Vec::as_slice);
        let found = documents.iter().filter(|document| document["found"] == json!(true));
        let version = found.clone().filter_map(|document| document["_version"].as_i64()).max();
        Ok((found.map(identified).collect::<Result<_, _>>()?, version.unwrap_or_default()))
    }
}

fn identified(document: &Value) -> Result<(Uuid, Value), Error> {
    let id = document["_id"].as_str().and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Error::Strange(format!("a document has the id {}", document["_id"])))?;
    Ok((id, document["_source"].clone()))
}
