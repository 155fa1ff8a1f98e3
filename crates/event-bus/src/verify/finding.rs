//! What is wrong, counted, with the first few named.

use super::Check;

/// So many are named.
const NAMED: usize = 3;

/// What is wrong with one promise.
#[derive(Debug, Clone, Default)]
pub(super) struct Finding {
    count: u64,
    named: Vec<String>,
}

impl Finding {
    /// This is wrong.
    pub(super) fn found(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(what());
        }
    }

    /// And all that is wrong there.
    pub(super) fn add(&mut self, other: &Self) {
        self.count += other.count;
        let free = NAMED.saturating_sub(self.named.len());
        self.named.extend(other.named.iter().take(free).cloned());
    }

    /// The check of this promise; `fine` says how much was looked at.
    pub(super) fn check(self, name: &str, fine: String) -> Check {
        let mut said = self.named;
        let more = self.count - said.len() as u64;
        if more > 0 {
            said.push(format!("and {more} more"));
        }
        let ok = said.is_empty();
        Check { name: name.to_owned(), ok, detail: if ok { fine } else { said.join("; ") } }
    }
}

/// So many of these, in words: `1 record`, `12 records`.
pub(super) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
