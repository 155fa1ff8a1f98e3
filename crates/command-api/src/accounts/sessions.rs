//! Sessions and their refresh tokens (RFC 9700, 4.14.2): each token is used once and replaced; a token that comes a second time
//! was stolen from somebody, so its whole session ends.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_surface::auth::Role;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::credentials::roles;
use super::{Accounts, Error};

/// How long a refresh token can be used.
const VALID_DAYS: i32 = 30;
/// How long a session goes on at most, however often it is renewed.
const SESSION_DAYS: i32 = 90;

/// A session that goes on, with its next refresh token.
pub(crate) struct Session {
    pub(crate) session_id: Uuid,
    pub(crate) account_id: Uuid,
    pub(crate) roles: Vec<Role>,
    pub(crate) refresh_token: SecretString,
}

/// What came of a refresh token.
pub(crate) enum Renewed {
    Yes(Session),
    /// Unknown, expired, or of a session that has ended.
    No,
    /// It was used before: its session has ended now.
    Stolen,
}

/// A fresh token, and what is kept of it.
fn token() -> (SecretString, Vec<u8>) {
    let text = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let hash = digest(&text);
    (text.into(), hash)
}

fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

impl Accounts {
    /// Begins a session, and forgets those of the account that have run out.
    pub(crate) async fn begin(&self, account_id: Uuid, roles: Vec<Role>) -> Result<Session, Error> {
        let (session_id, (refresh_token, hash)) = (Uuid::now_v7(), token());
        sqlx::query(
            "WITH gone AS (
                DELETE FROM vault.sessions s WHERE s.account_id = $2
                   AND NOT EXISTS (SELECT FROM vault.refresh_tokens t WHERE t.session_id = s.session_id AND t.expires_at > now())
             ), begun AS (
                INSERT INTO vault.sessions (session_id, account_id) VALUES ($1, $2)
             )
             INSERT INTO vault.refresh_tokens (token_hash, session_id, expires_at) VALUES ($3, $1, now() + make_interval(days => $4))",
        )
        .bind(session_id)
        .bind(account_id)
        .bind(hash)
        .bind(VALID_DAYS)
        .execute(&self.pool)
        .await?;
        Ok(Session { session_id, account_id, roles, refresh_token })
    }

    /// Uses up a refresh token for the next one, and forgets those of the session that have run out.
    pub(crate) async fn renew(&self, used: &str) -> Result<Renewed, Error> {
        let (refresh_token, hash) = token();
        let renewed: Option<(Uuid, Uuid, Vec<String>)> = sqlx::query_as(
            "WITH used AS (
                UPDATE vault.refresh_tokens t SET used_at = now() FROM vault.sessions s
                 WHERE t.token_hash = $1 AND t.used_at IS NULL AND t.expires_at > now()
                   AND s.session_id = t.session_id AND s.revoked_at IS NULL AND s.created_at > now() - make_interval(days => $4)
                RETURNING s.session_id, s.account_id, s.created_at
             ), fresh AS (
                INSERT INTO vault.refresh_tokens (token_hash, session_id, expires_at)
                SELECT $2, session_id, least(now() + make_interval(days => $3), created_at + make_interval(days => $4)) FROM used
             ), gone AS (
                DELETE FROM vault.refresh_tokens t USING used WHERE t.session_id = used.session_id AND t.expires_at <= now()
             )
             SELECT used.session_id, used.account_id, c.roles FROM used JOIN vault.credentials c USING (account_id) WHERE c.active",
        )
        .bind(digest(used))
        .bind(hash)
        .bind(VALID_DAYS)
        .bind(SESSION_DAYS)
        .fetch_optional(&self.pool)
        .await?;
        if let Some((session_id, account_id, names)) = renewed {
            return Ok(Renewed::Yes(Session { session_id, account_id, roles: roles(&names), refresh_token }));
        }
        let ended = sqlx::query(
            "UPDATE vault.sessions s SET revoked_at = now() FROM vault.refresh_tokens t
              WHERE t.token_hash = $1 AND t.used_at IS NOT NULL AND s.session_id = t.session_id AND s.revoked_at IS NULL",
        )
        .bind(digest(used))
        .execute(&self.pool)
        .await?;
        Ok(if ended.rows_affected() > 0 { Renewed::Stolen } else { Renewed::No })
    }

    /// Ends a session. `false`: there is none that goes on.
    pub(crate) async fn end(&self, session_id: Uuid, account_id: Uuid) -> Result<bool, Error> {
        let ended = sqlx::query(
            "UPDATE vault.sessions SET revoked_at = now() WHERE session_id = $1 AND account_id = $2 AND revoked_at IS NULL",
        )
        .bind(session_id)
        .bind(account_id)
        .execute(&self.pool)
        .await?;
        Ok(ended.rows_affected() > 0)
    }
}
