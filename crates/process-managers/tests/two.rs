//! Two process managers on one log.

use std::time::Duration;

use command_api::accounts::Accounts;
use domain::StreamId;
use domain::order::Status;
use payments::sandbox::server::Delays;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::gateway::delays;
use crate::given::{House, start_engine};
use crate::shop::{Order, product};

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_charge_each_payment_once() {
    let mut house = House::build().await;
    house.options.in_flight_max = 8;
    let sku = product(&house.engine, 1_000).await;
    let mut orders = Vec::new();
    for _ in 0..40 {
        orders.push(Order::of(&sku, "slow").place(&house.engine).await);
    }
    let (one, other) = (house.run(), house.run_elsewhere().await);
    for _ in 0..40 {
        orders.push(Order::of(&sku, "approve").place(&house.engine).await);
    }
    for ordered in &orders {
        house.until_order(ordered, Status::Confirmed).await;
    }
    house.quiet().await;
    let ledger = house.gateway.ledger().await;
    for kind in ["accepted", "authorised"] {
        assert_eq!(ledger.iter().filter(|entry| entry["kind"] == kind).count(), orders.len(), "{kind}");
    }
    for ordered in &orders {
        assert_eq!(house.count(StreamId::payment(ordered.payment_id), "PaymentAuthorised").await, 1);
    }
    one.stop().await;
    other.stop().await;
}

/// One that is gone in the middle of its work, without a word: the other one takes over its steps and the lead.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_one_had_claimed_is_taken_over() {
    let mut house = House::without_webhooks(Delays { slow: Duration::from_secs(30), ..delays() }).await;
    house.options.lease = Duration::from_millis(600);
    let dying = house.run();
    let ordered = house.order("slow").await;
    house.gateway.until(ordered.payment_id, "accepted").await;
    dying.crash().await;
    let claimed: i64 = sqlx::query_scalar("SELECT count(*) FROM process.steps WHERE claimed_by IS NOT NULL")
        .fetch_one(&house.database.pool)
        .await
        .unwrap();
    assert!(claimed > 0, "it died with nothing in its hands");
    let heir = house.run_elsewhere().await;
    house.until_order(&ordered, Status::Confirmed).await;
    let later = house.order("approve").await;
    house.until_order(&later, Status::Confirmed).await;
    assert_eq!(house.gateway.count(ordered.payment_id, "accepted").await, 1);
    assert_eq!(house.gateway.count(ordered.payment_id, "authorised").await, 1);
    heir.stop().await;
}

/// A claim lasts as long as its runner lives, however short the lease is.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_lives_keeps_what_it_claimed() {
    let mut house = House::without_webhooks(Delays { slow: Duration::from_millis(2_500), ..delays() }).await;
    (house.options.lease, house.gateway.timeout) = (Duration::from_millis(800), Duration::from_secs(60));
    let (one, other) = (house.run(), house.run_elsewhere().await);
    let ordered = house.order("slow").await;
    house.until_order(&ordered, Status::Confirmed).await;
    house.quiet().await;
    assert_eq!(house.attempts(&format!("authorise-{}", ordered.payment_id)).await, 1);
    one.stop().await;
    other.stop().await;
}

/// A process manager on a thread of its own, which can be stopped and go on as a process can.
struct OnAThread {
    freeze: tokio::sync::mpsc::UnboundedSender<std::sync::mpsc::Receiver<()>>,
    shutdown: CancellationToken,
    thread: std::thread::JoinHandle<()>,
}

impl OnAThread {
    fn start(house: &House) -> Self {
        let (freeze, mut freezes) = tokio::sync::mpsc::unbounded_channel::<std::sync::mpsc::Receiver<()>>();
        let (url, store, gateways) =
            (house.database.url.clone(), house.store.clone(), house.gateway.gateways());
        let (options, shutdown) = (house.options, CancellationToken::new());
        let token = shutdown.clone();
        let running = async move {
            let pool = PgPool::connect(&url).await.unwrap();
            let store = store.reopen(pool.clone()).await.unwrap();
            let (engine, accounts) = (start_engine(&store), Accounts::new(pool));
            let frozen = async {
                while let Some(thaw) = freezes.recv().await {
                    // The only thread there is: nothing of it goes on.
                    let _ = thaw.recv();
                }
            };
            tokio::select! {
                ended = process_managers::run(store, engine, gateways, accounts, options, token) => ended.unwrap(),
                () = frozen => {}
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let thread = std::thread::spawn(move || runtime.block_on(running));
        Self { freeze, shutdown, thread }
    }
}

/// One that stops in the middle of its work and goes on when nobody expects it any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_one_loses_what_it_had_claimed_and_does_no_harm_later() {
    let mut house = House::without_webhooks(Delays { slow: Duration::from_secs(2), ..delays() }).await;
    (house.options.lease, house.gateway.timeout) = (Duration::from_millis(800), Duration::from_secs(60));
    let frozen = OnAThread::start(&house);
    let ordered = house.order("slow").await;
    house.gateway.until(ordered.payment_id, "accepted").await;
    let (thaw, thawed) = std::sync::mpsc::channel();
    frozen.freeze.send(thawed).unwrap();
    let heir = house.run_elsewhere().await;
    house.until_order(&ordered, Status::Confirmed).await;
    let meanwhile = house.order("approve").await;
    house.until_order(&meanwhile, Status::Confirmed).await;
    thaw.send(()).unwrap();
    frozen.shutdown.cancel();
    tokio::task::spawn_blocking(|| frozen.thread.join().unwrap()).await.unwrap();
    house.quiet().await;
    for ordered in [&ordered, &meanwhile] {
        assert_eq!(house.count(StreamId::payment(ordered.payment_id), "PaymentAuthorised").await, 1);
        assert_eq!(house.gateway.count(ordered.payment_id, "accepted").await, 1);
    }
    let open = house.open_steps().await;
    assert!(open.iter().all(|(key, _)| key.starts_with("expire-")), "{open:?}");
    heir.stop().await;
}
