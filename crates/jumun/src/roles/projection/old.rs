//! `jumun projection rollback|drop-old`: what becomes of the copies that were swapped out.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use event_store::EventStore;
use serde_json::json;
use sqlx::PgPool;

/// Swaps an old copy back in.
pub(super) async fn rollback(name: &str, read: &PgPool, store: &EventStore, as_json: bool) -> Result<()> {
    let model = super::model(name)?;
    let began = Instant::now();
    let position = projections::rebuild::rollback(read, store, Arc::from(model)).await?;
    if as_json {
        println!("{}", json!({"name": name, "position": position.0}));
    } else {
        println!("{name:<14}rolled back to {position} in {:.1} s", began.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Throws an old copy away.
pub(super) async fn drop_old(name: &str, read: &PgPool, as_json: bool) -> Result<()> {
    let gone = projections::rebuild::drop_old(read, super::model(name)?.name()).await?;
    if as_json {
        println!("{}", json!({"name": name, "dropped": gone}));
    } else {
        println!("{name:<14}{}", if gone { "the old copy is gone" } else { "there is no old copy" });
    }
    Ok(())
}
