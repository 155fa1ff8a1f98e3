//! The log, folded: the states of all streams, the steps that follow from its events, and the names of the commands in it. Every
//! decision, every state and every step is the domain's own.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use domain::ids::{OrderId, PaymentId};
use domain::process::{Happened, Step, react};
use domain::{Command, Event, Refusal, State, States, StreamId, Time, order, payment, stock};

use super::given;

/// A state, and its fingerprint: worked out once, when it changes.
#[derive(Debug, Clone)]
struct Held {
    state: Arc<State>,
    hash: u64,
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}
impl Hash for Held {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.hash.hash(hasher);
    }
}
impl Held {
    fn new(state: State) -> Self {
        let mut hasher = DefaultHasher::new();
        serde_json::to_string(&state).unwrap().hash(&mut hasher);
        Self { state: Arc::new(state), hash: hasher.finish() }
    }
}

/// What became of the pieces of an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Fate {
    pub(super) reserved: u32,
    pub(super) released: u32,
    pub(super) shipped: u32,
}

/// A step that is written down (`process.steps`), and its tries that are under way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Todo {
    pub(super) step: Step,
    pub(super) done: bool,
    /// A try has begun before.
    pub(super) tried: bool,
    /// Somebody must look.
    pub(super) attention: bool,
    pub(super) tries: Vec<super::manager::Try>,
}

impl Hash for Todo {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        // The step itself follows from its key.
        (self.done, self.tried, self.attention, &self.tries).hash(hasher);
    }
}

#[derive(Debug, Clone, Default, PartialEq, Hash)]
pub(super) struct World {
    states: BTreeMap<StreamId, Held>,
    pub(super) steps: BTreeMap<String, Todo>,
    /// `log.commands`.
    names: BTreeSet<String>,
    pub(super) fates: BTreeMap<OrderId, Fate>,
}

impl States for World {
    fn get(&self, stream: &StreamId) -> Option<&State> {
        self.states.get(stream).map(|held| held.state.as_ref())
    }
}

impl World {
    /// A world in which that has happened.
    pub(super) fn of(history: Vec<(StreamId, Event)>) -> Self {
        let mut world = Self::default();
        history.iter().for_each(|(stream, event)| world.append(stream, event));
        world
    }

    /// Gives a command under a name, as the engine does: what was done under it before is not done again.
    pub(super) fn execute(
        &mut self,
        name: &str,
        command: &Command,
        forgets: fn(&Event) -> bool,
    ) -> Result<(), Refusal> {
        if self.names.contains(name) {
            return Ok(());
        }
        self.load(command);
        let decision = command.decide(self)?;
        for (stream, event) in decision.events.iter().filter(|(_, event)| !forgets(event)) {
            self.append(stream, event);
        }
        self.names.insert(name.to_owned());
        Ok(())
    }

    /// Streams that nothing has happened to are loaded, too.
    fn load(&mut self, command: &Command) {
        loop {
            let missing =
                command.streams(self).into_iter().filter(|stream| !self.states.contains_key(stream));
            let missing: Vec<_> = missing.collect();
            if missing.is_empty() {
                return;
            }
            for stream in missing {
                let initial = Held::new(State::initial(stream.category()));
                self.states.insert(stream, initial);
            }
        }
    }

    fn append(&mut self, stream: &StreamId, event: &Event) {
        let before = self.states.get(stream).map(|held| State::clone(&held.state));
        let before = before.unwrap_or_else(|| State::initial(stream.category()));
        self.states.insert(stream.clone(), Held::new(before.evolve(event)));
        self.count(event);
        let happened = Happened { event, stream, position: 0, recorded_at: Time::UNIX_EPOCH };
        for step in react(&happened) {
            if matches!(step, Step::Notify { .. } | Step::DestroyKey { .. }) {
                continue;
            }
            let new =
                Todo { step: step.clone(), done: false, tried: false, attention: false, tries: Vec::new() };
            self.steps.entry(step.key()).or_insert(new);
        }
    }

    fn count(&mut self, event: &Event) {
        let Event::Stock(event) = event else { return };
        match event {
            stock::Event::Reserved(each) => self.fate(each.order_id).reserved += each.quantity,
            stock::Event::Released(each) => self.fate(each.order_id).released += each.quantity,
            stock::Event::Shipped(each) => self.fate(each.order_id).shipped += each.quantity,
            _ => {}
        }
    }

    fn fate(&mut self, order: OrderId) -> &mut Fate {
        self.fates.entry(order).or_default()
    }

    pub(super) fn order(&self, id: OrderId) -> Option<&order::Known> {
        order::state_of(self, id).ok()?.known()
    }

    pub(super) fn payment(&self, id: PaymentId) -> Option<&payment::Known> {
        payment::state_of(self, id).ok()?.known()
    }

    pub(super) fn stock(&self) -> &stock::State {
        stock::state_of(self, &given::sku()).unwrap()
    }

    /// Makes the stock look as it did in another world.
    pub(super) fn with_stock_of(&self, other: &Self) -> Self {
        let stream = StreamId::stock(&given::sku());
        let mut world = self.clone();
        world.states.insert(stream.clone(), other.states[&stream].clone());
        world
    }

    /// Appends what was decided elsewhere.
    pub(super) fn append_all(&mut self, events: &[(StreamId, Event)]) {
        events.iter().for_each(|(stream, event)| self.append(stream, event));
    }
}
