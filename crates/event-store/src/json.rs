//! JSON that is text already, as a value of PostgreSQL's type `json`: sqlx has its own only for what is yet to be written as text.

use std::fmt;

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, Postgres};
use sqlx::{Encode, Type};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{self, ToSql, to_sql_checked};

/// JSON as text. The server checks that it is JSON.
#[derive(Clone, Copy)]
pub(crate) struct JsonText<'a>(pub(crate) &'a str);

/// Drivers show parameters when they are asked to tell all. What events say is for no log.
impl fmt::Debug for JsonText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of JSON", self.0.len())
    }
}

impl Type<Postgres> for JsonText<'_> {
    fn type_info() -> PgTypeInfo {
        // `json` in PostgreSQL's catalogue of types, the same in every installation.
        PgTypeInfo::with_oid(Oid(114))
    }
}

impl PgHasArrayType for JsonText<'_> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(199))
    }
}

impl Encode<'_, Postgres> for JsonText<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

impl ToSql for JsonText<'_> {
    fn to_sql(&self, _: &types::Type, buffer: &mut BytesMut) -> Result<types::IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(types::IsNull::No)
    }

    fn accepts(of: &types::Type) -> bool {
        *of == types::Type::JSON
    }

    to_sql_checked!();
}
