//! Decisions across cart, order, stock and payment: one decision, one atomic append.

mod call_off;
mod commands;
mod give_back;
mod place;
mod settle;
mod ship;

pub use commands::{Command, Outcome};

use crate::command::{Decision, States};
use crate::ids::{OrderId, PaymentId};
use crate::order::Known;
use crate::text::Sku;
use crate::{Kind, Money, Owner, Refusal, StreamId, cart, money, order, payment, stock};

impl From<money::Error> for Refusal {
    fn from(error: money::Error) -> Self {
        let code = match error {
            money::Error::Mixed { .. } => "currency-mismatch",
            money::Error::Overflow => "overflow",
            money::Error::UnknownCurrency => "invalid-amount",
        };
        Self::new(Kind::Invalid, code, error.to_string())
    }
}

impl Command {
    /// The streams it needs, as far as the states that are there can tell.
    pub fn streams(&self, states: &impl States) -> Vec<StreamId> {
        match self {
            Self::PlaceOrder { order_id, payment_id, cart_id, .. } => {
                let mut streams = vec![
                    StreamId::order(*order_id),
                    StreamId::cart(*cart_id),
                    StreamId::payment(*payment_id),
                ];
                if let Ok(cart::State::Open(open)) = cart::state_of(states, *cart_id) {
                    if let Owner::Customer(customer_id) = open.owner {
                        streams.push(StreamId::customer(customer_id));
                    }
                    for (sku, item) in &open.items {
                        streams.push(StreamId::stock(sku));
                        streams.push(StreamId::product(item.product_id));
                    }
                }
                streams
            }
            Self::SettlePayment { payment_id, .. } | Self::SettleRefund { payment_id, .. } => {
                let mut streams = vec![StreamId::payment(*payment_id)];
                if let Some(order_id) =
                    payment::state_of(states, *payment_id).ok().and_then(payment::State::order_id)
                {
                    streams.push(StreamId::order(order_id));
                    if matches!(self, Self::SettlePayment { .. }) {
                        streams.extend(stock_streams(states, order_id));
                    }
                }
                streams
            }
            Self::ExpireOrder { order_id, .. }
            | Self::CancelOrder { order_id, .. }
            | Self::ShipOrder { order_id, .. }
            | Self::ReceiveReturn { order_id, .. } => {
                let mut streams = order_and_payment(states, *order_id);
                streams.extend(stock_streams(states, *order_id));
                streams
            }
            Self::RefundOrder { order_id, .. } => order_and_payment(states, *order_id),
        }
    }
}

fn known(states: &impl States, order_id: OrderId) -> Option<&Known> {
    order::state_of(states, order_id).ok()?.known()
}

fn order_and_payment(states: &impl States, order_id: OrderId) -> Vec<StreamId> {
    let payment = known(states, order_id).map(|known| StreamId::payment(known.payment_id));
    [StreamId::order(order_id)].into_iter().chain(payment).collect()
}

fn stock_streams(states: &impl States, order_id: OrderId) -> Vec<StreamId> {
    known(states, order_id).map(|known| known.lines.keys().map(StreamId::stock).collect()).unwrap_or_default()
}

/// Decides among loaded states.
pub fn decide(states: &impl States, command: &Command) -> Result<Decision, Refusal> {
    match command {
        Command::PlaceOrder { .. } => place::decide(states, command),
        Command::SettlePayment { payment_id, outcome, capture } => {
            settle::payment(states, *payment_id, outcome, *capture)
        }
        Command::SettleRefund { payment_id, refund_id, amount } => {
            settle::refund(states, *payment_id, *refund_id, *amount)
        }
        Command::ExpireOrder { order_id, at } => call_off::expire(states, *order_id, *at),
        Command::CancelOrder { order_id, by, reason, refund_id } => {
            call_off::cancel(states, *order_id, by, reason, *refund_id)
        }
        Command::ShipOrder { .. } => ship::decide(states, command),
        Command::ReceiveReturn { order_id, return_id, refund_id, amount, restock } => {
            give_back::receive(states, *order_id, *return_id, *refund_id, *amount, *restock)
        }
        Command::RefundOrder { order_id, refund_id, amount, reason } => {
            give_back::refund(states, *order_id, *refund_id, *amount, reason)
        }
    }
}

/// The placed order.
fn order_of(states: &impl States, order_id: OrderId) -> Result<&Known, Refusal> {
    order::state_of(states, order_id)?.known().ok_or_else(|| Refusal::not_found("order"))
}

/// The requested payment.
fn payment_of(states: &impl States, payment_id: PaymentId) -> Result<&payment::Known, Refusal> {
    payment::state_of(states, payment_id)?.known().ok_or_else(|| Refusal::not_found("payment"))
}

/// What a stock item decides on its part.
fn stock_part(states: &impl States, sku: &Sku, action: stock::Action) -> Result<Decision, Refusal> {
    stock::decide_over(states, &stock::Command { sku: sku.clone(), action })
}

/// Frees whatever is still held for an order.
fn release(states: &impl States, order: &Known) -> Result<Decision, Refusal> {
    order.lines.keys().try_fold(Decision::default(), |decision, sku| {
        Ok(decision.and(stock_part(states, sku, stock::Action::Release { order_id: order.order_id })?))
    })
}

/// An id that names something new must not name something already: overwriting would lose what became of that.
fn check_new(exists: bool, what: &str) -> Result<(), Refusal> {
    if exists {
        return Err(Refusal::new(Kind::Conflict, "already-exists", format!("this {what} exists already")));
    }
    Ok(())
}

/// An amount that must be above 0 and of that currency.
fn check_amount(amount: Money, like: Money) -> Result<(), Refusal> {
    if amount.currency != like.currency {
        let detail = format!("the order is in {}, not {}", like.currency, amount.currency);
        return Err(Refusal::new(Kind::Invalid, "currency-mismatch", detail).at("/amount/currency"));
    }
    if !amount.is_positive() {
        return Err(Refusal::new(Kind::Invalid, "invalid-amount", format!("{amount} is not above 0"))
            .at("/amount/amount"));
    }
    Ok(())
}
