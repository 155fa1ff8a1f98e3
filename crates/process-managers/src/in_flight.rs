//! The steps that this runner really has in its hands. The table may say that it claimed more: when a claim was written down but
//! the answer was lost. Such a claim is never renewed, so that it ends with its lease.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keys of steps that were claimed and whose end is not about to be written down yet.
#[derive(Debug, Default)]
pub(crate) struct InFlight(Mutex<HashSet<String>>);

impl InFlight {
    /// `false`: it is in flight already.
    pub(crate) fn add(&self, key: &str) -> bool {
        self.keys().insert(key.to_owned())
    }

    pub(crate) fn remove<'a>(&self, ended: impl Iterator<Item = &'a str>) {
        let mut keys = self.keys();
        for key in ended {
            keys.remove(key);
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<String> {
        self.keys().iter().cloned().collect()
    }

    fn keys(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
