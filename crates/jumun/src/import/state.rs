//! What a run leaves for the next one: the journal of this file, and the secret that all imports into a shop share, so that a
//! customer of two files is one person.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::journal::Journal;
use super::keys::{Secret, digest};
use super::shop::Way;
use crate::data_dir::{create_private, write_private};

/// What was left, opened.
pub(super) struct State {
    pub(super) secret: Secret,
    pub(super) journal: Journal,
    /// Where rejected lines go when nobody says where.
    pub(super) folder: PathBuf,
}

impl State {
    /// Opens it in the folder of the shop; where there is none, in the current folder, by the shop's address.
    pub(super) fn open(way: &Way, file_digest: &str, currency: &str) -> Result<Self> {
        let (folder, rejects, shop) = match way {
            Way::DataDir(path) => (path.join("import"), path.join("import"), ""),
            Way::Addresses { command_url, .. } => {
                (PathBuf::from(".jumun-import"), PathBuf::from("."), command_url.as_str())
            }
        };
        create_private(&folder)?;
        let name = digest(format!("{file_digest}\n{currency}\n{shop}").as_bytes());
        let journal = Journal::open(&folder.join(format!("{name}.jsonl")))?;
        Ok(Self { secret: secret(&folder.join("secret"))?, journal, folder: rejects })
    }
}

fn secret(path: &Path) -> Result<Secret> {
    if let Ok(text) = std::fs::read_to_string(path) {
        return Secret::parse(&text).with_context(|| format!("{} is damaged", path.display()));
    }
    let secret = Secret::random();
    write_private(path, secret.text().as_bytes())?;
    Ok(secret)
}
