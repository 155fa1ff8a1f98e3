//! The server: started, watched, started again when it dies, and stopped at the end.

use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::programs::Programs;
use super::{folder, left_over};
use crate::config::Configuration;
use crate::data_dir::DataDir;

/// Replaying the log of what was killed may take long; a server that lives is waited for.
const START_DEADLINE: Duration = Duration::from_secs(15 * 60);
const PAUSE: Duration = Duration::from_millis(20);
/// Somebody else may take a port between our look at it and PostgreSQL's.
const PORTS_TRIED: u32 = 5;
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// A running private PostgreSQL.
#[derive(Debug)]
pub(crate) struct Postgres {
    port: u16,
    password: SecretString,
    stop: CancellationToken,
    watching: JoinHandle<()>,
}

/// All that a start needs.
#[derive(Debug, Clone)]
struct Place {
    programs: Programs,
    cluster: PathBuf,
    log: PathBuf,
    password: SecretString,
}

impl Postgres {
    /// Starts it on the folder, which must be locked for us.
    pub(crate) async fn start(data: &DataDir, configuration: &Configuration) -> Result<Self> {
        let programs = Programs::find(data, configuration).await?;
        let password = data.secrets().database_password()?;
        folder::create(data, &programs, &password).await?;
        let place = Place { programs, cluster: data.postgres(), log: data.postgres_log(), password };
        left_over::clear(&place.programs, &place.cluster).await?;
        let (child, port) = place.start_somewhere().await?;
        if let Err(error) = place.create_database(port).await {
            left_over::stop(&place.programs, &place.cluster).await?;
            return Err(error);
        }
        tracing::debug!(port, version = place.programs.major, "PostgreSQL runs");
        let stop = CancellationToken::new();
        let password = place.password.clone();
        let watching = tokio::spawn(watch(place, child, port, stop.clone()));
        Ok(Self { port, password, stop, watching })
    }

    /// Its address, with the password.
    pub(crate) fn url(&self) -> SecretString {
        let (name, password) = (folder::NAME, self.password.expose_secret());
        format!("postgres://{name}:{password}@127.0.0.1:{}/{name}", self.port).into()
    }

    /// Stops it, when everything that uses it has stopped.
    pub(crate) async fn stop(self) -> Result<()> {
        self.stop.cancel();
        self.watching.await.context("PostgreSQL's watcher has panicked")
    }

    /// Leaves it running, as `kill -9` of us does.
    #[cfg(test)]
    pub(super) fn abandon(self) {
        self.watching.abort();
    }
}

impl Place {
    /// On the port of the last time, else on a free one.
    async fn start_somewhere(&self) -> Result<(Child, u16)> {
        let mut tried = 0;
        let mut port =
            folder::last_port(&self.cluster).filter(|port| is_free(*port)).map_or_else(free_port, Ok)?;
        loop {
            tried += 1;
            match self.launch(port).await {
                Ok(child) => return Ok((child, port)),
                Err(_) if tried < PORTS_TRIED && !is_free(port) => port = free_port()?,
                Err(error) => return Err(error),
            }
        }
    }

    async fn launch(&self, port: u16) -> Result<Child> {
        folder::configure(&self.cluster, self.programs.owner(), port)?;
        let log = open_log(&self.log).with_context(|| format!("{} cannot be written", self.log.display()))?;
        let mut postgres = self.programs.command("postgres");
        postgres.arg("-D").arg(&self.cluster).stdout(Stdio::from(log.try_clone()?)).stderr(Stdio::from(log));
        let mut child = postgres.spawn().context("postgres cannot be run")?;
        let (begun, mut told) = (Instant::now(), false);
        loop {
            match PgConnection::connect_with(&self.options(port, "postgres")).await {
                Ok(connection) => {
                    connection.close().await?;
                    return Ok(child);
                }
                Err(error) if is_final(&error) => {
                    let _ = left_over::stop(&self.programs, &self.cluster).await;
                    bail!("PostgreSQL does not let us in: {error}");
                }
                Err(_) => {}
            }
            if let Some(status) = child.try_wait()? {
                bail!(
                    "PostgreSQL does not start ({status}); the end of {}:\n{}",
                    self.log.display(),
                    self.tail()
                );
            }
            if begun.elapsed() > START_DEADLINE {
                bail!("PostgreSQL does not answer; {} may say why", self.log.display());
            }
            if !told && begun.elapsed() > Duration::from_secs(5) {
                told = true;
                tracing::info!("PostgreSQL is still starting: it replays what was not yet in its files");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn create_database(&self, port: u16) -> Result<()> {
        let name = folder::NAME;
        let mut connection = PgConnection::connect_with(&self.options(port, "postgres")).await?;
        let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(name)
            .fetch_one(&mut connection)
            .await?;
        if !there {
            sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await?;
        }
        connection.close().await?;
        Ok(())
    }

    fn options(&self, port: u16, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(port)
            .username(folder::NAME)
            .password(self.password.expose_secret())
            .database(database)
            .disable_statement_logging()
    }

    fn tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}

/// It is handed to PostgreSQL open, so nobody but us need be able to read it.
fn open_log(path: &Path) -> std::io::Result<File> {
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    // It may be there already, readable by others.
    log.set_permissions(Permissions::from_mode(0o600))?;
    Ok(log)
}

/// Whether waiting does not help.
fn is_final(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code.starts_with("28"))
}

/// Starts it again whenever it ends, until it is to stop.
async fn watch(place: Place, mut child: Child, port: u16, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            status = child.wait() => match status {
                Ok(status) => tracing::error!(%status, "PostgreSQL has ended ({status}); it is started again"),
                Err(error) => tracing::error!(%error, "PostgreSQL cannot be watched"),
            },
        }
        let Some(again) = start_again(&place, port, &stop).await else { return };
        tracing::info!("PostgreSQL runs again");
        child = again;
    }
    if let Err(error) = left_over::stop(&place.programs, &place.cluster).await {
        tracing::error!("{error:#}");
        let _ = child.start_kill();
    }
    let _ = child.wait().await;
}

async fn start_again(place: &Place, port: u16, stop: &CancellationToken) -> Option<Child> {
    let mut pause = Duration::from_millis(100);
    loop {
        let started = async {
            left_over::clear(&place.programs, &place.cluster).await?;
            place.launch(port).await
        };
        match started.await {
            Ok(child) => return Some(child),
            Err(error) => tracing::error!("PostgreSQL cannot be started again: {error:#}"),
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(BACKOFF_MAX),
        }
    }
}

fn is_free(port: u16) -> bool {
    std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_may_read_the_log_even_when_it_was_there() {
        let path = std::env::temp_dir().join(format!("jumun-log-{}", uuid::Uuid::new_v4().simple()));
        std::fs::write(&path, "before\n").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let log = open_log(&path).unwrap();
        assert_eq!(log.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before\n");
        std::fs::remove_file(path).unwrap();
    }
}
