//! What must be so in every state.

use domain::order::Stage;
use domain::payment::Standing;

use super::gateway::{self, Account};
use super::{Shop, State, given};

/// Free stock is never below zero, and what is free, held and sold is all there was.
pub(super) fn pieces(shop: &Shop, state: &State) -> bool {
    let stock = state.world.stock();
    let fates = || state.world.fates.values();
    let shipped: u32 = fates().map(|fate| fate.shipped).sum();
    let held: u32 = fates().map(|fate| fate.reserved - fate.released.min(fate.reserved) - fate.shipped).sum();
    stock.available() >= 0
        && stock.reserved() == i64::from(held)
        && stock.available() + stock.reserved() + i64::from(shipped) == i64::from(shop.pieces)
}

pub(super) fn one_fate(_: &Shop, state: &State) -> bool {
    state.world.fates.values().all(|fate| {
        (fate.released == 0 || fate.shipped == 0) && fate.released + fate.shipped <= fate.reserved
    })
}

/// By the gateway's own ledger.
pub(super) fn once(_: &Shop, state: &State) -> bool {
    buyers(state).all(|(buyer, account)| {
        let amount = state.world.payment(given::payment(buyer)).map_or(0, |known| known.amount.amount);
        account.captures.len() <= 1
            && account.captured() <= amount
            && account.refunded() <= account.captured()
            && !(account.voided && account.captured() > 0)
    })
}

/// The log never has money that the gateway has not moved.
pub(super) fn books(_: &Shop, state: &State) -> bool {
    buyers(state).all(|(buyer, account)| {
        let Some(known) = state.world.payment(given::payment(buyer)) else { return true };
        known.captured().amount <= account.captured()
            && known.refunded().amount <= account.refunded()
            && (known.standing != Standing::Voided || account.voided)
            && (known.standing != Standing::Failed || account.standing == gateway::Standing::Declined)
    })
}

/// Nothing is left to be done, and nothing is on its way.
pub(super) fn rests(state: &State) -> bool {
    let steps = || state.world.steps.values();
    steps().all(|todo| (todo.done || todo.attention) && todo.tries.is_empty())
        && state.accounts.iter().all(|account| account.standing != gateway::Standing::Deciding)
}

/// An order that has ended has cost nothing; one that stands is paid, or its money is held; one that was sent is paid. And the
/// books say so.
pub(super) fn at_rest(_: &Shop, state: &State) -> bool {
    !rests(state)
        || buyers(state).all(|(buyer, account)| {
            let (order, payment) = (given::order(buyer), given::payment(buyer));
            let (Some(order), Some(known)) = (state.world.order(order), state.world.payment(payment)) else {
                return account.is_even();
            };
            let same = known.captured().amount == account.captured()
                && known.refunded().amount == account.refunded();
            let right = match order.stage {
                Stage::Pending { .. } => false,
                Stage::Confirmed if order.shipments.is_empty() => {
                    account.standing == gateway::Standing::Approved && !account.voided
                }
                Stage::Confirmed => account.captured() == known.amount.amount,
                Stage::PaymentFailed | Stage::Cancelled => account.is_even(),
            };
            same && right
        })
}

/// A gateway that is honest is never contradicted, and no step comes to its end without having been done.
pub(super) fn nobody_must_look(_: &Shop, state: &State) -> bool {
    !state.contradicted && state.world.steps.values().all(|todo| !todo.attention)
}

pub(super) fn late_yes(_: &Shop, state: &State) -> bool {
    buyers(state).any(|(buyer, account)| {
        let order = state.world.order(given::order(buyer));
        order.is_some_and(|order| matches!(order.stage, Stage::PaymentFailed))
            && account.standing == gateway::Standing::Approved
    })
}

pub(super) fn sold(shop: &Shop, state: &State) -> bool {
    shop.broken != super::Broken::Nothing
        || buyers(state).any(|(buyer, account)| {
            let fate = state.world.fates.get(&given::order(buyer));
            fate.is_some_and(|fate| fate.shipped > 0) && account.captured() > 0
        })
}

fn buyers(state: &State) -> impl Iterator<Item = (usize, &Account)> {
    state.accounts.iter().enumerate()
}
