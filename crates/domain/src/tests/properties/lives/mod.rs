//! A small shop in which anything may be asked at any time: three SKUs, four carts, four orders, few ids, so that collisions,
//! repetitions and contradictions are the rule.

mod commands;
mod orders;

use proptest::prelude::*;
use uuid::Uuid;

use super::super::examples::{krw, locale, on_sale, sku};
use super::super::testing::{Happened, World};
use crate::command::Decision;
use crate::ids::*;
use crate::{Actor, Command, Currency, Owner, StreamId, cart, checkout, customer, product, stock};

/// What is asked. The numbers of [`Asked`] say of whom and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Whatever carries the order further.
    Proceed,
    CreateProduct,
    ChangeProduct,
    Publish,
    Unpublish,
    Receive,
    Adjust,
    ReorderPoint,
    OpenCart,
    SetItem,
    RemoveItem,
    Place,
    Authorise,
    Decline,
    Expire,
    Cancel,
    Ship,
    Deliver,
    RequestReturn,
    ReceiveReturn,
    Refund,
    SettleRefund,
    Captured,
    CaptureFailed,
    Voided,
    RefundFailed,
    Dispute,
    Unknown,
    Register,
    ChangeProfile,
    AddAddress,
    Forget,
    Notify,
    NoticeSent,
    NoticeFailed,
}

/// What is asked how often: what carries an order further is asked most.
const WEIGHTS: [(u32, What); 35] = [
    (90, What::Proceed),
    (1, What::CreateProduct),
    (1, What::ChangeProduct),
    (2, What::Publish),
    (1, What::Unpublish),
    (3, What::Receive),
    (2, What::Adjust),
    (5, What::ReorderPoint),
    (2, What::OpenCart),
    (4, What::SetItem),
    (2, What::RemoveItem),
    (10, What::Place),
    (10, What::Authorise),
    (1, What::Decline),
    (3, What::Expire),
    (4, What::Cancel),
    (16, What::Ship),
    (8, What::Deliver),
    (6, What::RequestReturn),
    (8, What::ReceiveReturn),
    (10, What::Refund),
    (10, What::SettleRefund),
    (10, What::Captured),
    (3, What::CaptureFailed),
    (2, What::Voided),
    (3, What::RefundFailed),
    (4, What::Dispute),
    (4, What::Unknown),
    (5, What::Register),
    (3, What::ChangeProfile),
    (3, What::AddAddress),
    (2, What::Forget),
    (3, What::Notify),
    (2, What::NoticeSent),
    (2, What::NoticeFailed),
];

/// Something that is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    what: What,
    /// Which order, cart, payment, product or customer.
    which: u8,
    /// Which shipment, capture, refund, return or dispute.
    part: u8,
    /// How many, or how much.
    amount: u32,
    /// Whether the ordinary thing is asked: all of it, the right amount, by the owner.
    ordinary: bool,
}

/// Lives of at most so many steps.
pub(super) fn lives(steps: usize) -> impl Strategy<Value = Vec<Asked>> {
    let what = proptest::strategy::Union::new_weighted(
        WEIGHTS.iter().map(|(weight, what)| (*weight, Just(*what))).collect(),
    );
    let asked = (what, 0_u8..4, 0_u8..3, 0_u32..12, prop::bool::weighted(0.75))
        .prop_map(|(what, which, part, amount, ordinary)| Asked { what, which, part, amount, ordinary });
    prop::collection::vec(asked, 0..steps)
}

/// The shop: its states, and all that has happened.
#[derive(Debug, Clone)]
pub(super) struct Shop {
    pub(super) world: World,
    pub(super) events: Vec<Happened>,
}

impl Shop {
    /// Three products on sale, 20 pieces each, and four carts with two of two of them.
    pub(super) fn open() -> Self {
        let mut shop = Self { world: World::default(), events: Vec::new() };
        for which in 0..3 {
            let price = krw(1_000 * i64::from(which) + 333);
            on_sale(ProductId(uuid('a', which)), NAMES[usize::from(which)], price, 20)
                .into_iter()
                .for_each(|(stream, event)| shop.record(stream, event));
        }
        for which in 0..4 {
            shop.ask(&open_cart(which));
            for name in ["A", "B"] {
                let (cart_id, by) = (CartId(uuid('k', which)), actor(which));
                shop.ask(&cart::Command::SetItem { cart_id, by, sku: sku(name), quantity: 2 }.into());
            }
        }
        shop
    }

    fn record(&mut self, stream: StreamId, event: crate::Event) {
        self.world.apply(stream.clone(), &event);
        self.events.push((stream, event));
    }

    /// Asks and, when accepted, lets it happen.
    pub(super) fn ask(&mut self, command: &Command) -> Option<Decision> {
        let decision = self.world.decide(command).ok()?;
        for (stream, event) in decision.events.clone() {
            self.record(stream, event);
        }
        Some(decision)
    }
}

const NAMES: [&str; 3] = ["A", "B", "C"];

fn uuid(kind: char, number: u8) -> Uuid {
    Uuid::from_u128((u128::from(u32::from(kind)) << 16) + u128::from(number) + 1)
}

fn owner(which: u8) -> Owner {
    if which.is_multiple_of(2) {
        Owner::Customer(CustomerId(uuid('c', which)))
    } else {
        Owner::Guest(CartId(uuid('k', which)))
    }
}

fn actor(which: u8) -> Actor {
    match owner(which) {
        Owner::Customer(id) => Actor::Customer(id),
        Owner::Guest(id) => Actor::Guest(id),
    }
}

fn open_cart(which: u8) -> Command {
    let currency = Currency::KRW;
    cart::Command::Open {
        cart_id: CartId(uuid('k', which)),
        owner: owner(which),
        currency,
        locale: locale("ko"),
    }
    .into()
}

/// Whether saying it twice must be saying it once.
pub(super) fn is_idempotent(command: &Command) -> bool {
    match command {
        Command::Customer(command) => matches!(command, customer::Command::AddAddress { .. }),
        Command::Product(command) => {
            matches!(command, product::Command::Publish { .. } | product::Command::Unpublish { .. })
        }
        Command::Stock(command) => matches!(command.action, stock::Action::SetReorderPoint { .. }),
        Command::Cart(command) => !matches!(command, cart::Command::Open { .. }),
        Command::Order(_) | Command::Payment(_) | Command::Notification(_) => true,
        Command::Checkout(command) => !matches!(command, checkout::Command::PlaceOrder { .. }),
    }
}
