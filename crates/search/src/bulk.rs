//! Writing documents: many in one call, and the answer to every single one is read.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Body, push_line, reason};
use crate::document::Document;
use crate::{Error, OpenSearch};

/// Bytes of one call, more or less.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// So often those are sent again that OpenSearch was too busy for.
const TRIES: u32 = 5;
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// Characters of a reason that is kept.
const REASON_MAX: usize = 500;

/// One document to write, or, without a document, one to take away.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Write<'a> {
    pub(crate) product_id: Uuid,
    pub(crate) version: i64,
    pub(crate) document: Option<&'a Document>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is there, or a newer one is.
    Written,
    /// OpenSearch was too busy, again and again.
    Busy,
    /// It will not have this document, and says why.
    Refused(String),
}

/// Where to: the alias, or an index behind none.
#[derive(Debug, Clone, Copy)]
pub(crate) enum To<'a> {
    Alias,
    Index(&'a str),
}

impl OpenSearch {
    /// Writes these, and answers for each in the same order. Those that OpenSearch is too busy for are sent again, and only
    /// those: whatever is sent twice or overtaken is sorted out by its version.
    ///
    /// # Errors
    /// When it does not answer at all, or the index is not there.
    pub(crate) async fn write(&self, to: To<'_>, writes: &[Write<'_>]) -> Result<Vec<Outcome>, Error> {
        let mut outcomes = vec![Outcome::Busy; writes.len()];
        let mut pause = PAUSE_MIN;
        for tried in 0..TRIES {
            let open: Vec<usize> =
                (0..writes.len()).filter(|number| outcomes[*number] == Outcome::Busy).collect();
            if open.is_empty() {
                break;
            }
            if tried > 0 {
                tokio::time::sleep(pause).await;
                pause *= 3;
            }
            self.write_once(to, writes, &open, &mut outcomes).await?;
        }
        Ok(outcomes)
    }

    async fn write_once(
        &self,
        to: To<'_>,
        writes: &[Write<'_>],
        open: &[usize],
        outcomes: &mut [Outcome],
    ) -> Result<(), Error> {
        let (mut lines, mut sent) = (String::new(), Vec::new());
        for (place, number) in open.iter().enumerate() {
            push(&mut lines, self.action(to), &writes[*number])?;
            sent.push(*number);
            if lines.len() >= BYTES_MAX || place + 1 == open.len() {
                let answered = self.send_lines(std::mem::take(&mut lines), sent.len()).await?;
                for (number, outcome) in sent.drain(..).zip(answered) {
                    outcomes[number] = outcome;
                }
            }
        }
        Ok(())
    }

    /// What every action says.
    fn action(&self, to: To<'_>) -> Value {
        match to {
            // An alias that is not there must not become an index.
            To::Alias => json!({"_index": self.alias, "require_alias": true, "version_type": "external"}),
            To::Index(index) => json!({"_index": index, "version_type": "external"}),
        }
    }

    async fn send_lines(&self, lines: String, count: usize) -> Result<Vec<Outcome>, Error> {
        let answer = match self.call(Method::POST, "/_bulk", Body::Lines(lines)).await {
            // All of it was too much.
            Err(Error::Busy { .. }) => return Ok(vec![Outcome::Busy; count]),
            other => other?,
        };
        let answer: Answer =
            serde_json::from_value(answer).map_err(|error| Error::Strange(error.to_string()))?;
        if answer.items.len() != count {
            return Err(Error::Strange(format!("{} answers to {count} documents", answer.items.len())));
        }
        answer.items.into_iter().map(Item::outcome).collect()
    }
}

fn push(lines: &mut String, mut action: Value, write: &Write<'_>) -> Result<(), Error> {
    action["_id"] = json!(write.product_id);
    action["version"] = json!(write.version);
    let Some(document) = write.document else {
        return push_line(lines, &json!({"delete": action}));
    };
    push_line(lines, &json!({"index": action}))?;
    push_line(lines, document)
}

#[derive(Deserialize)]
struct Answer {
    items: Vec<Item>,
}

/// By the name of the action.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Item {
    Index(Answered),
    Delete(Answered),
}

#[derive(Deserialize)]
struct Answered {
    status: u16,
    #[serde(default)]
    error: Value,
}

impl Item {
    fn outcome(self) -> Result<Outcome, Error> {
        let (Self::Index(answered) | Self::Delete(answered)) = self;
        match answered.status {
            // 409: a newer version is there. 404 without an error: there was nothing to take away.
            200..=299 | 409 => Ok(Outcome::Written),
            404 if answered.error.is_null() => Ok(Outcome::Written),
            // The index or the alias is gone, or nobody (of our rights) may write: not the document's fault.
            401 | 403 | 404 => Err(Error::Refused {
                what: "POST /_bulk".to_owned(),
                status: reqwest::StatusCode::from_u16(answered.status)
                    .unwrap_or(reqwest::StatusCode::FORBIDDEN),
                reason: reason(&answered.error),
            }),
            400..=428 => Ok(Outcome::Refused(reason(&answered.error).chars().take(REASON_MAX).collect())),
            _ => Ok(Outcome::Busy),
        }
    }
}
