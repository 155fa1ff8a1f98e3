//! `GET /v1/replenishment-alerts`: what must be ordered again.

use axum::Json;
use axum::extract::State;
use event_store::{Patient, Position};
use http_surface::Query;
use http_surface::auth::{Caller, Role};
use projections::stock::Stock as Model;
use projections::stock::query::{self, Alert};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::consistency::After;
use crate::error::Error;
use crate::page::{self, Page};
use crate::refusals::{Refusals, Unauthenticated, Unauthorised};

/// The name of this list in its cursors.
const LIST: &str = "replenishment-alerts";

/// Which alerts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Those that are done with as well; otherwise the open ones only.
    #[serde(default)]
    #[param(default = false, required = false)]
    all: bool,
    /// Where the last page ended.
    cursor: Option<String>,
    /// At most so many, 1 to 100; 20 when it is left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Alerts, newest first. One is raised when the available pieces fall to the reorder point, and open until goods come in.
#[utoipa::path(
    get, path = "/v1/replenishment-alerts", tag = "catalogue", params(Asked, After),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Some alerts", body = Page<Alert>),
        Refusals, Unauthenticated, Unauthorised,
    ),
)]
pub(crate) async fn alerts(
    State(app): State<App>,
    caller: Caller,
    Query(asked): Query<Asked>,
    after: After,
) -> Result<Json<Page<Alert>>, Error> {
    caller.require(&[Role::Staff])?;
    let limit = page::limit(asked.limit)?;
    let before: Option<Position> = page::after(&app.keys, LIST, &asked.all, asked.cursor.as_deref())?;
    let all = asked.all;
    let find = |read: Patient| async move {
        if all {
            query::alerts_ever(&read, before, limit + 1).await
        } else {
            query::alerts(&read, before, limit + 1).await
        }
    };
    let items = app.read(after, &[Model::NAME], find).await?;
    Page::of(items, limit, |last| page::cursor(&app.keys, LIST, &asked.all, last.position)).map(Json)
}
