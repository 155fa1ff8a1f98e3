use super::{Broken, Shop, rules};
use crate::check::{breaks, holds_and_ends};

const fn shop(buyers: usize, broken: Broken) -> Shop {
    Shop {
        pieces: 1,
        buyers,
        at_once: false,
        losses_max: 0,
        crashes_max: 0,
        repeats_max: 0,
        refunds_max: 0,
        broken,
    }
}

fn ends(name: &str, model: Shop) {
    holds_and_ends(name, model, rules::rests);
}

#[test]
fn one_buyer_and_everything_that_can_go_wrong() {
    let wrong = Shop { losses_max: 2, crashes_max: 1, repeats_max: 1, ..shop(1, Broken::Nothing) };
    ends("one buyer, paid at shipment", wrong);
    ends("one buyer, paid at once", Shop { at_once: true, ..wrong });
    let refunded = Shop { losses_max: 1, refunds_max: 1, ..wrong };
    ends("one buyer, refunded", refunded);
    ends("one buyer, paid at once, refunded", Shop { at_once: true, ..refunded });
}

#[test]
fn two_buyers_of_the_last_piece_and_a_lost_answer() {
    ends("two buyers, an answer is lost", Shop { losses_max: 1, ..shop(2, Broken::Nothing) });
}

#[test]
fn two_buyers_of_the_last_piece_and_a_killed_process_manager() {
    ends("two buyers, a process manager is killed", Shop { crashes_max: 1, ..shop(2, Broken::Nothing) });
}

#[test]
fn two_buyers_of_the_last_piece_who_pay_at_once() {
    ends("two buyers, paid at once", Shop { at_once: true, ..shop(2, Broken::Nothing) });
}

#[test]
fn every_rule_of_the_payment_is_needed() {
    let one = |broken| Shop { losses_max: 1, repeats_max: 1, crashes_max: 1, ..shop(1, broken) };
    breaks("shop", one(Broken::UnknownIsDeclined), "the books never say more than the gateway did");
    breaks("shop", one(Broken::CapturesHaveNoKey), "money is taken once");
    breaks("shop", one(Broken::LateYesIsKept), "at rest nobody has paid for nothing");
    breaks("shop", one(Broken::StepsDieWithTheirTry), "at rest nobody has paid for nothing");
    breaks("shop", shop(2, Broken::StockIsNotReadAgain), "pieces are neither lost nor sold twice");
}
