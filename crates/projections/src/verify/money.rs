//! Orders and their payments: sums are sums, nobody is charged twice, and no payment is without its order.

use std::collections::HashMap;

use domain::ids::{CaptureId, OrderId, PaymentId, RefundId};
use domain::{Event, Money, order, payment};
use event_store::{Position, Recorded};

use super::Check;
use super::finding::{Finding, counted};

/// What was seen of an order.
#[derive(Debug)]
struct Bought {
    payment_id: PaymentId,
    total: Money,
    /// The payments of it that a gateway has authorised.
    authorised: u32,
}

/// What was seen of a payment, in minor units.
#[derive(Debug)]
struct Paid {
    order_id: OrderId,
    amount: Money,
    authorised: i64,
    captures: Vec<CaptureId>,
    captured: i64,
    refunds: Vec<RefundId>,
    given_back: i64,
}

/// What was seen of orders and payments.
#[derive(Debug, Default)]
pub(super) struct Books {
    orders: HashMap<OrderId, Bought>,
    payments: HashMap<PaymentId, Paid>,
    sums: Finding,
    charges: Finding,
    bounds: Finding,
}

impl Books {
    pub(super) fn see(&mut self, recorded: &Recorded) {
        let position = recorded.position;
        match &recorded.event {
            Event::Order(order::Event::Placed(placed)) => self.placed(placed, position),
            Event::Payment(payment::Event::Requested(requested)) => {
                let paid = Paid {
                    order_id: requested.order_id,
                    amount: requested.amount,
                    authorised: 0,
                    captures: Vec::new(),
                    captured: 0,
                    refunds: Vec::new(),
                    given_back: 0,
                };
                self.payments.insert(requested.payment_id, paid);
            }
            Event::Payment(event) => {
                if let Ok(id) = recorded.stream.key().parse() {
                    self.settled(id, event, position);
                }
            }
            _ => {}
        }
    }

    fn placed(&mut self, placed: &order::Placed, position: Position) {
        let id = placed.order_id;
        if !adds_up(placed) {
            self.sums.found(|| {
                format!("order {id} does not add up to its {} at position {position}", placed.total)
            });
        }
        let bought = Bought { payment_id: placed.payment_id, total: placed.total, authorised: 0 };
        self.orders.insert(id, bought);
    }

    fn settled(&mut self, id: PaymentId, event: &payment::Event, position: Position) {
        let Some(paid) = self.payments.get_mut(&id) else { return };
        let twice = match event {
            payment::Event::Authorised(authorised) => {
                paid.authorised = paid.authorised.saturating_add(authorised.amount.amount);
                // A payment of an order that is not there is reported as that.
                let bought = self.orders.get_mut(&paid.order_id);
                bought.is_some_and(|bought| {
                    bought.authorised += 1;
                    bought.authorised > 1
                })
            }
            payment::Event::Captured(captured) => {
                paid.captured = paid.captured.saturating_add(captured.amount.amount);
                let twice = paid.captures.contains(&captured.capture_id);
                paid.captures.push(captured.capture_id);
                twice
            }
            payment::Event::Refunded(refunded) => {
                paid.given_back = paid.given_back.saturating_add(refunded.amount.amount);
                let twice = paid.refunds.contains(&refunded.refund_id);
                paid.refunds.push(refunded.refund_id);
                twice
            }
            payment::Event::Disputed(disputed) => {
                paid.given_back = paid.given_back.saturating_add(disputed.amount.amount);
                false
            }
            _ => return,
        };
        if twice {
            let (what, order) = (event.type_name(), paid.order_id);
            self.charges.found(|| {
                format!("order {order}: {what} a second time, in payment {id} at position {position}")
            });
        }
        let Paid { authorised, captured, given_back, .. } = *paid;
        if authorised > paid.amount.amount || captured > authorised || given_back > captured {
            self.bounds.found(|| {
                format!(
                    "payment {id} has {authorised} authorised, {captured} captured and {given_back} given back at \
                     position {position}"
                )
            });
        }
    }

    pub(super) fn finish(self) -> Vec<Check> {
        let pairs = self.pairs();
        let orders = counted(self.orders.len() as u64, "order");
        let payments = counted(self.payments.len() as u64, "payment");
        let both = format!("{orders}, {payments}");
        vec![
            self.sums.check("every order adds up", orders.clone()),
            self.charges.check("no order is charged twice", both.clone()),
            self.bounds.check("no more is captured than authorised, nor given back than captured", payments),
            pairs.check("every payment has its order, and every order its payment", both),
        ]
    }

    fn pairs(&self) -> Finding {
        let mut pairs = Finding::default();
        for (id, paid) in &self.payments {
            match self.orders.get(&paid.order_id) {
                Some(bought) if bought.payment_id != *id => {
                    pairs.found(|| format!("payment {id} is not the one of its order {}", paid.order_id));
                }
                Some(bought) if bought.total != paid.amount => pairs
                    .found(|| format!("payment {id} is of {}, its order of {}", paid.amount, bought.total)),
                Some(_) => {}
                None => pairs.found(|| format!("payment {id} has no order {}", paid.order_id)),
            }
        }
        for (id, bought) in &self.orders {
            if !self.payments.contains_key(&bought.payment_id) {
                pairs.found(|| format!("order {id} has no payment {}", bought.payment_id));
            }
        }
        pairs
    }
}

/// Every line is price times pieces, the subtotal is their sum, and the total is that and the fee.
fn adds_up(placed: &order::Placed) -> bool {
    let zero = Money::zero(placed.total.currency);
    let lines = placed.lines.iter().try_fold(zero, |sum, line| {
        let total = line.unit_price.checked_mul(line.quantity).ok()?;
        if total == line.total { sum.checked_add(total).ok() } else { None }
    });
    let total = placed.subtotal.checked_add(placed.shipping_fee).ok();
    lines == Some(placed.subtotal) && total == Some(placed.total)
}
