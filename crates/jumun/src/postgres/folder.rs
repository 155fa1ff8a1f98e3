//! The folder of the cluster: made once, and its settings written at every start.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use secrecy::{ExposeSecret, SecretString};

use super::owner::{NOBODY, Owner};
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
    if programs.owner() == Some(NOBODY) {
        tracing::warn!(
            "PostgreSQL cannot run as root, and there is no user postgres: it runs as nobody, whose other programs may read the database's files"
        );
    }
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
    include_settings(&folder.join("postgresql.conf"), programs.owner())
}

fn include_settings(path: &Path, owner: Option<Owner>) -> Result<()> {
    let mut file = std::fs::OpenOptions::new().append(true).open(path)?;
    // The folder is the owner's by now. What a link in it leads to must be the owner's too, or root would write for them.
    let uid = file.metadata()?.uid();
    if owner.is_some_and(|owner| owner.uid != uid) {
        bail!("{} is not PostgreSQL's own file", path.display());
    }
    writeln!(file, "\ninclude '{SETTINGS}'")?;
    Ok(())
}

/// Writes our settings, with the port of this start.
pub(super) fn configure(cluster: &Path, owner: Option<Owner>, port: u16) -> Result<()> {
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
         # Statements may hold personal data, and so may the details of an error.\n\
         log_min_error_statement = 'panic'\n\
         log_error_verbosity = 'terse'\n\
         log_line_prefix = '%m [%p] '\n"
    );
    let path = settings_file(cluster);
    replace(&path, owner, &settings).with_context(|| format!("{} cannot be written", path.display()))
}

/// Writes the file anew and puts it in the place of what is there: what that is, in a folder of somebody else's, is not opened.
fn replace(path: &Path, owner: Option<Owner>, content: &str) -> std::io::Result<()> {
    let fresh = path.with_extension(uuid::Uuid::new_v4().simple().to_string());
    let mut file = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&fresh)?;
    let written = file.write_all(content.as_bytes()).and_then(|()| match owner {
        Some(owner) => fchown(&file, Some(owner.uid), Some(owner.gid)),
        None => Ok(()),
    });
    let moved = written.and_then(|()| std::fs::rename(&fresh, path));
    if moved.is_err() {
        let _ = std::fs::remove_file(&fresh);
    }
    moved
}

fn settings_file(cluster: &Path) -> PathBuf {
    cluster.join(SETTINGS)
}

/// The port of the last start, so that it can be taken again when it is free.
pub(super) fn last_port(cluster: &Path) -> Option<u16> {
    let settings = std::fs::read_to_string(settings_file(cluster)).ok()?;
    settings.lines().find_map(|line| line.strip_prefix("port = "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("jumun-folder-{}", uuid::Uuid::new_v4().simple()));
            std::fs::create_dir_all(path.join("cluster")).unwrap();
            std::fs::write(path.join("victim"), "untouched").unwrap();
            Self(path)
        }
        /// A link in the cluster to a file that is not the cluster's.
        fn link(&self, name: &str) -> PathBuf {
            let link = self.0.join("cluster").join(name);
            std::os::unix::fs::symlink(self.0.join("victim"), &link).unwrap();
            link
        }
        fn victim(&self) -> String {
            std::fs::read_to_string(self.0.join("victim")).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_link_in_the_place_of_the_settings_is_replaced_and_not_followed() {
        let folder = Folder::new();
        let (link, cluster) = (folder.link(SETTINGS), folder.0.join("cluster"));
        configure(&cluster, None, 5000).unwrap();
        configure(&cluster, None, 5001).unwrap();
        assert_eq!(folder.victim(), "untouched");
        let found = std::fs::symlink_metadata(&link).unwrap();
        assert!(found.is_file());
        assert_eq!(found.mode() & 0o777, 0o600);
        assert_eq!(last_port(&cluster), Some(5001));
        assert_eq!(std::fs::read_dir(&cluster).unwrap().count(), 1, "nothing else is left");
        assert!(std::fs::read_to_string(link).unwrap().contains("\nlog_error_verbosity = 'terse'\n"));
    }

    #[test]
    fn a_link_to_somebody_elses_file_is_not_written_through() {
        let folder = Folder::new();
        let link = folder.link("postgresql.conf");
        let uid = std::fs::metadata(&link).unwrap().uid();
        include_settings(&link, Some(Owner { uid: uid + 1, gid: 0 })).unwrap_err();
        assert_eq!(folder.victim(), "untouched");
        include_settings(&link, Some(Owner { uid, gid: 0 })).unwrap();
        assert!(folder.victim().ends_with("\ninclude 'jumun.conf'\n"));
    }
}
