//! `given(events).when(command).then(events)`: how every rule of this crate is tested.

use std::collections::HashMap;

use crate::command::{Decision, States};
use crate::{
    Command, Event, Refusal, State, StreamId, cart, checkout, customer, notification, order, payment,
    product, stock,
};

/// An event and the stream it is of.
pub(super) type Happened = (StreamId, Event);

/// States as the engine holds them: folded from events, and loaded when a command asks for them.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    states: HashMap<StreamId, State>,
}

impl World {
    /// What these events make of an empty world.
    pub(super) fn of(events: impl IntoIterator<Item = Happened>) -> Self {
        let mut world = Self::default();
        for (stream, event) in events {
            world.apply(stream, &event);
        }
        world
    }

    /// One more event.
    pub(super) fn apply(&mut self, stream: StreamId, event: &Event) {
        let state = self.states.remove(&stream).unwrap_or_else(|| State::initial(stream.category()));
        self.states.insert(stream, state.evolve(event));
    }

    /// A state as a snapshot has it.
    pub(super) fn put(&mut self, stream: StreamId, state: State) {
        self.states.insert(stream, state);
    }

    /// Loads what the command names until it names nothing new, as the engine does.
    pub(super) fn load(&mut self, command: &Command) {
        loop {
            let mut streams = command.streams(&self.states);
            streams.retain(|stream| !self.states.contains_key(stream));
            if streams.is_empty() {
                return;
            }
            for stream in streams {
                let initial = State::initial(stream.category());
                self.states.insert(stream, initial);
            }
        }
    }

    /// Loads and decides; changes nothing.
    pub(super) fn decide(&mut self, command: &Command) -> Result<Decision, Refusal> {
        self.load(command);
        command.decide(&self.states)
    }

    /// All loaded states.
    pub(super) fn states(&self) -> &HashMap<StreamId, State> {
        &self.states
    }
}

impl States for World {
    fn get(&self, stream: &StreamId) -> Option<&State> {
        self.states.get(stream)
    }
}

/// Starts a test: this has happened.
pub(super) fn given(events: impl IntoIterator<Item = Happened>) -> Given {
    Given { events: events.into_iter().collect() }
}

/// What has happened.
pub(super) struct Given {
    events: Vec<Happened>,
}

impl Given {
    /// This is asked.
    pub(super) fn when(self, command: impl Into<Command>) -> When {
        When { answer: World::of(self.events).decide(&command.into()) }
    }
}

/// What was answered.
pub(super) struct When {
    answer: Result<Decision, Refusal>,
}

impl When {
    /// Exactly this happens, in this order.
    #[track_caller]
    pub(super) fn then(self, expected: impl IntoIterator<Item = Happened>) {
        let expected: Vec<_> = expected.into_iter().collect();
        assert!(!expected.is_empty(), "say then_nothing()");
        match self.answer {
            Ok(decision) => assert_eq!(decision.events, expected),
            Err(refusal) => panic!("refused: {} ({refusal})", refusal.code),
        }
    }

    /// It is accepted, and nothing happens.
    #[track_caller]
    pub(super) fn then_nothing(self) {
        match self.answer {
            Ok(decision) => assert_eq!(decision.events, []),
            Err(refusal) => panic!("refused: {} ({refusal})", refusal.code),
        }
    }

    /// It is refused with this code; the refusal is given back for a closer look.
    #[track_caller]
    pub(super) fn then_err(self, code: &str) -> Refusal {
        match self.answer {
            Ok(decision) => panic!("accepted: {:?}", decision.events),
            Err(refusal) => {
                assert_eq!(refusal.code, code, "{refusal}");
                assert!(!refusal.detail.is_empty());
                refusal
            }
        }
    }
}

macro_rules! commands {
    ($($variant:ident($module:ident)),* $(,)?) => {
        $(impl From<$module::Command> for Command {
            fn from(command: $module::Command) -> Self { Self::$variant(command) }
        })*
    };
}
commands! {
    Customer(customer),
    Product(product),
    Stock(stock),
    Cart(cart),
    Order(order),
    Payment(payment),
    Notification(notification),
    Checkout(checkout),
}
