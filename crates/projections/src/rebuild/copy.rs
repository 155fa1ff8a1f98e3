//! A copy of a read model: its schema, and how far its rows have come.

use event_store::Position;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use uuid::Uuid;

use super::{Error, shape};
use crate::extent::{Extent, Part};
use crate::{ReadModel, schema::SCHEMA};

/// What a copy is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is being built, to be swapped in.
    Next,
    /// It was swapped out, and is kept for a while.
    Old,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Old => "old",
        }
    }

    /// The schema of such a copy.
    pub(super) fn schema(self, model: &str) -> String {
        format!("{SCHEMA}_{}_{model}", self.name())
    }
}

/// A copy of a read model.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) id: Uuid,
    pub(super) schema: String,
    pub(super) version: i32,
    pub(super) epoch: Uuid,
    /// It needs no comparison any more.
    pub(super) compared: bool,
    pub(super) extent: Extent,
}

impl Copy {
    /// The copy that is there.
    pub(super) async fn find(
        connection: &mut PgConnection,
        model: &str,
        kind: Kind,
    ) -> Result<Option<Self>, Error> {
        let row: Option<(Uuid, i32, Uuid, bool)> = sqlx::query_as(
            "SELECT copy, version, epoch, compared FROM read.copies WHERE model = $1 AND kind = $2",
        )
        .bind(model)
        .bind(kind.name())
        .fetch_optional(&mut *connection)
        .await?;
        let Some((id, version, epoch, compared)) = row else { return Ok(None) };
        let schema = kind.schema(model);
        let mut copy = Self { id, schema, version, epoch, compared, extent: Extent::default() };
        copy.look(connection).await?;
        Ok(Some(copy))
    }

    /// Makes an empty one, in so many shares; one that is there is thrown away.
    pub(super) async fn create(
        connection: &mut PgConnection,
        model: &dyn ReadModel,
        epoch: Uuid,
        shares: u32,
    ) -> Result<Self, Error> {
        let (id, schema) = (Uuid::now_v7(), Kind::Next.schema(model.name()));
        let copy = Self {
            id,
            schema,
            version: model.version(),
            epoch,
            compared: false,
            extent: Extent::shares(shares),
        };
        let mut transaction = connection.begin().await?;
        discard(&mut transaction, model.name(), Kind::Next).await?;
        let later = model.indexes_made_later();
        shape::create(&mut transaction, &copy.schema, model.tables(), later).await?;
        sqlx::query(
            "INSERT INTO read.copies (copy, model, kind, version, epoch) VALUES ($1, $2, 'next', $3, $4)",
        )
        .bind(copy.id)
        .bind(model.name())
        .bind(copy.version)
        .bind(epoch)
        .execute(&mut *transaction)
        .await?;
        put(&mut transaction, id, &copy.extent).await?;
        transaction.commit().await?;
        Ok(copy)
    }

    /// Looks how far it is.
    pub(super) async fn look(&mut self, connection: &mut PgConnection) -> Result<(), Error> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT part, position FROM read.copy_places WHERE copy = $1")
                .bind(self.id)
                .fetch_all(connection)
                .await?;
        self.extent = extent(rows)?;
        Ok(())
    }

    /// Cuts it like this. What lies beyond its least place in some part is folded once more, which changes nothing.
    pub(super) async fn cut_like(
        &mut self,
        connection: &mut PgConnection,
        other: &Extent,
    ) -> Result<(), Error> {
        if self.extent.is_cut_like(other) {
            return Ok(());
        }
        let mut transaction = connection.begin().await?;
        sqlx::query("DELETE FROM read.copy_places WHERE copy = $1")
            .bind(self.id)
            .execute(&mut *transaction)
            .await?;
        let extent = other.all_at(self.extent.least());
        put(&mut transaction, self.id, &extent).await?;
        transaction.commit().await?;
        self.extent = extent;
        Ok(())
    }

    /// It needs no comparison any more.
    pub(super) async fn set_compared(&mut self, connection: &mut PgConnection) -> Result<(), Error> {
        sqlx::query("UPDATE read.copies SET compared = true WHERE copy = $1")
            .bind(self.id)
            .execute(connection)
            .await?;
        self.compared = true;
        Ok(())
    }

    /// A connection whose bare names are those of this copy: a read model that works on it reaches no other rows.
    pub(super) async fn connect(&self, read: &PgPool) -> Result<PgConnection, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&read.connect_options()).await?;
        let sql = format!("SET search_path TO {}", shape::quoted(&self.schema));
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
        Ok(connection)
    }
}

async fn put(connection: &mut PgConnection, copy: Uuid, extent: &Extent) -> Result<(), sqlx::Error> {
    let (parts, positions): (Vec<String>, Vec<i64>) =
        extent.iter().map(|(part, position)| (part.to_string(), i64::from(position))).unzip();
    sqlx::query(
        "INSERT INTO read.copy_places (copy, part, position) SELECT $1, * FROM unnest($2::text[], $3::bigint[])",
    )
    .bind(copy)
    .bind(parts)
    .bind(positions)
    .execute(connection)
    .await?;
    Ok(())
}

/// Throws a copy away. Answers whether there was one.
pub(super) async fn discard(
    connection: &mut PgConnection,
    model: &str,
    kind: Kind,
) -> Result<bool, sqlx::Error> {
    let sql = format!("DROP SCHEMA IF EXISTS {} CASCADE", shape::quoted(&kind.schema(model)));
    sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    let gone = sqlx::query("DELETE FROM read.copies WHERE model = $1 AND kind = $2")
        .bind(model)
        .bind(kind.name())
        .execute(connection)
        .await?;
    Ok(gone.rows_affected() > 0)
}

/// Rows of parts and places.
pub(super) fn extent(rows: Vec<(String, i64)>) -> Result<Extent, crate::Error> {
    let place = |(part, position): (String, i64)| {
        let part: Part = part.parse().map_err(|error| crate::Error::Corrupt(format!("{error}")))?;
        Ok((part, Position::from(position)))
    };
    rows.into_iter().map(place).collect()
}
