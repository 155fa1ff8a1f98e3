//! What an import says at its end.

use std::path::PathBuf;

use domain::{Currency, Money};
use serde_json::{Value, json};

use super::logged::Compared;
use super::plan::Plan;
use super::reconciliation::{Played, Sum, Sums};

/// The outcome of an import.
pub(super) struct Report {
    pub(super) lines: usize,
    pub(super) invoices: usize,
    pub(super) orders: usize,
    pub(super) returns: usize,
    pub(super) rejected: usize,
    pub(super) rejects: PathBuf,
    pub(super) unknown_countries: Vec<String>,
    sums: Vec<Line>,
    differences: Vec<String>,
}

/// One currency, three times said.
struct Line {
    currency: String,
    file: Sum,
    log: Sum,
    query: Sum,
}

impl Line {
    fn is_equal(&self) -> bool {
        self.file == self.log && self.log == self.query
    }
}

impl Report {
    pub(super) fn new(
        plan: &Plan,
        played: &Played,
        log: Compared,
        query: &Sums,
        rejected: usize,
        rejects: PathBuf,
    ) -> Self {
        let currencies: std::collections::BTreeSet<_> =
            played.sums.keys().chain(log.sums.keys()).chain(query.keys()).cloned().collect();
        let of = |sums: &Sums, currency: &str| sums.get(currency).copied().unwrap_or_default();
        let line = |currency: String| Line {
            file: of(&played.sums, &currency),
            log: of(&log.sums, &currency),
            query: of(query, &currency),
            currency,
        };
        Self {
            lines: plan.rows.len(),
            invoices: played.invoices,
            orders: log.orders.len(),
            returns: played.returns,
            rejected,
            rejects,
            unknown_countries: plan.unknown_countries.clone(),
            sums: currencies.into_iter().map(line).collect(),
            differences: log.differences,
        }
    }

    /// Whether file, log and query API say the same, and the log has the orders that this import knows of, and no others of it.
    pub(super) fn is_equal(&self) -> bool {
        self.differences.is_empty() && self.sums.iter().all(Line::is_equal)
    }

    /// For programs: one JSON object. Amounts are minor units.
    pub(super) fn json(&self) -> Value {
        let sum = |sum: Sum| json!({"sold": sum.sold, "refunded": sum.refunded});
        let line = |line: &Line| {
            json!({
                "currency": line.currency, "equal": line.is_equal(),
                "file": sum(line.file), "log": sum(line.log), "query": sum(line.query),
            })
        };
        let sums: Vec<_> = self.sums.iter().map(line).collect();
        json!({
            "equal": self.is_equal(),
            "lines": self.lines,
            "invoices": self.invoices,
            "orders": self.orders,
            "returns": self.returns,
            "refunds": self.returns,
            "rejected_lines": self.rejected,
            "rejects": self.rejects,
            "unknown_countries": self.unknown_countries,
            "sums": sums,
            "differences": self.differences,
        })
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let Self { lines, invoices, orders, returns, rejected, .. } = self;
        let mut said = vec![format!(
            "{lines} lines: {invoices} invoices played, {orders} orders, {returns} returns, {rejected} lines rejected"
        )];
        if self.rejected > 0 {
            said.push(format!("rejected lines and why: {}", self.rejects.display()));
        }
        if !self.unknown_countries.is_empty() {
            let names = self.unknown_countries.join(", ");
            said.push(format!("countries that nobody knows, sent to the United Kingdom: {names}"));
        }
        said.extend(self.table());
        said.extend(self.differences.iter().cloned());
        said.push(if self.is_equal() { "equal" } else { "NOT equal" }.to_owned());
        said.join("\n")
    }

    fn table(&self) -> Vec<String> {
        let mut rows = vec![[String::new(), "sold".to_owned(), "refunded".to_owned()]];
        for line in &self.sums {
            let parsed = Currency::parse(&line.currency).unwrap_or(Currency::KRW);
            let shown = |amount: i64| Money::new(amount, parsed).to_string();
            let row = |name: &str, sum: Sum| [name.to_owned(), shown(sum.sold), shown(sum.refunded)];
            rows.extend([row("file", line.file), row("log", line.log), row("query API", line.query)]);
            if !line.is_equal() {
                let minus = |a: Sum, b: Sum| Sum {
                    sold: a.sold.saturating_sub(b.sold),
                    refunded: a.refunded.saturating_sub(b.refunded),
                };
                rows.push(row("log - file", minus(line.log, line.file)));
                rows.push(row("query - log", minus(line.query, line.log)));
            }
        }
        let width =
            |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let (name, sold, refunded) = (width(0), width(1), width(2));
        rows.iter().map(|row| format!("{:name$}  {:>sold$}  {:>refunded$}", row[0], row[1], row[2])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(query: Sum) -> Report {
        let sum = Sum { sold: 123_456, refunded: 50 };
        Report {
            lines: 3,
            invoices: 2,
            orders: 1,
            returns: 1,
            rejected: 0,
            rejects: PathBuf::new(),
            unknown_countries: Vec::new(),
            sums: vec![Line { currency: "GBP".to_owned(), file: sum, log: sum, query }],
            differences: Vec::new(),
        }
    }

    #[test]
    fn three_times_the_same_is_equal() {
        let report = report(Sum { sold: 123_456, refunded: 50 });
        assert!(report.is_equal());
        assert_eq!(report.json()["equal"], true);
        assert_eq!(report.json()["sums"][0]["log"]["sold"], 123_456);
        assert!(report.text().contains("1234.56 GBP"), "{}", report.text());
        assert!(report.text().ends_with("\nequal"));
    }

    #[test]
    fn a_difference_is_shown() {
        let report = report(Sum { sold: 123_400, refunded: 50 });
        assert!(!report.is_equal());
        assert_eq!(report.json()["sums"][0]["equal"], false);
        assert!(report.text().contains("-0.56 GBP"), "{}", report.text());
        assert!(report.text().ends_with("\nNOT equal"));
    }

    #[test]
    fn an_order_too_many_is_a_difference_also_when_the_sums_are_equal() {
        let mut report = report(Sum { sold: 123_456, refunded: 50 });
        report.differences.push("invoice 1 has an order".to_owned());
        assert!(!report.is_equal());
        assert_eq!(report.json()["equal"], false);
        assert_eq!(report.json()["differences"][0], "invoice 1 has an order");
        assert!(report.text().ends_with("\ninvoice 1 has an order\nNOT equal"), "{}", report.text());
    }
}
