//! A shop under test, on one machine or scaled out as `JUMUN_TEST_MODE` says (`one`, the default, or `scaled`), and calls to its
//! public surface.

mod answer;
mod calls;
mod one;
mod program;
mod scaled;
mod servers;

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::Connection;

pub(crate) use answer::Answer;
pub(crate) use calls::order_body;
use one::One;
use program::configured;
use scaled::Scaled;
pub(crate) use servers::OwnServers;
use servers::Servers;

/// No wait in these tests is longer; what takes longer is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

pub(crate) struct Shop {
    pub(crate) data_dir: PathBuf,
    pub(crate) database_url: String,
    pub(crate) http: reqwest::Client,
    addresses: Addresses,
    /// Calls take the nodes in turn.
    calls: AtomicUsize,
    deployment: Deployment,
}

enum Deployment {
    One(One),
    Scaled(Box<Scaled>),
}

/// Where a shop answers.
struct Addresses {
    command_urls: Vec<String>,
    query_urls: Vec<String>,
    database_url: String,
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path)
}

/// Whether shops are scaled out.
pub(crate) fn scaled() -> bool {
    match std::env::var("JUMUN_TEST_MODE").as_deref() {
        Err(_) | Ok("one") => false,
        Ok("scaled") => true,
        Ok(other) => panic!("JUMUN_TEST_MODE must be one or scaled, not {other}"),
    }
}

impl Shop {
    /// A fresh shop with the demo's products and people.
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// A fresh shop with some configuration.
    pub(crate) async fn open_with(environment: &[(&str, &str)]) -> Self {
        let data_dir = folder();
        let environment: Vec<_> =
            environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        if scaled() {
            let (roles, addresses) =
                Scaled::start(&data_dir, environment, Servers::shared().await, &straight).await;
            Self::new(data_dir, addresses, Deployment::Scaled(Box::new(roles))).await
        } else {
            let (up, addresses) = One::start(&data_dir, environment).await;
            Self::new(data_dir, addresses, Deployment::One(up)).await
        }
    }

    /// A fresh shop, scaled out on servers of its own.
    pub(crate) async fn open_on(own: &OwnServers) -> Self {
        Self::open_through(own, &straight).await
    }

    /// The same, every role configured as `through` says.
    pub(crate) async fn open_through(own: &OwnServers, through: &Through<'_>) -> Self {
        let data_dir = folder();
        let (roles, addresses) = Scaled::start(&data_dir, Vec::new(), own.servers.clone(), through).await;
        Self::new(data_dir, addresses, Deployment::Scaled(Box::new(roles))).await
    }

    async fn new(data_dir: PathBuf, addresses: Addresses, deployment: Deployment) -> Self {
        let http = reqwest::Client::builder().timeout(DEADLINE).build().unwrap();
        let database_url = addresses.database_url.clone();
        let shop = Self { data_dir, database_url, http, addresses, calls: AtomicUsize::new(0), deployment };
        // Whoever asks without a token finds the demo everywhere.
        for _ in &shop.addresses.query_urls {
            shop.get("/v1/products?limit=1", None, None).await.expect(200);
        }
        shop
    }

    /// A command node.
    pub(crate) fn command_url(&self) -> &str {
        self.in_turn(&self.addresses.command_urls)
    }

    /// A query node.
    pub(crate) fn query_url(&self) -> &str {
        self.in_turn(&self.addresses.query_urls)
    }

    /// All command nodes.
    pub(crate) fn command_urls(&self) -> &[String] {
        &self.addresses.command_urls
    }

    /// All query nodes.
    pub(crate) fn query_urls(&self) -> &[String] {
        &self.addresses.query_urls
    }

    /// This shop's database on the replicas; none on one machine.
    pub(crate) fn replica_urls(&self) -> Vec<String> {
        let Deployment::Scaled(roles) = &self.deployment else { return Vec::new() };
        let urls = roles.environment().iter().find(|(key, _)| key == "JUMUN_READ_REPLICA_URLS");
        urls.map(|(_, urls)| urls.split(',').map(str::to_owned).collect()).unwrap_or_default()
    }

    /// What roles are told, by its name without `JUMUN_`; only when scaled out.
    pub(crate) fn setting(&self, name: &str) -> String {
        let found =
            self.roles().environment().iter().find(|(key, _)| key.strip_prefix("JUMUN_") == Some(name));
        found.unwrap_or_else(|| panic!("{name} is not set")).1.clone()
    }

    fn in_turn<'a>(&self, urls: &'a [String]) -> &'a str {
        &urls[self.calls.fetch_add(1, Ordering::Relaxed) % urls.len()]
    }

    /// Until the search engine, where there is one, has all that has happened so far.
    pub(crate) async fn searchable(&self) {
        let (now, begun) = (self.now().await, Instant::now());
        for url in &self.addresses.query_urls {
            loop {
                let mut asked = self.http.get(format!("{url}/v1/products?limit=1"));
                if let Some(token) = &now {
                    asked = asked.header("Consistency-Token", token);
                }
                let answer = asked.send().await.unwrap();
                if answer.status().is_success() && !answer.headers().contains_key("Search-Fallback") {
                    break;
                }
                assert!(begun.elapsed() < DEADLINE, "the search engine is not filled: {answer:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// A token for all that has happened so far. Not needed on one machine: there all that is asked is equally far.
    pub(crate) async fn now(&self) -> Option<String> {
        if let Deployment::One(_) = self.deployment {
            return None;
        }
        let mut database = sqlx::PgConnection::connect(&self.database_url).await.unwrap();
        let head = sqlx::query_as("SELECT epoch, position FROM log.head");
        let (epoch, position): (uuid::Uuid, i64) = head.fetch_one(&mut database).await.unwrap();
        let mut bytes = epoch.as_bytes().to_vec();
        bytes.extend(position.to_be_bytes());
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// kill -9, and start again on the same data.
    pub(crate) async fn crash_and_restart(self) -> Self {
        self.kill();
        self.restart().await
    }

    /// kill -9, and nothing else.
    pub(crate) fn kill(&self) {
        match &self.deployment {
            Deployment::One(up) => up.kill(),
            Deployment::Scaled(roles) => roles.kill(),
        }
    }

    /// SIGINT, as ctrl-C sends it; the exit status.
    pub(crate) async fn interrupt(&self) -> ExitStatus {
        match &self.deployment {
            Deployment::One(up) => up.interrupt().await,
            Deployment::Scaled(roles) => roles.interrupt().await,
        }
    }

    /// Starts again on the same data after a stop.
    pub(crate) async fn restart(mut self) -> Self {
        match &self.deployment {
            Deployment::One(up) => self.addresses = up.restart().await,
            Deployment::Scaled(roles) => roles.restart().await,
        }
        self.database_url.clone_from(&self.addresses.database_url);
        self
    }

    /// kill -9 of one role, by its name: `relay-1`, `projector-2`, …
    pub(crate) fn kill_role(&self, name: &str) {
        self.roles().kill_role(name);
    }

    /// A signal to one role, when it runs.
    pub(crate) fn signal_role(&self, name: &str, signal: &str) {
        self.roles().signal_role(name, signal);
    }

    /// How a role has ended, when it has.
    pub(crate) fn role_ended(&self, name: &str) -> Option<ExitStatus> {
        self.roles().role_ended(name)
    }

    /// The end of what a role has said.
    pub(crate) fn role_said(&self, name: &str) -> String {
        self.roles().role_said(name)
    }

    /// Starts it again, and waits for nothing.
    pub(crate) fn start_role_again(&self, name: &str) {
        self.roles().start_role(name);
    }

    /// Until all roles are ready.
    pub(crate) async fn roles_ready(&self) {
        self.roles().ready().await;
    }

    /// Starts it again, and waits until all roles are ready.
    pub(crate) async fn start_role(&self, name: &str) {
        self.roles().start_role(name);
        self.roles().ready().await;
    }

    fn roles(&self) -> &Scaled {
        match &self.deployment {
            Deployment::One(_) => panic!("all roles are one process"),
            Deployment::Scaled(roles) => roles,
        }
    }

    /// Ends the shop cleanly and removes its data.
    pub(crate) async fn close(self) {
        let status = self.interrupt().await;
        match &self.deployment {
            Deployment::One(up) => assert!(status.success(), "up stopped with {status}: {}", up.tail()),
            Deployment::Scaled(roles) => {
                assert!(status.success(), "a role stopped with {status}");
                roles.remove().await;
            }
        }
        std::fs::remove_dir_all(&self.data_dir).unwrap();
    }

    /// A command of the binary that finds this shop.
    pub(crate) fn tool(&self, arguments: &[&str]) -> tokio::process::Command {
        let by_folder = |environment: &[_]| {
            let mut command = configured(environment);
            command.args(arguments).arg("--data-dir").arg(&self.data_dir);
            command
        };
        let command = match &self.deployment {
            Deployment::One(_) => by_folder(&[]),
            // The importer is a client: it is told where the shop is, and by nothing else.
            Deployment::Scaled(_) if arguments.first() == Some(&"import") => by_folder(&[]),
            Deployment::Scaled(roles) => {
                let mut command = configured(roles.environment());
                command.args(arguments);
                command
            }
        };
        let mut command = tokio::process::Command::from(command);
        command.kill_on_drop(true);
        command
    }

    /// Runs another command of the binary; its exit code and what it printed.
    pub(crate) async fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = tokio::time::timeout(DEADLINE * 10, self.tool(arguments).output())
            .await
            .expect("it does not end")
            .unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code().unwrap_or(-1), text)
    }
}

/// What a role is told, given its name and what it would be told.
pub(crate) type Through<'a> = dyn Fn(&str, Vec<(String, String)>) -> Vec<(String, String)> + Send + Sync + 'a;

/// With nothing between a role and its servers.
fn straight(_: &str, environment: Vec<(String, String)>) -> Vec<(String, String)> {
    environment
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("jumun-test-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
