//! Waiting for the payment of an order. However many people wait, the log is followed once, and only while somebody waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ids::OrderId;
use domain::order::Status;
use event_store::{EventStore, Head, Position, Received};
use tokio::sync::oneshot;

/// How long to wait for a wake-up before looking at the log again: another process may have appended.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Pause after a failure, before the log is followed again.
const RETRY: Duration = Duration::from_millis(250);

/// What settles an order's payment, and what the order's status is then.
const SETTLEMENTS: [(&str, Status); 3] = [
    ("OrderConfirmed", Status::Confirmed),
    ("OrderPaymentFailed", Status::PaymentFailed),
    ("OrderCancelled", Status::Cancelled),
];

/// How an order's payment was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) status: Status,
    /// Where the log says so.
    pub(crate) head: Head,
    /// The order's version then.
    pub(crate) version: u32,
}

/// Who waits for which order.
#[derive(Clone)]
pub(crate) struct Settlements(Arc<Shared>);

struct Shared {
    store: EventStore,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    orders: HashMap<OrderId, Vec<oneshot::Sender<Settled>>>,
    /// Whether somebody follows the log for them.
    followed: bool,
}

impl Settlements {
    pub(crate) fn new(store: EventStore) -> Self {
        Self(Arc::new(Shared { store, waiting: Mutex::default() }))
    }

    /// Begins to wait. Called before the order is placed, so that nothing is missed.
    pub(crate) async fn watch(
        &self,
        order_id: OrderId,
    ) -> Result<oneshot::Receiver<Settled>, event_store::Error> {
        let mut from = None;
        loop {
            {
                let mut waiting = self.0.waiting();
                if waiting.followed || from.is_some() {
                    let (sender, receiver) = oneshot::channel();
                    waiting.orders.entry(order_id).or_default().push(sender);
                    if let (false, Some(from)) = (waiting.followed, from) {
                        waiting.followed = true;
                        tokio::spawn(follow(self.0.clone(), from));
                    }
                    return Ok(receiver);
                }
            }
            // Nobody follows: it begins where the log ends now, which is before whatever the caller does next.
            from = Some(self.0.store.head().await?);
        }
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A panic elsewhere leaves a map that is whole: every change of it is one call.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets orders that nobody waits for any more. `false`: nobody waits, and nobody follows from now on.
    fn still_waiting(&self) -> bool {
        let mut waiting = self.waiting();
        waiting.orders.retain(|_, senders| {
            senders.retain(|sender| !sender.is_closed());
            !senders.is_empty()
        });
        waiting.followed = !waiting.orders.is_empty();
        waiting.followed
    }

    fn tell(&self, epoch: uuid::Uuid, received: &Received) {
        let (type_name, stream, version, position) = match received {
            Ok(event) => (&event.type_name, &event.stream, event.version, event.position),
            Err(event) => (&event.type_name, &event.stream, event.version, event.position),
        };
        let status = SETTLEMENTS.iter().find(|(name, _)| name == type_name).map(|(_, status)| *status);
        let Some(status) = status else { return };
        let Ok(order_id) = stream.key().parse() else { return };
        let settled = Settled { status, head: Head { epoch, position }, version };
        for sender in self.waiting().orders.remove(&order_id).into_iter().flatten() {
            // Whoever waited may have gone away.
            let _ = sender.send(settled);
        }
    }

    /// Waits for an append, or for what another process may have appended.
    async fn more_than(&self, position: Position) {
        self.store.wake().beyond(position, LOOK_AGAIN).await;
    }
}

/// Follows the settlements of all orders for as long as somebody waits.
async fn follow(shared: Arc<Shared>, mut from: Head) {
    while shared.still_waiting() {
        shared.more_than(from.position).await;
        match next(&shared, from).await {
            Ok(reached) => from = reached,
            Err(error) => {
                tracing::warn!(%error, "settlements cannot be followed just now: the log could not be read");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Tells of the next settlements, if there are any; how far the log was looked at.
async fn next(shared: &Shared, from: Head) -> Result<Head, event_store::Error> {
    let Some(stretch) = shared.store.stretch_after(from.position).await? else {
        // Of another log there may be nothing for long.
        let head = shared.store.head().await?;
        return Ok(if head.epoch == from.epoch { from } else { anew(head) });
    };
    if stretch.epoch != from.epoch {
        return Ok(anew(shared.store.head().await?));
    }
    stretch.events_after(from.position).iter().for_each(|event| shared.tell(stretch.epoch, event));
    Ok(Head { position: stretch.through(), ..from })
}

fn anew(head: Head) -> Head {
    tracing::warn!("the log has another epoch; settlements are followed from its head");
    head
}
