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
use crate::extent::Extent;
use crate::{Error, Progress, ReadModel, progress};

/// So often the fold follows the read models before it compares wherever they are.
const ROUNDS: u32 = 5;

/// The fresh fold of one read model.
struct Fold<'a> {
    model: &'a dyn ReadModel,
    /// How far the read model is.
    progress: Option<Progress>,
    /// The same, lane by lane.
    until: Extent,
    /// How far this fold is, lane by lane.
    folded: Extent,
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
            until: Extent::default(),
            folded: Extent::default(),
            failed: None,
        });
        Ok(Self { folds: folds.collect(), connection, frozen: false })
    }

    /// Looks how far the read models are. Answers how much is missing here at most.
    async fn look(&mut self) -> Result<u64, Error> {
        let places = progress::load(&mut self.connection).await?;
        let mut missing = 0;
        for fold in &mut self.folds {
            fold.follow(places.iter().find(|place| place.name == fold.model.name()));
            missing = missing.max(fold.until.most().0.saturating_sub(fold.folded.least().0));
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
        let going = || self.folds.iter().filter(|fold| fold.failed.is_none() && fold.folded != fold.until);
        let Some(after) = going().map(|fold| fold.folded.least()).min() else { return Ok(()) };
        let until = going().map(|fold| fold.until.most()).max().unwrap_or(after);
        let mut pages = Pages::new(store, after, until);
        while let Some(page) = pages.next().await? {
            match page {
                Page::Events(events) => self.apply(&events).await?,
                Page::Unreadable(position, _, error) => {
                    for fold in self.folds.iter_mut().filter(|fold| position <= fold.until.most()) {
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
            let Some(last) = events.last().filter(|_| fold.failed.is_none()) else { continue };
            let next = fold.folded.towards(&fold.until, last.position);
            let events = fold.folded.missing(&next, events);
            let Some(first) = events.first() else {
                fold.folded = next;
                continue;
            };
            sqlx::query(begin).execute(&mut self.connection).await?;
            match fold.model.apply(&mut self.connection, &events).await {
                Ok(()) => {
                    fold.folded = next;
                    sqlx::query(keep).execute(&mut self.connection).await?;
                }
                // This transaction is one that may not write: a model that did is a finding.
                Err(error) if error.is_outage() && !error.is_read_only() => return Err(error),
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
            let fine = format!("{} at position {}", counted(count, "row"), fold.until.least());
            checks.push(finding.check(format!("{} is what the log says", fold.model.name()), fine));
        }
        sqlx::query("ROLLBACK").execute(&mut self.connection).await?;
        self.connection.close().await?;
        Ok(checks)
    }
}

impl Fold<'_> {
    /// The read model is that far now. A fold whose lanes are others goes on where it surely was: what it sees once more changes
    /// nothing.
    fn follow(&mut self, progress: Option<&Progress>) {
        self.progress = progress.cloned();
        self.until = progress.map(Extent::from).unwrap_or_default();
        if !self.folded.is_cut_like(&self.until) {
            self.folded = self.until.all_at(self.folded.least());
        }
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
        if self.until.most() > head.position {
            let (position, end) = (self.until.most(), head.position);
            return Some(format!("it has come to position {position}, and the log ends at {end}"));
        }
        if progress.version != self.model.version() {
            return Some(format!("its rows are of version {}", progress.version));
        }
        if self.folded.exceeds(&self.until) {
            return Some("it is folded anew just now".to_owned());
        }
        self.failed.clone()
    }
}
