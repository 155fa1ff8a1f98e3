//! A house with everything in it, and how to wait for it.

use std::time::{Duration, Instant};

use command_api::accounts::Accounts;
use command_api::engine::{self, Engine};
use domain::order::Status;
use domain::payment::Standing;
use domain::{Event, State, StreamId};
use event_store::testing::TestDatabase;
use event_store::{EventStore, Filter, Position, Recorded};
use payments::sandbox::server::Delays;
use process_managers::{Error, Options};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::gateway::{Gateway, delays, nowhere, receiver};
use crate::shop::{self, Order, Ordered};

/// Nothing here takes longer, on any machine.
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) struct House {
    pub(crate) gateway: Gateway,
    pub(crate) engine: Engine,
    pub(crate) store: EventStore,
    pub(crate) options: Options,
    pub(crate) database: TestDatabase,
}

/// A process manager that runs.
pub(crate) struct Running {
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// As a crash: nothing is given back.
    pub(crate) async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    /// Waits until it gives up by itself.
    pub(crate) async fn ended(self) -> Result<(), Error> {
        tokio::time::timeout(DEADLINE, self.task).await.unwrap().unwrap()
    }
}

/// Pauses between tries are short.
pub(crate) fn options() -> Options {
    Options {
        pause_first: Duration::from_millis(20),
        pause_max: Duration::from_millis(100),
        poll: Duration::from_millis(20),
        ..Options::default()
    }
}

impl House {
    /// Webhooks arrive.
    pub(crate) async fn build() -> Self {
        Self::build_with(true, delays()).await
    }

    /// Webhooks never arrive.
    pub(crate) async fn without_webhooks(delays: Delays) -> Self {
        Self::build_with(false, delays).await
    }

    async fn build_with(webhooks: bool, delays: Delays) -> Self {
        let database = TestDatabase::create().await;
        process_managers::migrate(&database.pool).await.unwrap();
        let store = database.store().await;
        let engine = start_engine(&store);
        let webhook_url = if webhooks { receiver(engine.clone()).await } else { nowhere() };
        let gateway = Gateway::start(&webhook_url, delays).await;
        Self { gateway, engine, store, options: options(), database }
    }

    /// Starts a process manager.
    pub(crate) fn run(&self) -> Running {
        self.run_on(self.store.clone(), self.engine.clone())
    }

    /// Starts one as another process has it: with connections and states of its own.
    pub(crate) async fn run_elsewhere(&self) -> Running {
        let store = self.database.another_node(&self.store).await;
        let engine = start_engine(&store);
        self.run_on(store, engine)
    }

    fn run_on(&self, store: EventStore, engine: Engine) -> Running {
        let (shutdown, gateways, options) = (CancellationToken::new(), self.gateway.gateways(), self.options);
        let accounts = Accounts::new(self.database.pool.clone());
        let task =
            tokio::spawn(process_managers::run(store, engine, gateways, accounts, options, shutdown.clone()));
        Running { shutdown, task }
    }

    /// An order of one piece of a fresh product with ten.
    pub(crate) async fn order(&self, token: &str) -> Ordered {
        let sku = shop::product(&self.engine, 10).await;
        Order::of(&sku, token).place(&self.engine).await
    }

    pub(crate) async fn ask(&self, command: domain::Command) {
        shop::ask(&self.engine, command).await;
    }

    /// Waits until the log says so.
    #[track_caller]
    pub(crate) fn until<'a>(
        &'a self,
        stream: StreamId,
        what: &'a str,
        so: impl Fn(&State) -> bool + 'a,
    ) -> impl Future<Output = State> + 'a {
        let begun = Instant::now();
        async move {
            loop {
                let known = self.store.wake().known();
                let state = self.state(&stream).await;
                if so(&state) {
                    return state;
                }
                assert!(begun.elapsed() < DEADLINE, "{stream} is never {what}: {state:?}");
                self.store.wake().beyond(known, Duration::from_millis(20)).await;
            }
        }
    }

    pub(crate) async fn until_order(&self, ordered: &Ordered, status: Status) {
        let so = |state: &State| matches!(state, State::Order(order) if order.status() == Some(status));
        self.until(StreamId::order(ordered.order_id), status.as_str(), so).await;
    }

    pub(crate) async fn until_payment(&self, ordered: &Ordered, standing: Standing) {
        let so =
            |state: &State| matches!(state, State::Payment(payment) if payment.status() == Some(standing));
        self.until(StreamId::payment(ordered.payment_id), standing.as_str(), so).await;
    }

    pub(crate) async fn state(&self, stream: &StreamId) -> State {
        let events = self.store.read_stream(stream, 0).await.unwrap();
        events.iter().fold(State::initial(stream.category()), |state, each| state.evolve(&each.event))
    }

    /// Pieces that can be bought.
    pub(crate) async fn available(&self, ordered: &Ordered) -> i64 {
        match self.state(&StreamId::stock(&ordered.sku)).await {
            State::Stock(stock) => stock.available(),
            other => panic!("{other:?} in a stock stream"),
        }
    }

    /// Waits until all of the log is taken in, and nothing is left to do now.
    pub(crate) async fn quiet(&self) {
        const QUIET: &str = "SELECT c.position = h.position AND NOT EXISTS (
                SELECT FROM process.steps
                 WHERE done_at IS NULL AND attention_at IS NULL AND step ->> 'step' <> 'expire')
            FROM process.checkpoint c, log.head h";
        let begun = Instant::now();
        loop {
            let known = self.store.wake().known();
            let quiet: Option<bool> =
                sqlx::query_scalar(QUIET).fetch_optional(&self.database.pool).await.unwrap();
            if quiet == Some(true) {
                return;
            }
            assert!(
                begun.elapsed() < DEADLINE,
                "there is always something to do: {:?}",
                self.open_steps().await
            );
            self.store.wake().beyond(known, Duration::from_millis(10)).await;
        }
    }

    /// Waits until there is such a step.
    pub(crate) async fn until_step(&self, what: &str, so: impl Fn(&(String, Option<String>)) -> bool) {
        let begun = Instant::now();
        while !self.open_steps().await.iter().any(&so) {
            assert!(begun.elapsed() < DEADLINE, "no step is ever {what}: {:?}", self.open_steps().await);
            tokio::task::yield_now().await;
        }
    }

    /// Waits until every step is done, those included that are due later.
    pub(crate) async fn until_no_step(&self) {
        let begun = Instant::now();
        while !self.open_steps().await.is_empty() {
            assert!(begun.elapsed() < DEADLINE, "never done: {:?}", self.open_steps().await);
            tokio::task::yield_now().await;
        }
    }

    /// Waits until a step was tried that often.
    pub(crate) async fn until_tried(&self, key: &str, attempts: i32) {
        let begun = Instant::now();
        while self.attempts(key).await < attempts {
            assert!(begun.elapsed() < DEADLINE, "{key} is not tried {attempts} times");
            tokio::task::yield_now().await;
        }
    }

    /// How often a step was tried.
    pub(crate) async fn attempts(&self, key: &str) -> i32 {
        let query = sqlx::query_scalar("SELECT attempts FROM process.steps WHERE key = $1").bind(key);
        query.fetch_optional(&self.database.pool).await.unwrap().unwrap_or(0)
    }

    /// Steps that are not done, with what went wrong last.
    pub(crate) async fn open_steps(&self) -> Vec<(String, Option<String>)> {
        sqlx::query_as("SELECT key, last_error FROM process.steps WHERE done_at IS NULL ORDER BY key")
            .fetch_all(&self.database.pool)
            .await
            .unwrap()
    }

    /// Writes a step down as if an event had asked for it, due in so many seconds.
    pub(crate) async fn write_down(&self, key: &str, step: serde_json::Value, due_seconds: i32) {
        sqlx::query(
            "INSERT INTO process.steps (key, step, cause_position, cause_event_id, correlation_id, caused_at, due_at)
             VALUES ($1, $2, 1, $3, $3, now(), now() + $4 * interval '1 second')",
        )
        .bind(key)
        .bind(step)
        .bind(Uuid::now_v7())
        .bind(due_seconds)
        .execute(&self.database.pool)
        .await
        .unwrap();
    }

    /// Everything that ever happened.
    pub(crate) async fn log(&self) -> Vec<Recorded> {
        self.store.read(Position(0), 100_000, &Filter::default()).await.unwrap()
    }

    /// How many events of that type a stream has.
    pub(crate) async fn count(&self, stream: StreamId, type_name: &str) -> usize {
        let events = self.store.read_stream(&stream, 0).await.unwrap();
        events.iter().filter(|recorded| recorded.type_name == type_name).count()
    }
}

pub(crate) fn start_engine(store: &EventStore) -> Engine {
    Engine::start(store.clone(), engine::Options::default(), CancellationToken::new()).0
}

/// The notices that were requested about an order.
pub(crate) async fn notices(house: &House, ordered: &Ordered) -> Vec<domain::notification::Requested> {
    let events = house.log().await.into_iter();
    let requested = events.filter_map(|recorded| match recorded.event {
        Event::Notification(domain::notification::Event::Requested(requested)) => Some(requested),
        _ => None,
    });
    requested.filter(|requested| requested.order_id == ordered.order_id).collect()
}
