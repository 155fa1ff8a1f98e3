//! The way of one order, and how each event of its stream goes on with it.

use chrono::{DateTime, Utc};
use domain::ids::ShipmentId;
use domain::order::{self, Event, Pieces};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::orders::owner_columns;

/// A status that was reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = TrackingStep)]
pub struct Step {
    /// Which.
    #[schema(example = "confirmed")]
    pub status: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A shipment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Shipment {
    /// The shipment.
    #[schema(value_type = Uuid)]
    pub shipment_id: ShipmentId,
    /// What is in it.
    #[schema(value_type = Vec<crate::orders::schema::Pieces>)]
    pub lines: Vec<Pieces>,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's number.
    pub tracking_number: String,
    /// When it left.
    pub sent_at: DateTime<Utc>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) order_id: Uuid,
    pub(crate) version: i32,
    pub(crate) owner_kind: String,
    pub(crate) owner_id: Uuid,
    pub(crate) status: String,
    #[sqlx(json)]
    pub(crate) steps: Vec<Step>,
    #[sqlx(json)]
    pub(crate) shipments: Vec<Shipment>,
    #[sqlx(json)]
    pub(crate) state: order::State,
}

impl Row {
    /// The first step of an order.
    pub(crate) fn placed(event: &order::Placed, version: i32, at: DateTime<Utc>) -> Self {
        let (owner_kind, owner_id) = owner_columns(event.owner);
        let row = Self {
            order_id: event.order_id.0,
            version,
            owner_kind: owner_kind.to_owned(),
            owner_id,
            status: String::new(),
            steps: Vec::new(),
            shipments: Vec::new(),
            state: order::State::default(),
        };
        row.evolve(&Event::Placed(event.clone()), version, at)
    }

    /// The row after one more event of its stream. A step is added when the domain's status has changed by it.
    pub(crate) fn evolve(mut self, event: &Event, version: i32, at: DateTime<Utc>) -> Self {
        self.state = order::evolve(self.state, event);
        let status = self.state.status().map_or("", domain::order::Status::as_str);
        if self.status != status {
            status.clone_into(&mut self.status);
            self.steps.push(Step { status: status.to_owned(), at });
        }
        match event {
            Event::ShipmentSent(sent) => self.shipments.push(Shipment {
                shipment_id: sent.shipment_id,
                lines: sent.lines.clone(),
                carrier: sent.carrier.clone(),
                tracking_number: sent.tracking_number.clone(),
                sent_at: at,
                delivered_at: None,
            }),
            Event::ShipmentDelivered(delivered) => {
                let known =
                    self.shipments.iter_mut().find(|known| known.shipment_id == delivered.shipment_id);
                if let Some(shipment) = known {
                    shipment.delivered_at = Some(at);
                }
            }
            _ => {}
        }
        self.version = version;
        self
    }
}
