//! `jumun up`: all roles in one process on one machine, with a private PostgreSQL.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ::command_api::accounts::Accounts;
use anyhow::{Result, bail};
use event_store::EventStore;
use secrecy::ExposeSecret;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::node::Node;
use super::probes::{Down, probes};
use super::serving::{listen, serve, signalled};
use super::supervisor::{Parts, until_stopped};
use super::{
    command_api, migrate, process_manager, projector, query_api, sandbox_gateway, searching, verify,
};
use crate::config::{Configuration, Flags};
use crate::data_dir::{DataDir, write_private};
use crate::demo::{self, People};
use crate::postgres::Postgres;
use crate::running::Addresses;
use crate::telemetry;

/// All roles share the log's connections, but for queries: analysts' long readings must not keep commands waiting.
const LOG_CONNECTIONS_MAX: u32 = 16;
const READ_CONNECTIONS_MAX: u32 = 16;
/// What the read models have to catch up with is waited for at the start, but not for ever: queries say themselves when they
/// are behind.
const CATCH_UP: Duration = Duration::from_secs(10);
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// Everything on one machine.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder for the database, the secrets and the sandbox's ledger [default: .jumun]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Where the command API listens [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    command_listen: Option<SocketAddr>,
    /// Where the query API listens [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDRESS")]
    query_listen: Option<SocketAddr>,
    /// Load a small catalogue, and people to sign in as
    #[arg(long)]
    demo: bool,
}

/// Runs it until it is told to stop.
pub(super) async fn run(arguments: Arguments, flags: Flags) -> Result<ExitCode> {
    let begun = Instant::now();
    let flags = flags
        .with("data_dir", arguments.data_dir.map(|folder| folder.display().to_string()))
        .with("command_listen", arguments.command_listen)
        .with("query_listen", arguments.query_listen);
    let configuration = Configuration::load(&flags)?;
    telemetry::log_role(&configuration)?;
    let signalled = signalled()?;
    let data = DataDir::create(&configuration.data_dir)?;
    let lock = data.lock()?;
    let _ = std::fs::remove_file(data.run_json());
    let listeners = Listeners::open(&configuration).await?;
    data.secrets().create()?;
    let postgres = Postgres::start(&data, &configuration).await?;
    let node = Node::at(&postgres.url(), configuration, Some(data.secrets()))?;
    let ran = Shop { node, data: &data, demo: arguments.demo, begun }.run(listeners, &signalled).await;
    let _ = std::fs::remove_file(data.run_json());
    postgres.stop().await?;
    drop(lock);
    ran.map(|()| ExitCode::SUCCESS)
}

/// The addresses are taken first: when one is not to be had, nothing else need be started.
struct Listeners {
    command: (TcpListener, String),
    query: (TcpListener, String),
    sandbox: (TcpListener, String),
}

impl Listeners {
    async fn open(configuration: &Configuration) -> Result<Self> {
        Ok(Self {
            command: listen("command_listen", configuration.command_listen).await?,
            query: listen("query_listen", configuration.query_listen).await?,
            sandbox: listen("sandbox_listen", SocketAddr::from(([127, 0, 0, 1], 0))).await?,
        })
    }
}

/// All roles over one database.
struct Shop<'a> {
    node: Node,
    data: &'a DataDir,
    demo: bool,
    begun: Instant,
}

impl Shop<'_> {
    async fn run(&self, listeners: Listeners, signalled: &CancellationToken) -> Result<()> {
        migrate::apply(&self.node).await?;
        let store = self.node.busy_store(LOG_CONNECTIONS_MAX).await?;
        let read = self.node.read_pool(READ_CONNECTIONS_MAX).await?;
        let asked = self.node.query_pool(READ_CONNECTIONS_MAX).await?;
        let queried = store.with_pool(self.node.pool(query_api::LOG_CONNECTIONS_MAX).await?);
        let (down, broken) = (Down::default(), CancellationToken::new());
        let parts = || Parts::new(&down, &broken);
        let (mut servers, mut workers, mut engines, mut sandbox) = (parts(), parts(), parts(), parts());
        let addresses = self.addresses(&listeners);

        let webhooks = format!("{}/v1/webhooks/sandbox", addresses.command_url);
        let secret = self.node.webhook_secret()?;
        let stop = sandbox.shutdown.clone();
        let gateway =
            sandbox_gateway::open(&self.data.sandbox(), &self.node.configuration, webhooks, secret, stop)?;
        sandbox.once("sandbox gateway", serve(listeners.sandbox.0, gateway, sandbox.shutdown.clone()));

        let gateways = self.node.gateways(&addresses.sandbox_url)?;
        let engine = command_api::start_engine(&mut engines, store.clone());
        let accounts = Accounts::new(store.pool().clone());
        let capture = self.node.configuration.capture;
        process_manager::keep(&mut workers, capture, &store, &engine, &gateways, &accounts);
        projector::keep(&mut workers, &read, &store, projections::Follow::Log, None);
        searching::keep(&mut workers, &read, &self.node.configuration)?;
        let mut people = None;
        if self.demo {
            people = Some(demo::load(&engine, &store, &accounts, self.data).await?);
        }

        let metrics = telemetry::metrics()?;
        let both = probes(store.pool().clone(), down.clone(), metrics);
        let commands =
            command_api::router(&self.node, store.clone(), engine, gateways, accounts, both.clone())?;
        servers.once("command API", serve(listeners.command.0, commands, servers.shutdown.clone()));
        let queries =
            query_api::router(&self.node, asked.clone(), queried.clone(), both, servers.shutdown.clone())?;
        servers.once("query API", serve(listeners.query.0, queries, servers.shutdown.clone()));

        let ended = match self.announce(&addresses, people.as_ref(), &store, &read, signalled, &broken).await
        {
            Ok(()) => until_stopped(signalled, &broken).await,
            Err(error) => Err(error),
        };
        let _ = std::fs::remove_file(self.data.run_json());
        for parts in [servers, workers, engines, sandbox] {
            parts.stop().await;
        }
        asked.close().await;
        read.close().await;
        queried.pool().close().await;
        store.pool().close().await;
        ended
    }

    fn addresses(&self, listeners: &Listeners) -> Addresses {
        Addresses {
            command_url: listeners.command.1.clone(),
            query_url: listeners.query.1.clone(),
            database_url: self.node.url().expose_secret().to_owned(),
            sandbox_url: listeners.sandbox.1.clone(),
            pid: std::process::id(),
        }
    }

    /// Says where everything is, once everything answers; or nothing, when it is to stop before that.
    async fn announce(
        &self,
        addresses: &Addresses,
        people: Option<&People>,
        store: &EventStore,
        read: &PgPool,
        signalled: &CancellationToken,
        broken: &CancellationToken,
    ) -> Result<()> {
        let ready = async {
            let head = store.head().await?.position;
            if let Some(model) = verify::behind(read, head, CATCH_UP).await? {
                tracing::warn!("the read model {model} is still catching up with position {head}");
            }
            answers(&addresses.command_url).await?;
            answers(&addresses.query_url).await
        };
        tokio::select! {
            ready = ready => ready?,
            () = signalled.cancelled() => return Ok(()),
            () = broken.cancelled() => return Ok(()),
        }
        write_private(&self.data.run_json(), &serde_json::to_vec_pretty(addresses)?)?;
        tracing::info!(ready_ms = self.begun.elapsed().as_millis(), "everything answers");
        print(addresses, people, self.data);
        Ok(())
    }
}

async fn answers(url: &str) -> Result<()> {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
    let begun = Instant::now();
    loop {
        let answer = http.get(format!("{url}/readyz")).send().await;
        let said = match answer {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        if begun.elapsed() > ANSWER_DEADLINE {
            bail!("{url} is not ready: {said}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn print(addresses: &Addresses, people: Option<&People>, data: &DataDir) {
    println!("\nJumun is up.\n");
    println!("  command API   {0}   docs {0}/docs", addresses.command_url);
    println!("  query API     {0}   docs {0}/docs", addresses.query_url);
    println!("  sandbox       {}/v1/ledger", addresses.sandbox_url);
    println!("  data          {}", data.path().display());
    if let Some(people) = people {
        print!("{people}");
    }
    println!("\n  ctrl-C stops it.\n");
}
