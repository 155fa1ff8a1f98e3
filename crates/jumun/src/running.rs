//! A running `jumun up`, as other commands find it: by what it has written into its folder.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use http_surface::auth::{Claims, Keys, Role};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::config::{Configuration, Flags};
use crate::data_dir::DataDir;

/// How long a token for a command of the binary is valid. Those that run longer ask for another one.
const TOKEN_VALID: Duration = Duration::from_secs(15 * 60);

/// Where everything is, as `run.json` says it. Holds the database's password: it is written for its owner only.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Addresses {
    /// The command API.
    pub(crate) command_url: String,
    /// The query API.
    pub(crate) query_url: String,
    /// The database, with the password.
    pub(crate) database_url: String,
    /// The sandbox gateway.
    pub(crate) sandbox_url: String,
    /// The process that runs it all.
    pub(crate) pid: u32,
}

/// A running `jumun up`.
#[derive(Clone)]
pub(crate) struct Running {
    /// The command API, without a slash at the end.
    pub(crate) command_url: String,
    /// The query API, without a slash at the end.
    pub(crate) query_url: String,
    /// The database, with the password. Never to be printed.
    pub(crate) database_url: SecretString,
    token_secret: SecretString,
}

impl Running {
    /// The one that runs on that folder.
    ///
    /// # Errors
    /// When none does.
    pub(crate) fn find(data_dir: &Path) -> Result<Self> {
        let folder = DataDir::existing(data_dir)?;
        let path = folder.run_json();
        let bytes = std::fs::read(&path).with_context(|| {
            format!(
                "no `jumun up` runs on {}: {} is not there (start it with --data-dir {0})",
                data_dir.display(),
                path.display()
            )
        })?;
        let found: Addresses = serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is not what `jumun up` writes", path.display()))?;
        let configuration = Configuration::load(&Flags::default())?;
        Ok(Self {
            command_url: found.command_url,
            query_url: found.query_url,
            database_url: found.database_url.into(),
            token_secret: folder.secrets().token(&configuration)?,
        })
    }

    /// A fresh token that may do what the role may, for fifteen minutes.
    pub(crate) fn token(&self, role: Role) -> Result<String> {
        let keys = Keys::new(self.token_secret.expose_secret().as_bytes()).context("token_secret")?;
        let operator = Uuid::new_v5(&Uuid::NAMESPACE_OID, b"jumun operator");
        let claims = Claims::new(operator, vec![role], None, TOKEN_VALID);
        keys.issue(&claims).map_err(|problem| anyhow::anyhow!("no token can be issued: {}", problem.detail))
    }
}
