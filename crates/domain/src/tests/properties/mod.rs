//! What must hold whatever is asked: random lives of a small shop, and the rules that no order of events may break.

mod codec;
mod contracts;
mod lives;
mod money;
mod rules;
mod text;
mod totality;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use self::lives::{Shop, is_idempotent, lives};
use crate::Event;

/// So many cases of each property; a failure prints the smallest life that shows it.
fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn no_decision_breaks_a_rule(life in lives(80)) {
        let mut shop = Shop::open();
        for asked in life {
            let before = shop.world.clone();
            let command = asked.command(&shop.world);
            let Some(decision) = shop.ask(&command) else { continue };
            rules::events(&decision.events);
            rules::moves(&before, &shop.world);
            rules::states(&shop.world);
        }
    }

    #[test]
    fn deciding_is_deterministic_and_changes_nothing(life in lives(80)) {
        let mut shop = Shop::open();
        for asked in life {
            let command = asked.command(&shop.world);
            shop.world.load(&command);
            let before = shop.world.clone();
            let (once, twice) = (shop.world.decide(&command), shop.world.decide(&command));
            prop_assert_eq!(once, twice);
            prop_assert_eq!(before.states(), shop.world.states());
            shop.ask(&command);
        }
    }

    #[test]
    fn what_is_idempotent_happens_once(life in lives(100)) {
        let mut shop = Shop::open();
        for asked in life {
            let command = asked.command(&shop.world);
            if shop.ask(&command).is_none() || !is_idempotent(&command) {
                continue;
            }
            let again = shop.world.decide(&command);
            prop_assert_eq!(again.map(|decision| decision.events), Ok(Vec::new()), "{:?}", command);
        }
    }
}

#[test]
fn the_random_lives_bring_about_every_event() {
    let seen = std::cell::RefCell::new(BTreeSet::new());
    let mut runner = TestRunner::new_with_rng(
        cases(128),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let result = runner.run(&lives(120), |life| {
        let mut shop = Shop::open();
        for asked in life {
            let command = asked.command(&shop.world);
            shop.ask(&command);
        }
        seen.borrow_mut().extend(shop.events.iter().map(|(_, event)| event.type_name()));
        Ok(())
    });
    result.unwrap();
    let all: BTreeSet<_> = Event::types().map(|(name, _)| name).collect();
    assert_eq!(all.difference(&seen.borrow()).collect::<Vec<_>>(), Vec::<&&str>::new(), "never happened");
}
