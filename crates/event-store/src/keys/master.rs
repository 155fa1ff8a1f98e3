//! The master key: 32 bytes from a file or the environment. It wraps the keys of persons; it is never stored with them.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;

/// A master key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file cannot be read.
    #[error("the master key file {path} cannot be read: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The variable is not set.
    #[error("the environment variable {0} with the master key is not set")]
    Variable(String),
    /// It is not 64 hex digits.
    #[error("the master key must be 64 hex digits (32 bytes)")]
    Malformed,
}

/// The key that wraps the keys of persons.
#[derive(Debug)]
pub struct MasterKey(SecretBox<[u8; 32]>);

impl MasterKey {
    /// A fresh random one.
    pub fn generate() -> Self {
        Self(SecretBox::new(Box::new(super::fresh())))
    }

    /// Reads 64 hex digits.
    pub fn parse(hex: &str) -> Result<Self, MasterKeyError> {
        let bytes = hex::decode(hex.trim()).map_err(|_| MasterKeyError::Malformed)?;
        let key: [u8; 32] = bytes.try_into().map_err(|_| MasterKeyError::Malformed)?;
        Ok(Self(SecretBox::new(Box::new(key))))
    }

    /// Reads 64 hex digits from a file.
    pub fn from_file(path: &Path) -> Result<Self, MasterKeyError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| MasterKeyError::File { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// Reads 64 hex digits from an environment variable.
    pub fn from_env(name: &str) -> Result<Self, MasterKeyError> {
        Self::parse(&std::env::var(name).map_err(|_| MasterKeyError::Variable(name.to_owned()))?)
    }

    /// As it is kept in a file. Handle with care.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0.expose_secret())
    }

    pub(super) fn copy(&self) -> Self {
        Self(SecretBox::new(Box::new(*self.bytes())))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    /// A key for one purpose, which tells nothing about this one.
    pub(super) fn derive(&self, purpose: &str) -> [u8; 32] {
        mac(self.bytes(), purpose.as_bytes())
    }
}

/// HMAC-SHA256 (RFC 2104), whose key may have any length.
pub(super) fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key)
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(message);
    mac.finalize().into_bytes().into()
}
