//! Who can sign in: credentials and sessions, in the vault beside the log. Nothing of it is ever in an event.
//!
//! A registration is a row here and an event there. The row is written first, pending; the event decides; then the row becomes
//! active. A crash in between leaves a pending row, and whoever signs in with it is asked for in the log.

mod brake;
mod credentials;
mod passwords;
mod sessions;

use domain::customer::EmailIndex;
use domain::text::Invalid;
use http_surface::Problem;
use http_surface::auth::Role;
use secrecy::SecretString;
use sqlx::PgPool;
use uuid::Uuid;

use self::brake::Brake;
pub(crate) use self::credentials::Account;
use self::passwords::Passwords;
pub(crate) use self::sessions::{Renewed, Session};

/// What can go wrong with accounts, and what to do then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The vault's database is away: come again. Problem `unavailable` (503).
    #[error("the vault does not answer: {0}")]
    Unavailable(#[from] sqlx::Error),
    /// Too many passwords are being checked: come again in a moment. Problem `overloaded` (503).
    #[error("too many people sign in at once")]
    Busy,
    /// The e-mail address has an account already. Problem `email-taken` (409).
    #[error("this e-mail address has an account already")]
    EmailTaken,
    /// Choose another password. Problem `invalid-field` (422).
    #[error("{0}")]
    Password(Invalid),
    /// Too many wrong passwords: wait. Problem `too-many-attempts` (429).
    #[error("too many wrong passwords; try again in {seconds} seconds")]
    TooManyAttempts {
        /// How long to wait.
        seconds: u32,
    },
    /// A defect of ours. Problem `internal` (500).
    #[error("a password cannot be hashed: {0}")]
    Hashing(String),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        use axum::http::StatusCode;
        let detail = error.to_string();
        match error {
            Error::Unavailable(error) => {
                tracing::error!(%error, "the vault does not answer");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the vault does not answer")
                    .retry_after(1)
            }
            Error::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).retry_after(2),
            Error::EmailTaken => {
                Self::new(StatusCode::CONFLICT, "email-taken", detail.clone()).at("/email", detail)
            }
            Error::Password(invalid) => Self::field("/password", invalid.rule),
            Error::TooManyAttempts { seconds } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", detail).retry_after(seconds)
            }
            Error::Hashing(error) => {
                tracing::error!(%error, "a password cannot be hashed; this is a defect");
                Self::internal()
            }
        }
    }
}

/// Credentials and sessions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Accounts {
    pool: PgPool,
    passwords: Passwords,
    brake: Brake,
}

impl Accounts {
    /// The accounts of a database that [`event_store::migrate`] has brought up to date.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, passwords: Passwords::default(), brake: Brake::default() }
    }

    /// Gives somebody an account at once (staff, analysts, auditors; a customer's `account_id` is the customer's id). The same
    /// account again gets the new password and roles.
    ///
    /// # Errors
    /// [`Error::EmailTaken`] when the address is somebody else's, [`Error::Password`] when the password is too short or too long.
    pub async fn add(
        &self,
        index: &EmailIndex,
        password: &SecretString,
        account_id: Uuid,
        roles: &[Role],
    ) -> Result<(), Error> {
        let hash = self.passwords.hash(password).await?;
        self.put(index, &hash, account_id, roles).await
    }

    /// Takes an account away, with all its sessions. Taken away already: nothing happens.
    pub async fn forget(&self, account_id: Uuid) -> Result<(), Error> {
        self.remove(account_id).await
    }

    /// Whether the password is the account's; `None` is nobody's account, and takes as long. After ten wrong ones for an
    /// address within a quarter of an hour nobody can try for the rest of it, whether the address has an account or not.
    pub(crate) async fn authenticate(
        &self,
        index: &EmailIndex,
        account: Option<&Account>,
        password: &SecretString,
    ) -> Result<bool, Error> {
        self.brake.attempt(index)?;
        let hash = account.map(|account| account.password_hash.clone());
        let fits = self.passwords.fits(password, hash).await?;
        if fits {
            self.brake.release(index);
        }
        Ok(fits)
    }
}
