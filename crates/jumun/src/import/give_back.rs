//! A C invoice into returns: each line finds the pieces that its customer has bought, oldest first.

use std::collections::BTreeMap;

use super::line::Line;
use super::plan::{Draft, GiveBack, Part};
use super::purchases::Share;

/// Plans one C invoice; `None` when nothing of it can be played.
pub(super) fn plan(draft: &mut Draft, number: String, lines: Vec<Line>) -> Option<GiveBack> {
    let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
    for line in lines {
        match shares(draft, &line) {
            Ok(shares) => shares.into_iter().for_each(|share| add(draft, &mut parts, line.number, share)),
            Err(reason) => draft.reject(line.number, reason),
        }
    }
    let parts: Vec<_> = parts.into_values().collect();
    (!parts.is_empty()).then_some(GiveBack { number, parts })
}

fn shares(draft: &mut Draft, line: &Line) -> Result<Vec<Share>, String> {
    if line.price <= 0 {
        return Err("the price is not above 0".to_owned());
    }
    if line.quantity >= 0 {
        return Err("the quantity is not below 0, and the invoice is a C invoice".to_owned());
    }
    let quantity = u32::try_from(line.quantity.unsigned_abs()).map_err(|_| "the quantity is too large")?;
    let Some(customer) = &line.customer else {
        return Err("a return without a customer belongs to no order".to_owned());
    };
    draft.value(line.price, quantity)?;
    let shares = draft.purchases.take_back(customer, &line.code, quantity, line.price)?;
    draft.sum += shares.iter().map(|share| share.amount).sum::<i64>();
    Ok(shares)
}

fn add(draft: &Draft, parts: &mut BTreeMap<usize, Part>, line: u64, share: Share) {
    let part = parts.entry(share.sale).or_insert_with(|| Part {
        sale: draft.sales[share.sale].clone(),
        pieces: BTreeMap::new(),
        amount: 0,
        lines: Vec::new(),
    });
    *part.pieces.entry(share.sku).or_default() += share.quantity;
    part.amount += share.amount;
    if part.lines.last() != Some(&line) {
        part.lines.push(line);
    }
}
