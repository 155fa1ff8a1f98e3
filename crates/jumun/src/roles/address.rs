//! The address of a database, and who is found there.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use secrecy::{ExposeSecret, SecretString};
use sqlx::error::DatabaseError;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// A database that does not answer for so long at the start is away.
const KNOCK: Duration = Duration::from_secs(5);

/// How long to wait before asking a replica again that has not heard of us.
const AGAIN: Duration = Duration::from_millis(100);

/// PostgreSQL's question whether a connection can be encrypted: 8 bytes long, number 80877103.
const TLS_WANTED: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The address of a database.
#[derive(Clone)]
pub(super) struct Address {
    /// The key that it is configured by.
    key: String,
    pub(super) options: PgConnectOptions,
}

impl Address {
    pub(super) fn parse(key: impl Into<String>, url: &SecretString) -> Result<Self> {
        let key = key.into();
        let options: Option<PgConnectOptions> = url.expose_secret().parse().ok();
        let options = options.with_context(|| format!("{key} is not a PostgreSQL address"))?;
        // A statement that nobody waits for any more does not go on for as long as it takes.
        let options = options.options([("client_connection_check_interval", "1s")]);
        Ok(Self { key, options: options.application_name("jumun") })
    }

    /// Whether it lets us in. A pool only says that it got no connection in time; one connection says why.
    pub(super) async fn knock(&self) -> Result<()> {
        let connection = PgConnection::connect_with(&self.options).await;
        let connection = connection.with_context(|| self.no_entry())?;
        connection.close().await.with_context(|| self.no_entry())
    }

    /// Whether it is there. What is there and does not let us in, or is no PostgreSQL, is an error; a replica that has not yet
    /// heard of the database or the role gets some time to.
    pub(super) async fn is_there(&self) -> Result<bool> {
        let begun = Instant::now();
        loop {
            match self.ask_in().await {
                Err(error) if begun.elapsed() < KNOCK && is_unheard_of(&error) => sleep(AGAIN).await,
                answer => return answer,
            }
        }
    }

    async fn ask_in(&self) -> Result<bool> {
        match timeout(KNOCK, PgConnection::connect_with(&self.options)).await {
            Ok(Ok(connection)) => {
                // It has let us in; how it says goodbye does not matter.
                let _ = connection.close().await;
                Ok(true)
            }
            Ok(Err(error)) if !is_away(&error) => Err(error).with_context(|| self.no_entry()),
            Ok(Err(_)) | Err(_) if self.is_something_else().await => {
                bail!("what answers there is not PostgreSQL ({})", self.key)
            }
            Ok(Err(_)) | Err(_) => Ok(false),
        }
    }

    /// Whether somebody answers there in another language: PostgreSQL answers the question for TLS with a letter.
    async fn is_something_else(&self) -> bool {
        let mut letter = [0];
        let asked = async {
            let mut stream = TcpStream::connect((self.options.get_host(), self.options.get_port())).await?;
            stream.write_all(&TLS_WANTED).await?;
            stream.read_exact(&mut letter).await
        };
        matches!(timeout(KNOCK, asked).await, Ok(Ok(_))) && !matches!(letter[0], b'S' | b'N' | b'E')
    }

    fn no_entry(&self) -> String {
        format!("the database does not let us in ({})", self.key)
    }
}

/// Not reached, or starting or stopping just now. A certificate that is not trusted comes as invalid data, and stays so. Whoever
/// hangs up before a word is said (a load balancer with nobody behind it) seems to speak another language, and may come back.
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() != std::io::ErrorKind::InvalidData,
        sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("53"))
        }
        _ => false,
    }
}

/// No such database, or no such role: a replica may be behind its primary.
fn is_unheard_of(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    error.and_then(DatabaseError::code).is_some_and(|code| code == "3D000" || code == "28000")
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn is_there(listener: Option<&TcpListener>) -> Result<bool> {
        let port = listener.map_or(1, |listener| listener.local_addr().unwrap().port());
        let url = SecretString::from(format!("postgres://jumun@127.0.0.1:{port}/jumun"));
        Address::parse("read_replica_urls, number 1", &url)?.is_there().await
    }

    #[tokio::test]
    async fn where_nobody_listens_somebody_may_come() {
        assert!(!is_there(None).await.unwrap());
    }

    #[tokio::test]
    async fn whoever_hangs_up_at_once_may_come_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hangs_up = async {
            loop {
                let (mut asked, _) = listener.accept().await.unwrap();
                asked.read_exact(&mut [0; 8]).await.unwrap();
            }
        };
        let there = tokio::select! {
            there = is_there(Some(&listener)) => there,
            () = hangs_up => unreachable!("it serves for ever"),
        };
        assert!(!there.unwrap());
    }

    #[tokio::test]
    async fn what_is_no_postgresql_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = async {
            loop {
                let (mut asked, _) = listener.accept().await.unwrap();
                asked.read_exact(&mut [0; 8]).await.unwrap();
                asked.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            }
        };
        let error = tokio::select! {
            error = is_there(Some(&listener)) => error,
            () = other => unreachable!("it serves for ever"),
        };
        assert!(format!("{:#}", error.unwrap_err()).contains("read_replica_urls, number 1"));
    }

    #[test]
    fn what_is_no_address_is_named_and_not_printed() {
        let url = SecretString::from("secret@example.com");
        let error = format!("{:#}", Address::parse("read_database_url", &url).err().unwrap());
        assert!(error.contains("read_database_url") && !error.contains("secret"), "{error}");
    }
}
