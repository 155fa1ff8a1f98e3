//! The indexes: `<prefix>-products` is an alias that everybody asks and writes to; behind it is one of `<prefix>-products-1`,
//! `-2`, …, so that another one can be built beside it and take its place.

mod shape;

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Body;
use crate::{Error, OpenSearch};

pub(crate) use shape::Analysis;

/// The form of the documents. Raise it when they get other fields: the index is built anew then.
const FORM: u64 = 1;

impl OpenSearch {
    /// Makes the template, and the first index when there is none. Answers the index behind the alias.
    pub(crate) async fn prepare(&self) -> Result<String, Error> {
        let analysis = self.analysis().await?;
        self.put_template(analysis).await?;
        if let Some(index) = self.current().await? {
            return Ok(index);
        }
        let first = self.numbered(1);
        let with_alias = json!({"aliases": {(self.alias.as_str()): {}}});
        self.call(Method::PUT, &format!("/{first}"), Body::Json(&with_alias)).await?;
        tracing::info!(index = %first, ?analysis, "the search index {first} is made");
        Ok(first)
    }

    /// The index behind the alias.
    pub(crate) async fn current(&self) -> Result<Option<String>, Error> {
        let path = format!("/_alias/{}", self.alias);
        match self.call(Method::GET, &path, Body::None).await {
            Ok(found) => Ok(found.as_object().and_then(|indexes| indexes.keys().next().cloned())),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether an index was made for documents of another form, or with other analysis than the cluster offers now.
    pub(crate) async fn is_outdated(&self, index: &str) -> Result<bool, Error> {
        let found = self.call(Method::GET, &format!("/{index}/_mapping"), Body::None).await?;
        let analysis = self.analysis().await?;
        Ok(found[index]["mappings"]["_meta"] != meta(analysis))
    }

    /// All our indexes, by number.
    pub(crate) async fn indexes(&self) -> Result<Vec<(u64, String)>, Error> {
        let found = self.call(Method::GET, &format!("/{}-*/_alias", self.alias), Body::None).await?;
        let number = |name: &String| name.strip_prefix(&self.alias)?.strip_prefix('-')?.parse().ok();
        let names = found.as_object().into_iter().flat_map(|indexes| indexes.keys());
        let mut all: Vec<(u64, String)> =
            names.filter_map(|name| Some((number(name)?, name.clone()))).collect();
        all.sort_unstable();
        Ok(all)
    }

    /// Makes another index, behind no alias yet.
    pub(crate) async fn create_next(&self) -> Result<String, Error> {
        self.put_template(self.analysis().await?).await?;
        let last = self.indexes().await?.last().map_or(0, |(number, _)| *number);
        let next = self.numbered(last + 1);
        self.call(Method::PUT, &format!("/{next}"), Body::None).await?;
        Ok(next)
    }

    /// Puts an index in the place of another one behind the alias, at once.
    pub(crate) async fn swap(&self, old: &str, new: &str) -> Result<(), Error> {
        let alias = &self.alias;
        let actions = json!({"actions": [
            {"remove": {"index": old, "alias": alias, "must_exist": true}},
            {"add": {"index": new, "alias": alias}},
        ]});
        self.call(Method::POST, "/_aliases", Body::Json(&actions)).await.map(|_| ())
    }

    /// Deletes an index, which may be gone already.
    pub(crate) async fn delete(&self, index: &str) -> Result<(), Error> {
        match self.call(Method::DELETE, &format!("/{index}"), Body::None).await {
            Err(error) if !error.is_missing() => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes everything that was written to an index findable.
    pub(crate) async fn refresh(&self, index: &str) -> Result<(), Error> {
        self.call(Method::POST, &format!("/{index}/_refresh"), Body::None).await.map(|_| ())
    }

    fn numbered(&self, number: u64) -> String {
        format!("{}-{number}", self.alias)
    }

    async fn put_template(&self, analysis: Analysis) -> Result<(), Error> {
        let mut mappings = shape::mappings();
        mappings["_meta"] = meta(analysis);
        let template = json!({
            "index_patterns": [format!("{}-*", self.alias)],
            "priority": 500,
            "template": {"settings": shape::settings(analysis), "mappings": mappings},
        });
        let path = format!("/_index_template/{}", self.alias);
        self.call(Method::PUT, &path, Body::Json(&template)).await.map(|_| ())
    }

    /// What the cluster can do with Korean and Japanese: asked of the analysis itself, whatever its plugins are called.
    pub(crate) async fn analysis(&self) -> Result<Analysis, Error> {
        Ok(Analysis {
            nori: self.analyzes(&shape::nori()).await?,
            kuromoji: self.analyzes(&shape::kuromoji()).await?,
        })
    }

    async fn analyzes(&self, analyzer: &Value) -> Result<bool, Error> {
        let mut asked = analyzer.clone();
        asked["text"] = json!("a");
        match self.call(Method::POST, "/_analyze", Body::Json(&asked)).await {
            Ok(_) => Ok(true),
            Err(Error::Refused { status, .. }) if status.as_u16() == 400 => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What an index says of itself.
fn meta(analysis: Analysis) -> Value {
    json!({"form": FORM, "nori": analysis.nori, "kuromoji": analysis.kuromoji})
}
