//! Streams that a command begins are taken to be empty without a look. Where that is wrong, nobody notices but the clock.

use domain::ids::CartId;
use domain::text::Locale;
use domain::{Actor, Command, Currency, Owner, StreamId, cart, product};
use event_store::testing::TestDatabase;
use futures::future::join_all;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::given::{
    ask, assert_gapless, cart as filled_cart, code, engine, new_product, place, product as on_sale, receive,
    sku, stock_in_log, submission,
};

fn open(cart_id: CartId) -> Command {
    let (owner, locale) = (Owner::Guest(cart_id), Locale::parse("ko").unwrap());
    Command::Cart(cart::Command::Open { cart_id, owner, currency: Currency::KRW, locale })
}

#[tokio::test]
async fn what_another_node_has_begun_is_not_begun_again() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (one, other, cart_id) = (engine(&store), engine(&store), CartId(Uuid::now_v7()));
    ask(&one, open(cart_id)).await.unwrap();
    assert_eq!(code(ask(&other, open(cart_id)).await), "already-exists");
    assert_eq!(code(ask(&other, open(cart_id)).await), "already-exists");
    assert_eq!(store.read_stream(&StreamId::cart(cart_id), 0).await.unwrap().len(), 1);
    assert_gapless(&store).await;
}

#[tokio::test]
async fn the_same_command_on_another_node_gets_the_first_answer() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (one, other, cart_id) = (engine(&store), engine(&store), CartId(Uuid::now_v7()));
    let first = submission(Actor::Guest(cart_id), open(cart_id));
    one.execute(first.clone()).await.unwrap();
    let again = other.execute(first).await.unwrap();
    assert!(again.replayed);
    assert_eq!(store.read_stream(&StreamId::cart(cart_id), 0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_comes_with_a_wrong_beginning_is_decided_on_what_is_there() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (one, other, sku) = (engine(&store), engine(&store), sku());
    on_sale(&one, &sku, 5).await;
    let cart_id = filled_cart(&one, &sku).await;
    // One batch of a node that has not seen the cart: a second beginning, and a line that the first one would not have.
    let set = cart::Command::SetItem { cart_id, by: Actor::Guest(cart_id), sku: sku.clone(), quantity: 2 };
    let asked = [open(cart_id), Command::Cart(set), open(CartId(Uuid::now_v7()))];
    let mut results = join_all(asked.map(|command| ask(&other, command))).await;
    assert!(results.pop().unwrap().is_ok(), "who has nothing to do with it");
    assert!(results.pop().unwrap().is_ok(), "the cart is there");
    assert_eq!(code(results.pop().unwrap()), "already-exists");
    let order = ask(&one, place(cart_id)).await.unwrap();
    assert!(order.version.is_some());
    assert_eq!(stock_in_log(&store, &sku).await.available(), 3);
    assert_gapless(&store).await;
}

/// On a product that was presumed not to be there, another rule would refuse it: its SKU is taken.
#[tokio::test]
async fn a_refusal_rests_on_nothing_presumed() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (one, other) = (engine(&store), engine(&store));
    let created = new_product(&sku());
    let create = || Command::Product(product::Command::Create(created.clone()));
    ask(&one, create()).await.unwrap();
    assert_eq!(code(ask(&one, create()).await), "already-exists");
    assert_eq!(code(ask(&other, create()).await), "already-exists");
    assert_eq!(code(ask(&other, place(CartId(Uuid::now_v7()))).await), "not-found");
    assert_gapless(&store).await;
}

/// While a batch is on its way, what comes in is decided on what it will leave. Here it leaves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_on_a_batch_that_is_not_appended_is_decided_again() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (one, other, sku) = (engine(&store), engine(&store), sku());
    on_sale(&one, &sku, 0).await;
    ask(&other, receive(&sku, 1)).await.unwrap();
    // Appends wait, and the first batches of both nodes are on their way, decided on the same version.
    let mut lock = store.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM log.head FOR UPDATE").execute(&mut *lock).await.unwrap();
    let waiting = |count: i64| {
        let pool = store.pool().clone();
        let sql = format!(
            "SELECT count(*) >= {count} FROM pg_stat_activity WHERE datname = current_database() \
             AND wait_event_type = 'Lock' AND query LIKE '%append%'"
        );
        async move {
            while !sqlx::query_scalar::<_, bool>(AssertSqlSafe(sql.clone())).fetch_one(&pool).await.unwrap() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
    };
    let receive_with = |engine: &command_api::engine::Engine| {
        let (engine, command) = (engine.clone(), receive(&sku, 1));
        tokio::spawn(async move { ask(&engine, command).await })
    };
    let mut asked = vec![receive_with(&one), receive_with(&other)];
    waiting(2).await;
    // The next batches grow meanwhile; one of the first two will turn out to be of no avail.
    asked.extend((0..20).flat_map(|_| [receive_with(&one), receive_with(&other)]));
    tokio::task::yield_now().await;
    lock.commit().await.unwrap();
    for result in join_all(asked).await {
        result.unwrap().unwrap();
    }
    assert_eq!(stock_in_log(&store, &sku).await.on_hand(), 43);
    assert_gapless(&store).await;
}
