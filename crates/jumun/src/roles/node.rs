//! What roles share: the database, the log in it, the secrets, and what is made of them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use event_store::{EventStore, MasterKey};
use http_surface::auth::Keys;
use payments::Gateways;
use payments::sandbox::Sandbox;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::address::Address;
use crate::config::secrets::SecretsDir;
use crate::config::{Configuration, required};
use crate::data_dir::DataDir;
use crate::running::Running;

/// A call that finds no free connection for so long is answered with 503.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// A call to a gateway without an answer after that has an unknown outcome.
const GATEWAY_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a role works.
pub(super) struct Node {
    pub(super) configuration: Configuration,
    url: SecretString,
    database: Address,
    /// The database that projectors write read models to.
    read: Address,
    /// The secrets of `up`; a role that stands alone has only what is configured.
    secrets: Option<SecretsDir>,
}

impl Node {
    /// With the database of that address.
    pub(super) fn at(
        url: &SecretString,
        configuration: Configuration,
        secrets: Option<SecretsDir>,
    ) -> Result<Self> {
        let database = Address::parse("database_url", url)?;
        Ok(Self { configuration, url: url.clone(), read: database.clone(), database, secrets })
    }

    /// The database's address, with the password. Never to be printed.
    pub(super) fn url(&self) -> &SecretString {
        &self.url
    }

    /// As configured, for a role that stands alone.
    pub(super) fn configured(configuration: Configuration) -> Result<Self> {
        let (url, read) = (configuration.database()?, configuration.read_database()?);
        let own = configuration.read_database_url.is_some();
        let node = Self::at(&url, configuration, None)?;
        let key = if own { "read_database_url" } else { "database_url" };
        Ok(Self { read: Address::parse(key, &read)?, ..node })
    }

    /// For a tool: that of the `up` which runs on `data_dir`, else the configured one, else that of the default folder.
    pub(super) fn for_tool(data_dir: Option<PathBuf>, configuration: Configuration) -> Result<Self> {
        let folder = match data_dir {
            None if configuration.database_url.is_some() => return Self::configured(configuration),
            None => configuration.data_dir.clone(),
            Some(folder) => folder,
        };
        let running = Running::find(&folder)?;
        let secrets = DataDir::existing(&folder)?.secrets();
        Self::at(&running.database_url, configuration, Some(secrets))
    }

    /// Connections to the database.
    pub(super) async fn pool(&self, connections_max: u32) -> Result<PgPool> {
        self.database.knock().await?;
        Ok(connections(connections_max).connect_lazy_with(self.database.options.clone()))
    }

    /// The log, for a role that asks it all the time.
    pub(super) async fn busy_store(&self, connections_max: u32) -> Result<EventStore> {
        let master = self.master()?;
        self.database.knock().await?;
        let options = event_store::planned_once(self.database.options.clone());
        let pool = event_store::trusting(connections(connections_max)).connect_lazy_with(options);
        opened(pool, master).await
    }

    /// Connections to the read models.
    pub(super) async fn read_pool(&self, connections_max: u32) -> Result<PgPool> {
        self.read.knock().await?;
        let options = projections::finding_tables(self.read.options.clone());
        Ok(queries(connections_max).connect_lazy_with(options))
    }

    /// Connections on which queries are answered.
    pub(super) async fn query_pool(&self, connections_max: u32) -> Result<PgPool> {
        self.read.knock().await?;
        let options = projections::keeping_plans(self.read.options.clone());
        Ok(queries(connections_max).connect_lazy_with(options))
    }

    /// The same, when it is no reason not to start that the database is away.
    pub(super) async fn query_pool_in_time(&self, connections_max: u32) -> Result<PgPool> {
        self.read.is_there().await?;
        let options = projections::keeping_plans(self.read.options.clone());
        Ok(queries(connections_max).connect_lazy_with(options))
    }

    /// The replicas that queries are answered from. One that is away may come later; what is no PostgreSQL, or does not let us
    /// in, is a mistake.
    pub(super) async fn replicas(&self) -> Result<Vec<PgConnectOptions>> {
        let mut found = Vec::new();
        for (number, url) in (1..).zip(self.configuration.replicas()) {
            let replica = Address::parse(format!("read_replica_urls, number {number}"), &url)?;
            if !replica.is_there().await? {
                tracing::warn!("replica-{number} does not answer: queries go elsewhere until it does");
            }
            found.push(replica.options);
        }
        Ok(found)
    }

    /// The log.
    pub(super) async fn store(&self, connections_max: u32) -> Result<EventStore> {
        let master = self.master()?;
        opened(self.pool(connections_max).await?, master).await
    }

    /// The log, to be read as it is stored, when it is no reason not to start that the database is away.
    pub(super) async fn store_in_time(&self, connections_max: u32) -> Result<EventStore> {
        if self.database.is_there().await? {
            return self.store(connections_max).await;
        }
        tracing::warn!("the log does not answer: only what the read models know is answered until it does");
        let pool = connections(connections_max).connect_lazy_with(self.database.options.clone());
        Ok(EventStore::unchecked(pool, self.master()?))
    }

    fn master(&self) -> Result<MasterKey> {
        match &self.secrets {
            Some(secrets) => secrets.master(&self.configuration),
            None => required("master_key", self.configuration.master()?),
        }
    }

    /// What tokens are signed and checked with.
    pub(super) fn keys(&self) -> Result<Keys> {
        let secret = match &self.secrets {
            Some(secrets) => secrets.token(&self.configuration)?,
            None => required("token_secret", self.configuration.token()?)?,
        };
        Keys::new(secret.expose_secret().as_bytes()).context("token_secret")
    }

    /// What the sandbox gateway signs webhooks with.
    pub(super) fn webhook_secret(&self) -> Result<SecretString> {
        match &self.secrets {
            Some(secrets) => secrets.webhook(&self.configuration),
            None => required("webhook_secret", self.configuration.webhook()?),
        }
    }

    /// The payment gateways. Another one is one more line.
    pub(super) fn gateways(&self, sandbox_url: &str) -> Result<Gateways> {
        let sandbox = Sandbox::new(sandbox_url, self.webhook_secret()?, GATEWAY_TIMEOUT)?;
        Ok(Gateways::default().with(sandbox))
    }
}

async fn opened(pool: PgPool, master: MasterKey) -> Result<EventStore> {
    EventStore::open(pool, master).await.context(
        "the log cannot be opened (has `jumun migrate` been run on this database, and is this its master_key?)",
    )
}

fn queries(connections_max: u32) -> PgPoolOptions {
    projections::for_queries(connections_max).acquire_timeout(ACQUIRE_TIMEOUT)
}

fn connections(connections_max: u32) -> PgPoolOptions {
    PgPoolOptions::new().max_connections(connections_max).acquire_timeout(ACQUIRE_TIMEOUT)
}
