//! The folder of `jumun up`: what lies where in it, and who may read it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::config::secrets::SecretsDir;

/// A folder that exists, by its whole path.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(PathBuf);

/// Held as long as the folder is in use. The kernel lets it go when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock(#[allow(dead_code)] File);

impl DataDir {
    /// Makes the folder when it is not there. Others may pass through it (PostgreSQL runs as somebody else when this is root),
    /// not list it.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(path)
            .with_context(|| format!("the folder {} cannot be made", path.display()))?;
        Self::existing(path)
    }

    /// A folder that must be there.
    pub(crate) fn existing(path: &Path) -> Result<Self> {
        let whole = path.canonicalize().with_context(|| {
            format!("there is no folder {} (`jumun up --data-dir` makes it)", path.display())
        })?;
        if !whole.is_dir() {
            bail!("{} is not a folder", path.display());
        }
        Ok(Self(whole))
    }

    /// Takes the folder for this process.
    ///
    /// # Errors
    /// When another `jumun up` has it.
    pub(crate) fn lock(&self) -> Result<Lock> {
        let path = self.0.join("lock");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("{} cannot be opened", path.display()))?;
        if file.try_lock().is_err() {
            let owner = std::fs::read_to_string(&path).unwrap_or_default();
            bail!(
                "another `jumun up` (process {}) runs on {}: stop it, or give this one another --data-dir",
                owner.trim(),
                self.0.display()
            );
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Lock(file))
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
    /// Where everything is while it runs.
    pub(crate) fn run_json(&self) -> PathBuf {
        self.0.join("run.json")
    }
    /// The demo's sign-ins.
    pub(crate) fn demo_json(&self) -> PathBuf {
        self.0.join("demo.json")
    }
    /// The private PostgreSQL's data.
    pub(crate) fn postgres(&self) -> PathBuf {
        self.0.join("postgres")
    }
    /// The private PostgreSQL's programs, when none are installed.
    pub(crate) fn postgres_programs(&self) -> PathBuf {
        self.0.join("postgres-programs")
    }
    /// What the private PostgreSQL says.
    pub(crate) fn postgres_log(&self) -> PathBuf {
        self.0.join("postgres.log")
    }
    /// The sandbox gateway's ledger.
    pub(crate) fn sandbox(&self) -> PathBuf {
        self.0.join("sandbox")
    }
    /// The secrets.
    pub(crate) fn secrets(&self) -> SecretsDir {
        SecretsDir::new(self.0.join("secrets"))
    }
}

/// Writes a file that only its owner may read, at once or not at all, and down to the disk.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = || format!("{} cannot be written", path.display());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = path.with_file_name(name);
    let _ = std::fs::remove_file(&fresh);
    let mut file =
        OpenOptions::new().create_new(true).write(true).mode(0o600).open(&fresh).with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    file.sync_all().with_context(failed)?;
    std::fs::rename(&fresh, path).with_context(failed)?;
    if let Some(folder) = path.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).with_context(failed)?;
    }
    Ok(())
}

/// Makes a folder that only its owner may enter.
pub(crate) fn create_private(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .and_then(|()| std::fs::set_permissions(path, Permissions::from_mode(0o700)))
        .with_context(|| format!("the folder {} cannot be made", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        std::env::temp_dir().join(format!("jumun-data-dir-{}", uuid::Uuid::new_v4().simple()))
    }

    #[test]
    fn two_cannot_have_one_folder() {
        let path = folder();
        let first = DataDir::create(&path).unwrap();
        let held = first.lock().unwrap();
        let refused = DataDir::existing(&path).unwrap().lock().unwrap_err().to_string();
        assert!(refused.contains(&std::process::id().to_string()), "{refused}");
        drop(held);
        first.lock().unwrap();
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn private_files_are_private_and_replaced_whole() {
        let path = folder();
        create_private(&path).unwrap();
        let file = path.join("secret");
        write_private(&file, b"one").unwrap();
        write_private(&file, b"two").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1);
        std::fs::remove_dir_all(path).unwrap();
    }
}
