use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sqlx::PgPool;

use super::shop::{equal, rebuild, shop};
use crate::orders::examples::ORDER;

/// Asks all the time, with statements that are prepared once, alone and in transactions; the rows must be there each time.
async fn ask(read: PgPool, over: Arc<AtomicBool>, asked: Arc<AtomicU64>) -> Result<(), sqlx::Error> {
    while !over.load(Ordering::Relaxed) {
        let items: i64 = sqlx::query_scalar("SELECT count(*) FROM stock WHERE sku LIKE $1")
            .bind("ITEM-%")
            .fetch_one(&read)
            .await?;
        assert_eq!(items, 100, "a table was seen empty");
        let joined: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM products p LEFT JOIN product_texts t USING (product_id) LEFT JOIN stock s USING (sku)",
        )
        .fetch_one(&read)
        .await?;
        assert_eq!(joined, 1);
        let mut transaction = read.begin().await?;
        for _ in 0..2 {
            let status: String = sqlx::query_scalar("SELECT status FROM orders WHERE order_id = $1")
                .bind(ORDER.0)
                .fetch_one(&mut *transaction)
                .await?;
            assert!(!status.is_empty());
        }
        transaction.commit().await?;
        asked.fetch_add(4, Ordering::Relaxed);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_never_fail_while_read_models_are_swapped() {
    let history = shop(100).await;
    let pool = crate::connect(history.database.url.parse().unwrap(), 4).await.unwrap();
    let (over, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients = (0..4)
        .map(|_| tokio::spawn(ask(pool.clone(), Arc::clone(&over), Arc::clone(&asked))))
        .collect::<Vec<_>>();
    for _ in 0..5 {
        for name in ["stock", "orders", "products"] {
            equal(&rebuild(&history, name).await.unwrap());
            let before = asked.load(Ordering::Relaxed);
            crate::rebuild::rollback(&history.read, &history.store, super::shop::model(name)).await.unwrap();
            while asked.load(Ordering::Relaxed) == before {
                tokio::time::sleep(Duration::from_millis(1)).await;
                assert!(!clients.iter().any(|client| client.is_finished()), "a client stopped");
            }
        }
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap().unwrap();
    }
    assert!(asked.load(Ordering::Relaxed) > 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_query_is_waited_for_and_no_other_waits_behind() {
    let history = shop(100).await;
    let mut long = history.read.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM stock").execute(&mut *long).await.unwrap();
    let rebuilding = rebuild(&history, "stock");
    tokio::pin!(rebuilding);
    let mut longest = Duration::ZERO;
    let began = std::time::Instant::now();
    // Long enough for several tries to swap.
    while began.elapsed() < Duration::from_secs(3) {
        let asked = std::time::Instant::now();
        tokio::select! {
            outcome = &mut rebuilding => panic!("it swapped under a query: {outcome:?}"),
            count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM stock").fetch_one(&history.read) => {
                assert_eq!(count.unwrap(), 101);
            }
        }
        longest = longest.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(longest < Duration::from_secs(2), "a query waited for {longest:?}");
    long.commit().await.unwrap();
    equal(&rebuilding.await.unwrap());
}
