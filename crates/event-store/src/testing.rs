//! A real database for tests: one per test, made from a migrated template, on one private server that all test processes of a
//! target folder share.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{EventStore, MasterKey};

/// Who runs PostgreSQL when the tests are root: it refuses to be.
const NOBODY: u32 = 65534;

/// A database of its own, dropped at the end.
#[derive(Debug)]
pub struct TestDatabase {
    /// Connections to it.
    pub pool: PgPool,
    /// Its address.
    pub url: String,
    name: String,
    server: PgConnectOptions,
}

impl TestDatabase {
    /// A database with the schemas of the log and the vault.
    pub async fn create() -> Self {
        Self::create_on(server()).await
    }

    /// The same on a server of the test's own choice.
    pub async fn create_on(server: PgConnectOptions) -> Self {
        let name = format!("test_{}", Uuid::now_v7().simple());
        let mut admin = PgConnection::connect_with(&server).await.expect("the test server");
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut admin)
            .await
            .expect("a database");
        admin.close().await.expect("a connection");
        let own = server.clone().database(&name);
        let pool =
            PgPoolOptions::new().max_connections(12).connect_with(own.clone()).await.expect("the database");
        crate::migrate(&pool).await.expect("migrations");
        let url = format!("postgres://{}@{}:{}/{name}", own.get_username(), own.get_host(), own.get_port());
        Self { pool, url, name, server }
    }

    /// Another pool of connections to it, as another node has.
    pub async fn another_pool(&self) -> PgPool {
        let own = self.server.clone().database(&self.name);
        PgPoolOptions::new().max_connections(12).connect_with(own).await.expect("the database")
    }

    /// A log in it.
    pub async fn store(&self) -> EventStore {
        self.store_with(MasterKey::generate()).await
    }

    /// The same log as another node has it: with connections, and keys in memory, of its own.
    pub async fn another_node(&self, store: &EventStore) -> EventStore {
        store.reopen(self.another_pool().await).await.expect("a log")
    }

    /// A log in it, under that master key.
    pub async fn store_with(&self, master: MasterKey) -> EventStore {
        EventStore::open(self.another_pool().await, master).await.expect("a log")
    }
}

impl Drop for TestDatabase {
    /// Dropped by a thread of its own: the test's runtime is about to end.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async move {
                let mut admin = PgConnection::connect_with(&server).await.map_err(std::io::Error::other)?;
                let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                sqlx::query(AssertSqlSafe(drop)).execute(&mut admin).await.map_err(std::io::Error::other)
            })
        });
        let _ = dropped.join();
    }
}

/// The server: `JUMUN_TEST_DATABASE_URL` (a superuser's), else the private one.
fn server() -> PgConnectOptions {
    static SERVER: OnceLock<PgConnectOptions> = OnceLock::new();
    let server = SERVER.get_or_init(|| match std::env::var("JUMUN_TEST_DATABASE_URL") {
        Ok(url) => url.parse().expect("JUMUN_TEST_DATABASE_URL"),
        Err(_) => Cluster::shared().options(),
    });
    server.clone()
}

/// A PostgreSQL cluster in a folder.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    port: u16,
    /// The postmaster, when this process has started it: once killed it must be waited for, or it looks alive to the next one.
    postmaster: Mutex<Option<Child>>,
}

impl Cluster {
    /// The one that all tests of a target folder share. It outlives them: the next run finds it.
    fn shared() -> Self {
        let own = std::env::current_exe().expect("the test's own path");
        let target = own.ancestors().nth(3).expect("a target folder").join("test-postgres");
        std::fs::create_dir_all(&target).expect("a folder");
        let lock = std::fs::File::create(target.join("lock")).expect("a lock file");
        lock.lock().expect("the lock");
        // Nothing in these databases outlives a test, so nothing of them needs to reach the disk.
        Self::start(&target, "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")
    }

    /// Starts the cluster in a folder, or finds it running. Made when it is not there yet.
    pub fn start(folder: &Path, settings: &str) -> Self {
        let data = folder.join("data");
        if !data.join("PG_VERSION").exists() {
            std::fs::create_dir_all(folder).expect("a folder");
            let _ = std::fs::remove_dir_all(&data);
            std::fs::create_dir(&data).expect("a folder");
            std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).expect("permissions");
            give_away(&data);
            let mut initdb = program("initdb");
            initdb
                .args(["-U", "jumun", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
                .arg(&data);
            run(&mut initdb);
            let port = free_port();
            let own = format!(
                "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nmax_connections = 300\n\
                 shared_buffers = 128MB\n{settings}"
            );
            let mut file = std::fs::OpenOptions::new()
                .append(true)
                .open(data.join("postgresql.conf"))
                .expect("settings");
            file.write_all(own.as_bytes()).expect("settings");
            std::fs::write(folder.join("port"), port.to_string()).expect("the port");
        }
        let port = std::fs::read_to_string(folder.join("port")).expect("the port").parse().expect("a port");
        let cluster = Self { folder: folder.to_owned(), port, postmaster: Mutex::new(None) };
        if !cluster.answers() {
            cluster.launch();
        }
        cluster
    }

    fn launch(&self) {
        let log = std::fs::File::create(self.folder.join("log")).expect("a log file");
        let mut postgres = program("postgres");
        postgres
            .arg("-D")
            .arg(self.folder.join("data"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log);
        // A session of its own: ctrl-C in the terminal ends the tests, not the server in the middle of theirs.
        postgres.process_group(0);
        let mut running = postgres.spawn().expect("postgres");
        let begun = Instant::now();
        while !self.answers() {
            if running.try_wait().expect("postgres").is_some() {
                // The backends of a killed postmaster may take a moment to notice; until then the next one refuses to start.
                running = postgres.spawn().expect("postgres");
            }
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(60), "PostgreSQL does not start: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        *self.postmaster.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
    }

    fn reap(&self) {
        if let Some(mut postmaster) = self.postmaster.lock().unwrap_or_else(PoisonError::into_inner).take() {
            postmaster.wait().expect("postgres");
        }
    }

    fn answers(&self) -> bool {
        let mut ready = Command::new(programs().join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        ready.status().is_ok_and(|status| status.success())
    }

    /// How to connect to it as superuser.
    pub fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username("jumun")
            .database("postgres")
    }

    /// The postmaster's process id.
    pub fn pid(&self) -> u32 {
        let file = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("postmaster.pid");
        file.lines().next().and_then(|line| line.parse().ok()).expect("a pid")
    }

    /// kill -9 of the postmaster; its backends end by themselves when they notice.
    pub fn kill(&self) {
        run(Command::new("kill").args(["-9", &self.pid().to_string()]));
        self.reap();
        let begun = Instant::now();
        while self.answers() {
            assert!(begun.elapsed() < Duration::from_secs(30), "PostgreSQL does not die");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts it again after a kill.
    pub fn restart(&self) {
        self.launch();
    }

    /// Ends it and removes its folder.
    pub fn remove(self) {
        run(Command::new("kill").args(["-INT", &self.pid().to_string()]));
        self.reap();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn programs() -> PathBuf {
    let installed =
        (15..=30).rev().map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")));
    let configured = Command::new("pg_config").arg("--bindir").output().ok();
    let configured = configured.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let found = installed.into_iter().chain(configured).find(|folder| folder.join("initdb").exists());
    found.expect("PostgreSQL 15 or later must be installed: script/test does it")
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id");
    String::from_utf8_lossy(&output.stdout).trim() == "0"
}

/// A program of PostgreSQL, run as nobody when the tests are root.
fn program(name: &str) -> Command {
    let mut command = Command::new(programs().join(name));
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.current_dir("/");
    command
}

fn give_away(folder: &Path) {
    if is_root() {
        std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY)).expect("chown");
        // Everybody may pass through the folders above, none may list them for it.
        for parent in folder.ancestors().skip(1).filter(|parent| parent.as_os_str() != "/") {
            let mode = std::fs::metadata(parent).expect("a folder").permissions().mode();
            let _ = std::fs::set_permissions(parent, std::fs::Permissions::from_mode(mode | 0o111));
        }
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("a program");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Something between a program and its database that can forget the connections that go through it.
#[derive(Debug)]
pub struct Between {
    port: u16,
    forgotten: watch::Sender<u32>,
    /// Connections that lead somewhere.
    leading: watch::Sender<usize>,
}

impl Between {
    /// Nothing is forgotten yet.
    pub async fn open(database: &PgConnectOptions) -> Self {
        let (host, to) = (database.get_host().to_owned(), database.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (port, forgotten) = (listener.local_addr().expect("an address").port(), watch::Sender::new(0));
        let (known, leading) = (forgotten.clone(), watch::Sender::new(0));
        let lead = leading.clone();
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let mut to = TcpStream::connect((host.as_str(), to)).await.expect("the database");
                let (mut forgotten, lead) = (known.subscribe(), lead.clone());
                lead.send_modify(|count| *count += 1);
                tokio::spawn(async move {
                    let is_forgotten = tokio::select! {
                        _ = copy_bidirectional(&mut from, &mut to) => false,
                        _ = forgotten.changed() => true,
                    };
                    lead.send_modify(|count| *count -= 1);
                    if is_forgotten {
                        // Both ends stay open, and nothing passes any more.
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self { port, forgotten, leading }
    }

    /// How to connect through it.
    pub fn leading_to(&self, database: &PgConnectOptions) -> PgConnectOptions {
        database.clone().port(self.port)
    }

    /// The connections there are lead nowhere from now on.
    pub async fn forget(&self) {
        self.forgotten.send_modify(|times| *times += 1);
        let mut leading = self.leading.subscribe();
        leading.wait_for(|count| *count == 0).await.expect("it is there as long as this is");
    }
}
