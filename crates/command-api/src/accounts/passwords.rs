//! Passwords, hashed with Argon2id as OWASP's Password Storage Cheat Sheet asks: 19 MiB, two passes, one lane.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::text::Invalid;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use super::Error;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes computed at once: each takes a core and 19 MiB.
const AT_ONCE: usize = 2;
/// Nobody waits longer for their turn.
const TURN_MAX: Duration = Duration::from_secs(5);
/// As NIST SP 800-63B asks: a lower bound, a generous upper one, and no rules of composition.
const CHARACTERS: std::ops::RangeInclusive<usize> = 8..=128;

/// Hashes and checks passwords, a few at a time, away from the threads that serve.
#[derive(Debug, Clone)]
pub(super) struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Passwords {
    /// The hash to keep.
    pub(super) async fn hash(&self, password: &SecretString) -> Result<String, Error> {
        let password = checked(password).map_err(Error::Password)?;
        self.in_turn(move || hash(&password)).await?
    }

    /// Whether the password is the one of that hash. Without a hash it is not, and takes as long to say so.
    pub(super) async fn fits(&self, password: &SecretString, hash: Option<String>) -> Result<bool, Error> {
        let password = normal(password);
        self.in_turn(move || {
            let known = hash.is_some();
            let hash = hash.map_or_else(nobodys, Ok)?;
            let fits = argon2()?.verify_password(password.expose_secret().as_bytes(), hash.as_str());
            Ok(fits.is_ok() && known)
        })
        .await?
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = tokio::time::timeout(TURN_MAX, self.0.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(Error::Busy) };
        let done = tokio::task::spawn_blocking(move || {
            // Kept for as long as the work runs, even when whoever asked has gone away.
            let _turn = turn;
            work()
        });
        done.await.map_err(|error| Error::Hashing(error.to_string()))
    }
}

/// The same characters are the same password, however a keyboard composed them.
fn normal(password: &SecretString) -> SecretString {
    password.expose_secret().nfc().collect::<String>().into()
}

fn checked(password: &SecretString) -> Result<SecretString, Invalid> {
    let password = normal(password);
    let length = password.expose_secret().chars().count();
    if CHARACTERS.contains(&length) {
        return Ok(password);
    }
    let (least, most) = (CHARACTERS.start(), CHARACTERS.end());
    Err(Invalid::new("a password", format!("must have {least} to {most} characters")))
}

fn argon2() -> Result<Argon2<'static>, Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.map_err(|error| Error::Hashing(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &SecretString) -> Result<String, Error> {
    let hash: Result<PasswordHash, _> = argon2()?.hash_password(password.expose_secret().as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| Error::Hashing(error.to_string()))
}

/// The hash of a password that nobody has.
fn nobodys() -> Result<String, Error> {
    static NOBODYS: OnceLock<String> = OnceLock::new();
    if let Some(known) = NOBODYS.get() {
        return Ok(known.clone());
    }
    let made = hash(&hex::encode(rand::random::<[u8; 32]>()).into())?;
    Ok(NOBODYS.get_or_init(|| made).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only_and_says_how_it_was_made() {
        let passwords = Passwords::default();
        let hash = passwords.hash(&"correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.fits(&"correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.fits(&"correct house".into(), Some(hash)).await.unwrap());
        assert!(!passwords.fits(&"correct horse".into(), None).await.unwrap());
    }

    #[test]
    fn length_is_counted_in_characters_and_spelling_is_normalised() {
        assert!(checked(&"비밀번호일곱자".into()).is_err());
        assert!(checked(&"비밀번호여덟글자".into()).is_ok());
        assert!(checked(&"x".repeat(129).into()).is_err());
        let composed = normal(&"한글 passphrase".into());
        let decomposed: String = "한글 passphrase".nfd().collect();
        assert_eq!(normal(&decomposed.into()).expose_secret(), composed.expose_secret());
    }
}
