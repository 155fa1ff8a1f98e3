//! What a run has done, written down line by line, so that the next one need not ask the shop about every invoice. The
//! idempotency keys alone keep a repeated run right; the journal makes it short, and remembers what the shop has refused.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// All of an invoice, where a part of it could be named.
pub(super) const WHOLE: &str = "*";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    /// The shop has refused this part of an invoice: a SKU, the sale that it was to go back to, or all of it.
    Refused { invoice: String, part: String, reason: String },
    /// Nothing is left to do with this invoice.
    Done { invoice: String, order: Option<String> },
}

/// What is known of an import.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Finished invoices, with their orders.
    pub(super) done: HashMap<String, Option<String>>,
    /// Refused parts, by invoice and part.
    pub(super) refused: HashMap<(String, String), String>,
}

impl Known {
    fn learn(&mut self, entry: Entry) {
        match entry {
            Entry::Refused { invoice, part, reason } => {
                self.refused.insert((invoice, part), reason);
            }
            Entry::Done { invoice, order } => {
                self.done.insert(invoice, order);
            }
        }
    }

    /// Why a part of an invoice, or all of it, was refused.
    pub(super) fn refusal(&self, invoice: &str, part: &str) -> Option<&str> {
        let of = |part: &str| self.refused.get(&(invoice.to_owned(), part.to_owned())).map(String::as_str);
        of(part).or_else(|| of(WHOLE))
    }

    /// The order of an invoice.
    pub(super) fn order(&self, invoice: &str) -> Option<&str> {
        self.done.get(invoice)?.as_deref()
    }
}

/// The journal of one import. Held by one run at a time.
pub(super) struct Journal(Mutex<(File, Known)>, PathBuf);

impl Journal {
    /// Opens it, and reads what an earlier run has written.
    ///
    /// # Errors
    /// When another run has it.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = || format!("{} cannot be opened", path.display());
        let file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path);
        let file = file.with_context(failed)?;
        if file.try_lock().is_err() {
            bail!("another import of this file is running: wait until it has ended");
        }
        let bytes = std::fs::read(path).with_context(failed)?;
        // What a kill has cut off, perhaps within a character, is as if it had not been written.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64).with_context(failed)?;
        }
        let mut known = Known::default();
        let lines = bytes[..whole].split(|byte| *byte == b'\n');
        lines.filter_map(|line| serde_json::from_slice(line).ok()).for_each(|entry| known.learn(entry));
        Ok(Self(Mutex::new((file, known)), path.to_owned()))
    }

    /// Forgets everything: it was written about another shop.
    pub(super) fn clear(&self) -> Result<()> {
        let mut held = self.held();
        held.0.set_len(0).with_context(|| format!("{} cannot be written", self.1.display()))?;
        held.1 = Known::default();
        Ok(())
    }

    pub(super) fn refused(&self, invoice: &str, part: &str, reason: &str) -> Result<()> {
        self.write(Entry::Refused {
            invoice: invoice.to_owned(),
            part: part.to_owned(),
            reason: reason.to_owned(),
        })
    }

    pub(super) fn done(&self, invoice: &str, order: Option<&str>) -> Result<()> {
        self.write(Entry::Done { invoice: invoice.to_owned(), order: order.map(str::to_owned) })
    }

    /// Looks something up.
    pub(super) fn look<T>(&self, up: impl FnOnce(&Known) -> T) -> T {
        up(&self.held().1)
    }

    fn write(&self, entry: Entry) -> Result<()> {
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        let mut held = self.held();
        held.0.write_all(&line).with_context(|| format!("{} cannot be written", self.1.display()))?;
        held.1.learn(entry);
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, (File, Known)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> PathBuf {
        std::env::temp_dir().join(format!("jumun-journal-{}", uuid::Uuid::new_v4().simple()))
    }

    #[test]
    fn what_was_written_is_known_again_and_a_torn_line_is_not() {
        let path = path();
        let journal = Journal::open(&path).unwrap();
        journal.done("1", Some("order-1")).unwrap();
        journal.refused("2", "A", "because").unwrap();
        journal.refused("3", WHOLE, "declined").unwrap();
        drop(journal);
        // Once whole, once cut off within a character, once by an earlier version that ended the torn line.
        let mut torn = OpenOptions::new().append(true).open(&path).unwrap();
        torn.write_all(b"{\"done\":{\"invoice\":\"caf\xc3\n{\"done\":{\"invoice\":\"caf\xc3").unwrap();
        let journal = Journal::open(&path).unwrap();
        journal.done("4", None).unwrap();
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        journal.look(|known| {
            assert_eq!(known.order("1"), Some("order-1"));
            assert_eq!(known.refusal("2", "A"), Some("because"));
            assert_eq!(known.refusal("2", "B"), None);
            assert_eq!(known.refusal("3", "B"), Some("declined"));
            assert_eq!(known.done.len(), 2);
            assert_eq!(known.order("4"), None);
        });
        journal.clear().unwrap();
        drop(journal);
        assert!(
            Journal::open(&path).unwrap().look(|known| known.done.is_empty() && known.refused.is_empty())
        );
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn two_runs_cannot_have_one_journal() {
        let path = path();
        let first = Journal::open(&path).unwrap();
        assert!(Journal::open(&path).is_err());
        drop(first);
        assert!(Journal::open(&path).is_ok());
        std::fs::remove_file(path).unwrap();
    }
}
