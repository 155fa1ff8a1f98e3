//! What can be asked of orders alone. What also moves stock or money is in [`crate::checkout`].

use super::Pieces;
use crate::Actor;
use crate::ids::{OrderId, ReturnId, ShipmentId};

/// What can be asked of orders alone.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Command {
    /// A shipment arrived (staff or carrier).
    Deliver { order_id: OrderId, shipment_id: ShipmentId },
    /// The buyer asks to give pieces back; `None`: everything delivered and not yet returned.
    RequestReturn {
        order_id: OrderId,
        by: Actor,
        return_id: ReturnId,
        lines: Option<Vec<Pieces>>,
        reason: String,
    },
}
