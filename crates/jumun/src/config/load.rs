//! Where configuration comes from, and what is said when something in it is wrong.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use config::{Config, ConfigError, Environment, File, FileFormat, Source};
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::EnvFilter;

use super::{Configuration, Flags, KafkaSecurity, required};

/// Read when it is there and no other file is named.
const FILE: &str = "jumun.toml";
/// Every key. A test holds this against the type.
pub(super) const KEYS: &[&str] = &[
    "database_url",
    "master_key",
    "master_key_file",
    "token_secret",
    "token_secret_file",
    "webhook_secret",
    "webhook_secret_file",
    "data_dir",
    "command_listen",
    "query_listen",
    "sandbox_listen",
    "probe_listen",
    "sandbox_url",
    "sandbox_webhook_url",
    "sandbox_late_millis",
    "reservation_seconds",
    "capture",
    "log",
    "log_format",
    "postgres_programs",
    "maven_repository",
    "read_database_url",
    "read_replica_urls",
    "replica_lag_seconds",
    "kafka_brokers",
    "kafka_security",
    "kafka_ca_file",
    "kafka_username",
    "kafka_password",
    "kafka_password_file",
    "kafka_region",
    "kafka_topics",
    "kafka_partitions",
    "kafka_replication",
    "kafka_group",
    "opensearch_url",
    "opensearch_ca_file",
    "opensearch_index",
];
/// Configuration files are copied, mailed and committed: these do not belong into one.
const NOT_IN_A_FILE: &[&str] = &["master_key", "token_secret", "webhook_secret", "kafka_password"];
/// Variables with our prefix that are not configuration.
const NOT_KEYS: &[&str] = &["bench", "bin", "staff_password"];

impl Configuration {
    /// Loads it.
    pub(crate) fn load(flags: &Flags) -> Result<Self> {
        let environment = std::env::vars().filter(|(name, _)| name.starts_with("JUMUN_")).collect();
        Self::load_from(flags, environment)
    }

    pub(super) fn load_from(
        flags: &Flags,
        variables: std::collections::HashMap<String, String>,
    ) -> Result<Self> {
        let environment =
            Environment::with_prefix("JUMUN").prefix_separator("_").source(Some(ours(variables)));
        check_keys(&environment, "the environment", |key| format!("JUMUN_{}", key.to_uppercase()))?;
        let mut builder = Config::builder();
        let path = file(flags)?;
        if let Some(path) = &path {
            let name = path.display().to_string();
            let source = File::from(path.clone()).format(FileFormat::Toml);
            check_keys(&source, &name, str::to_owned)?;
            check_no_secrets(&source, &name)?;
            builder = builder.add_source(source);
        }
        builder = builder
            .add_source(environment)
            .set_override_option("log", flags.log.clone())?
            .set_override_option("log_format", flags.log_format.clone())?;
        for (key, value) in &flags.overrides {
            builder = builder.set_override_option(*key, value.clone())?;
        }
        let built = builder.build()?;
        let loaded: Self = built.clone().try_deserialize().map_err(|error| explained(&built, &error))?;
        loaded.check()?;
        Ok(loaded)
    }

    /// What types alone do not say.
    fn check(&self) -> Result<()> {
        if let Some(filter) = &self.log {
            EnvFilter::try_new(filter).with_context(|| format!("log: {filter:?} is not a filter"))?;
        }
        for (key, url) in [
            ("sandbox_url", &self.sandbox_url),
            ("sandbox_webhook_url", &self.sandbox_webhook_url),
            ("maven_repository", &self.maven_repository),
        ] {
            let parsed =
                reqwest::Url::parse(url).with_context(|| format!("{key}: {url:?} is not an address"))?;
            if !matches!(parsed.scheme(), "http" | "https") {
                bail!("{key}: {url:?} must begin with http:// or https://");
            }
        }
        if self.reservation_seconds == 0 {
            bail!("reservation_seconds must be at least 1");
        }
        if self.replica_lag_seconds == 0 {
            bail!("replica_lag_seconds must be at least 1");
        }
        check_databases("database_url", self.database_url.as_slice())?;
        check_databases("read_database_url", self.read_database_url.as_slice())?;
        check_databases("read_replica_urls", &self.replicas())?;
        self.check_kafka()?;
        if let Some(url) = &self.opensearch_url {
            let parsed = reqwest::Url::parse(url.expose_secret()).ok();
            if !parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https")) {
                bail!("opensearch_url is not an address that begins with http:// or https://");
            }
        }
        Ok(())
    }

    fn check_kafka(&self) -> Result<()> {
        let named = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        for (key, name) in [("kafka_topics", &self.kafka_topics), ("kafka_group", &self.kafka_group)] {
            if !named(name) {
                bail!("{key}: {name:?} must be letters, digits, '.', '_' and '-'");
            }
        }
        for (key, number, most) in [
            ("kafka_partitions", self.kafka_partitions, 1_000),
            ("kafka_replication", self.kafka_replication, 16),
        ] {
            if !(1..=most).contains(&number) {
                bail!("{key} must be 1 to {most}");
            }
        }
        if self.kafka_security == KafkaSecurity::Scram {
            required("kafka_username", self.kafka_username.as_ref())?;
            required("kafka_password", self.kafka_password()?)?;
        }
        if self.kafka_security == KafkaSecurity::MskIam && self.kafka_region.is_none() {
            bail!("kafka_region is not set: MSK IAM needs the AWS region of the cluster");
        }
        Ok(())
    }
}

/// Whether these are addresses of PostgreSQL. The parser's own words could repeat the password.
fn check_databases(key: &str, urls: &[SecretString]) -> Result<()> {
    for url in urls {
        let url = url.expose_secret();
        let ours = url.starts_with("postgres://") || url.starts_with("postgresql://");
        if !ours || url.parse::<sqlx::postgres::PgConnectOptions>().is_err() {
            bail!("{key} is not a PostgreSQL address (postgres://user:password@host:port/name)");
        }
    }
    Ok(())
}

/// The error, with the place that the value came from.
fn explained(built: &Config, error: &ConfigError) -> anyhow::Error {
    let text = error.to_string();
    let named = |key: &&&str| text.contains(&format!("`{key}`"));
    let origin =
        KEYS.iter().find(named).and_then(|key| built.collect().ok()?.get(*key)?.origin().map(str::to_owned));
    match origin {
        Some(origin) if !text.contains(&origin) => {
            anyhow::anyhow!("the configuration is wrong: {text} in {origin}")
        }
        Some(_) => anyhow::anyhow!("the configuration is wrong: {text}"),
        None => anyhow::anyhow!("the configuration is wrong: {text} (from a flag)"),
    }
}

fn file(flags: &Flags) -> Result<Option<PathBuf>> {
    match &flags.config {
        Some(path) if !path.is_file() => bail!("--config: there is no file {}", path.display()),
        Some(path) => Ok(Some(path.clone())),
        None => Ok(Path::new(FILE).is_file().then(|| FILE.into())),
    }
}

fn ours(variables: std::collections::HashMap<String, String>) -> std::collections::HashMap<String, String> {
    let mut variables = variables;
    variables.retain(|name, _| {
        let key = name.trim_start_matches("JUMUN_").to_lowercase();
        !NOT_KEYS.contains(&key.as_str()) && !key.starts_with("test_")
    });
    variables
}

fn check_keys(source: &impl Source, origin: &str, shown: impl Fn(&str) -> String) -> Result<()> {
    let found = source.collect().with_context(|| format!("{origin} cannot be read"))?;
    for key in found.keys() {
        if !KEYS.contains(&key.as_str()) {
            bail!("{} in {origin} is not a key of the configuration{}", shown(key), near(key, &shown));
        }
    }
    Ok(())
}

/// The key that was probably meant.
fn near(key: &str, shown: &impl Fn(&str) -> String) -> String {
    let shared = |known: &&&str| known.chars().zip(key.chars()).take_while(|(a, b)| a == b).count();
    match KEYS.iter().max_by_key(shared) {
        Some(known) if shared(&known) >= 4 => format!("; did you mean {}?", shown(known)),
        _ => format!("; there are {}", KEYS.join(", ")),
    }
}

fn check_no_secrets(source: &impl Source, name: &str) -> Result<()> {
    let found = source.collect()?;
    match NOT_IN_A_FILE.iter().find(|key| found.contains_key(**key)) {
        Some(key) => bail!(
            "{key} must not stand in {name}: name a file of its own with {key}_file, or set JUMUN_{}",
            key.to_uppercase()
        ),
        None => Ok(()),
    }
}
