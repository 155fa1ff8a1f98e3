//! What the primary had a while ago: what a replica must have by now.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use event_store::{Head, Position};
use projections::Progress;
use tokio::time::Instant;

/// How far each read model is, by name.
pub(super) type Positions = HashMap<String, Head>;

/// The positions of all these models.
pub(super) fn positions(progress: &[Progress]) -> Positions {
    let head = |one: &Progress| Head { epoch: one.epoch, position: one.position() };
    progress.iter().map(|one| (one.name.clone(), head(one))).collect()
}

/// How far the primary was, and when.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<(Instant, Positions)>);

impl History {
    /// The primary has this now. What is older than `kept` goes, but for the newest of it.
    pub(super) fn add(&mut self, now: Instant, positions: Positions, kept: Duration) {
        self.0.push_back((now, positions));
        while self.0.get(1).is_some_and(|(at, _)| now - *at >= kept) {
            self.0.pop_front();
        }
    }

    /// Whether a server lacks what the primary had a while ago, or at the first look when that is not so long ago.
    pub(super) fn outruns(&self, server: &Positions) -> bool {
        let Some(((_, then), (_, now))) = self.0.front().zip(self.0.back()) else { return false };
        now.iter().any(|(model, now)| {
            let wanted = match then.get(model) {
                // Folded anew: it goes on from an earlier position, or in another log.
                Some(then) if then.epoch == now.epoch => then.position.min(now.position),
                _ => Position(0),
            };
            server.get(model).is_none_or(|has| has.epoch != now.epoch || has.position < wanted)
        })
    }

    /// By how many events a server is behind the primary, in the read model in which it is furthest behind.
    pub(super) fn lag(&self, server: &Positions) -> u64 {
        let Some((_, now)) = self.0.back() else { return 0 };
        let behind = now.iter().map(|(model, now)| {
            let has = server.get(model).filter(|has| has.epoch == now.epoch);
            now.position.0.saturating_sub(has.map_or(0, |has| has.position.0))
        });
        behind.max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const KEPT: Duration = Duration::from_secs(10);

    fn at(epoch: u128, position: u64) -> Positions {
        let head = Head { epoch: Uuid::from_u128(epoch), position: Position(position) };
        [("orders".to_owned(), head)].into()
    }

    fn history(samples: &[(u64, Positions)]) -> History {
        let (begun, mut history) = (Instant::now(), History::default());
        for (second, positions) in samples {
            history.add(begun + Duration::from_secs(*second), positions.clone(), KEPT);
        }
        history
    }

    #[test]
    fn a_replica_must_have_what_the_primary_had_so_long_ago() {
        let history = history(&[(0, at(1, 10)), (5, at(1, 20)), (14, at(1, 30)), (15, at(1, 40))]);
        assert!(history.outruns(&at(1, 19)));
        assert!(!history.outruns(&at(1, 20)));
        assert_eq!(history.lag(&at(1, 20)), 20);
        assert!(history.outruns(&Positions::new()));
    }

    #[test]
    fn it_must_have_what_was_there_at_the_first_look() {
        let history = history(&[(0, at(1, 10)), (1, at(1, 20))]);
        assert!(history.outruns(&at(1, 9)));
        assert!(!history.outruns(&at(1, 10)));
    }

    #[test]
    fn nobody_is_behind_a_primary_that_was_never_there() {
        assert!(!History::default().outruns(&Positions::new()));
        assert_eq!(History::default().lag(&Positions::new()), 0);
    }

    #[test]
    fn what_is_folded_anew_is_wanted_as_far_as_it_is_and_of_no_other_log() {
        assert!(!history(&[(0, at(1, 10)), (1, at(1, 3))]).outruns(&at(1, 3)));
        let moved = history(&[(0, at(1, 10)), (1, at(2, 3))]);
        assert!(moved.outruns(&at(1, 10)));
        assert!(!moved.outruns(&at(2, 1)));
    }
}
