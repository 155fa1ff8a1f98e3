//! What is asked of products, stock, carts, customers and notices.

use super::super::super::examples::{address, krw, locale, minute, product as example, profile, sku, usd};
use super::super::super::testing::World;
use super::{Asked, NAMES, What, actor, open_cart, uuid};
use crate::customer::{self, EmailIndex};
use crate::ids::*;
use crate::notification::{self, Channel, Template};
use crate::order::Pieces;
use crate::{Actor, Command, Money, cart, product, stock};

impl Asked {
    /// The command; amounts that must be right are looked up.
    pub(in crate::tests::properties) fn command(self, world: &World) -> Command {
        if self.what == What::Proceed {
            return Self { what: self.proceeding(world), ordinary: true, ..self }.command(world);
        }
        match self.what {
            What::CreateProduct | What::ChangeProduct | What::Publish | What::Unpublish => self.product(),
            What::Receive | What::Adjust | What::ReorderPoint => self.stock(),
            What::OpenCart | What::SetItem | What::RemoveItem => self.cart(),
            What::Deliver | What::RequestReturn => self.order(world),
            What::Captured
            | What::CaptureFailed
            | What::Voided
            | What::RefundFailed
            | What::Dispute
            | What::Unknown => self.payment(world),
            What::Register | What::ChangeProfile | What::AddAddress | What::Forget => self.customer(),
            What::Notify | What::NoticeSent | What::NoticeFailed => self.notice(),
            _ => self.checkout(world),
        }
    }

    pub(super) fn sku(self) -> crate::text::Sku {
        sku(NAMES[usize::from(self.which) % 3])
    }
    pub(super) fn order_id(self) -> OrderId {
        OrderId(uuid('o', self.which))
    }
    pub(super) fn payment_id(self) -> PaymentId {
        PaymentId(uuid('p', self.which))
    }
    pub(super) fn actor(self) -> Actor {
        let staff = self.amount.is_multiple_of(5);
        if staff {
            Actor::Staff(uuid::Uuid::nil())
        } else {
            actor(if self.ordinary { self.which } else { self.part })
        }
    }
    pub(super) fn lines(self) -> Option<Vec<Pieces>> {
        let some = || vec![Pieces { sku: sku(NAMES[usize::from(self.part)]), quantity: self.amount % 4 }];
        (!self.amount.is_multiple_of(3)).then(some)
    }
    pub(super) fn money(self) -> Money {
        let amount = i64::from(self.amount) * 500 - 500;
        if self.amount == 11 { usd(amount) } else { krw(amount) }
    }

    pub(super) fn product(self) -> Command {
        let which = self.which % 3;
        let product_id = ProductId(uuid('a', which));
        match self.what {
            What::CreateProduct => {
                let id = ProductId(uuid('a', self.which + self.part));
                let created = example(id, NAMES[usize::from(self.part)], krw(1));
                product::Command::Create(created)
            }
            What::ChangeProduct => {
                let prices = Some(vec![self.money()]);
                product::Command::Change {
                    product_id,
                    change: product::Changed { prices, ..Default::default() },
                }
            }
            What::Publish => product::Command::Publish { product_id },
            _ => product::Command::Unpublish { product_id },
        }
        .into()
    }

    pub(super) fn stock(self) -> Command {
        let reason = "count".to_owned();
        let action = match self.what {
            What::Receive => stock::Action::Receive { quantity: self.amount, reason },
            What::Adjust => stock::Action::Adjust { delta: i64::from(self.amount) - 9, reason },
            _ => stock::Action::SetReorderPoint { quantity: self.amount },
        };
        stock::Command { sku: self.sku(), action }.into()
    }

    pub(super) fn cart(self) -> Command {
        let (cart_id, by, sku) =
            (CartId(uuid('k', self.which)), self.actor(), sku(NAMES[usize::from(self.part)]));
        match self.what {
            What::OpenCart => open_cart(self.which),
            What::SetItem => cart::Command::SetItem { cart_id, by, sku, quantity: self.amount % 6 }.into(),
            _ => cart::Command::RemoveItem { cart_id, by, sku }.into(),
        }
    }

    pub(super) fn customer(self) -> Command {
        let customer_id = CustomerId(uuid('c', self.which));
        let index = |number: u8| EmailIndex::parse(&format!("{number:032x}")).unwrap();
        match self.what {
            What::Register => customer::Command::Register {
                customer_id,
                email_index: index(self.part),
                locale: locale("ko"),
                profile: profile(),
            },
            What::ChangeProfile => customer::Command::ChangeProfile {
                customer_id,
                name: self.ordinary.then(|| profile().name),
                phone: None,
                locale: None,
            },
            What::AddAddress => customer::Command::AddAddress {
                customer_id,
                address_id: AddressId(uuid('l', self.part)),
                address: address(),
            },
            _ => customer::Command::Forget { customer_id },
        }
        .into()
    }

    pub(super) fn notice(self) -> Command {
        let notification_id = NotificationId(uuid('n', self.which));
        match self.what {
            What::Notify => notification::Command::Request(notification::Requested {
                notification_id,
                order_id: self.order_id(),
                template: Template::ShipmentSent,
                channel: Channel::Sms,
                locale: locale("en"),
                expires_at: minute(9),
            }),
            What::NoticeSent => {
                notification::Command::RecordSent { notification_id, provider_reference: "m".to_owned() }
            }
            _ => notification::Command::RecordFailed { notification_id, reason: "full".to_owned() },
        }
        .into()
    }
}
