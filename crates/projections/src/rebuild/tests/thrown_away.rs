use std::time::Duration;

use super::shop::{equal, number, rebuild, shop};
use crate::rebuild::{tidy, turn};

#[tokio::test]
async fn copies_are_thrown_away_after_a_day() {
    let history = shop(3).await;
    equal(&rebuild(&history, "stock").await.unwrap());
    // An unfinished one, of a rebuild that nobody took up again.
    history.damage("DELETE FROM read.carts").await;
    assert!(rebuild(&history, "carts").await.unwrap().swapped.is_none());
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'read\\_%'";
    assert_eq!(number(&history, schemas).await, 2);

    assert_eq!(tidy(&history.read).await.unwrap(), 0, "they are young");
    history.damage("UPDATE read.copies SET made_at = made_at - interval '25 hours'").await;
    let held = turn::take(&history.read, "carts").await.unwrap();
    assert_eq!(tidy(&history.read).await.unwrap(), 1, "one is at work");
    drop(held);
    let began = std::time::Instant::now();
    while number(&history, schemas).await > 0 {
        tidy(&history.read).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    assert_eq!(number(&history, "SELECT count(*) FROM copies").await, 0);
}
