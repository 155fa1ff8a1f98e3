//! `POST /v1/webhooks/{gateway}`: what a gateway tells. It may come late, twice and out of order; all of that commutes.

use axum::Json;
use axum::extract::{Request, State};
use chrono::Utc;
use domain::ids::CaptureId;
use domain::{Actor, Command, Kind, checkout};
use event_store::{CommandKey, Metadata};
use http_surface::{Correlation, PathText, Problem, body_bytes};
use payments::{News, Notice};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::edge::{Missing, NotWell, TooLarge, Unauthenticated};
use crate::engine::{Error, Submission};

/// No gateway's notice is longer.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The notice was taken.
#[derive(Serialize, ToSchema)]
pub(crate) struct Taken {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// A payment gateway tells something. The body and the signature are its own.
#[utoipa::path(
    post, path = "/v1/webhooks/{gateway}", tag = "webhooks",
    params(("gateway" = String, Path, description = "The gateway")),
    request_body(content = String, content_type = "application/json", description = "The gateway's own"),
    responses(
        (status = 200, description = "It is taken, now or before", body = Taken),
        Unauthenticated, Missing, TooLarge, NotWell,
    ),
)]
pub(crate) async fn notice(
    State(app): State<App>,
    PathText(name): PathText<String>,
    correlation: Correlation,
    request: Request,
) -> Result<Json<Taken>, Problem> {
    let gateway = app.gateways.get(&name).ok_or_else(|| Problem::not_found("gateway"))?;
    let headers = request.headers().clone();
    let body = body_bytes(request, BODY_BYTES_MAX).await?;
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    let notice = gateway.verify_webhook(&header, &body, Utc::now().timestamp()).map_err(|forged| {
        tracing::warn!(gateway = name, reason = %forged, "a webhook was not believed");
        Problem::unauthorised("forged-webhook", "the webhook is not signed as it must be")
    })?;
    if let Some((outcome, capture)) = outcome(&notice) {
        let payment_id = notice.payment_id;
        let command = checkout::Command::SettlePayment { payment_id, outcome, capture };
        settle(&app, &name, &notice, command, correlation).await?;
    }
    Ok(Json(Taken { status: "ok" }))
}

/// What the gateway decided, and the capture that goes with it where it has taken the money already.
fn outcome(notice: &Notice) -> Option<(checkout::Outcome, Option<CaptureId>)> {
    match &notice.news {
        News::Authorised(authorisation) => {
            let (gateway_reference, amount) = (authorisation.reference.clone(), authorisation.amount);
            let capture = authorisation.capture(notice.payment_id);
            Some((checkout::Outcome::Authorised { gateway_reference, amount }, capture))
        }
        News::Declined { reason } => Some((checkout::Outcome::Declined { reason: reason.clone() }, None)),
        News::Nothing => None,
    }
}

/// Gives the news to the engine. What contradicts the log for good is looked at by people, not sent again by the gateway.
async fn settle(
    app: &App,
    gateway: &str,
    notice: &Notice,
    command: checkout::Command,
    correlation: Correlation,
) -> Result<(), Problem> {
    let name = format!("webhook-{gateway}-{}", notice.event_id);
    let submission = Submission {
        key: CommandKey { scope: 0, id: Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()) },
        fingerprint: [0; 32],
        metadata: Metadata {
            correlation_id: correlation.id,
            causation_id: None,
            actor: Actor::Gateway(gateway.to_owned()),
            traceparent: Some(correlation.traceparent),
        },
        command: Command::Checkout(command),
        answer: serde_json::Value::Null,
        if_match: None,
    };
    match app.engine.execute(submission).await {
        Ok(_) => Ok(()),
        Err(Error::Refused(refusal)) if refusal.kind == Kind::NotFound => Err(refusal.into()),
        Err(Error::Refused(refusal)) => {
            let payment_id = notice.payment_id;
            tracing::warn!(gateway, %payment_id, reason = %refusal, "a gateway contradicts the log; somebody must look");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
