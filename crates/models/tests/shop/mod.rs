//! Reservation, payment and time-out: buyers of the last pieces, a gateway that answers late, twice or not at all, and a process
//! manager that is killed at any point.
//!
//! What is decided, what follows from it and what it makes of the states is the domain's own code; the model is what happens
//! around it, in any order.

mod gateway;
mod given;
mod manager;
mod rules;
mod tests;
mod world;

use domain::Event;
use domain::ids::PaymentId;
use domain::process::Step;
use stateright::{Model, Property};

use self::gateway::{Account, Standing};
use self::manager::{Begun, Reply, Try};
use self::world::World;

/// A rule that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// A call whose outcome is unknown is taken for one that was refused.
    UnknownIsDeclined,
    /// The gateway does not know a capture again that is asked for once more.
    CapturesHaveNoKey,
    /// Nobody lets a hold go that came after the order had ended.
    LateYesIsKept,
    /// A step whose process manager is killed is not done again.
    StepsDieWithTheirTry,
    /// Orders are placed on the stock as it was in the beginning.
    StockIsNotReadAgain,
}

#[derive(Debug, Clone, Copy)]
struct Shop {
    pieces: u32,
    buyers: usize,
    /// Money is taken with the authorisation, not with the shipment.
    at_once: bool,
    /// Answers of the gateway that are lost.
    losses_max: u8,
    /// Tries that end with their process manager, before they have said anything.
    crashes_max: u8,
    /// Tries that are made though another has been made, or is under way.
    repeats_max: u8,
    /// Orders that staff gives the money back of.
    refunds_max: u8,
    broken: Broken,
}

#[derive(Debug, Clone, PartialEq, Hash)]
struct State {
    world: World,
    /// The gateway's, by buyer.
    accounts: Vec<Account>,
    at_once: bool,
    losses_left: u8,
    crashes_left: u8,
    repeats_left: u8,
    refunds_left: u8,
    /// A webhook was refused: it contradicts the log.
    contradicted: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Action {
    Place(usize),
    Cancel(usize),
    Ship(usize),
    /// Staff gives the money back.
    Refund(usize),
    /// A try of a step begins, and the gateway does that.
    Begin(String, Reply),
    /// It ends with its command.
    End(String, Try),
    /// It ends without.
    Crash(String, Try),
    /// The time to pay is over.
    Expire(String),
    /// The gateway decides on a call that was on its way.
    Decide(usize, bool),
    /// It tells what it has decided, for the first time or again.
    Webhook(usize),
}

impl Model for Shop {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            world: World::of(given::history(self.pieces, self.buyers)),
            accounts: vec![Account::new(); self.buyers],
            at_once: self.at_once,
            losses_left: self.losses_max,
            crashes_left: self.crashes_max,
            repeats_left: self.repeats_max,
            refunds_left: self.refunds_max,
            contradicted: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for buyer in 0..self.buyers {
            match state.world.order(given::order(buyer)) {
                None => actions.push(Action::Place(buyer)),
                Some(_) => actions.extend([Action::Cancel(buyer), Action::Ship(buyer)]),
            }
            actions.extend((state.refunds_left > 0).then_some(Action::Refund(buyer)));
            match state.accounts[buyer].standing {
                Standing::Deciding => {
                    actions.extend([true, false].map(|approves| Action::Decide(buyer, approves)));
                }
                Standing::Approved | Standing::Declined => actions.push(Action::Webhook(buyer)),
                Standing::Unasked => {}
            }
        }
        for (key, todo) in &state.world.steps {
            if let Step::Expire { .. } = todo.step {
                actions.extend((!todo.done).then(|| Action::Expire(key.clone())));
                continue;
            }
            let again = todo.done || !todo.tries.is_empty();
            if !todo.attention && (!again || state.repeats_left > 0) {
                let replies = self.replies(state, &todo.step);
                actions.extend(replies.map(|reply| Action::Begin(key.clone(), reply)));
            }
            for result in &todo.tries {
                actions.push(Action::End(key.clone(), *result));
                actions.extend((state.crashes_left > 0).then(|| Action::Crash(key.clone(), *result)));
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Place(buyer) => self.place(&mut next, buyer),
            Action::Cancel(buyer) => {
                drop(self.say(&mut next, &format!("cancel-{buyer}"), &given::cancel(buyer)))
            }
            Action::Ship(buyer) => drop(self.say(&mut next, &format!("ship-{buyer}"), &given::ship(buyer))),
            Action::Refund(buyer) => {
                next.refunds_left -= 1;
                self.say(&mut next, &format!("refund-{buyer}"), &given::refund(buyer)).ok()?;
            }
            Action::Begin(key, reply) => self.begin(&mut next, &key, reply)?,
            Action::End(key, result) => self.end(&mut next, &key, result)?,
            Action::Crash(key, result) => {
                next.crashes_left -= 1;
                let todo = next.world.steps.get_mut(&key)?;
                let index = todo.tries.iter().position(|each| *each == result)?;
                todo.tries.remove(index);
                todo.done |= self.broken == Broken::StepsDieWithTheirTry;
            }
            Action::Expire(key) => {
                let Step::Expire { order_id, .. } = next.world.steps.get(&key)?.step else { return None };
                self.say(&mut next, &format!("{key}/expired"), &manager::expire(order_id)).ok()?;
                next.world.steps.get_mut(&key)?.done = true;
            }
            Action::Decide(buyer, approves) => {
                let at_once = self.at_once_of(state, buyer);
                let account = &mut next.accounts[buyer];
                account.standing = if approves { Standing::Approved } else { Standing::Declined };
                manager::take_at_once(account, at_once);
            }
            Action::Webhook(buyer) => {
                let known = state.world.payment(given::payment(buyer))?;
                let approved = state.accounts[buyer].standing == Standing::Approved;
                let command = manager::settled(state, given::payment(buyer), known.amount, approved);
                next.contradicted |= self.say(&mut next, &format!("webhook-{buyer}"), &command).is_err();
            }
        }
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("pieces are neither lost nor sold twice", rules::pieces),
            Property::always("what is released is not shipped", rules::one_fate),
            Property::always("money is taken once", rules::once),
            Property::always("the books never say more than the gateway did", rules::books),
            Property::always("at rest nobody has paid for nothing", rules::at_rest),
            Property::always("nobody must look", rules::nobody_must_look),
            Property::sometimes("an order ends before its yes comes", rules::late_yes),
            Property::sometimes("a piece is shipped and paid", rules::sold),
        ]
    }
}

impl State {
    fn account(&mut self, payment: PaymentId) -> &mut Account {
        let buyer = (0..self.accounts.len()).find(|buyer| given::payment(*buyer) == payment).unwrap();
        &mut self.accounts[buyer]
    }
}

impl Shop {
    fn say(&self, state: &mut State, name: &str, command: &domain::Command) -> Result<(), domain::Refusal> {
        let forgets: fn(&Event) -> bool = match self.broken {
            Broken::LateYesIsKept => {
                |event| matches!(event, Event::Payment(domain::payment::Event::VoidRequested(_)))
            }
            _ => |_| false,
        };
        state.world.execute(name, command, forgets)
    }

    fn place(&self, state: &mut State, buyer: usize) {
        let (name, command) = (format!("place-{buyer}"), given::place(buyer));
        if self.broken != Broken::StockIsNotReadAgain {
            return drop(self.say(state, &name, &command));
        }
        let beginning = World::of(given::history(self.pieces, self.buyers));
        let mut stale = state.world.with_stock_of(&beginning);
        if stale.execute(&name, &command, |_| true).is_ok()
            && let Ok(decision) = command.decide(&stale)
        {
            state.world.append_all(&decision.events);
        }
    }

    /// What the gateway may do when it is asked.
    fn replies(&self, state: &State, step: &Step) -> impl Iterator<Item = Reply> + use<> {
        let open = match step {
            Step::Authorise { payment_id } => {
                (0..self.buyers).filter(|buyer| given::payment(*buyer) == *payment_id).any(|buyer| {
                    matches!(state.accounts[buyer].standing, Standing::Unasked | Standing::Deciding)
                })
            }
            _ => false,
        };
        let can_lose = state.losses_left > 0;
        Reply::ALL
            .into_iter()
            .filter(move |reply| open || matches!(reply, Reply::Approves | Reply::ApprovesUnheard))
            .filter(move |reply| can_lose || !reply.is_lost())
    }

    fn begin(&self, next: &mut State, key: &str, reply: Reply) -> Option<()> {
        let todo = next.world.steps.get_mut(key)?;
        let (step, tried) = (todo.step.clone(), std::mem::replace(&mut todo.tried, true));
        if todo.done || !todo.tries.is_empty() {
            next.repeats_left -= 1;
        }
        next.losses_left -= u8::from(reply.is_lost());
        let begun = manager::begin(next, &step, tried, reply, self.broken);
        let todo = next.world.steps.get_mut(key)?;
        match begun {
            Begun::Try(Try::Unknown(manager::Asked::Authorise))
                if self.broken == Broken::UnknownIsDeclined =>
            {
                todo.tries.push(Try::Declined);
            }
            Begun::Try(result) => todo.tries.push(result),
            Begun::Done => todo.done = true,
            Begun::Attention => todo.attention = true,
        }
        todo.tries.sort_unstable();
        Some(())
    }

    fn end(&self, next: &mut State, key: &str, result: Try) -> Option<()> {
        let todo = next.world.steps.get_mut(key)?;
        let index = todo.tries.iter().position(|each| *each == result)?;
        todo.tries.remove(index);
        let step = todo.step.clone();
        let Some((what, command, done)) = manager::command(next, &step, result) else { return Some(()) };
        let refused = self.say(next, &format!("{key}/{what}"), &command).is_err();
        let todo = next.world.steps.get_mut(key)?;
        todo.attention |= refused;
        todo.done |= done && !refused;
        Some(())
    }

    fn at_once_of(&self, state: &State, buyer: usize) -> Option<(domain::ids::CaptureId, i64)> {
        let payment = given::payment(buyer);
        let amount = state.world.payment(payment)?.amount.amount;
        self.at_once.then_some((domain::ids::CaptureId(payment.0), amount))
    }
}
