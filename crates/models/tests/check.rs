//! Running a model through the checker.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

use stateright::{Checker, Expectation, HasDiscoveries, Model};

/// Visits every reachable state. All that must always be so is so, and all that must be possible is.
#[track_caller]
pub(crate) fn holds<M>(name: &str, model: M)
where
    M: Model<State: Clone + Debug + Hash + PartialEq + Send + Sync, Action: Clone + Debug + PartialEq>
        + Send
        + Sync
        + 'static,
{
    let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    checker.assert_properties();
    println!("{name}: {} states, at most {} steps deep", checker.unique_state_count(), checker.max_depth());
}

/// The shortest way to a state that must never be: the checker must find one.
#[track_caller]
pub(crate) fn breaks<M>(name: &str, model: M, property: &'static str)
where
    M: Model<State: Clone + Debug + Hash + PartialEq + Send + Sync, Action: Clone + Debug + PartialEq>
        + Send
        + Sync
        + 'static,
{
    let wanted = HasDiscoveries::AllOf([property].into());
    let checker = model.checker().finish_when(wanted).spawn_bfs().join();
    let found = checker.discoveries();
    let Some(path) = found.get(property) else {
        panic!("{name}: nothing breaks {property:?} in {} states", checker.unique_state_count());
    };
    let actions = path.clone().into_actions();
    println!("{name}: {property:?} is broken by {} steps: {actions:?}", actions.len());
}

/// As [`holds`], and from every reachable state the end can still be reached: nothing is ever stuck, however it came there. That
/// is what the checker's own `eventually` cannot say of a model with cycles.
#[track_caller]
pub(crate) fn holds_and_ends<M>(name: &str, model: M, ended: impl Fn(&M::State) -> bool)
where
    M: Model<State: Clone + Debug + Hash + PartialEq + Send + Sync, Action: Clone + Debug + PartialEq>
        + Send
        + Sync
        + 'static,
{
    let states = Reachable::of(&model);
    if let Some(stuck) = states.without_a_way_to(&ended) {
        panic!("{name}: from here the end cannot be reached any more: {stuck:#?}");
    }
    if !states.fit(&model) {
        // Says how it comes about.
        holds(name, model);
        panic!("{name}: something does not hold, and the checker does not see it");
    }
    println!("{name}: {} states, the end can be reached from each", states.all.len());
}

/// The most that anything comes to in any reachable state.
pub(crate) fn most<M>(model: &M, of: impl Fn(&M::State) -> u8) -> u8
where
    M: Model<State: Clone + Debug + Hash>,
{
    Reachable::of(model).all.iter().map(of).max().unwrap_or_default()
}

/// The opposite: the checker must find a state that is stuck.
#[track_caller]
pub(crate) fn can_be_stuck<M>(model: &M, ended: impl Fn(&M::State) -> bool)
where
    M: Model<State: Clone + Debug + Hash>,
{
    assert!(Reachable::of(model).without_a_way_to(&ended).is_some(), "nothing is ever stuck");
}

/// Every reachable state, and where each was reached from.
struct Reachable<S> {
    all: Vec<S>,
    from: Vec<Vec<u32>>,
}

impl<S: Clone + Debug + Hash> Reachable<S> {
    fn of<M: Model<State = S>>(model: &M) -> Self {
        let mut found = Self { all: Vec::new(), from: Vec::new() };
        let mut places = HashMap::new();
        for state in model.init_states() {
            found.place(&mut places, state);
        }
        let mut next = 0;
        while next < found.all.len() {
            let state = found.all[next].clone();
            for after in model.next_states(&state) {
                let place = found.place(&mut places, after);
                found.from[place].push(next as u32);
            }
            next += 1;
        }
        found
    }

    fn place(&mut self, places: &mut HashMap<u64, usize>, state: S) -> usize {
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        match places.entry(hasher.finish()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                new.insert(self.all.len());
                self.all.push(state);
                self.from.push(Vec::new());
                self.all.len() - 1
            }
        }
    }

    fn fit<M: Model<State = S>>(&self, model: &M) -> bool {
        model.properties().into_iter().all(|property| {
            let mut all = self.all.iter();
            match property.expectation {
                Expectation::Sometimes => all.any(|state| (property.condition)(model, state)),
                _ => all.all(|state| (property.condition)(model, state)),
            }
        })
    }

    fn without_a_way_to(&self, ended: impl Fn(&S) -> bool) -> Option<&S> {
        let mut can: Vec<bool> = self.all.iter().map(ended).collect();
        let mut open: Vec<usize> = (0..can.len()).filter(|index| can[*index]).collect();
        while let Some(index) = open.pop() {
            for before in self.from[index].iter().map(|before| *before as usize) {
                if !std::mem::replace(&mut can[before], true) {
                    open.push(before);
                }
            }
        }
        can.iter().position(|can| !can).map(|index| &self.all[index])
    }
}
