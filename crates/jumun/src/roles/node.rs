//! What roles share: the database, the log in it, the secrets, and what is made of them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use event_store::EventStore;
use http_surface::auth::Keys;
use payments::Gateways;
use payments::sandbox::Sandbox;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

use crate::config::secrets::SecretsDir;
use crate::config::{Configuration, required};
use crate::data_dir::DataDir;
use crate::running::Running;

/// A call that finds no free connection for so long is answered with 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// A call to a gateway without an answer after that has an unknown outcome.
const GATEWAY_TIMEOUT: Duration = Duration::from_secs(5);

const NO_ENTRY: &str = "the database does not let us in (database_url)";

/// Where a role works.
pub(super) struct Node {
    pub(super) configuration: Configuration,
    url: SecretString,
    database: PgConnectOptions,
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
        let database: PgConnectOptions =
            url.expose_secret().parse().ok().context("database_url is not a PostgreSQL address")?;
        let database = database.application_name("jumun");
        Ok(Self { configuration, url: url.clone(), database, secrets })
    }

    /// The database's address, with the password. Never to be printed.
    pub(super) fn url(&self) -> &SecretString {
        &self.url
    }

    /// As configured, for a role that stands alone.
    pub(super) fn configured(configuration: Configuration) -> Result<Self> {
        let url = configuration.database()?;
        Self::at(&url, configuration, None)
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
        self.knock().await?;
        PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(self.database.clone())
            .await
            .context(NO_ENTRY)
    }

    /// A pool only says that it got no connection in time; one connection says why.
    async fn knock(&self) -> Result<()> {
        let connection = PgConnection::connect_with(&self.database).await.context(NO_ENTRY)?;
        connection.close().await.context(NO_ENTRY)
    }

    /// Connections to the read models.
    pub(super) async fn read_pool(&self, connections_max: u32) -> Result<PgPool> {
        self.knock().await?;
        projections::connect(self.database.clone(), connections_max).await.context(NO_ENTRY)
    }

    /// The log.
    pub(super) async fn store(&self, connections_max: u32) -> Result<EventStore> {
        let master = match &self.secrets {
            Some(secrets) => secrets.master(&self.configuration)?,
            None => required("master_key", self.configuration.master()?)?,
        };
        let pool = self.pool(connections_max).await?;
        EventStore::open(pool, master).await.context(
            "the log cannot be opened (has `jumun migrate` been run on this database, and is this its master_key?)",
        )
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
