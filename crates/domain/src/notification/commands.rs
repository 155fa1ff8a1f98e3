//! What can be asked of notices.

use super::Requested;
use crate::ids::NotificationId;

/// What can be asked of a notice.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Command {
    /// Tell somebody something. Asked twice with the same id: once.
    Request(Requested),
    /// It was handed to the provider.
    RecordSent { notification_id: NotificationId, provider_reference: String },
    /// It could not be sent.
    RecordFailed { notification_id: NotificationId, reason: String },
}
