//! Waiting until a read model has reached a position: however many wait, one of them looks for all.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use event_store::{Head, Position};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};
use uuid::Uuid;

use crate::{Error, Reads, progress};

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
    /// By model: the log it is folded over, as of the last look.
    epochs: HashMap<String, Uuid>,
}

impl Known {
    fn has(&self, model: &str, position: Position) -> bool {
        self.positions.get(model).is_some_and(|(reached, _)| *reached >= position)
    }

    fn standing(&self, models: &[&str], place: Head) -> Standing {
        let epochs = models.iter().filter_map(|model| self.epochs.get(*model));
        if epochs.into_iter().any(|epoch| *epoch != place.epoch) {
            return Standing::OtherLog;
        }
        let there = models.iter().all(|model| self.has(model, place.position));
        if there { Standing::There } else { Standing::Behind }
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
        let known =
            watch::Sender::new(Known { looked: None, positions: HashMap::new(), epochs: HashMap::new() });
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
    async fn look(&self, read: impl Reads<'_>, since: Instant) -> Result<(), Error> {
        let _turn = self.looking.lock().await;
        if self.known.borrow().looked.is_some_and(|looked| looked >= since) {
            return Ok(());
        }
        let began = Instant::now();
        let seen = progress(read).await?;
        self.known.send_modify(|known| {
            known.looked = Some(began);
            for each in seen {
                known.epochs.insert(each.name.clone(), each.epoch);
                let newer = known.positions.get(&each.name).is_some_and(|(_, at)| *at > began);
                if !newer {
                    let position = each.position();
                    known.positions.insert(each.name, (position, began));
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
    read: impl Reads<'_>,
    model: &str,
    position: Position,
    deadline: Instant,
) -> Result<bool, Error> {
    let there = wait(read, deadline, |known| known.has(model, position).then_some(())).await?;
    Ok(there.is_some())
}

/// How read models stand to a place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// All of them have come there.
    There,
    /// One of them has not.
    Behind,
    /// One of them is folded over another log: its positions say nothing about that place.
    OtherLog,
}

/// Waits until all these read models have come to a place in a log, for as long as the deadline allows.
///
/// # Errors
/// When the database is away.
pub async fn come_to(
    read: impl Reads<'_>,
    models: &[&str],
    place: Head,
    deadline: Instant,
) -> Result<Standing, Error> {
    let standing = wait(read, deadline, |known| match known.standing(models, place) {
        Standing::Behind => None,
        standing => Some(standing),
    });
    Ok(standing.await?.unwrap_or(Standing::Behind))
}

/// Waits until what is known answers a question. `None`: it does not by the deadline.
async fn wait<T>(
    read: impl Reads<'_>,
    deadline: Instant,
    answer: impl Fn(&Known) -> Option<T>,
) -> Result<Option<T>, Error> {
    let waiters = Waiters::of(read.pool());
    let mut news = waiters.known.subscribe();
    let mut look_by = deadline.max(Instant::now() + LOOK);
    loop {
        let asked = Instant::now();
        match timeout_at(look_by, waiters.look(read, asked)).await {
            Ok(looked) => looked?,
            Err(_elapsed) => return Ok(None),
        }
        if let Some(answer) = answer(&waiters.known.borrow()) {
            return Ok(Some(answer));
        }
        if asked >= deadline {
            return Ok(None);
        }
        tokio::select! {
            // Its sender is held here, so it does not end.
            known = news.wait_for(|known| answer(known).is_some()) => {
                return Ok(known.ok().and_then(|known| answer(&known)));
            }
            () = sleep_until(deadline.min(asked + POLL)) => {}
        }
        look_by = deadline;
    }
}
