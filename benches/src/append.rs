//! One event to its own new stream, through the command engine: decided, recorded whole, fsynced, acknowledged.

use std::time::Duration;

use anyhow::Result;
use command_api::engine::{Engine, Options, Submission};
use domain::ids::CartId;
use domain::text::Locale;
use domain::{Actor, Command, Currency, Owner, cart};
use event_store::{CommandKey, EventStore, MasterKey, Metadata};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, Executor};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::load::{Figures, drive};

pub(crate) struct Bench {
    engine: Engine,
    running: JoinHandle<()>,
    shutdown: CancellationToken,
}

impl Bench {
    /// An engine on a database of its own, on the same server.
    pub(crate) async fn open(database_url: &str) -> Result<Self> {
        let mut admin = sqlx::PgConnection::connect(database_url).await?;
        admin.execute("DROP DATABASE IF EXISTS jumun_bench WITH (FORCE)").await?;
        admin.execute("CREATE DATABASE jumun_bench").await?;
        let own: sqlx::postgres::PgConnectOptions = database_url.parse()?;
        let pool = PgPoolOptions::new().max_connections(8).connect_with(own.database("jumun_bench")).await?;
        event_store::migrate(&pool).await?;
        let store = EventStore::open(pool, MasterKey::generate()).await?;
        let shutdown = CancellationToken::new();
        let (engine, running) = Engine::start(store, Options::default(), shutdown.clone());
        Ok(Self { engine, running, shutdown })
    }

    pub(crate) async fn measure(&self, clients: usize, time: Duration) -> Result<Figures> {
        let engine = self.engine.clone();
        let (currency, locale) = (Currency::parse("KRW")?, Locale::parse("ko")?);
        drive(clients, time, move |_| {
            let (engine, locale) = (engine.clone(), locale.clone());
            async move {
                engine.execute(open_cart(currency, locale)).await?;
                Ok(())
            }
        })
        .await
    }

    pub(crate) async fn close(self) {
        self.shutdown.cancel();
        let _ = self.running.await;
    }
}

fn open_cart(currency: Currency, locale: Locale) -> Submission {
    let cart_id = CartId(Uuid::now_v7());
    let owner = Owner::Guest(cart_id);
    Submission {
        key: CommandKey { scope: 0, id: Uuid::now_v7() },
        fingerprint: [0; 32],
        metadata: Metadata {
            correlation_id: Uuid::now_v7(),
            causation_id: None,
            actor: Actor::Guest(cart_id),
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        },
        command: Command::Cart(cart::Command::Open { cart_id, owner, currency, locale }),
        answer: serde_json::json!({"cart_id": cart_id}),
        if_match: None,
    }
}
