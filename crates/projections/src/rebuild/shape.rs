//! Tables that look like the running ones, down to the names of their indexes: migrations speak of these.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::schema::SCHEMA;

/// The statements that make tables like those, in order. Asked with the running schema as search path, so that indexes are
/// written without one.
const LIKE: &str = "
WITH tables AS (
    SELECT c.oid, c.relname, c.reloptions, c.relacl FROM pg_class c
     WHERE c.relnamespace = $1::regnamespace AND c.relname = ANY ($3) AND c.relkind = 'r')
SELECT statement FROM (
    SELECT 1 AS step, oid, format('CREATE TABLE %I.%I (LIKE %I.%I INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)%s',
           $2, relname, $1, relname, ' WITH (' || array_to_string(reloptions, ', ') || ')') AS statement FROM tables
    UNION ALL
    SELECT 2, c.oid, format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', $2, relname, conname, pg_get_constraintdef(c.oid))
      FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid WHERE c.contype IN ('p', 'u', 'x')
    UNION ALL
    SELECT 3, i.indexrelid, pg_get_indexdef(i.indexrelid, 0, true)
      FROM tables t JOIN pg_index i ON i.indrelid = t.oid
     WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
       AND i.indexrelid::regclass::text <> ALL ($4)
    UNION ALL
    SELECT 4, oid, format('GRANT %s ON %I.%I TO %s', privilege_type, $2, relname,
           CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
      FROM tables, aclexplode(relacl)
) s ORDER BY step, oid";

/// All that matters of these tables, a line each: columns, constraints, indexes and storage options.
const DESCRIBED: &str = "
WITH tables AS (
    SELECT c.oid, c.relname, c.reloptions FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind = 'r')
SELECT line FROM (
    SELECT concat_ws(' ', relname, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)) AS line
      FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
    UNION ALL
    SELECT concat_ws(' ', relname, conname, pg_get_constraintdef(c.oid))
      FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid
    UNION ALL
    SELECT replace(pg_get_indexdef(i.indexrelid), ' ON ' || quote_ident($1) || '.', ' ON ')
      FROM tables t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname <> ALL ($3)
    UNION ALL
    SELECT concat_ws(' ', relname, reloptions::text) FROM tables
) d ORDER BY line COLLATE \"C\"";

/// The statements that make those of these indexes that are missing. Asked with the running schema as search path.
const MISSING: &str = "
SELECT pg_get_indexdef(c.oid, 0, true) FROM pg_class c
 WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'i' AND c.relname = ANY ($3)
   AND NOT EXISTS (SELECT FROM pg_class o WHERE o.relnamespace = $2::regnamespace AND o.relname = c.relname)
 ORDER BY c.oid";

/// Makes a schema with tables like the running ones, without the indexes that are made later. Within a transaction: it leaves its search path at that schema.
pub(super) async fn create(
    connection: &mut PgConnection,
    schema: &str,
    tables: &[&str],
    later: &[&str],
) -> Result<(), sqlx::Error> {
    let statements: Vec<String> = sqlx::query_scalar(LIKE)
        .bind(SCHEMA)
        .bind(schema)
        .bind(tables)
        .bind(later)
        .fetch_all(&mut *connection)
        .await?;
    let begin =
        [format!("CREATE SCHEMA {}", quoted(schema)), format!("SET LOCAL search_path TO {}", quoted(schema))];
    for statement in begin.into_iter().chain(statements) {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Makes the indexes that are missing, of those that are made later.
pub(super) async fn complete(
    connection: &mut PgConnection,
    schema: &str,
    later: &[&str],
) -> Result<(), sqlx::Error> {
    let missing: Vec<String> =
        sqlx::query_scalar(MISSING).bind(SCHEMA).bind(schema).bind(later).fetch_all(&mut *connection).await?;
    for statement in missing {
        let mut transaction = connection.begin().await?;
        for sql in [format!("SET LOCAL search_path TO {}", quoted(schema)), statement] {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}

/// Whether the tables of both schemas are made alike, but for these indexes.
pub(super) async fn alike(
    connection: &mut PgConnection,
    schema: &str,
    tables: &[&str],
    but: &[&str],
) -> Result<bool, sqlx::Error> {
    let mut described = Vec::new();
    for schema in [SCHEMA, schema] {
        let lines: Vec<String> = sqlx::query_scalar(DESCRIBED)
            .bind(schema)
            .bind(tables)
            .bind(but)
            .fetch_all(&mut *connection)
            .await?;
        described.push(lines);
    }
    Ok(described[0] == described[1])
}

/// A name as it stands in SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
