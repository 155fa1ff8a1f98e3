//! A fresh fold of the log, beside the read models as they are at one moment.
//!
//! The copies are temporary tables of the same names. They are made first, because a transaction that may not write anything
//! else can still write to them: so it is certain that nothing of the read models themselves is touched.

use event_store::{Head, Position, Recorded};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use super::finding::{Finding, counted};
use super::{Check, rows};
use crate::{Error, Progress, ReadModel, progress};

/// The fresh fold of all read models, in a transaction that sees the read models as they were when it began.
pub(super) struct Fresh<'a> {
    connection: PgConnection,
    folds: Vec<Fold<'a>>,
}

/// The fresh fold of one read model.
struct Fold<'a> {
    model: &'a dyn ReadModel,
    progress: Option<Progress>,
    /// Why it was given up.
    failed: Option<String>,
}

impl<'a> Fresh<'a> {
    /// Nothing is folded yet.
    pub(super) async fn begin(read: &PgPool, models: &'a [Box<dyn ReadModel>]) -> Result<Self, Error> {
        // A connection of its own, closed at the end: its temporary tables must not be met by anybody else.
        let mut connection = PgConnection::connect_with(&read.connect_options()).await?;
        for table in models.iter().flat_map(|model| model.tables()) {
            let sql = format!("CREATE TEMPORARY TABLE {table} (LIKE read.{table} INCLUDING ALL)");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
        }
        for sql in ["SET search_path TO pg_temp, read", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"] {
            sqlx::query(sql).execute(&mut connection).await?;
        }
        let places = progress::load(&mut connection).await?;
        let folds = models.iter().map(|model| Fold {
            model: model.as_ref(),
            progress: places.iter().find(|place| place.name == model.name()).cloned(),
            failed: None,
        });
        Ok(Self { folds: folds.collect(), connection })
    }

    /// Folds these events into every model that had seen them.
    pub(super) async fn apply(&mut self, events: &[Recorded]) -> Result<(), Error> {
        for fold in &mut self.folds {
            let until = fold.until();
            let seen = &events[..events.partition_point(|event| event.position <= until)];
            let (Some(first), None) = (seen.first(), &fold.failed) else { continue };
            sqlx::query("SAVEPOINT batch").execute(&mut self.connection).await?;
            let applied = fold.model.apply(&mut self.connection, seen).await;
            let end = if applied.is_ok() { "RELEASE batch" } else { "ROLLBACK TO batch" };
            if let Err(error) = applied {
                if error.is_outage() {
                    return Err(error);
                }
                fold.failed = Some(format!("cannot be folded from position {}: {error}", first.position));
            }
            sqlx::query(end).execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// An event cannot be read: what comes after it is not folded in any model that had seen it.
    pub(super) fn give_up(&mut self, position: Position, error: &Error) {
        for fold in self.folds.iter_mut().filter(|fold| position <= fold.until()) {
            fold.failed.get_or_insert_with(|| format!("cannot be folded from position {position}: {error}"));
        }
    }

    /// Compares every table of every model.
    pub(super) async fn compare(mut self, head: Head) -> Result<Vec<Check>, Error> {
        let mut checks = Vec::new();
        for fold in &self.folds {
            let name = format!("{} is what the log says", fold.model.name());
            let wrong = fold.wrong(head);
            let mut finding = Finding::default();
            let mut count = 0;
            if let Some(wrong) = wrong {
                finding.found(|| wrong);
            } else {
                for table in fold.model.tables() {
                    count += rows::compare(&mut self.connection, table, &mut finding).await?;
                }
            }
            let fine = format!("{} at position {}", counted(count, "row"), fold.until());
            checks.push(finding.check(name, fine));
        }
        sqlx::query("ROLLBACK").execute(&mut self.connection).await?;
        self.connection.close().await?;
        Ok(checks)
    }
}

impl Fold<'_> {
    /// How far the model had come.
    fn until(&self) -> Position {
        self.progress.as_ref().map_or(Position(0), |progress| progress.position)
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
        self.failed.clone()
    }
}
