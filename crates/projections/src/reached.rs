//! Waiting until a read model has reached a position: however many wait, one of them looks for all.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use event_store::Position;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{Error, progress};

/// How long to wait before it is looked whether a projector of another process has come further.
const POLL: Duration = Duration::from_millis(15);
/// The first look gets at least so long, however close the deadline is.
const LOOK: Duration = Duration::from_millis(250);

/// What is known, and when the last look at the database began.
#[derive(Debug)]
struct Known {
    looked: Option<Instant>,
    /// By model: how far it is, and when that was true.
    positions: HashMap<String, (Position, Instant)>,
}

impl Known {
    fn has(&self, model: &str, position: Position) -> bool {
        self.positions.get(model).is_some_and(|(reached, _)| *reached >= position)
    }
}

/// Those who wait for the read models of one database.
#[derive(Debug)]
pub(crate) struct Waiters {
    known: watch::Sender<Known>,
    looking: tokio::sync::Mutex<()>,
}

impl Waiters {
    fn new() -> Self {
        let known = watch::Sender::new(Known { looked: None, positions: HashMap::new() });
        Self { known, looking: tokio::sync::Mutex::new(()) }
    }

    /// Those of the database behind this pool. A process knows a handful of databases at most.
    pub(crate) fn of(read: &PgPool) -> Arc<Self> {
        static ALL: LazyLock<Mutex<HashMap<String, Arc<Waiters>>>> = LazyLock::new(Mutex::default);
        let options = read.connect_options();
        let name = format!(
            "{}:{} {:?} {}",
            options.get_host(),
            options.get_port(),
            options.get_socket(),
            options.get_database().unwrap_or_default()
        );
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(name).or_insert_with(|| Arc::new(Self::new())).clone()
    }

    /// The projector of this process has brought these models there.
    pub(crate) fn advanced<'a>(&self, models: impl IntoIterator<Item = &'a str>, position: Position) {
        let now = Instant::now();
        self.known.send_modify(|known| {
            for model in models {
                known.positions.insert(model.to_owned(), (position, now));
            }
        });
    }

    /// Makes sure that what is known is not older than `since`: by a look of somebody else's that began later, or an own one.
    async fn look(&self, read: &PgPool, since: Instant) -> Result<(), Error> {
        let _turn = self.looking.lock().await;
        if self.known.borrow().looked.is_some_and(|looked| looked >= since) {
            return Ok(());
        }
        let began = Instant::now();
        let seen = progress(read).await?;
        self.known.send_modify(|known| {
            known.looked = Some(began);
            for each in seen {
                let newer = known.positions.get(&each.name).is_some_and(|(_, at)| *at > began);
                if !newer {
                    known.positions.insert(each.name, (each.position, began));
                }
            }
        });
        Ok(())
    }
}

/// Waits until a read model has reached a position. `false`: it has not by the deadline.
///
/// # Errors
/// When the database is away.
pub async fn reached(
    read: &PgPool,
    model: &str,
    position: Position,
    deadline: Instant,
) -> Result<bool, Error> {
    let waiters = Waiters::of(read);
    let mut news = waiters.known.subscribe();
    let mut look_by = deadline.max(Instant::now() + LOOK);
    loop {
        let asked = Instant::now();
        match timeout_at(look_by, waiters.look(read, asked)).await {
            Ok(looked) => looked?,
            Err(_elapsed) => return Ok(false),
        }
        if waiters.known.borrow().has(model, position) {
            return Ok(true);
        }
        if asked >= deadline {
            return Ok(false);
        }
        tokio::select! {
            // Its sender is held here, so it does not end.
            woken = news.wait_for(|known| known.has(model, position)) => return Ok(woken.is_ok()),
            () = sleep_until(deadline.min(asked + POLL)) => {}
        }
        look_by = deadline;
    }
}
