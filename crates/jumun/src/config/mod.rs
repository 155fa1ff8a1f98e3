//! Configuration: `jumun.toml`, then `JUMUN_*` from the environment, then flags. What is wrong in it stops the start, with the
//! key's name and where it came from.

mod choices;
mod kafka;
mod load;
pub(crate) mod secrets;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use event_store::MasterKey;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub(crate) use self::choices::{Capture, KafkaSecurity, LogFormat, PostgresPrograms};

/// A shorter secret could be guessed.
const SECRET_BYTES_MIN: usize = 32;

/// Flags that every command takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Flags {
    /// The configuration file; jumun.toml in this folder when there is one
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What is logged, for example `info` or `warn,command_api=debug`
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How it is logged: `text` or `json`
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// What flags of single commands say, by key.
    #[arg(skip)]
    pub(crate) overrides: Vec<(&'static str, Option<String>)>,
}

impl Flags {
    /// Adds what a flag of a single command says.
    #[must_use]
    pub(crate) fn with(mut self, key: &'static str, value: Option<impl ToString>) -> Self {
        self.overrides.push((key, value.map(|value| value.to_string())));
        self
    }
}

/// All that can be configured. The secrets are not printed, and neither is this.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Configuration {
    /// The database with the log, the vaults and the read models.
    pub(crate) database_url: Option<SecretString>,
    /// The master key, 64 hex digits; from the environment only.
    pub(crate) master_key: Option<SecretString>,
    /// The file with it.
    pub(crate) master_key_file: Option<PathBuf>,
    /// What tokens are signed with; from the environment only.
    pub(crate) token_secret: Option<SecretString>,
    /// The file with it.
    pub(crate) token_secret_file: Option<PathBuf>,
    /// What the sandbox gateway signs webhooks with; from the environment only.
    pub(crate) webhook_secret: Option<SecretString>,
    /// The file with it.
    pub(crate) webhook_secret_file: Option<PathBuf>,
    /// The folder of `up`.
    pub(crate) data_dir: PathBuf,
    /// Where the command API listens.
    pub(crate) command_listen: SocketAddr,
    /// Where the query API listens.
    pub(crate) query_listen: SocketAddr,
    /// Where the sandbox gateway listens when it is a role of its own.
    pub(crate) sandbox_listen: SocketAddr,
    /// Where the projector and the process manager answer probes, when they are roles of their own.
    pub(crate) probe_listen: SocketAddr,
    /// Where the sandbox gateway is, when it is a role of its own.
    pub(crate) sandbox_url: String,
    /// Where the sandbox gateway sends webhooks, when it is a role of its own.
    pub(crate) sandbox_webhook_url: String,
    /// How late the sandbox gateway decides payments with the token `webhook_late`, in milliseconds.
    pub(crate) sandbox_late_millis: u64,
    /// How long stock is held for an order that is not paid, in seconds.
    pub(crate) reservation_seconds: u64,
    /// When money that is held is taken.
    pub(crate) capture: Capture,
    /// What is logged; every role and every tool has a default of its own.
    pub(crate) log: Option<String>,
    /// How it is logged; roles say it as text to a terminal and as json elsewhere when it is not said.
    pub(crate) log_format: Option<LogFormat>,
    /// Where the private PostgreSQL's programs come from.
    pub(crate) postgres_programs: PostgresPrograms,
    /// The Maven repository that they are fetched from when none are installed.
    pub(crate) maven_repository: String,
    /// The database that the projectors write read models to; `database_url` when it is not set.
    pub(crate) read_database_url: Option<SecretString>,
    /// Physical replicas of that database that the query API reads from, with commas between.
    pub(crate) read_replica_urls: Option<SecretString>,
    /// A replica that does not have what the primary had so many seconds ago is left out until it has.
    pub(crate) replica_lag_seconds: u64,
    /// Kafka's first brokers, `host:port` with commas between. Not set: projectors follow the log itself.
    pub(crate) kafka_brokers: Option<String>,
    /// How brokers are reached.
    pub(crate) kafka_security: KafkaSecurity,
    /// The file with the authority that the brokers' certificates are signed by, when it is not a public one.
    pub(crate) kafka_ca_file: Option<PathBuf>,
    /// Who we are to Kafka, with SCRAM.
    pub(crate) kafka_username: Option<String>,
    /// The password, with SCRAM; from the environment only.
    pub(crate) kafka_password: Option<SecretString>,
    /// The file with it.
    pub(crate) kafka_password_file: Option<PathBuf>,
    /// The AWS region, with MSK IAM.
    pub(crate) kafka_region: Option<String>,
    /// What the topics' names begin with: `jumun` gives `jumun.orders`.
    pub(crate) kafka_topics: String,
    /// Partitions of every topic. It cannot be changed later: a stream would move to another partition.
    pub(crate) kafka_partitions: u32,
    /// Copies of every partition. With 3 or more, 2 must have a record before it counts.
    pub(crate) kafka_replication: u32,
    /// The consumer group of the projectors.
    pub(crate) kafka_group: String,
    /// OpenSearch's address; may hold a user and a password. Not set: search is in PostgreSQL.
    pub(crate) opensearch_url: Option<SecretString>,
    /// The file with the authority that OpenSearch's certificate is signed by, when it is not a public one.
    pub(crate) opensearch_ca_file: Option<PathBuf>,
    /// What the indexes' names begin with.
    pub(crate) opensearch_index: String,
}

impl Default for Configuration {
    fn default() -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            database_url: None,
            master_key: None,
            master_key_file: None,
            token_secret: None,
            token_secret_file: None,
            webhook_secret: None,
            webhook_secret_file: None,
            data_dir: ".jumun".into(),
            command_listen: local(8080),
            query_listen: local(8081),
            sandbox_listen: local(8082),
            probe_listen: local(8083),
            sandbox_url: "http://127.0.0.1:8082".to_owned(),
            sandbox_webhook_url: "http://127.0.0.1:8080/v1/webhooks/sandbox".to_owned(),
            sandbox_late_millis: 3_000,
            reservation_seconds: 15 * 60,
            capture: Capture::AtShipment,
            log: None,
            log_format: None,
            postgres_programs: PostgresPrograms::Auto,
            maven_repository: "https://repo1.maven.org/maven2".to_owned(),
            read_database_url: None,
            read_replica_urls: None,
            replica_lag_seconds: 10,
            kafka_brokers: None,
            kafka_security: KafkaSecurity::Plaintext,
            kafka_ca_file: None,
            kafka_username: None,
            kafka_password: None,
            kafka_password_file: None,
            kafka_region: None,
            kafka_topics: "jumun".to_owned(),
            kafka_partitions: 6,
            kafka_replication: 3,
            kafka_group: "jumun-projector".to_owned(),
            opensearch_url: None,
            opensearch_ca_file: None,
            opensearch_index: "jumun".to_owned(),
        }
    }
}

impl Configuration {
    /// How long stock is held for an order that is not paid.
    pub(crate) fn reservation(&self) -> Duration {
        Duration::from_secs(self.reservation_seconds)
    }

    /// The database, for roles that stand alone.
    pub(crate) fn database(&self) -> Result<SecretString> {
        self.database_url.clone().context(
            "database_url is not set: put it into JUMUN_DATABASE_URL or the configuration file, \
             for example postgres://jumun:…@db.example.com/jumun",
        )
    }

    /// The database with the read models that projectors write, for roles that stand alone.
    pub(crate) fn read_database(&self) -> Result<SecretString> {
        self.read_database_url.clone().map_or_else(|| self.database(), Ok)
    }

    /// The replicas that queries are answered from, when there are some.
    pub(crate) fn replicas(&self) -> Vec<SecretString> {
        let urls = self.read_replica_urls.as_ref().map_or("", |urls| urls.expose_secret());
        urls.split(',').map(str::trim).filter(|url| !url.is_empty()).map(SecretString::from).collect()
    }

    /// The password of SCRAM, when it is configured.
    pub(crate) fn kafka_password(&self) -> Result<Option<SecretString>> {
        either("kafka_password", self.kafka_password.as_ref(), self.kafka_password_file.as_ref())
    }

    /// The master key, when it is configured.
    pub(crate) fn master(&self) -> Result<Option<MasterKey>> {
        let text = either("master_key", self.master_key.as_ref(), self.master_key_file.as_ref())?;
        text.map(|text| MasterKey::parse(text.expose_secret()).context("master_key")).transpose()
    }

    /// What tokens are signed with, when it is configured.
    pub(crate) fn token(&self) -> Result<Option<SecretString>> {
        long(
            "token_secret",
            either("token_secret", self.token_secret.as_ref(), self.token_secret_file.as_ref())?,
        )
    }

    /// What the sandbox gateway signs webhooks with, when it is configured.
    pub(crate) fn webhook(&self) -> Result<Option<SecretString>> {
        let given =
            either("webhook_secret", self.webhook_secret.as_ref(), self.webhook_secret_file.as_ref())?;
        long("webhook_secret", given)
    }
}

/// A secret that a role cannot do without.
pub(crate) fn required<T>(key: &str, found: Option<T>) -> Result<T> {
    found.with_context(|| {
        format!("{key} is not set: put it into JUMUN_{}, or a file named by {key}_file", key.to_uppercase())
    })
}

fn either(key: &str, text: Option<&SecretString>, file: Option<&PathBuf>) -> Result<Option<SecretString>> {
    match (text, file) {
        (Some(_), Some(_)) => bail!("{key} and {key}_file are both set: one of them must go"),
        (Some(text), None) => Ok(Some(text.clone())),
        (None, Some(file)) => secrets::read(file).with_context(|| format!("{key}_file")).map(Some),
        (None, None) => Ok(None),
    }
}

fn long(key: &str, secret: Option<SecretString>) -> Result<Option<SecretString>> {
    match secret {
        Some(secret) if secret.expose_secret().len() < SECRET_BYTES_MIN => {
            bail!("{key} must have at least {SECRET_BYTES_MIN} characters")
        }
        other => Ok(other),
    }
}
