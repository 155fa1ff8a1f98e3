//! What is to be played, worked out from the lines alone: the same file always makes the same plan, so that a run that was
//! interrupted goes on with the plan that it began with.

use std::collections::{BTreeMap, HashMap};

use domain::text::Sku;
use domain::{Currency, Money};

use super::line::{Columns, Line};
use super::purchases::Purchases;
use super::table::{Row, Table};
use super::{give_back, sale};

/// The whole file, as it will be played.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) currency: Currency,
    pub(super) invoices: Vec<Invoice>,
    pub(super) products: Vec<Product>,
    /// Lines that cannot be played, with the reason.
    pub(super) rejected: BTreeMap<u64, String>,
    /// Every line as it stands in the file, with the number of its invoice.
    pub(super) rows: BTreeMap<u64, (String, Vec<String>)>,
    /// The names of countries that nobody knows.
    pub(super) unknown_countries: Vec<String>,
}

/// An invoice, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Invoice {
    Sale(Sale),
    GiveBack(GiveBack),
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sale {
    pub(super) number: String,
    /// `None`: a guest.
    pub(super) customer: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub(super) country: String,
    pub(super) items: Vec<Item>,
}

/// One line of an order; several lines of the file when they name the same thing at the same price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) sku: Sku,
    pub(super) quantity: u32,
    /// Minor units for a piece.
    pub(super) price: i64,
    /// Minor units for all pieces.
    pub(super) total: i64,
    pub(super) lines: Vec<u64>,
}

/// A C invoice: a return to each of the orders that its pieces were bought with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GiveBack {
    pub(super) number: String,
    pub(super) parts: Vec<Part>,
}

/// What goes back to one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The number of the invoice that it was bought with.
    pub(super) sale: String,
    pub(super) pieces: BTreeMap<Sku, u32>,
    /// Minor units to be refunded.
    pub(super) amount: i64,
    pub(super) lines: Vec<u64>,
}

/// A product that the invoices name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Product {
    pub(super) sku: Sku,
    pub(super) name: String,
    /// Minor units: what it costs first.
    pub(super) price: i64,
}

impl Invoice {
    pub(super) fn number(&self) -> &str {
        match self {
            Self::Sale(sale) => &sale.number,
            Self::GiveBack(give_back) => &give_back.number,
        }
    }
}

/// What planning has found so far.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) currency: Currency,
    pub(super) rejected: BTreeMap<u64, String>,
    pub(super) products: Vec<Product>,
    pub(super) known: HashMap<Sku, usize>,
    pub(super) names: HashMap<Sku, String>,
    pub(super) purchases: Purchases,
    /// The numbers of the sales, by their place.
    pub(super) sales: Vec<String>,
    /// All amounts together, which must stay within 64 bits as well.
    pub(super) sum: i64,
    pub(super) unknown_countries: Vec<String>,
}

impl Draft {
    pub(super) fn reject(&mut self, line: u64, reason: impl Into<String>) {
        self.rejected.insert(line, reason.into());
    }

    /// The value of some pieces; the reason when it is out of bounds, alone or with all the others.
    pub(super) fn value(&self, price: i64, quantity: u32) -> Result<i64, String> {
        let value = Money::new(price, self.currency).checked_mul(quantity);
        let value = value.map_err(|error| error.to_string())?.amount;
        self.sum.checked_add(value).map(|_| value).ok_or_else(|| "the amount is too large".to_owned())
    }
}

/// Makes the plan of a table.
pub(super) fn make(table: Table, currency: Currency) -> anyhow::Result<Plan> {
    let columns = Columns::find(&table.header)?;
    let mut draft = Draft {
        currency,
        rejected: BTreeMap::new(),
        products: Vec::new(),
        known: HashMap::new(),
        names: HashMap::new(),
        purchases: Purchases::default(),
        sales: Vec::new(),
        sum: 0,
        unknown_countries: Vec::new(),
    };
    let mut lines = Vec::new();
    for row in &table.rows {
        match columns.parse(row, currency.exponent()) {
            Ok(line) => lines.push(line),
            Err(reason) => draft.reject(row.number, reason),
        }
    }
    let mut rows = BTreeMap::new();
    let mut keep = |row: Row| {
        rows.insert(row.number, (columns.invoice(&row).to_owned(), row.fields));
    };
    for (row, reason) in table.broken {
        draft.reject(row.number, reason);
        keep(row);
    }
    table.rows.into_iter().for_each(keep);
    let invoices = invoices(&mut draft, lines);
    let Draft { rejected, products, unknown_countries, .. } = draft;
    Ok(Plan { currency, invoices, products, rejected, rows, unknown_countries })
}

fn invoices(draft: &mut Draft, lines: Vec<Line>) -> Vec<Invoice> {
    name_products(draft, &lines);
    let groups = by_invoice(lines);
    let plan = |group: Vec<Line>| -> Option<Invoice> {
        let number = group.first()?.invoice.clone();
        if number.starts_with(['C', 'c']) {
            return give_back::plan(draft, number, group).map(Invoice::GiveBack);
        }
        sale::plan(draft, number, group).map(Invoice::Sale)
    };
    groups.into_iter().filter_map(plan).collect()
}

/// The first description that a sold line has; lost and damaged pieces have remarks there.
fn name_products(draft: &mut Draft, lines: &[Line]) {
    for line in lines {
        if !line.description.is_empty() && line.quantity > 0 && line.price > 0 {
            draft.names.entry(line.code.clone()).or_insert_with(|| line.description.clone());
        }
    }
}

/// The lines of each invoice together, in the order in which the invoices begin.
fn by_invoice(lines: Vec<Line>) -> Vec<Vec<Line>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Vec<Line>> = Vec::new();
    for line in lines {
        let place = *places.entry(line.invoice.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(line);
    }
    groups
}
