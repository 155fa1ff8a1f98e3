//! A shop scaled out: every role a process of its own, most of them twice, on real servers.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::program::{Program, configured};
use super::servers::Servers;
use super::{Addresses, DEADLINE, Through};

/// More would only wait for one another.
static SHOPS_AT_ONCE: Semaphore = Semaphore::const_new(2);

/// What is started, and the path that says whether it is ready.
pub(crate) const ROLES: &[(&str, &str)] = &[
    ("sandbox-gateway", "/healthz"),
    ("command-api-1", "/readyz"),
    ("command-api-2", "/readyz"),
    ("relay-1", "/readyz"),
    ("relay-2", "/readyz"),
    ("projector-1", "/readyz"),
    ("projector-2", "/readyz"),
    ("process-manager-1", "/readyz"),
    ("process-manager-2", "/readyz"),
    ("query-api-1", "/readyz"),
    ("query-api-2", "/readyz"),
];

/// The roles of one shop.
pub(super) struct Scaled {
    name: String,
    servers: Servers,
    environment: Vec<(String, String)>,
    roles: Vec<Role>,
    _place: SemaphorePermit<'static>,
}

struct Role {
    program: Program,
    probe: String,
}

impl Scaled {
    pub(super) async fn start(
        data_dir: &Path,
        environment: Vec<(String, String)>,
        servers: Servers,
        through: &Through<'_>,
    ) -> (Self, Addresses) {
        let place = SHOPS_AT_ONCE.acquire().await.unwrap();
        let name = format!("shop_{}", uuid::Uuid::new_v4().simple());
        servers.create_database(&name).await;
        let urls: Vec<_> = ROLES.iter().map(|_| format!("127.0.0.1:{}", free_port())).collect();
        let url_of = |role: &str| {
            format!("http://{}", urls[ROLES.iter().position(|(name, _)| *name == role).unwrap()])
        };
        let addresses = Addresses {
            command_urls: ["command-api-1", "command-api-2"].map(url_of).into(),
            query_urls: ["query-api-1", "query-api-2"].map(url_of).into(),
            database_url: servers.database(&name),
        };
        let sandbox = url_of("sandbox-gateway");
        write_down(data_dir, &addresses, &sandbox);
        let mut configuration = shared_configuration(&name, &servers, data_dir);
        configuration.extend(pairs(&[
            ("SANDBOX_URL", &sandbox),
            ("SANDBOX_WEBHOOK_URL", &format!("{}/v1/webhooks/sandbox", addresses.command_urls[0])),
        ]));
        configuration.extend(environment);
        let mut scaled = Self { name, servers, environment: configuration, roles: Vec::new(), _place: place };
        scaled.tool(&["migrate"]).await;
        for ((name, probe), address) in ROLES.iter().zip(&urls) {
            scaled.roles.push(scaled.role(name, address, probe, data_dir, through));
        }
        scaled.tool(&["demo", "--data-dir", &data_dir.display().to_string()]).await;
        scaled.ready().await;
        (scaled, addresses)
    }

    fn role(
        &self,
        name: &'static str,
        address: &str,
        probe: &str,
        data_dir: &Path,
        through: &Through<'_>,
    ) -> Role {
        let role = name.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit());
        let mut arguments: Vec<_> = [role, "--listen", address].map(str::to_owned).into();
        if role == "sandbox-gateway" {
            arguments.extend(["--ledger".to_owned(), data_dir.join("sandbox").display().to_string()]);
        }
        let log = data_dir.join(format!("{name}.log"));
        let program = Program::start(name, arguments, through(name, self.environment.clone()), &log, "KILL");
        Role { program, probe: format!("http://{address}{probe}") }
    }

    /// Runs a command that ends by itself.
    async fn tool(&self, arguments: &[&str]) {
        let mut command = tokio::process::Command::from(configured(&self.environment));
        let output = tokio::time::timeout(DEADLINE, command.args(arguments).kill_on_drop(true).output());
        let output = output.await.expect("it does not end").unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// How a tool finds this shop.
    pub(super) fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// Until every role that runs is ready.
    pub(super) async fn ready(&self) {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
        let begun = Instant::now();
        for role in &self.roles {
            while !matches!(http.get(&role.probe).send().await, Ok(answer) if answer.status().is_success()) {
                let program = &role.program;
                if let Some(status) = program.ended() {
                    panic!("{} ended with {status}: {}", program.name, program.tail());
                }
                assert!(begun.elapsed() < DEADLINE, "{} is not ready: {}", program.name, program.tail());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    fn find(&self, name: &str) -> &Program {
        let found = self.roles.iter().find(|role| role.program.name == name);
        &found.unwrap_or_else(|| panic!("there is no {name}")).program
    }

    /// kill -9 of one role.
    pub(super) fn kill_role(&self, name: &str) {
        self.find(name).kill();
    }

    pub(super) fn signal_role(&self, name: &str, signal: &str) {
        self.find(name).signal(signal);
    }

    pub(super) fn role_ended(&self, name: &str) -> Option<ExitStatus> {
        self.find(name).ended()
    }

    pub(super) fn role_said(&self, name: &str) -> String {
        self.find(name).tail()
    }

    /// Starts it again.
    pub(super) fn start_role(&self, name: &str) {
        self.find(name).restart();
    }

    /// kill -9 of all.
    pub(super) fn kill(&self) {
        for role in &self.roles {
            role.program.kill();
        }
    }

    /// SIGINT to all; how they ended, a failure when one has failed.
    pub(super) async fn interrupt(&self) -> ExitStatus {
        for role in &self.roles {
            role.program.signal("INT");
        }
        let mut worst = ExitStatus::default();
        for role in &self.roles {
            let status = role.program.end().await;
            if !status.success() {
                eprintln!("{} ended with {status}: {}", role.program.name, role.program.tail());
                worst = status;
            }
        }
        worst
    }

    pub(super) async fn restart(&self) {
        for role in &self.roles {
            role.program.restart();
        }
        self.ready().await;
    }

    /// Removes what it has on the servers. Topics stay: they go with the servers.
    pub(super) async fn remove(&self) {
        self.servers.execute(format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
        let indexes = format!("{}/{}*", self.servers.opensearch_url, self.name);
        reqwest::Client::new().delete(indexes).send().await.unwrap();
    }
}

/// What every role and every tool is told.
fn shared_configuration(name: &str, servers: &Servers, data_dir: &Path) -> Vec<(String, String)> {
    let secret = |name: &str| secret(data_dir, name).display().to_string();
    pairs(&[
        ("DATABASE_URL", &servers.database(name)),
        ("READ_REPLICA_URLS", &servers.replicas(name)),
        ("KAFKA_BROKERS", &servers.kafka_brokers),
        ("KAFKA_TOPICS", name),
        ("KAFKA_PARTITIONS", "2"),
        ("KAFKA_REPLICATION", &servers.replication().to_string()),
        ("KAFKA_GROUP", name),
        ("OPENSEARCH_URL", &servers.opensearch_url),
        ("OPENSEARCH_INDEX", name),
        ("MASTER_KEY_FILE", &secret("master.key")),
        ("TOKEN_SECRET_FILE", &secret("token.key")),
        ("WEBHOOK_SECRET_FILE", &secret("webhook.key")),
    ])
}

fn pairs(configuration: &[(&str, &str)]) -> Vec<(String, String)> {
    configuration.iter().map(|(key, value)| (format!("JUMUN_{key}"), (*value).to_owned())).collect()
}

/// A file with a secret, where `jumun up` has it too.
fn secret(data_dir: &Path, name: &str) -> PathBuf {
    let folder = data_dir.join("secrets");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    let half = || uuid::Uuid::new_v4().simple().to_string();
    std::fs::write(&path, half() + &half()).unwrap();
    path
}

/// Where everything is, in the words of `jumun up`: the importer looks there.
fn write_down(data_dir: &Path, addresses: &Addresses, sandbox: &str) {
    let run = json!({"command_url": addresses.command_urls[0], "query_url": addresses.query_urls[1],
        "database_url": addresses.database_url, "sandbox_url": sandbox, "pid": std::process::id()});
    std::fs::write(data_dir.join("run.json"), run.to_string()).unwrap();
}

/// A port that stays free while its role is down: below those that the kernel gives to clients, and below the stack's.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Runs that are started together have ids that follow each other.
    let first = u16::try_from(std::process::id() % 8_000 * 101 % 8_000).unwrap();
    loop {
        let port = 11_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 9_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
