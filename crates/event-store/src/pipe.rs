//! The connection that plain appends go over. It takes the next one before it has answered the one before, so that the database finds it
//! there when it is done: the way there and back is not waited for. sqlx sends nothing before it has read the answer.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use percent_encoding::percent_decode_str;
use sqlx::postgres::PgSslMode;
use sqlx::{ConnectOptions, PgPool};
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, NoTls, Socket, Statement};

use crate::Error;
use crate::plain::{APPEND, APPEND_BEHIND, APPEND_ONE};
use crate::security::{Certificates, Security};

/// A connection with its statements.
pub(crate) struct Pipe {
    pub(crate) client: Client,
    pub(crate) append: Statement,
    pub(crate) append_behind: Statement,
    pub(crate) append_one: Statement,
    /// Carries what is said in both directions.
    carrying: JoinHandle<()>,
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // It may lead nowhere, and would wait there.
        self.carrying.abort();
    }
}

impl Pipe {
    /// As a connection of the pool is made, and planned once: lists have no statistics, so that a plan of its own for each batch is never
    /// better, and takes as long as the append.
    async fn connect(pool: &PgPool) -> Result<Self, Error> {
        let options = pool.connect_options();
        // Nothing but a URL tells the password and the certificates. Not every host and user can be written in one.
        let url = options.as_ref().clone().host("localhost").username("any").to_url_lossy();
        let host = options.get_host();
        let socket = options.get_socket().cloned().or_else(|| host.starts_with('/').then(|| host.into()));
        let mut config = tokio_postgres::Config::new();
        match &socket {
            Some(socket) => config.host_path(socket),
            None => config.host(host.trim_start_matches('[').trim_end_matches(']')),
        };
        config.port(options.get_port()).user(options.get_username());
        if let Some(password) = url.password() {
            config.password(percent_decode_str(password).collect::<Vec<u8>>());
        }
        if let Some(database) = options.get_database() {
            config.dbname(database);
        }
        if let Some(name) = options.get_application_name() {
            config.application_name(name);
        }
        let given = options.get_options().unwrap_or_default();
        config.options(format!("{given} -c plan_cache_mode=force_generic_plan"));
        let (client, carrying) = match options.get_ssl_mode() {
            // A socket leads nowhere but to this machine.
            _ if socket.is_some() => carry(&config, NoTls).await?,
            PgSslMode::Allow | PgSslMode::Disable => carry(config.ssl_mode(SslMode::Disable), NoTls).await?,
            mode => {
                config.ssl_mode(match mode {
                    PgSslMode::Prefer => SslMode::Prefer,
                    _ => SslMode::Require,
                });
                carry(&config, Security::of(mode, &Certificates::of(url.query_pairs()))?).await?
            }
        };
        let prepare = async |text: &str| client.prepare(text).await.map_err(Error::Connect);
        let (append, append_behind, append_one) =
            (prepare(APPEND).await?, prepare(APPEND_BEHIND).await?, prepare(APPEND_ONE).await?);
        Ok(Self { client, append, append_behind, append_one, carrying })
    }
}

/// Connects, and carries what is said from then on.
async fn carry<T>(config: &Config, tls: T) -> Result<(Client, JoinHandle<()>), Error>
where
    T: MakeTlsConnect<Socket, Stream: Send + 'static>,
{
    let (client, connection) = config.connect(tls).await.map_err(Error::Connect)?;
    let carrying = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection for appends has ended");
        }
    });
    Ok((client, carrying))
}

/// The connection of all clones of a store, made when it is first needed.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Option<Arc<Pipe>>>>);

impl Kept {
    fn place(&self) -> MutexGuard<'_, Option<Arc<Pipe>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, for one statement.
    pub(crate) async fn lend(&self, pool: &PgPool) -> Result<Lent, Error> {
        let kept = self.place().clone().filter(|pipe| !pipe.client.is_closed());
        let pipe = match kept {
            Some(pipe) => pipe,
            None => {
                let pipe = Arc::new(Pipe::connect(pool).await?);
                *self.place() = Some(Arc::clone(&pipe));
                pipe
            }
        };
        Ok(Lent { pipe, kept: self.clone(), answered: false })
    }
}

/// A connection in use. Dropped before it was answered, it is closed, for whoever else waits there as well: it may lead nowhere.
pub(crate) struct Lent {
    pipe: Arc<Pipe>,
    kept: Kept,
    answered: bool,
}

impl Lent {
    pub(crate) fn answered(mut self) {
        self.answered = true;
    }
}

impl Deref for Lent {
    type Target = Pipe;

    fn deref(&self) -> &Pipe {
        &self.pipe
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.answered {
            self.pipe.carrying.abort();
            let mut place = self.kept.place();
            if place.as_ref().is_some_and(|pipe| Arc::ptr_eq(pipe, &self.pipe)) {
                *place = None;
            }
        }
    }
}
