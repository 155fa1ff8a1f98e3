//! A primary with two streaming replicas that only these tests use, because they pause and kill them; and a shop on it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use event_store::testing::TestDatabase;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use query_api::{Config, Patience, Replicas};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::process::Command;
use tokio::sync::{Mutex, MutexGuard};

use crate::shop::{DEADLINE, Shop};

/// One test at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// Three servers that run; stopped at the end.
pub(crate) struct Stack {
    primary: PgConnectOptions,
    replicas: Vec<PgConnectOptions>,
    metrics: &'static PrometheusHandle,
    _turn: MutexGuard<'static, ()>,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn folder() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(3).unwrap().join("test-replicas")
}

fn script(arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(repository().join("script/stack"));
    command.args(arguments).arg("--data-dir").arg(folder()).stdin(std::process::Stdio::null());
    command
}

async fn stack(arguments: &[&str]) -> String {
    let output = Command::from(script(arguments)).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Metrics of all tests of this process.
fn recorded() -> &'static PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    METRICS.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap())
}

impl Stack {
    pub(crate) async fn up() -> Self {
        let turn = TURN.lock().await;
        let environment = stack(&["up", "--only", "postgres", "--fast"]).await;
        let value = |key: &str| {
            let line = environment.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.unwrap_or_else(|| panic!("no {key} in {environment}")).to_owned()
        };
        let primary = value("JUMUN_TEST_DATABASE_URL").parse().unwrap();
        let replicas = value("JUMUN_TEST_REPLICA_URLS");
        let replicas = replicas.split(',').map(|url| url.parse().unwrap()).collect();
        let stack = Self { primary, replicas, metrics: recorded(), _turn: turn };
        // A run that was broken off may have left servers that run, and do not replay.
        for number in 1..=stack.replicas.len() {
            stack.resume(number).await;
        }
        stack
    }

    /// A shop in a new database, with queries that go to the replicas, once both are well.
    pub(crate) async fn shop(&self, patience: Patience) -> Shop {
        let database = TestDatabase::create_on(self.primary.clone()).await;
        let name = database.url.rsplit('/').next().unwrap().to_owned();
        let of = |replica: &PgConnectOptions| replica.clone().database(&name);
        let replicas: Vec<_> = self.replicas.iter().map(of).collect();
        // What a shop before this one has said of them is nothing that this one knows.
        for source in ["replica-1", "replica-2"] {
            metrics::gauge!("query_replica_healthy", "source" => source).set(-1.0);
        }
        let config = Config { consistency_wait: DEADLINE, ..Config::default() };
        let open = |primary| Replicas::new(primary, replicas, 8, patience);
        let shop = Shop::open_over(database, open, config, None).await;
        self.healthy("replica-1", true).await;
        self.healthy("replica-2", true).await;
        shop
    }

    /// Waits until every replica has what the primary has now.
    pub(crate) async fn settled(&self) {
        for number in 1..=self.replicas.len() {
            self.caught_up(number).await;
        }
    }

    /// Waits until this replica has what the primary has now.
    pub(crate) async fn caught_up(&self, number: usize) {
        let mut primary = PgConnection::connect_with(&self.primary).await.unwrap();
        let end = sqlx::query_scalar::<_, String>("SELECT pg_current_wal_insert_lsn()::text");
        let end = end.fetch_one(&mut primary).await.unwrap();
        let mut replica = PgConnection::connect_with(&self.replicas[number - 1]).await.unwrap();
        let there =
            || sqlx::query_scalar::<_, bool>("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn").bind(&end);
        let begun = Instant::now();
        while !there().fetch_one(&mut replica).await.unwrap() {
            assert!(begun.elapsed() < DEADLINE, "replica {number} does not come to {end}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn tell(&self, number: usize, statement: &'static str) {
        let mut replica = PgConnection::connect_with(&self.replicas[number - 1]).await.unwrap();
        sqlx::query(AssertSqlSafe(statement)).execute(&mut replica).await.unwrap();
        replica.close().await.unwrap();
    }

    /// This replica goes on answering, and shows nothing new.
    pub(crate) async fn pause(&self, number: usize) {
        self.tell(number, "SELECT pg_wal_replay_pause()").await;
        let mut replica = PgConnection::connect_with(&self.replicas[number - 1]).await.unwrap();
        let state = || sqlx::query_scalar::<_, String>("SELECT pg_get_wal_replay_pause_state()");
        while state().fetch_one(&mut replica).await.unwrap() != "paused" {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn resume(&self, number: usize) {
        self.tell(number, "SELECT pg_wal_replay_resume()").await;
    }

    /// kill -9 of a server.
    pub(crate) async fn kill(&self, name: &str) {
        stack(&["kill", name]).await;
    }

    pub(crate) async fn start(&self, name: &str) {
        stack(&["start", name]).await;
    }

    /// A server and all its processes stand still: connections stay open, and nothing is answered.
    pub(crate) async fn freeze(&self, name: &str) {
        stack(&["pause", name]).await;
    }

    pub(crate) async fn thaw(&self, name: &str) {
        stack(&["resume", name]).await;
    }

    /// The value of a metric of one server.
    pub(crate) fn metric(&self, name: &str, source: &str) -> Option<f64> {
        let line = format!("{name}{{source=\"{source}\"}} ");
        self.metrics.render().lines().find_map(|found| found.strip_prefix(&line)?.parse().ok())
    }

    /// Queries that this server has answered.
    pub(crate) fn answered(&self, source: &str) -> f64 {
        self.metric("query_source_total", source).unwrap_or(0.0)
    }

    /// Waits until a replica is left out because it answers and is behind, and not for being slow to answer.
    pub(crate) async fn lagging(&self, source: &str) {
        let begun = Instant::now();
        let is = |name: &str| self.metric(name, source).unwrap_or(f64::NAN);
        while !(is("query_replica_healthy") == 0.0 && is("query_replica_lag_events") > 0.0) {
            assert!(begun.elapsed() < DEADLINE, "{source} does not lag: {}", self.metrics.render());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a replica is taken for well, or for unwell.
    pub(crate) async fn healthy(&self, source: &str, well: bool) {
        let (begun, wanted) = (Instant::now(), Some(if well { 1.0 } else { 0.0 }));
        while self.metric("query_replica_healthy", source) != wanted {
            assert!(begun.elapsed() < DEADLINE, "{source} is not as it should be: {}", self.metrics.render());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = script(&["down"]).output();
    }
}
