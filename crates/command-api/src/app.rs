//! What the handlers need.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use event_store::EventStore;
use http_surface::auth::Keys;
use payments::Gateways;

use crate::accounts::Accounts;
use crate::engine::Engine;
use crate::orders::settlements::Settlements;

/// How the shop is run.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long the pieces of an order are held without being paid.
    pub reservation: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { reservation: Duration::from_secs(15 * 60) }
    }
}

/// The command API's state. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) store: EventStore,
    pub(crate) engine: Engine,
    pub(crate) keys: Keys,
    pub(crate) gateways: Arc<Gateways>,
    pub(crate) accounts: Accounts,
    pub(crate) config: Config,
    pub(crate) settlements: Settlements,
}

impl App {
    /// An application that gives its commands to that engine.
    pub fn new(
        store: EventStore,
        engine: Engine,
        keys: Keys,
        gateways: Gateways,
        accounts: Accounts,
        config: Config,
    ) -> Self {
        let settlements = Settlements::new(store.clone());
        Self { store, engine, keys, gateways: Arc::new(gateways), accounts, config, settlements }
    }
}

impl FromRef<App> for Keys {
    fn from_ref(app: &App) -> Self {
        app.keys.clone()
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("config", &self.config).finish_non_exhaustive()
    }
}
