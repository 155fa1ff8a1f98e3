//! Transactions that others leave open, and commits that are not safe yet: nobody is told that something was done which may be lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::chaos::system::Ground;
use crate::shop::{Answer, DEADLINE, Shop, scaled};

/// A client gives up later than a node must.
const ANSWERED: Duration = Duration::from_secs(40);

async fn connect(shop: &Shop) -> PgConnection {
    PgConnection::connect(&shop.database_url).await.unwrap()
}

async fn run(connection: &mut PgConnection, statement: &'static str) {
    sqlx::query(statement).execute(connection).await.unwrap();
}

/// A receipt of one piece with that key.
async fn receive(shop: &Shop, staff: &str, sku: &str, key: &str) -> Answer {
    let request = shop.http.post(format!("{}/v1/stock/{sku}/receipts", shop.command_url()));
    let request = request.header("Idempotency-Key", key).bearer_auth(staff);
    shop.send(request.json(&json!({"quantity": 1, "reason": "delivery"}))).await
}

/// Asks until it is done, as every client should.
async fn received(shop: &Shop, staff: &str, sku: &str, key: &str) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = receive(shop, staff, sku, key).await;
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            return answer.ok();
        }
        assert!(begun.elapsed() < DEADLINE, "{answer:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn on_hand(shop: &Shop, sku: &str, after: &Answer) -> i64 {
    let shown = shop.get(&format!("/v1/stock/{sku}"), None, after.token.as_deref()).await.expect(200);
    shown.body["on_hand"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_left_open_holds_up_what_it_has_locked_and_nothing_else() {
    let shop = Shop::open().await;
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 1_000, 1).await;
    // An old snapshot, and something written: whoever waited for all that are open would wait for ever.
    let mut idle = connect(&shop).await;
    run(&mut idle, "BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    run(&mut idle, "CREATE TABLE public.never (n int)").await;
    let (cart, guest) = shop.guest_cart(&sku, 1).await;
    let placed = shop.order(&cart, &guest, "approve", 10).await.ok();
    shop.wait_for_status(&placed.text("/order_id"), &guest, "confirmed").await;
    // The row that every append needs.
    let mut holding = connect(&shop).await;
    run(&mut holding, "BEGIN").await;
    run(&mut holding, "SELECT position FROM log.head FOR UPDATE").await;
    let asked = tokio::time::timeout(ANSWERED, receive(&shop, &staff, &sku, "held")).await;
    let told = asked.expect("nothing is said for so long");
    assert_eq!(told.status, 503, "{told:#?}");
    shop.get(&format!("/v1/stock/{sku}"), None, placed.token.as_deref()).await.expect(200);
    run(&mut holding, "ROLLBACK").await;
    let before = 1;
    let done = received(&shop, &staff, &sku, "held").await;
    assert_eq!(on_hand(&shop, &sku, &done).await, before + 1, "once");
    run(&mut idle, "ROLLBACK").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_no_replica_has_is_not_acknowledged() {
    if scaled() {
        println!("only for a shop with a PostgreSQL of its own: all databases would wait");
        return;
    }
    let shop = Shop::open().await;
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 1_000, 1).await;
    let mut admin = connect(&shop).await;
    run(&mut admin, "ALTER SYSTEM SET synchronous_commit = 'on'").await;
    run(&mut admin, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await;
    run(&mut admin, "SELECT pg_reload_conf()").await;
    commits_wait(&shop).await;
    for time in ["first", "second"] {
        let telling = receive(&shop, &staff, &sku, "waits");
        let told = tokio::select! {
            told = telling => told,
            never = end_whoever_waits(&shop) => never,
        };
        assert!(!told.status.is_success(), "no replica has it, asked for the {time} time: {told:#?}");
    }
    run(&mut admin, "ALTER SYSTEM RESET synchronous_standby_names").await;
    run(&mut admin, "SELECT pg_reload_conf()").await;
    let done = received(&shop, &staff, &sku, "waits").await;
    assert_eq!(on_hand(&shop, &sku, &done).await, 2, "once");
    shop.close().await;
}

/// Nothing more is taken, what was taken is there, and queries go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_takes_no_command_and_loses_none() {
    if !scaled() {
        println!("only for a shop that is scaled out: its PostgreSQL can have a disk of its own");
        return;
    }
    let folder = std::env::temp_dir().join(format!("jumun-full-{}", uuid::Uuid::new_v4().simple()));
    let ground = tokio::task::spawn_blocking(move || Ground::start_in(folder, &[])).await.unwrap();
    let Some(disk) = &ground.disk else {
        println!("only root can have a disk of its own");
        return;
    };
    let shop = Shop::open_on(&ground.servers).await;
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 1_000, 1).await;
    let first = received(&shop, &staff, &sku, "full-0").await;
    assert_eq!(on_hand(&shop, &sku, &first).await, 2);
    disk.fill(64);
    let mut asked = 0;
    loop {
        asked += 1;
        let key = format!("full-{asked}");
        let asking = receive(&shop, &staff, &sku, &key);
        let told = tokio::time::timeout(ANSWERED, asking).await.expect("nothing is said for so long");
        if told.status == StatusCode::SERVICE_UNAVAILABLE {
            break;
        }
        assert!(told.status.is_success() && asked < 20_000, "there is always room: {told:#?}");
    }
    shop.get(&format!("/v1/stock/{sku}"), None, None).await.expect(200);
    disk.empty();
    // It may have given up.
    ground.servers.fault("start", "postgres").await;
    let mut last = first;
    for number in 1..=asked {
        last = received(&shop, &staff, &sku, &format!("full-{number}")).await;
    }
    assert_eq!(on_hand(&shop, &sku, &last).await, 2 + asked, "each once");
    let (code, text) = shop.run(&["verify"]).await;
    assert_eq!(code, 0, "{text}");
    shop.close().await;
}

/// Others take every connection that PostgreSQL has, and those that the shop had are lost; then nobody gets one at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_a_free_connection_is_waited_for() {
    const END: &str =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'jumun'";
    if scaled() {
        println!("only for a shop with a PostgreSQL of its own: all tests would wait");
        return;
    }
    let shop = Shop::open().await;
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 1_000, 1).await;
    let options: PgConnectOptions = shop.database_url.parse().unwrap();
    let name = options.get_database().unwrap().to_owned();
    let mut admin = PgConnection::connect_with(&options.database("postgres")).await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let others = (0..8).map(|_| tokio::spawn(take_all(shop.database_url.clone(), Arc::clone(&over))));
    let others: Vec<_> = others.collect();
    for number in 1..=3 {
        run(&mut admin, END).await;
        none_is_left(&shop).await;
        let told = receive(&shop, &staff, &sku, &format!("storm-{number}")).await.status;
        assert!(told.is_success() || told == StatusCode::SERVICE_UNAVAILABLE, "{told}");
    }
    let allow = |yes| AssertSqlSafe(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {yes}"));
    sqlx::query(allow(false)).execute(&mut admin).await.unwrap();
    run(&mut admin, END).await;
    let told = tokio::time::timeout(ANSWERED, receive(&shop, &staff, &sku, "storm-4")).await;
    assert_eq!(told.expect("nothing is said for so long").status, 503);
    sqlx::query(allow(true)).execute(&mut admin).await.unwrap();
    over.store(true, Ordering::Relaxed);
    for other in others {
        other.await.unwrap();
    }
    let mut last = None;
    for number in 1..=4 {
        last = Some(received(&shop, &staff, &sku, &format!("storm-{number}")).await);
    }
    assert_eq!(on_hand(&shop, &sku, &last.unwrap()).await, 1 + 4, "each once");
    let (cart, guest) = shop.guest_cart(&sku, 1).await;
    let placed = shop.order(&cart, &guest, "approve", 10).await.ok();
    shop.wait_for_status(&placed.text("/order_id"), &guest, "confirmed").await;
    shop.close().await;
}

/// Takes whatever connection there is, and keeps it.
async fn take_all(url: String, over: Arc<AtomicBool>) {
    let mut taken = Vec::new();
    while !over.load(Ordering::Relaxed) {
        match PgConnection::connect(&url).await {
            Ok(connection) => taken.push(connection),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Until nobody gets a connection.
async fn none_is_left(shop: &Shop) {
    let begun = Instant::now();
    while PgConnection::connect(&shop.database_url).await.is_ok() {
        assert!(begun.elapsed() < DEADLINE, "there is always a connection left");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Commits until one has to wait for a replica: a setting that is reloaded is not in force yet.
async fn commits_wait(shop: &Shop) {
    let committing = async {
        loop {
            let mut probing = connect(shop).await;
            // Ended by the one that looks, or there is nobody to wait for yet.
            let _ = sqlx::query("CREATE TABLE public.probe ()").execute(&mut probing).await;
            let _ = sqlx::query("DROP TABLE IF EXISTS public.probe").execute(&mut probing).await;
        }
    };
    let waited = async {
        let mut admin = connect(shop).await;
        let begun = Instant::now();
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut admin).await.unwrap() == 0 {
            assert!(begun.elapsed() < DEADLINE, "no commit waits for a replica");
        }
    };
    tokio::select! {
        () = committing => {}
        () = waited => {}
    }
}

/// Ends every connection that waits for a replica, again and again.
async fn end_whoever_waits(shop: &Shop) -> Answer {
    let begun = Instant::now();
    let mut admin = connect(shop).await;
    loop {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        run(&mut admin, end).await;
        assert!(begun.elapsed() < DEADLINE, "nothing is said");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
