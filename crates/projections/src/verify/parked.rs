//! What is parked: kept in the log and shown to nobody until it is retried.

use sqlx::PgPool;

use super::Check;
use super::finding::{Finding, counted};
use crate::{Error, ReadModel, parked};

pub(super) async fn check(read: &PgPool, models: &[Box<dyn ReadModel>]) -> Result<Check, Error> {
    let mut finding = Finding::default();
    for one in parked(read).await? {
        finding.found(|| format!("{} is parked for {} at position {}", one.stream, one.model, one.position));
    }
    Ok(finding.check("no stream is parked", counted(models.len() as u64, "read model")))
}
