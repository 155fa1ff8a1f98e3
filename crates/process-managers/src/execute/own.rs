//! Steps that need nobody outside.

use chrono::Utc;
use domain::ids::{NotificationId, OrderId, SubjectId};
use domain::notification::{self, Channel, Template};
use domain::{Command, Time, checkout};
use uuid::Uuid;

use super::Task;
use crate::steps::Ended;

/// A notice is worth sending for so long.
const WORTH_SENDING: chrono::Duration = chrono::Duration::days(7);

impl Task {
    /// The time to pay is over. An order that does not wait any more never waits again.
    pub(super) async fn expire(&self, order_id: OrderId, at: Time) -> Ended {
        match self.order() {
            Ok(order) if order.is_pending() => {
                // The database says that it is time. Were our clock late, the engine would find that it is not.
                let at = at.max(Utc::now());
                let command = checkout::Command::ExpireOrder { order_id, at };
                self.command("expired", Command::Checkout(command)).await
            }
            Ok(_) => Ended::Done,
            Err(ended) => ended,
        }
    }

    /// Somebody is forgotten: the key of their personal data, and how they signed in.
    pub(super) async fn destroy_key(&self, subject: SubjectId) -> Ended {
        if let Err(error) = self.runner.store.destroy_key(subject).await {
            return self.later(error.to_string());
        }
        match self.runner.accounts.forget(subject.0).await {
            Ok(()) => Ended::Done,
            Err(error) => self.later(error.to_string()),
        }
    }

    /// A notice is requested, in the language of the order. Whoever sends it looks up to whom.
    pub(super) async fn notify(&self, order_id: OrderId, template: Template) -> Ended {
        let order = match self.order() {
            Ok(order) => order,
            Err(ended) => return ended,
        };
        let requested = notification::Requested {
            notification_id: NotificationId(Uuid::new_v5(&order_id.0, self.claimed.key.as_bytes())),
            order_id,
            template,
            channel: Channel::Email,
            locale: order.locale.clone(),
            expires_at: self.claimed.cause.recorded_at + WORTH_SENDING,
        };
        self.command("requested", Command::Notification(notification::Command::Request(requested))).await
    }
}
