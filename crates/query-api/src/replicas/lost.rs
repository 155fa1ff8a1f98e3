//! What a query can fail with, and whether asking again helps.

use std::io::ErrorKind;

use crate::error::Error;

/// Whether another server may answer what this one has failed with: it is away, busy, shutting down, has cancelled the query to
/// get on with its replay, or does not have a table yet. What is wrong with the question, or with what is stored, is the
/// same everywhere.
pub(super) fn is_elsewhere_better(error: &Error) -> bool {
    let Some(error) = of_database(error) else { return false };
    match error {
        sqlx::Error::Database(error) => !error.code().is_some_and(|code| code.starts_with("22")),
        error => is_connection(error),
    }
}

/// Whether the same server may answer when it is asked at once again: only this connection or this transaction was lost.
pub(super) fn is_passing(error: &Error) -> bool {
    match of_database(error) {
        _ if is_late(error) => false,
        Some(sqlx::Error::Database(error)) => {
            error.code().is_some_and(|code| code.starts_with("40") || code.starts_with("57P"))
        }
        Some(sqlx::Error::Io(_)) => true,
        _ => false,
    }
}

/// Whether the server itself may be the trouble, so that it should be looked at. No free connection is no such sign.
pub(super) fn is_suspect(error: &Error) -> bool {
    match of_database(error) {
        Some(sqlx::Error::Database(error)) => error.code().is_some_and(|code| code.starts_with("57P")),
        Some(sqlx::Error::PoolTimedOut) | None => false,
        Some(_) if is_late(error) => false,
        Some(error) => is_connection(error),
    }
}

/// It took too long. It may be the question that does, on any server; a server that says nothing is found out by looking at it.
pub(super) fn is_late(error: &Error) -> bool {
    matches!(of_database(error), Some(sqlx::Error::Io(error)) if error.kind() == ErrorKind::TimedOut)
}

fn is_connection(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    matches!(
        error,
        E::Io(_) | E::Tls(_) | E::Protocol(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed
    )
}

fn of_database(error: &Error) -> Option<&sqlx::Error> {
    match error {
        Error::Database(error) | Error::Projections(projections::Error::Database(error)) => Some(error),
        _ => None,
    }
}
