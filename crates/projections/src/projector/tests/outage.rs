use super::tally::{Tally, history, seen, something};

#[tokio::test]
async fn it_goes_on_when_its_connections_are_cut() {
    let mut history = history(3).await;
    let running = history.run(Tally::named("first").models());
    for _ in 0..3 {
        history.reaches("first").await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let mut connection = history.database.pool.acquire().await.unwrap();
        sqlx::query(cut).execute(&mut *connection).await.unwrap();
        drop(connection);
        // Nobody of the test itself goes on with a connection that was cut.
        history.store = history.database.another_node(&history.store).await;
        history.read = crate::connect(history.database.url.parse().unwrap(), 4).await.unwrap();
        history.append([something()]).await;
    }
    history.reaches("first").await;
    running.stop().await.unwrap();
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(crate::parked(&history.read).await.unwrap(), [], "an outage parks nothing");
}
