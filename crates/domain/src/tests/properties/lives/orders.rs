//! What is asked of orders and payments, also across aggregates.

use super::super::super::examples::{delivery, minute};
use super::super::super::testing::World;
use uuid::Uuid;

use super::{Asked, What, actor, uuid};
use crate::Command;
use crate::checkout::{self, Outcome};
use crate::ids::*;
use crate::order;
use crate::payment::{self, Action, Operation};
use crate::text::CountryCode;

impl Asked {
    /// The next step of an order's ordinary life.
    pub(super) fn proceeding(self, world: &World) -> What {
        let Some(order) = self.known_order(world) else { return What::Place };
        let Some(payment) = self.known_payment(world) else { return What::Place };
        let any = |pieces: fn(&order::LineState) -> u32| order.lines.values().any(|line| pieces(line) > 0);
        if order.is_pending() {
            return What::Authorise;
        }
        if order.stage != order::Stage::Confirmed {
            return if payment.standing == payment::Standing::VoidRequested {
                What::Voided
            } else {
                What::Authorise
            };
        }
        if payment.captures.values().any(|each| each.done.is_none()) && self.amount < 4 {
            return What::Captured;
        }
        if payment.refunds.values().any(|each| each.done.is_none()) && self.amount < 6 {
            return What::SettleRefund;
        }
        if any(|line| line.quantity.saturating_sub(line.shipped)) {
            What::Ship
        } else if any(|line| line.shipped.saturating_sub(line.delivered)) {
            What::Deliver
        } else if order.returns.values().all(|back| back.received) {
            What::RequestReturn
        } else {
            What::ReceiveReturn
        }
    }

    pub(super) fn known_order(self, world: &World) -> Option<&order::Known> {
        order::state_of(world, self.order_id()).ok()?.known()
    }
    pub(super) fn known_payment(self, world: &World) -> Option<&payment::Known> {
        payment::state_of(world, self.payment_id()).ok()?.known()
    }
    /// One of these in the ordinary case, or any other.
    pub(super) fn one_of<K: Copy + From<Uuid>>(self, kind: char, known: Option<Vec<K>>) -> K {
        let known = known.filter(|known| self.ordinary && !known.is_empty());
        known
            .map_or_else(|| uuid(kind, self.part).into(), |known| known[usize::from(self.part) % known.len()])
    }

    pub(super) fn order(self, world: &World) -> Command {
        let order_id = self.order_id();
        if self.what == What::Deliver {
            let sent = self.known_order(world).map(|known| known.shipments.keys().copied().collect());
            return order::Command::Deliver { order_id, shipment_id: self.one_of('s', sent) }.into();
        }
        let (by, return_id) = (self.actor(), ReturnId(uuid('t', self.part)));
        order::Command::RequestReturn { order_id, by, return_id, lines: self.lines(), reason: String::new() }
            .into()
    }

    pub(super) fn payment(self, world: &World) -> Command {
        let (payment_id, known) = (self.payment_id(), self.known_payment(world));
        let capture_id = self.one_of('x', known.map(|known| known.captures.keys().copied().collect()));
        let refund_id = self.one_of('r', known.map(|known| known.refunds.keys().copied().collect()));
        let reason = "said the gateway".to_owned();
        let action = match self.what {
            What::Captured => {
                let asked = known.and_then(|known| known.captures.get(&capture_id)).filter(|_| self.ordinary);
                Action::RecordCaptured {
                    capture_id,
                    amount: asked.map_or(self.money(), |asked| asked.amount),
                }
            }
            What::CaptureFailed => Action::RecordCaptureFailed { capture_id, reason },
            What::Voided => Action::RecordVoided,
            What::RefundFailed => Action::RecordRefundFailed { refund_id, reason },
            What::Dispute => {
                let dispute_id = DisputeId(uuid('d', self.part));
                Action::RecordDispute { dispute_id, amount: self.money(), reason }
            }
            _ => {
                let operation = match self.amount % 4 {
                    0 => Operation::Authorise,
                    1 => Operation::Capture(capture_id),
                    2 => Operation::Void,
                    _ => Operation::Refund(refund_id),
                };
                Action::RecordUnknown { operation, reason }
            }
        };
        payment::Command { payment_id, action }.into()
    }

    pub(super) fn checkout(self, world: &World) -> Command {
        use checkout::Command::*;
        let (order_id, payment_id) = (self.order_id(), self.payment_id());
        let refund_id = RefundId(uuid('r', self.part));
        let amount = (!self.amount.is_multiple_of(3)).then(|| self.money());
        let reason = String::new();
        match self.what {
            What::Place => self.place(),
            What::Authorise | What::Decline => {
                let outcome = self.outcome(payment::state_of(world, payment_id).ok());
                let at_once = self.amount.is_multiple_of(4);
                let capture = at_once.then(|| CaptureId(uuid('x', self.part)));
                SettlePayment { payment_id, outcome, capture }
            }
            What::Expire => ExpireOrder { order_id, at: minute(i64::from(self.amount) * 3) },
            What::Cancel => CancelOrder { order_id, by: self.actor(), reason, refund_id },
            What::Ship => ShipOrder {
                order_id,
                shipment_id: ShipmentId(uuid('s', self.part)),
                capture_id: CaptureId(uuid('x', if self.ordinary { self.part } else { 0 })),
                lines: self.lines(),
                carrier: "CJ".to_owned(),
                tracking_number: "1".to_owned(),
            },
            What::ReceiveReturn => {
                let asked = self.known_order(world).map(|known| known.returns.keys().copied().collect());
                let return_id = self.one_of('t', asked);
                ReceiveReturn { order_id, return_id, refund_id, amount, restock: self.ordinary }
            }
            What::Refund => RefundOrder { order_id, refund_id, amount, reason },
            _ => {
                let known = self.known_payment(world);
                let refund_id = self.one_of('r', known.map(|known| known.refunds.keys().copied().collect()));
                let asked = known.and_then(|known| known.refunds.get(&refund_id)).filter(|_| self.ordinary);
                SettleRefund {
                    payment_id,
                    refund_id,
                    amount: asked.map_or(self.money(), |asked| asked.amount),
                }
            }
        }
        .into()
    }

    pub(super) fn outcome(self, payment: Option<&payment::State>) -> Outcome {
        if self.what == What::Decline {
            return Outcome::Declined { reason: "declined".to_owned() };
        }
        let amount = payment.and_then(payment::State::amount).filter(|_| self.ordinary);
        Outcome::Authorised {
            gateway_reference: format!("gw-{}", self.which),
            amount: amount.unwrap_or_else(|| self.money()),
        }
    }

    pub(super) fn place(self) -> checkout::Command {
        let methods = [None, Some("standard"), Some("express"), Some("pickup"), Some("drone")];
        let usual = if self.ordinary { self.which } else { self.part };
        let mut delivery = delivery();
        let countries = ["KR", "SG", "US"];
        delivery.address.country = CountryCode::parse(countries[usize::from(self.part)]).unwrap();
        checkout::Command::PlaceOrder {
            order_id: self.order_id(),
            payment_id: PaymentId(uuid('p', usual)),
            cart_id: CartId(uuid('k', self.which)),
            by: actor(self.which),
            delivery,
            shipping_method: methods[self.amount as usize % 5].map(str::to_owned),
            gateway: "sandbox".to_owned(),
            token: "approve".to_owned(),
            at: minute(0),
            reserved_until: minute(15),
        }
    }
}
