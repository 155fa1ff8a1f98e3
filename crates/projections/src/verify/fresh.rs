//! A fresh fold of the log beside the read models, and the two compared as they are at one moment.
//!
//! The copies are temporary tables of the same names, made first: after that the session may not write, which leaves it its own
//! temporary tables and nothing else. Almost all is folded before that one moment, in small transactions, so that no old snapshot
//! is held for long; the little that the read models have moved on is folded in the transaction that compares.

use event_store::{EventStore, Head, Position, Recorded};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use super::finding::{Finding, counted};
use super::pages::{PAGE, Page, Pages};
use super::{Check, rows};
use crate::{Error, Progress, ReadModel, progress};

/// So often the fold follows the read models before it compares wherever they are.
const ROUNDS: u32 = 5;

/// The fresh fold of one read model.
struct Fold<'a> {
    model: &'a dyn ReadModel,
    /// How far the read model is.
    progress: Option<Progress>,
    /// How far this fold is.
    folded: Position,
    /// Why it was given up.
    failed: Option<String>,
}

/// The fresh folds of all read models.
struct Fresh<'a> {
    connection: PgConnection,
    folds: Vec<Fold<'a>>,
    /// The transaction that compares has begun.
    frozen: bool,
}

/// Compares every table of every model with a fresh fold.
pub(super) async fn checks(
    store: &EventStore,
    read: &PgPool,
    models: &[Box<dyn ReadModel>],
) -> Result<Vec<Check>, Error> {
    let mut fresh = Fresh::begin(read, models).await?;
    for _ in 0..ROUNDS {
        let missing = fresh.look().await?;
        fresh.fold(store).await?;
        if missing <= u64::from(PAGE) {
            break;
        }
    }
    fresh.freeze().await?;
    fresh.look().await?;
    fresh.fold(store).await?;
    fresh.compare(store.head().await?).await
}

impl<'a> Fresh<'a> {
    /// Nothing is folded yet.
    async fn begin(read: &PgPool, models: &'a [Box<dyn ReadModel>]) -> Result<Self, Error> {
        // A connection of its own, closed at the end: its temporary tables must not be met by anybody else.
        let mut connection = PgConnection::connect_with(&read.connect_options()).await?;
        sqlx::query("SET temp_buffers = '64MB'").execute(&mut connection).await?;
        for table in models.iter().flat_map(|model| model.tables()) {
            let sql = format!("CREATE TEMPORARY TABLE {table} (LIKE read.{table} INCLUDING ALL)");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
        }
        for sql in ["SET search_path TO pg_temp, read", "SET default_transaction_read_only TO on"] {
            sqlx::query(sql).execute(&mut connection).await?;
        }
        let folds = models.iter().map(|model| Fold {
            model: model.as_ref(),
            progress: None,
            folded: Position(0),
            failed: None,
        });
        Ok(Self { folds: folds.collect(), connection, frozen: false })
    }

    /// Looks how far the read models are. Answers how much is missing here at most.
    async fn look(&mut self) -> Result<u64, Error> {
        let places = progress::load(&mut self.connection).await?;
        let mut missing = 0;
        for fold in &mut self.folds {
            fold.progress = places.iter().find(|place| place.name == fold.model.name()).cloned();
            missing = missing.max(fold.until().0.saturating_sub(fold.folded.0));
        }
        Ok(missing)
    }

    /// From here on the read models look as they do now.
    async fn freeze(&mut self) -> Result<(), Error> {
        sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut self.connection).await?;
        self.frozen = true;
        Ok(())
    }

    /// Folds what is missing.
    async fn fold(&mut self, store: &EventStore) -> Result<(), Error> {
        let going = || self.folds.iter().filter(|fold| fold.failed.is_none());
        let Some(after) = going().map(|fold| fold.folded).min() else { return Ok(()) };
        let until = going().map(Fold::until).max().unwrap_or(after);
        let mut pages = Pages::new(store, after, until);
        while let Some(page) = pages.next().await? {
            match page {
                Page::Events(events) => self.apply(&events).await?,
                Page::Unreadable(position, _, error) => {
                    for fold in self.folds.iter_mut().filter(|fold| position <= fold.until()) {
                        fold.fail(position, &error);
                    }
                }
            }
        }
        Ok(())
    }

    /// Folds these events into every model that has seen them and is not folded so far here.
    async fn apply(&mut self, events: &[Recorded]) -> Result<(), Error> {
        let (begin, keep, undo) = if self.frozen {
            ("SAVEPOINT batch", "RELEASE batch", "ROLLBACK TO batch")
        } else {
            ("BEGIN", "COMMIT", "ROLLBACK")
        };
        for fold in &mut self.folds {
            let events = fold.missing(events);
            let (Some((first, last)), None) = (events.first().zip(events.last()), &fold.failed) else {
                continue;
            };
            sqlx::query(begin).execute(&mut self.connection).await?;
            match fold.model.apply(&mut self.connection, events).await {
                Ok(()) => {
                    fold.folded = last.position;
                    sqlx::query(keep).execute(&mut self.connection).await?;
                }
                Err(error) if error.is_outage() => return Err(error),
                Err(error) => {
                    fold.fail(first.position, &error);
                    sqlx::query(undo).execute(&mut self.connection).await?;
                }
            }
        }
        Ok(())
    }

    /// Compares every table of every model.
    async fn compare(mut self, head: Head) -> Result<Vec<Check>, Error> {
        let mut checks = Vec::new();
        for fold in &self.folds {
            let mut finding = Finding::default();
            let mut count = 0;
            if let Some(wrong) = fold.wrong(head) {
                finding.found(|| wrong);
            } else {
                for table in fold.model.tables() {
                    count += rows::compare(&mut self.connection, table, &mut finding).await?;
                }
            }
            let fine = format!("{} at position {}", counted(count, "row"), fold.until());
            checks.push(finding.check(format!("{} is what the log says", fold.model.name()), fine));
        }
        sqlx::query("ROLLBACK").execute(&mut self.connection).await?;
        self.connection.close().await?;
        Ok(checks)
    }
}

impl Fold<'_> {
    /// How far the read model is.
    fn until(&self) -> Position {
        self.progress.as_ref().map_or(Position(0), |progress| progress.position)
    }

    /// Those of these events that are in the read model and not yet here.
    fn missing<'e>(&self, events: &'e [Recorded]) -> &'e [Recorded] {
        let from = events.partition_point(|event| event.position <= self.folded);
        let to = events.partition_point(|event| event.position <= self.until());
        events.get(from..to).unwrap_or_default()
    }

    fn fail(&mut self, position: Position, error: &Error) {
        self.failed.get_or_insert_with(|| format!("cannot be folded from position {position}: {error}"));
    }

    /// Why its rows cannot be compared at all.
    fn wrong(&self, head: Head) -> Option<String> {
        let Some(progress) = &self.progress else { return Some("it was never folded".to_owned()) };
        if progress.epoch != head.epoch {
            return Some("it was folded over another log".to_owned());
        }
        if progress.position > head.position {
            let (position, end) = (progress.position, head.position);
            return Some(format!("it has come to position {position}, and the log ends at {end}"));
        }
        if progress.version != self.model.version() {
            return Some(format!("its rows are of version {}", progress.version));
        }
        if progress.position < self.folded {
            return Some("it is folded anew just now".to_owned());
        }
        self.failed.clone()
    }
}
