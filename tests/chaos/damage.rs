//! The checker against a system that runs (I13): traffic, then one thing after another is damaged from outside, and each must be named.

use std::sync::atomic::Ordering;
use std::time::Instant;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::checker::{self, Violation};
use super::client::{Client, World};
use super::evidence::Evidence;
use super::history::History;
use super::run::{finished, verify};
use super::traffic::{buyer, keeper};
use crate::shop::{DEADLINE, Shop, scaled};

const SEED: u64 = 1;
/// So many events are enough to damage one.
const EVENTS: i64 = 150;

/// One thing that is damaged, and what must be named then.
struct Damage {
    what: &'static str,
    how: How,
    named: &'static [&'static str],
}

enum How {
    Sql(&'static str),
    /// One document of the index.
    Document,
}

const ALL: &[Damage] = &[
    Damage { what: "a document of the search engine is deleted", how: How::Document, named: &["I6"] },
    Damage {
        what: "a row of a read model is changed",
        how: How::Sql(
            "UPDATE read.stock SET on_hand = on_hand + 1 WHERE sku = (SELECT min(sku) FROM read.stock)",
        ),
        named: &["I6"],
    },
    Damage {
        what: "an acknowledged command is forgotten",
        how: How::Sql(
            "DELETE FROM log.commands WHERE last_position = (SELECT max(last_position) FROM log.commands WHERE command_id = ANY($1))",
        ),
        named: &["I1", "I4"],
    },
    Damage {
        what: "an event of an acknowledged command is deleted",
        how: How::Sql(
            "DELETE FROM log.events WHERE position = (SELECT min(position) FROM log.events WHERE command_id = ANY($1))",
        ),
        named: &["I2", "I4", "I5"],
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn damage_to_a_system_that_runs_is_named() {
    if !scaled() {
        println!("only for a shop that is scaled out");
        return;
    }
    let shop = Shop::open().await;
    let history = traffic(&shop).await;
    assert_eq!(finished(&shop).await, Vec::<String>::new());
    shop.searchable().await;
    let mut before = violations(&shop, &history).await;
    assert_eq!(before, Vec::new(), "nothing is damaged yet");
    for damage in ALL {
        damage.does(&shop, &history).await;
        let now = violations(&shop, &history).await;
        let new: Vec<_> = now.iter().filter(|one| !before.contains(one)).collect();
        println!("{}: {}", damage.what, new.first().map_or("", |one| &one.what));
        for name in damage.named {
            assert!(new.iter().any(|one| one.invariant == *name), "{}: no {name} in {new:#?}", damage.what);
        }
        before = now;
    }
    shop.close().await;
}

/// Buyers and keepers, until there is enough to be damaged.
async fn traffic(shop: &Shop) -> History {
    let world = World::of(shop).await;
    let staff = shop.staff().await;
    let skus = vec![shop.product(&staff, 10_000, 1_000).await];
    let own = shop.product(&staff, 1_000, 0).await;
    let buying = tokio::spawn(buyer(Client::new(0, SEED, &world), skus.clone()));
    let keeping = tokio::spawn(keeper(Client::new(1, SEED, &world), own, skus));
    let (begun, mut database) = (Instant::now(), PgConnection::connect(&shop.database_url).await.unwrap());
    let before = head(&mut database).await;
    while head(&mut database).await < before + EVENTS {
        assert!(begun.elapsed() < DEADLINE, "there is no traffic");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    world.stopped.store(true, Ordering::Relaxed);
    let mut all = buying.await.unwrap();
    all.add(keeping.await.unwrap());
    all
}

async fn head(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT position FROM log.head").fetch_one(database).await.unwrap()
}

async fn violations(shop: &Shop, history: &History) -> Vec<Violation> {
    let (broken, checks) = verify(shop).await;
    let mut evidence = Evidence::of(shop, history.clone()).await;
    (evidence.broken, evidence.verified) = (broken, checks.len());
    checker::check(&evidence)
}

impl Damage {
    async fn does(&self, shop: &Shop, history: &History) {
        match self.how {
            How::Sql(statement) => {
                let keys: Vec<_> = history.ops.iter().map(|op| op.key).collect();
                let mut database = PgConnection::connect(&shop.database_url).await.unwrap();
                // What keeps everybody else from it, and a superuser not.
                let past = "SET session_replication_role = replica";
                sqlx::query(past).execute(&mut database).await.unwrap();
                let mut query = sqlx::query(AssertSqlSafe(statement));
                if statement.contains("$1") {
                    query = query.bind(keys);
                }
                let done = query.execute(&mut database).await.unwrap();
                assert_eq!(done.rows_affected(), 1, "{}", self.what);
            }
            How::Document => delete_document(shop).await,
        }
    }
}

async fn delete_document(shop: &Shop) {
    let (url, index) = (shop.setting("OPENSEARCH_URL"), shop.setting("OPENSEARCH_INDEX"));
    let found = shop.http.get(format!("{url}/{index}*/_search?size=1&q=sku:*")).send().await.unwrap();
    let found: Value = found.json().await.unwrap();
    let hit = &found["hits"]["hits"][0];
    let (of, id) = (hit["_index"].as_str().expect("a document"), hit["_id"].as_str().unwrap());
    let deleted = shop.http.delete(format!("{url}/{of}/_doc/{id}?refresh=true")).send().await.unwrap();
    assert!(deleted.status().is_success(), "{deleted:?}");
}
