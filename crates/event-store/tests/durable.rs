use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use event_store::testing::Cluster;
use event_store::{Batch, EventStore, Filter, MasterKey, Position};
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::given::{cart_opened, command};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_kill_9_of_the_database() {
    let folder = std::env::temp_dir().join(format!("jumun-durable-{}", Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder).unwrap();
    let cluster = Cluster::start(&folder, "");
    let pool = PgPoolOptions::new().max_connections(8).connect_with(cluster.options()).await.unwrap();
    event_store::migrate(&pool).await.unwrap();
    let master = MasterKey::generate();
    let store = EventStore::open(pool.clone(), MasterKey::parse(&master.to_hex()).unwrap()).await.unwrap();

    let acknowledged = Arc::new(AtomicU64::new(0));
    let enough = Arc::new(tokio::sync::Notify::new());
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (store, acknowledged, enough) =
                (store.clone(), Arc::clone(&acknowledged), Arc::clone(&enough));
            tokio::spawn(async move {
                let mut streams = Vec::new();
                let mut known = store.head().await.unwrap();
                loop {
                    let (stream, event) = cart_opened();
                    let batch = Batch {
                        known,
                        node: Uuid::now_v7(),
                        commands: vec![command(vec![(stream.clone(), 1, event)])],
                    };
                    // The first error is the kill.
                    let Ok(appended) = store.append(&batch).await else { return streams };
                    known = appended.head;
                    streams.push(stream);
                    if acknowledged.fetch_add(1, Ordering::AcqRel) == 200 {
                        enough.notify_one();
                    }
                }
            })
        })
        .collect();
    enough.notified().await;
    cluster.kill();
    let mut streams = Vec::new();
    for writer in writers {
        streams.extend(writer.await.unwrap());
    }
    pool.close().await;
    cluster.restart();

    let pool = PgPoolOptions::new().connect_with(cluster.options()).await.unwrap();
    let store = EventStore::open(pool.clone(), master).await.unwrap();
    for stream in &streams {
        assert_eq!(
            store.read_stream(stream, 0).await.unwrap().len(),
            1,
            "{stream} was acknowledged and is gone"
        );
    }
    let events = store.read(Position(0), 100_000, &Filter::default()).await.unwrap();
    assert!(
        events.iter().zip(1..).all(|(event, position)| event.position.0 == position),
        "positions have gaps"
    );
    assert_eq!(store.head().await.unwrap().position.0, events.len() as u64);
    pool.close().await;
    cluster.remove();
}
