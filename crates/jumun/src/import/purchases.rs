//! What each customer has bought and not given back yet: where a line of a C invoice finds its pieces, oldest first.

use std::collections::{BTreeMap, HashMap, VecDeque};

use domain::text::Sku;

/// Pieces of one SKU in one order.
#[derive(Debug, Clone)]
struct Lot {
    sale: usize,
    sku: Sku,
    left: u32,
}

/// A part of a line that comes back, and the sale that it was bought with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) sale: usize,
    pub(super) sku: Sku,
    pub(super) quantity: u32,
    /// Minor units for all its pieces.
    pub(super) amount: i64,
}

/// All purchases so far.
#[derive(Debug, Default)]
pub(super) struct Purchases {
    lots: HashMap<(String, Sku), VecDeque<Lot>>,
    refundable: HashMap<usize, i64>,
}

impl Purchases {
    /// Somebody has bought this. `code` is what the invoice calls it, `sku` what the shop does.
    pub(super) fn bought(
        &mut self,
        sale: usize,
        customer: &str,
        code: &Sku,
        sku: &Sku,
        quantity: u32,
        total: i64,
    ) {
        let lot = Lot { sale, sku: sku.clone(), left: quantity };
        self.lots.entry((customer.to_owned(), code.clone())).or_default().push_back(lot);
        *self.refundable.entry(sale).or_default() += total;
    }

    /// Takes pieces back at a price, from the oldest purchases on; all of them or, with the reason, none.
    pub(super) fn take_back(
        &mut self,
        customer: &str,
        code: &Sku,
        quantity: u32,
        price: i64,
    ) -> Result<Vec<Share>, String> {
        let lots = self.lots.get_mut(&(customer.to_owned(), code.clone()));
        let Some(lots) = lots else { return Err("this customer never bought it".to_owned()) };
        let shares = shares(lots, quantity, price)?;
        let mut amounts: BTreeMap<usize, i64> = BTreeMap::new();
        for share in &shares {
            let sum = amounts.entry(share.sale).or_default();
            *sum = sum.checked_add(share.amount).ok_or("the amount is too large")?;
        }
        for (sale, amount) in &amounts {
            let left = self.refundable.get(sale).copied().unwrap_or_default();
            if *amount > left {
                return Err("it gives back more money than its order has left".to_owned());
            }
        }
        for (sale, amount) in amounts {
            if let Some(left) = self.refundable.get_mut(&sale) {
                *left -= amount;
            }
        }
        for share in &shares {
            if let Some(lot) = lots.iter_mut().find(|lot| lot.sale == share.sale && lot.sku == share.sku) {
                lot.left -= share.quantity;
            }
        }
        lots.retain(|lot| lot.left > 0);
        Ok(shares)
    }
}

fn shares(lots: &VecDeque<Lot>, quantity: u32, price: i64) -> Result<Vec<Share>, String> {
    let mut missing = quantity;
    let mut shares = Vec::new();
    for lot in lots {
        let taken = lot.left.min(missing);
        if taken > 0 {
            let amount = price.checked_mul(i64::from(taken)).ok_or("the amount is too large")?;
            shares.push(Share { sale: lot.sale, sku: lot.sku.clone(), quantity: taken, amount });
        }
        missing -= taken;
    }
    if missing == 0 {
        return Ok(shares);
    }
    Err(match quantity - missing {
        0 => "this customer has given all of it back already".to_owned(),
        left => format!("this customer has only {left} pieces of it to give back, not {quantity}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sku(text: &str) -> Sku {
        Sku::parse(text).unwrap()
    }

    fn share(sale: usize, text: &str, quantity: u32, amount: i64) -> Share {
        Share { sale, sku: sku(text), quantity, amount }
    }

    fn two_purchases() -> Purchases {
        let mut purchases = Purchases::default();
        purchases.bought(0, "1", &sku("A"), &sku("A"), 6, 600);
        purchases.bought(3, "1", &sku("A"), &sku("A@1.50"), 4, 600);
        purchases
    }

    #[test]
    fn the_oldest_pieces_come_back_first() {
        let mut purchases = two_purchases();
        assert_eq!(purchases.take_back("1", &sku("A"), 2, 100), Ok(vec![share(0, "A", 2, 200)]));
        assert_eq!(
            purchases.take_back("1", &sku("A"), 6, 100),
            Ok(vec![share(0, "A", 4, 400), share(3, "A@1.50", 2, 200)])
        );
        assert_eq!(purchases.take_back("1", &sku("A"), 2, 150), Ok(vec![share(3, "A@1.50", 2, 300)]));
        let reason = purchases.take_back("1", &sku("A"), 1, 150).unwrap_err();
        assert!(reason.contains("never bought") || reason.contains("given all of it back"), "{reason}");
    }

    #[test]
    fn what_was_never_bought_by_this_customer_does_not_come_back() {
        let mut purchases = two_purchases();
        assert!(purchases.take_back("2", &sku("A"), 1, 100).unwrap_err().contains("never bought"));
        assert!(purchases.take_back("1", &sku("B"), 1, 100).unwrap_err().contains("never bought"));
    }

    #[test]
    fn all_of_a_line_comes_back_or_nothing_of_it() {
        let mut purchases = two_purchases();
        assert!(purchases.take_back("1", &sku("A"), 11, 100).unwrap_err().contains("only 10 pieces"));
        assert!(purchases.take_back("1", &sku("A"), 10, 100).is_ok(), "the refusal has taken nothing");
    }

    #[test]
    fn no_order_gives_back_more_than_it_has_taken() {
        let mut purchases = two_purchases();
        assert!(purchases.take_back("1", &sku("A"), 6, 101).unwrap_err().contains("more money"));
        assert!(purchases.take_back("1", &sku("A"), 3, 200).is_ok());
        assert!(purchases.take_back("1", &sku("A"), 1, 1).unwrap_err().contains("more money"));
        assert!(purchases.take_back("1", &sku("A"), 4, i64::MAX).unwrap_err().contains("too large"));
    }
}
