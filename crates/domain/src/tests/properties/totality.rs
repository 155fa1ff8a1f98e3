//! Evolving is total: whatever is stored, in whatever order, cannot make it panic.

use proptest::prelude::*;

use super::super::testing::World;
use super::cases;
use super::lives::{Shop, lives};
use crate::{Category, State};

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn any_part_of_a_life_in_any_order_can_be_folded(
        life in lives(100),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..300),
        asked in lives(30),
    ) {
        let events = shop(life).events;
        // Picked by chance: some never, some twice, none in order.
        let picked = order.iter().map(|index| index.get(&events).clone());
        let mut world = World::of(picked);
        for command in asked {
            let command = command.command(&world);
            let _ = world.decide(&command);
        }
    }

    #[test]
    fn any_state_can_be_given_any_event(life in lives(100)) {
        let events = shop(life).events;
        for category in Category::ALL {
            let state = events.iter().fold(State::initial(category), |state, (_, event)| state.evolve(event));
            prop_assert_eq!(&serde_json::to_value(&state).unwrap()["category"], category.name());
        }
    }

    #[test]
    fn a_snapshot_in_the_middle_changes_nothing(life in lives(120), cut in any::<prop::sample::Index>()) {
        let whole = shop(life);
        let cut = cut.index(whole.events.len());
        let (head, tail) = whole.events.split_at(cut);
        let mut world = World::default();
        for (stream, state) in World::of(head.iter().cloned()).states() {
            let stored = serde_json::to_string(state).unwrap();
            world.put(stream.clone(), serde_json::from_str(&stored).unwrap());
        }
        for (stream, event) in tail {
            world.apply(stream.clone(), event);
        }
        let whole = World::of(whole.events);
        prop_assert_eq!(world.states(), whole.states());
    }
}

fn shop(life: Vec<super::lives::Asked>) -> Shop {
    let mut shop = Shop::open();
    for asked in life {
        let command = asked.command(&shop.world);
        shop.ask(&command);
    }
    shop
}
