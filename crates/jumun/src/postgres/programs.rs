//! PostgreSQL's programs: installed ones when there are any, else from the package registry.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use super::download;
use super::owner::Owner;
use crate::config::{Configuration, PostgresPrograms};
use crate::data_dir::DataDir;

/// The oldest that will do.
const MAJOR_MIN: u32 = 15;
/// All that is needed of it.
const NEEDED: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// A folder with the programs, and as whom they run.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    bin: PathBuf,
    pub(super) major: u32,
    owner: Option<Owner>,
}

impl Programs {
    /// Finds or fetches them. A cluster that is there already needs those of its own major version.
    pub(super) async fn find(data: &DataDir, configuration: &Configuration) -> Result<Self> {
        let owner = Owner::of(&data.postgres());
        let wanted = cluster_major(&data.postgres());
        let fits = |major: u32| wanted.map_or(major >= MAJOR_MIN, |wanted| wanted == major);
        if configuration.postgres_programs == PostgresPrograms::Auto {
            for bin in installed().await {
                match major_of(&bin).await {
                    Some(major) if fits(major) => return Ok(Self { bin, major, owner }),
                    _ => {}
                }
            }
        }
        if !fits(download::MAJOR) {
            bail!(
                "{} was made by PostgreSQL {}, which is not installed: apt-get install postgresql-{1} (as root)",
                data.postgres().display(),
                wanted.unwrap_or(MAJOR_MIN)
            );
        }
        let bin = download::fetch(&data.postgres_programs(), &configuration.maven_repository).await.context(
            "no PostgreSQL 15 or later is installed, and none could be fetched: apt-get install postgresql (as root) mends it",
        )?;
        let major = major_of(&bin)
            .await
            .with_context(|| format!("the programs in {} do not run on this machine", bin.display()))?;
        Ok(Self { bin, major, owner })
    }

    /// Where they are.
    pub(super) fn bin(&self) -> &Path {
        &self.bin
    }

    /// As whom they run, when it is not ourselves.
    pub(super) fn owner(&self) -> Option<Owner> {
        self.owner
    }

    /// One of them, away from the terminal: ctrl-C must reach us only, so that we can stop it in order.
    pub(super) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        if let Some(owner) = self.owner {
            command.uid(owner.uid).gid(owner.gid);
        }
        for (variable, _) in std::env::vars_os() {
            // PGDATA, PGPORT and their like are about another server; our own variables hold secrets.
            let variable_text = variable.to_string_lossy();
            if variable_text.starts_with("PG") || variable_text.starts_with("JUMUN_") {
                command.env_remove(&variable);
            }
        }
        command.current_dir("/").process_group(0).stdin(std::process::Stdio::null());
        command
    }
}

/// The major version that a cluster was made by.
fn cluster_major(cluster: &Path) -> Option<u32> {
    std::fs::read_to_string(cluster.join("PG_VERSION")).ok()?.trim().parse().ok()
}

/// Folders with all the programs, the newest of Debian's first.
async fn installed() -> Vec<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = debian.map(|entry| entry.path().join("bin")).collect();
    let number = |bin: &PathBuf| -> u32 {
        let name = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        name.and_then(|name| name.parse().ok()).unwrap_or(0)
    };
    found.sort_by_key(|bin| std::cmp::Reverse(number(bin)));
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output().await {
        found.push(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    found.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    found.retain(|bin| NEEDED.iter().all(|name| bin.join(name).is_file()));
    found
}

/// The major version of the programs in a folder; `None` when they do not run.
async fn major_of(bin: &Path) -> Option<u32> {
    let output = Command::new(bin.join("postgres")).arg("--version").output().await.ok()?;
    major(&String::from_utf8_lossy(&output.stdout))
}

fn major(text: &str) -> Option<u32> {
    let digits: String = text
        .chars()
        .skip_while(|character| !character.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_the_first_number() {
        assert_eq!(major("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("not found"), None);
    }
}
