//! Tables that change places, and all that is written down of it, in one transaction.
//!
//! It never makes queries wait for long: it gives up when it does not get a table at once, and is tried again. Whoever waited for
//! a table finds, by its name, the one that is there now.

use event_store::{Position, Recorded};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use super::Error;
use super::copy::{Copy, Kind, discard};
use super::fold::{Source, unreadable};
use super::running::Running;
use super::shape::{self, quoted};
use super::worker::{self, Way};
use crate::{ReadModel, parked};

/// Events that are folded while projectors wait, at most.
const TAIL_MAX: u32 = 1_000;

/// Lets the autovacuum of a table give way at once and not after a second, where this role may say so.
const GIVE_WAY: &str = "SELECT set_config('deadlock_timeout', '20ms', true) \
     WHERE has_parameter_privilege('deadlock_timeout', 'SET')";

/// How the swap begins: what is swapped in is locked first, it may take its time; projectors wait from here on.
pub(super) async fn begin(
    connection: &mut PgConnection,
    model: &dyn ReadModel,
    copy: &Copy,
) -> Result<Option<Running>, Error> {
    // They are there already, unless the copy was not built to its end.
    shape::complete(connection, &copy.schema, model.indexes_made_later()).await?;
    let tables: Vec<String> =
        model.tables().iter().map(|table| format!("{}.{}", quoted(&copy.schema), quoted(table))).collect();
    for sql in [
        format!("SET LOCAL search_path TO {}", quoted(&copy.schema)),
        format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.join(", ")),
        GIVE_WAY.to_owned(),
        "SET LOCAL lock_timeout TO '200ms'".to_owned(),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    if !shape::alike(connection, &copy.schema, model.tables(), &[]).await? {
        return Err(Error::TablesChanged { model: model.name() });
    }
    Running::lock(connection, model.name()).await
}

/// Folds what is left, up to the end of the log. `None`: that is too much for now.
pub(super) async fn finish(
    source: &Source,
    connection: &mut PgConnection,
    copy: &Copy,
) -> Result<Option<Position>, Error> {
    let head = source.store.head().await?;
    let after = copy.extent.least();
    let received = source.store.read_each(after, TAIL_MAX, &source.filter(head.position)).await?;
    if received.len() >= TAIL_MAX as usize {
        return Ok(None);
    }
    let events: Vec<Recorded> = received
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|event| unreadable(source.model.as_ref(), event))?;
    let wanted = copy.extent.missing(&copy.extent.all_at(head.position), &events);
    if !wanted.is_empty() {
        worker::apply(source, connection, &wanted, Way::Apply).await?;
    }
    Ok(Some(head.position))
}

/// Writes down what is swapped out, with where it is.
pub(super) async fn keep(
    connection: &mut PgConnection,
    model: &dyn ReadModel,
    running: Option<&Running>,
    epoch: Uuid,
) -> Result<(), Error> {
    let (version, epoch) =
        running.map_or((model.version(), epoch), |running| (running.version, running.epoch));
    let id = Uuid::now_v7();
    sqlx::query("INSERT INTO read.copies (copy, model, kind, version, epoch) VALUES ($1, $2, 'old', $3, $4)")
        .bind(id)
        .bind(model.name())
        .bind(version)
        .bind(epoch)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO read.copy_places (copy, part, position, next_offset) \
         SELECT $1, lane, position, next_offset FROM read.progress WHERE model = $2",
    )
    .bind(id)
    .bind(model.name())
    .execute(connection)
    .await?;
    Ok(())
}

/// All lanes of the model are there now. Where a feed goes on stays as it is: what it delivers again is left out.
pub(super) async fn advance(
    connection: &mut PgConnection,
    model: &dyn ReadModel,
    epoch: Uuid,
    position: Position,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE read.progress SET position = $2, version = $3, epoch = $4, \
         next_offset = CASE WHEN epoch = $4 THEN next_offset END WHERE model = $1",
    )
    .bind(model.name())
    .bind(i64::from(position))
    .bind(model.version())
    .bind(epoch)
    .execute(connection)
    .await?;
    Ok(())
}

/// What is parked goes with the rows that lack it; the rows that come have taken it.
pub(super) async fn keep_parked(connection: &mut PgConnection, model: &dyn ReadModel) -> Result<(), Error> {
    let kept = format!("{}.parked", quoted(&Kind::Old.schema(model.name())));
    for sql in [
        format!("CREATE TABLE {kept} (LIKE read.parked)"),
        format!("INSERT INTO {kept} SELECT * FROM read.parked WHERE model = '{}'", model.name()),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    Ok(parked::clear(connection, model.name()).await?)
}

/// The tables change places: the running ones go into the schema of old copies, those of `schema` come.
pub(super) async fn tables(
    connection: &mut PgConnection,
    model: &dyn ReadModel,
    schema: &str,
) -> Result<(), Error> {
    let old = Kind::Old.schema(model.name());
    let out = model.tables().iter().map(|table| set_schema(crate::schema::SCHEMA, table, &old));
    let back = model.tables().iter().map(|table| set_schema(schema, table, crate::schema::SCHEMA));
    for sql in out.chain(back).chain([format!("DROP SCHEMA {}", quoted(schema))]) {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    let sql = format!("SET LOCAL search_path TO {}", crate::schema::SCHEMA);
    sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    Ok(model.swapped_in(connection).await?)
}

fn set_schema(from: &str, table: &str, to: &str) -> String {
    format!("ALTER TABLE {}.{} SET SCHEMA {}", quoted(from), quoted(table), quoted(to))
}

/// Makes room for what is swapped out.
pub(super) async fn make_room(connection: &mut PgConnection, model: &dyn ReadModel) -> Result<(), Error> {
    discard(connection, model.name(), Kind::Old).await?;
    let sql = format!("CREATE SCHEMA {}", quoted(&Kind::Old.schema(model.name())));
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

/// Whether the connection still lives, and with it the turn that it holds.
pub(super) async fn lives(connection: &mut PgConnection) -> bool {
    connection.ping().await.is_ok()
}
