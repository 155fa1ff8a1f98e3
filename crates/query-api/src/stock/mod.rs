//! Stock: on hand, reserved, available; as it is, as it changes, and what is running out.

pub(crate) mod live;

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::Response;
use domain::text::Sku;
use futures::stream::{self, Stream as FuturesStream};
use http_surface::auth::{Caller, Role};
use http_surface::{PathId, Query};
use projections::stock::Stock as Model;
use projections::stock::query::{self, Alert, Stock};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::IntoParams;

use crate::app::App;
use crate::caller;
use crate::conditional::{self, IfNoneMatch};
use crate::consistency::After;
use crate::error::Error;
use crate::page::{self, Page};
use crate::refusals::{Missing, Refusals, Unauthenticated, Unauthorised};

/// Proxies close what is silent for long; this is sent while nothing changes.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
