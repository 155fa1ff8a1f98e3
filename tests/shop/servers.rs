//! The servers that a shop scales out on: those of `JUMUN_TEST_*`, else those of `script/stack`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;

use super::{DEADLINE, repository};

/// Where they are.
#[derive(Clone)]
pub(crate) struct Servers {
    database_url: String,
    replica_urls: Vec<String>,
    pub(super) kafka_brokers: String,
    pub(super) opensearch_url: String,
    /// Where a proxy in front of Kafka connects to.
    pub(crate) kafka_proxied: Option<String>,
}

impl Servers {
    /// Those that all tests share.
    pub(super) async fn shared() -> Self {
        static SHARED: OnceCell<Servers> = OnceCell::const_new();
        let found = SHARED.get_or_init(|| async {
            let given: HashMap<_, _> =
                std::env::vars().filter(|(name, _)| name.starts_with("JUMUN_TEST_")).collect();
            if given.contains_key("JUMUN_TEST_KAFKA_BROKERS") {
                return Self::of(&given);
            }
            let own = std::env::current_exe().unwrap();
            let folder = own.ancestors().nth(3).unwrap().join("test-stack");
            // They outlive the tests: the next run finds them.
            Self::of(&stack(&["up", "--fast"], &folder))
        });
        found.await.clone()
    }

    fn of(environment: &HashMap<String, String>) -> Self {
        let of = |name: &str| {
            let key = format!("JUMUN_TEST_{name}");
            environment.get(&key).unwrap_or_else(|| panic!("{key} is not set")).clone()
        };
        Self {
            database_url: of("DATABASE_URL"),
            replica_urls: of("REPLICA_URLS").split(',').map(str::to_owned).collect(),
            kafka_brokers: of("KAFKA_BROKERS"),
            opensearch_url: of("OPENSEARCH_URL"),
            kafka_proxied: environment.get("JUMUN_TEST_KAFKA_PROXIED").cloned(),
        }
    }

    /// The address of a database on the primary.
    pub(super) fn database(&self, name: &str) -> String {
        on(&self.database_url, name)
    }

    /// Its addresses on the replicas, as configuration wants them.
    pub(super) fn replicas(&self, name: &str) -> String {
        let urls: Vec<_> = self.replica_urls.iter().map(|url| on(url, name)).collect();
        urls.join(",")
    }

    /// Copies of a partition, as many as there can be and no more than three.
    pub(super) fn replication(&self) -> usize {
        self.kafka_brokers.split(',').count().min(3)
    }

    /// An empty database, on the replicas too: a busy one may hear of it seconds later.
    pub(super) async fn create_database(&self, name: &str) {
        self.execute(format!("CREATE DATABASE {name}")).await;
        let begun = Instant::now();
        for url in &self.replica_urls {
            while let Err(error) = PgConnection::connect(&on(url, name)).await {
                assert!(begun.elapsed() < DEADLINE, "a replica does not get {name}: {error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    pub(super) async fn execute(&self, statement: String) {
        let mut admin = PgConnection::connect(&self.database_url).await.unwrap();
        sqlx::query(AssertSqlSafe(statement)).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
    }
}

/// The same server's database of that name.
fn on(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap_or_else(|| panic!("{url} names no database"));
    format!("{server}/{name}")
}

/// Servers of one test alone, which may be killed.
pub(crate) struct OwnServers {
    folder: PathBuf,
    pub(crate) servers: Servers,
}

impl OwnServers {
    pub(crate) fn start() -> Self {
        Self::start_with(&["--fast"])
    }

    /// The same with other flags of `script/stack up`.
    pub(crate) fn start_with(flags: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(format!("jumun-stack-{}", uuid::Uuid::new_v4().simple()));
        Self::start_in(folder, flags)
    }

    /// In that folder, with more flags of `script/stack up`.
    pub(crate) fn start_in(folder: PathBuf, flags: &[&str]) -> Self {
        let servers = Servers::of(&stack(&[&["up"], flags].concat(), &folder));
        Self { folder, servers }
    }

    /// The primary is reached at that address from now on. Where it really is.
    pub(crate) fn reach_primary_at(&mut self, address: SocketAddr) -> String {
        let url = &mut self.servers.database_url;
        let (before, rest) = url.split_once('@').unwrap();
        let (real, database) = rest.split_once('/').unwrap();
        let real = real.to_owned();
        *url = format!("{before}@{address}/{database}");
        real
    }

    /// Makes the first replica a primary. Where it is.
    pub(crate) async fn promote_replica(&self) -> String {
        let url = &self.servers.replica_urls[0];
        let mut replica = PgConnection::connect(url).await.unwrap();
        let promoted: bool =
            sqlx::query_scalar("SELECT pg_promote(true, 60)").fetch_one(&mut replica).await.unwrap();
        assert!(promoted);
        url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).unwrap().0.to_owned()
    }

    /// Stops all of them; the data stays.
    pub(crate) fn stop(&self) {
        stack(&["down"], &self.folder);
    }

    /// `kill`, `start`, `pause` or `resume` of a server by its name.
    pub(crate) async fn fault(&self, action: &'static str, name: &'static str) {
        let folder = self.folder.clone();
        tokio::task::spawn_blocking(move || stack(&[action, name], &folder)).await.unwrap();
    }
}

impl Drop for OwnServers {
    fn drop(&mut self) {
        stack(&["down", "--remove"], &self.folder);
    }
}

/// Runs `script/stack` on a folder; the variables that it prints.
fn stack(arguments: &[&str], folder: &Path) -> HashMap<String, String> {
    let mut script = Command::new(repository("script/stack"));
    let output = script.args(arguments).arg("--data-dir").arg(folder).output().unwrap();
    assert!(
        output.status.success(),
        "script/stack {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
