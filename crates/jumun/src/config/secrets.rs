//! Secrets: from the configuration (a file or the environment), else made once and kept in a folder of their own.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use event_store::MasterKey;
use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::{ExposeSecret, SecretString};

use super::Configuration;
use crate::data_dir::{create_private, write_private};

/// The folder with the secrets of `jumun up`.
#[derive(Debug, Clone)]
pub(crate) struct SecretsDir(PathBuf);

impl SecretsDir {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Makes every secret that is not there yet. They are never changed again: the log could not be read without them.
    pub(crate) fn create(&self) -> Result<()> {
        create_private(&self.0)?;
        for name in ["master.key", "token.key", "webhook.key", "database.password"] {
            let path = self.0.join(name);
            if !path.exists() {
                write_private(&path, random_text()?.expose_secret().as_bytes())?;
            }
        }
        Ok(())
    }

    /// The password of the private PostgreSQL.
    pub(crate) fn database_password(&self) -> Result<SecretString> {
        read(&self.0.join("database.password"))
    }

    /// What personal data is sealed under.
    pub(crate) fn master(&self, configuration: &Configuration) -> Result<MasterKey> {
        match configuration.master()? {
            Some(configured) => Ok(configured),
            None => Ok(MasterKey::from_file(&self.0.join("master.key"))?),
        }
    }

    /// What tokens are signed with.
    pub(crate) fn token(&self, configuration: &Configuration) -> Result<SecretString> {
        configuration.token()?.map_or_else(|| read(&self.0.join("token.key")), Ok)
    }

    /// What the sandbox gateway signs its webhooks with.
    pub(crate) fn webhook(&self, configuration: &Configuration) -> Result<SecretString> {
        configuration.webhook()?.map_or_else(|| read(&self.0.join("webhook.key")), Ok)
    }
}

/// Reads a secret from a file; white space around it is not part of it.
pub(super) fn read(path: &Path) -> Result<SecretString> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(text.trim().to_owned().into())
}

/// 64 random hex digits.
pub(crate) fn random_text() -> Result<SecretString> {
    let mut bytes = [0_u8; 32];
    OsRng.try_fill_bytes(&mut bytes).context("the system gives no random bytes")?;
    Ok(hex::encode(bytes).into())
}
