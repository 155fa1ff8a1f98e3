//! What is left after a run: the log and the gateway's ledger as they are, what clients were told, and what roles have said.

use std::path::Path;

use serde_json::Value;
use sqlx::{Connection, FromRow, PgConnection};
use uuid::Uuid;

use super::history::History;
use super::members::{CANARY, PASSWORD};
use super::plan::ROLES;
use crate::shop::Shop;

/// An event.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Event {
    pub(super) position: i64,
    pub(super) stream: String,
    pub(super) version: i32,
    #[sqlx(rename = "type")]
    pub(super) kind: String,
    pub(super) event_id: Uuid,
    pub(super) command_id: Uuid,
    pub(super) scope: i64,
    pub(super) data: Value,
}

impl Event {
    pub(super) fn text(&self, name: &str) -> &str {
        self.data[name].as_str().unwrap_or_default()
    }

    pub(super) fn number(&self, name: &str) -> i64 {
        self.data[name].as_i64().unwrap_or_default()
    }

    /// The stream's key, when it is of that category.
    pub(super) fn key_in(&self, category: &str) -> Option<&str> {
        self.stream.strip_prefix(category)?.strip_prefix('-')
    }
}

/// A command that the log has answered.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Command {
    pub(super) command_id: Uuid,
    pub(super) scope: i64,
    pub(super) first_position: Option<i64>,
    pub(super) last_position: Option<i64>,
    pub(super) answer: Value,
}

/// All that there is to judge by.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    pub(super) history: History,
    pub(super) epoch: Uuid,
    pub(super) head: i64,
    pub(super) events: Vec<Event>,
    pub(super) commands: Vec<Command>,
    /// Entries of the gateway's ledger.
    pub(super) ledger: Vec<Value>,
    /// Steps of process managers that are not done, in words.
    pub(super) steps_left: Vec<String>,
    /// Lines of roles' logs, with the role.
    pub(super) said: Vec<(String, String)>,
    /// What no log may show.
    pub(super) secrets: Vec<String>,
    /// Checks of `jumun verify` that failed.
    pub(super) broken: Vec<String>,
    /// How many it made.
    pub(super) verified: usize,
}

impl Evidence {
    /// Collects it from a shop that stands still.
    pub(super) async fn of(shop: &Shop, history: History) -> Self {
        let mut log = PgConnection::connect(&shop.database_url).await.unwrap();
        let head = sqlx::query_as("SELECT epoch, position FROM log.head");
        let (epoch, head) = head.fetch_one(&mut log).await.unwrap();
        let events = "SELECT position, stream, version, type, event_id, command_id, scope, data FROM log.events ORDER BY position";
        let events = sqlx::query_as(events).fetch_all(&mut log).await.unwrap();
        let commands = "SELECT command_id, scope, first_position, last_position, answer FROM log.commands";
        let commands = sqlx::query_as(commands).fetch_all(&mut log).await.unwrap();
        let ledger = shop.ledger().await["entries"].as_array().unwrap().clone();
        Self {
            history,
            epoch,
            head,
            events,
            commands,
            ledger,
            said: said(&shop.data_dir),
            secrets: secrets(&shop.data_dir),
            ..Self::default()
        }
    }
}

/// Steps that are due and not done, or are soon tried again. What waits for its time is not left undone.
pub(super) async fn steps_left(shop: &Shop) -> Result<Vec<String>, sqlx::Error> {
    let mut log = PgConnection::connect(&shop.database_url).await?;
    let left =
        "SELECT key || ', tried ' || attempts || ' times: ' || coalesce(last_error, '') FROM process.steps
                 WHERE done_at IS NULL AND (due_at <= now() OR attention_at IS NOT NULL
                       OR attempts > 0 AND due_at <= now() + interval '60 seconds')
         UNION ALL SELECT 'the event at ' || position || ' of ' || stream || ' cannot be read: ' || error FROM process.unread
         ORDER BY 1";
    sqlx::query_scalar(left).fetch_all(&mut log).await
}

/// Whether the process managers have taken in all that has happened.
pub(super) async fn all_taken_in(shop: &Shop) -> Result<bool, sqlx::Error> {
    let mut log = PgConnection::connect(&shop.database_url).await?;
    let same = "SELECT c.position = h.position FROM process.checkpoint c, log.head h";
    Ok(sqlx::query_scalar::<_, bool>(same).fetch_optional(&mut log).await?.unwrap_or(false))
}

fn said(folder: &Path) -> Vec<(String, String)> {
    let of = |role: &&str| {
        let text = std::fs::read(folder.join(format!("{role}.log"))).unwrap_or_default();
        let lines = String::from_utf8_lossy(&text).into_owned();
        lines.lines().map(|line| ((*role).to_owned(), line.to_owned())).collect::<Vec<_>>()
    };
    ROLES.iter().flat_map(of).collect()
}

/// Secrets of the shop, and the personal data of every order.
fn secrets(folder: &Path) -> Vec<String> {
    let names = ["master.key", "token.key", "webhook.key"];
    let files = names.iter().map(|name| std::fs::read_to_string(folder.join("secrets").join(name)).unwrap());
    let people = ["guest@example.com", "+821012345678", "세종대로 110", "홍길동", CANARY, PASSWORD];
    // How bearer tokens begin, whoever's they are.
    let tokens = ["eyJhbGci", "eyJ0eXAi"];
    files.chain(people.into_iter().chain(tokens).map(str::to_owned)).collect()
}
