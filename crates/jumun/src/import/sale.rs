//! An invoice into an order: which SKU each line is, and what cannot be ordered.

use std::collections::HashMap;

use domain::Money;
use domain::text::Sku;

use super::country;
use super::line::Line;
use super::plan::{Draft, Item, Product, Sale};

/// No line of a cart has more pieces.
const QUANTITY_MAX: u32 = 9_999;
/// No cart has more different SKUs.
const ITEMS_MAX: usize = 1_000;

/// Plans one invoice; `None` when nothing of it can be played.
pub(super) fn plan(draft: &mut Draft, number: String, lines: Vec<Line>) -> Option<Sale> {
    let customer = lines.iter().find_map(|line| line.customer.clone());
    let mut items = Items::default();
    let mut sold: Vec<(Sku, u64)> = Vec::new();
    let mut country = None;
    for line in lines {
        match item(draft, &mut items, customer.as_deref(), &line) {
            Ok(()) => {
                country.get_or_insert_with(|| line.country.clone());
                sold.push((line.code, line.number));
            }
            Err(reason) => draft.reject(line.number, reason),
        }
    }
    let items = items.list;
    if items.is_empty() {
        return None;
    }
    let place = draft.sales.len();
    draft.sales.push(number.clone());
    if let Some(customer) = &customer {
        for item in &items {
            let code = sold.iter().find(|(_, line)| item.lines.first() == Some(line)).map(|(code, _)| code);
            let code = code.unwrap_or(&item.sku);
            draft.purchases.bought(place, customer, code, &item.sku, item.quantity, item.total);
        }
    }
    Some(Sale { number, customer, country: country_code(draft, &country.unwrap_or_default()), items })
}

fn country_code(draft: &mut Draft, name: &str) -> String {
    country::code(name).unwrap_or_else(|| {
        if !draft.unknown_countries.iter().any(|known| known == name) {
            draft.unknown_countries.push(name.to_owned());
        }
        country::UNKNOWN.to_owned()
    })
}

/// The order's lines so far.
#[derive(Default)]
struct Items {
    list: Vec<Item>,
    /// The prices of each stock code, with their SKUs.
    prices: HashMap<Sku, Vec<(i64, Sku)>>,
}

fn item(draft: &mut Draft, items: &mut Items, customer: Option<&str>, line: &Line) -> Result<(), String> {
    if line.customer.as_deref().is_some_and(|id| Some(id) != customer) {
        return Err("the line names another customer than its invoice".to_owned());
    }
    if line.price <= 0 {
        return Err("the price is not above 0".to_owned());
    }
    if line.quantity <= 0 {
        return Err("the quantity is not above 0, and the invoice is no C invoice".to_owned());
    }
    let too_many = || format!("a line of an order has at most {QUANTITY_MAX} pieces");
    let quantity = u32::try_from(line.quantity).ok().filter(|quantity| *quantity <= QUANTITY_MAX);
    let quantity = quantity.ok_or_else(too_many)?;
    let value = draft.value(line.price, quantity)?;
    let sku = sku(draft, items, line)?;
    let before = items.list.iter().position(|item| item.sku == sku);
    match before {
        Some(index) if items.list[index].quantity + quantity > QUANTITY_MAX => return Err(too_many()),
        Some(index) => {
            let item = &mut items.list[index];
            item.quantity += quantity;
            item.total += value;
            item.lines.push(line.number);
        }
        None if items.list.len() >= ITEMS_MAX => {
            return Err(format!("an order has at most {ITEMS_MAX} different products"));
        }
        None => {
            items.prices.entry(line.code.clone()).or_default().push((line.price, sku.clone()));
            let lines = vec![line.number];
            list_product(draft, line, &sku);
            items.list.push(Item { sku, quantity, price: line.price, total: value, lines });
        }
    }
    draft.sum += value;
    Ok(())
}

/// A cart has one price per SKU: the same code at a second price is a product of its own.
fn sku(draft: &Draft, items: &Items, line: &Line) -> Result<Sku, String> {
    let Some(prices) = items.prices.get(&line.code) else { return Ok(line.code.clone()) };
    if let Some((_, sku)) = prices.iter().find(|(price, _)| *price == line.price) {
        return Ok(sku.clone());
    }
    let price = Money::new(line.price, draft.currency).to_string();
    let price = price.split(' ').next().unwrap_or_default();
    let variant = format!("{}@{price}", line.code);
    Sku::parse(&variant).map_err(|invalid| format!("{variant:?} cannot be used as a SKU: {invalid}"))
}

fn list_product(draft: &mut Draft, line: &Line, sku: &Sku) {
    if draft.known.contains_key(sku) {
        return;
    }
    draft.known.insert(sku.clone(), draft.products.len());
    let name = draft.names.get(&line.code).cloned().unwrap_or_else(|| line.code.to_string());
    draft.products.push(Product { sku: sku.clone(), name, price: line.price });
}
