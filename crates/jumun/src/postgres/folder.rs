//! The folder of the cluster: made once, and its settings written at every start.

use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use secrecy::{ExposeSecret, SecretString};

use super::programs::Programs;
use crate::data_dir::{DataDir, write_private};

/// The superuser, and the name of the one database.
pub(super) const NAME: &str = "jumun";
/// Our settings, beside those of initdb.
const SETTINGS: &str = "jumun.conf";

/// Makes the cluster when it is not there. It is made beside its place and moved there: half a cluster is never taken for one.
pub(super) async fn create(data: &DataDir, programs: &Programs, password: &SecretString) -> Result<()> {
    let place = data.postgres();
    if let Some(owner) = programs.owner() {
        owner.let_pass_to(&place)?;
        owner.let_pass_to(&programs.bin().join("postgres"))?;
    }
    if place.exists() {
        return Ok(());
    }
    tracing::info!("making a database in {}", place.display());
    let fresh = data.path().join("postgres.new");
    let _ = std::fs::remove_dir_all(&fresh);
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&fresh)
        .with_context(|| format!("{} cannot be made", fresh.display()))?;
    let password_file = data.path().join("postgres.password");
    write_private(&password_file, password.expose_secret().as_bytes())?;
    if let Some(owner) = programs.owner() {
        owner.give(&fresh)?;
        owner.give(&password_file)?;
    }
    let made = initdb(programs, &fresh, &password_file).await;
    std::fs::remove_file(&password_file)?;
    made?;
    std::fs::rename(&fresh, &place).with_context(|| format!("{} cannot be made", place.display()))
}

async fn initdb(programs: &Programs, folder: &Path, password_file: &Path) -> Result<()> {
    let mut initdb = programs.command("initdb");
    initdb
        .args(["--username", NAME, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"])
        .args(["--data-checksums", "--no-instructions"])
        .arg("--pwfile")
        .arg(password_file)
        .arg("--pgdata")
        .arg(folder);
    let output = initdb.output().await.context("initdb cannot be run")?;
    if !output.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let mut file = std::fs::OpenOptions::new().append(true).open(folder.join("postgresql.conf"))?;
    writeln!(file, "\ninclude '{SETTINGS}'")?;
    Ok(())
}

/// Writes our settings, with the port of this start.
pub(super) fn configure(cluster: &Path, port: u16) -> Result<()> {
    let settings = format!(
        "# Written by `jumun up` at every start.\n\
         listen_addresses = '127.0.0.1'\n\
         port = {port}\n\
         unix_socket_directories = ''\n\
         max_connections = 200\n\
         password_encryption = 'scram-sha-256'\n\
         # An acknowledged command is on the disk.\n\
         fsync = on\n\
         synchronous_commit = on\n\
         full_page_writes = on\n\
         shared_buffers = '256MB'\n\
         max_wal_size = '2GB'\n\
         wal_compression = on\n\
         checkpoint_timeout = '15min'\n\
         checkpoint_completion_target = 0.9\n\
         log_checkpoints = off\n\
         # Statements may hold personal data.\n\
         log_min_error_statement = 'panic'\n\
         log_line_prefix = '%m [%p] '\n"
    );
    let path = settings_file(cluster);
    std::fs::write(&path, settings).with_context(|| format!("{} cannot be written", path.display()))
}

fn settings_file(cluster: &Path) -> PathBuf {
    cluster.join(SETTINGS)
}

/// The port of the last start, so that it can be taken again when it is free.
pub(super) fn last_port(cluster: &Path) -> Option<u16> {
    let settings = std::fs::read_to_string(settings_file(cluster)).ok()?;
    settings.lines().find_map(|line| line.strip_prefix("port = "))?.trim().parse().ok()
}
