//! What is wrong, counted, with the first few named.

use super::Check;

/// So many are named.
pub(super) const NAMED: usize = 3;

/// What is wrong with one promise.
#[derive(Debug, Default)]
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

    /// So many things are wrong; these are the first of them.
    pub(super) fn found_many(&mut self, count: u64, named: impl IntoIterator<Item = String>) {
        self.count += count;
        let free = NAMED.saturating_sub(self.named.len());
        self.named.extend(named.into_iter().take(free));
    }

    /// The check of this promise; `fine` says how much was looked at.
    pub(super) fn check(self, name: impl Into<String>, fine: String) -> Check {
        if self.count == 0 {
            return Check { name: name.into(), ok: true, detail: fine };
        }
        let more = self.count - self.named.len() as u64;
        let mut said = self.named;
        if more > 0 {
            said.push(format!("and {} more", grouped(more)));
        }
        Check { name: name.into(), ok: false, detail: said.join("; ") }
    }
}

/// So many of these, in words: `1 row`, `12,345 rows`.
pub(super) fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_words_counted() {
        let counts = [0, 1, 999, 1_000, 12_345, 1_234_567].map(|count| counted(count, "row"));
        assert_eq!(counts, ["0 rows", "1 row", "999 rows", "1,000 rows", "12,345 rows", "1,234,567 rows"]);
    }

    #[test]
    fn the_first_three_are_named_and_the_others_counted() {
        let mut finding = Finding::default();
        (1..=1_005).for_each(|number| finding.found(|| format!("row {number}")));
        let check = finding.check("rows", String::new());
        assert!(!check.ok);
        assert_eq!(check.detail, "row 1; row 2; row 3; and 1,002 more");
    }
}
