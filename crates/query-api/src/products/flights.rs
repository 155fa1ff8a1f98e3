//! One question at a time: who asks what somebody else is just asking waits for that answer instead of asking the same again.
//! Without it, an answer that takes longer than it is kept is asked for by everybody at once, and overload makes itself worse.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::consistency::After;

/// Whoever has waited so long for somebody else asks as well.
const PATIENCE: Duration = Duration::from_secs(2);

/// The questions that are on their way. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<String, watch::Receiver<()>>>>);

/// A question on its way; over when it is dropped, whether it was answered or its caller went away.
pub(super) struct Flight {
    flights: Flights,
    question: Option<String>,
    /// Its end is what the others wait for.
    _landing: watch::Sender<()>,
}

impl Flights {
    /// The question is the caller's to ask, as long as it holds what comes back. `None`: somebody was asking it already, and that is over,
    /// or takes too long.
    pub(super) async fn turn(&self, question: &str, after: After) -> Option<Flight> {
        match self.begin(question, after) {
            Ok(flight) => Some(flight),
            Err(mut landed) => {
                // Nothing is ever sent: the sender is dropped.
                let _ = tokio::time::timeout(PATIENCE, landed.changed()).await;
                None
            }
        }
    }

    fn begin(&self, question: &str, after: After) -> Result<Flight, watch::Receiver<()>> {
        let (landing, landed) = watch::channel(());
        let flight = |question| Flight { flights: self.clone(), question, _landing: landing };
        // Whoever has a token may have to wait until the rows are as far: nobody else waits for that.
        if after.head().is_some() {
            return Ok(flight(None));
        }
        let mut under = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(landed) = under.get(question) {
            return Err(landed.clone());
        }
        under.insert(question.to_owned(), landed);
        Ok(flight(Some(question.to_owned())))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(question) = &self.question {
            self.flights.0.lock().unwrap_or_else(PoisonError::into_inner).remove(question);
        }
    }
}

#[cfg(test)]
mod tests {
    use event_store::Head;
    use uuid::Uuid;

    use super::*;

    fn place(position: i64) -> After {
        After::everything_to(Head { epoch: Uuid::from_u128(1), position: position.into() })
    }

    #[tokio::test]
    async fn the_second_waits_until_the_first_is_over() {
        let flights = Flights::default();
        let first = flights.begin("a", After::nothing()).ok().unwrap();
        let mut second = Box::pin(flights.turn("a", After::nothing()));
        assert!(futures::poll!(second.as_mut()).is_pending());
        assert!(flights.begin("b", After::nothing()).is_ok(), "another question waits for nothing");
        drop(first);
        assert!(second.await.is_none());
        assert!(flights.turn("a", After::nothing()).await.is_some());
    }

    #[tokio::test]
    async fn nobody_waits_for_whoever_has_a_token_nor_for_ever() {
        let flights = Flights::default();
        let ahead = flights.begin("a", place(7)).ok().unwrap();
        let first = flights.begin("a", After::nothing()).ok().unwrap();
        assert!(flights.begin("a", place(0)).is_ok(), "nobody knows what the one without a token shows");
        drop(ahead);
        assert!(flights.begin("a", After::nothing()).is_err(), "the first is still on its way");
        assert!(flights.turn("a", After::nothing()).await.is_none(), "it takes too long");
        drop(first);
        assert!(flights.begin("a", After::nothing()).is_ok());
    }
}
