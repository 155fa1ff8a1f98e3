//! Whose an e-mail address is, as the log has it.

use domain::customer::EmailIndex;
use domain::customer::email::{State, evolve};
use domain::ids::CustomerId;
use domain::{Event, StreamId};
use event_store::Wanted;
use http_surface::Problem;

use crate::app::App;
use crate::edge::log_failure;

/// The customer who has that address. `None`: nobody, or somebody who is no customer.
pub(crate) async fn owner(app: &App, index: &EmailIndex) -> Result<Option<CustomerId>, Problem> {
    let wanted = [Wanted { stream: StreamId::email(index), after_version: 0 }];
    let loaded = app.store.load(&wanted).await.map_err(log_failure)?;
    Ok(loaded.first().and_then(|loaded| {
        let state = match &loaded.snapshot {
            Some((_, domain::State::Email(state))) => state.clone(),
            _ => State::default(),
        };
        let events = loaded.events.iter().filter_map(|recorded| match &recorded.event {
            Event::Customer(event) => Some(event),
            _ => None,
        });
        events.fold(state, evolve).owner()
    }))
}
