//! Credentials, in `vault.credentials`.

use domain::customer::EmailIndex;
use http_surface::auth::Role;
use secrecy::SecretString;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Accounts, Error};

/// A registration that is still pending after that time was cut off.
const PENDING_HOURS: i32 = 24;

/// Somebody who can sign in.
#[derive(Clone, FromRow)]
pub(crate) struct Account {
    pub(crate) account_id: Uuid,
    pub(super) password_hash: String,
    #[sqlx(rename = "roles")]
    role_names: Vec<String>,
    /// `false`: the log must be asked whether it was registered.
    pub(crate) active: bool,
}

impl Account {
    pub(crate) fn roles(&self) -> Vec<Role> {
        roles(&self.role_names)
    }
}

/// The roles of these names; a name that this program does not know gives nothing.
pub(super) fn roles(names: &[String]) -> Vec<Role> {
    names.iter().filter_map(|name| Role::parse(name)).collect()
}

fn names(roles: &[Role]) -> Vec<&'static str> {
    roles.iter().map(|role| role.as_str()).collect()
}

fn taken(error: sqlx::Error) -> Error {
    match error.as_database_error() {
        Some(database) if database.is_unique_violation() => Error::EmailTaken,
        _ => error.into(),
    }
}

impl Accounts {
    /// The active row of an address; a pending one, any of them, when there is none.
    pub(crate) async fn of(&self, index: &EmailIndex) -> Result<Option<Account>, Error> {
        let row = sqlx::query_as(
            "SELECT account_id, password_hash, roles, active FROM vault.credentials
              WHERE email_index = $1 ORDER BY active DESC LIMIT 1",
        );
        Ok(row.bind(index.as_str()).fetch_optional(&self.pool).await?)
    }

    /// The row of an address with that id.
    pub(crate) async fn of_owner(
        &self,
        index: &EmailIndex,
        account_id: Uuid,
    ) -> Result<Option<Account>, Error> {
        let row = sqlx::query_as(
            "SELECT account_id, password_hash, roles, active FROM vault.credentials
              WHERE email_index = $1 AND account_id = $2",
        );
        Ok(row.bind(index.as_str()).bind(account_id).fetch_optional(&self.pool).await?)
    }

    /// Whether registrations of an address were cut off so long ago that they can go.
    pub(crate) async fn has_leftovers(&self, index: &EmailIndex) -> Result<bool, Error> {
        let left = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM vault.credentials
              WHERE email_index = $1 AND NOT active AND created_at < now() - make_interval(hours => $2))",
        );
        Ok(left.bind(index.as_str()).bind(PENDING_HOURS).fetch_one(&self.pool).await?)
    }

    /// Takes those away, except the one to which the log has given the address.
    pub(crate) async fn clear_leftovers(&self, index: &EmailIndex, owner: Option<Uuid>) -> Result<(), Error> {
        sqlx::query(
            "DELETE FROM vault.credentials
              WHERE email_index = $1 AND NOT active AND created_at < now() - make_interval(hours => $2)
                AND account_id IS DISTINCT FROM $3",
        )
        .bind(index.as_str())
        .bind(PENDING_HOURS)
        .bind(owner)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Whether the account is still there: a token may outlive it.
    pub(crate) async fn exists(&self, account_id: Uuid) -> Result<bool, Error> {
        let exists = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM vault.credentials WHERE account_id = $1 AND active)",
        );
        Ok(exists.bind(account_id).fetch_one(&self.pool).await?)
    }

    /// Writes down a customer who is about to be registered. Somebody else's address is refused here already when it belongs
    /// to no customer: the log knows nothing of those.
    pub(crate) async fn prepare(
        &self,
        index: &EmailIndex,
        password: &SecretString,
        account_id: Uuid,
    ) -> Result<(), Error> {
        let hash = self.passwords.hash(password).await?;
        let written = sqlx::query(
            "INSERT INTO vault.credentials (account_id, email_index, password_hash, roles, active)
             SELECT $1, $2, $3, $4, false
              WHERE NOT EXISTS (SELECT FROM vault.credentials WHERE email_index = $2 AND active AND roles <> $4)",
        )
        .bind(account_id)
        .bind(index.as_str())
        .bind(hash)
        .bind(names(&[Role::Customer]))
        .execute(&self.pool)
        .await?;
        if written.rows_affected() == 0 { Err(Error::EmailTaken) } else { Ok(()) }
    }

    /// The log has the registration: the account may sign in. Older rows of customers with that address are of those who gave
    /// it back or never got it. Done already: nothing happens.
    pub(crate) async fn activate(&self, account_id: Uuid) -> Result<(), Error> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "DELETE FROM vault.credentials old USING vault.credentials own
              WHERE own.account_id = $1 AND NOT own.active AND old.email_index = own.email_index
                AND old.account_id <> own.account_id AND old.roles = own.roles AND old.created_at <= own.created_at",
        )
        .bind(account_id)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE vault.credentials SET active = true WHERE account_id = $1 AND NOT active")
            .bind(account_id)
            .execute(&mut *transaction)
            .await
            .map_err(taken)?;
        Ok(transaction.commit().await?)
    }

    /// The log has refused the registration.
    pub(crate) async fn withdraw(&self, account_id: Uuid) -> Result<(), Error> {
        sqlx::query("DELETE FROM vault.credentials WHERE account_id = $1 AND NOT active")
            .bind(account_id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub(super) async fn put(
        &self,
        index: &EmailIndex,
        password_hash: &str,
        account_id: Uuid,
        roles: &[Role],
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO vault.credentials (account_id, email_index, password_hash, roles, active)
             VALUES ($1, $2, $3, $4, true)
             ON CONFLICT (account_id) DO UPDATE
                SET email_index = excluded.email_index, password_hash = excluded.password_hash,
                    roles = excluded.roles, active = true",
        )
        .bind(account_id)
        .bind(index.as_str())
        .bind(password_hash)
        .bind(names(roles))
        .execute(&self.pool)
        .await
        .map_err(taken)?;
        Ok(())
    }

    pub(super) async fn remove(&self, account_id: Uuid) -> Result<(), Error> {
        sqlx::query("DELETE FROM vault.credentials WHERE account_id = $1")
            .bind(account_id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
