//! What the sandbox has done: entries, flushed to disk before anything is answered, and what follows from them. It survives
//! `kill -9`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use domain::Money;
use domain::ids::{OrderId, PaymentId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::wire::{Accepted, Move, NewPayment, Standing, WireNotice};
use super::journal::{Journal, Place};

/// One thing that the gateway did.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Entry {
    Accepted {
        payment_id: PaymentId,
        order_id: OrderId,
        amount: Money,
        token: String,
        capture: bool,
        reference: String,
        decide_at: i64,
    },
    Authorised {
        payment_id: PaymentId,
        reference: String,
        amount: Money,
    },
    Declined {
        payment_id: PaymentId,
        reason: String,
    },
    Captured {
        payment_id: PaymentId,
        capture_id: Uuid,
        amount: Money,
    },
    Voided {
        payment_id: PaymentId,
    },
    Refunded {
        payment_id: PaymentId,
        refund_id: Uuid,
        amount: Money,
    },
    Announced {
        notice: WireNotice,
        payment_id: PaymentId,
        times: u32,
    },
    Told {
        payment_id: PaymentId,
        notice_id: String,
    },
}

/// One payment, as its entries say.
#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub(super) asked: NewPayment,
    pub(super) reference: String,
    pub(super) decide_at: i64,
    pub(super) standing: Standing,
    reason: Option<String>,
    captures: BTreeMap<Uuid, Money>,
    refunds: BTreeMap<Uuid, Money>,
    voided: bool,
}

impl Payment {
    pub(super) fn accepted(&self) -> Accepted {
        Accepted {
            payment_id: self.asked.payment_id,
            status: self.standing,
            reference: self.reference.clone(),
            amount: self.asked.amount,
            reason: self.reason.clone(),
            captured: self.asked.capture && self.standing == Standing::Authorised,
        }
    }
    fn captured(&self) -> i64 {
        self.captures.values().map(|money| money.amount).sum()
    }
    fn refunded(&self) -> i64 {
        self.refunds.values().map(|money| money.amount).sum()
    }
}

/// Why the gateway will not.
pub(super) type Refusal = &'static str;

/// The ledger and what follows from it.
#[derive(Debug)]
pub(super) struct Book {
    journal: Journal,
    pub(super) entries: Vec<Entry>,
    pub(super) payments: HashMap<PaymentId, Payment>,
    told: HashSet<String>,
}

impl Book {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let (journal, text) = Journal::open(path)?;
        let mut book = Self { journal, entries: Vec::new(), payments: HashMap::new(), told: HashSet::new() };
        for line in text.lines() {
            let entry = serde_json::from_str(line).map_err(std::io::Error::other)?;
            book.apply(entry);
        }
        Ok(book)
    }

    /// Lets entries count, and has them written down: nothing that follows from them may be answered before [`Book::end`] is on
    /// the disk.
    pub(super) fn write(&mut self, entries: Vec<Entry>) -> std::io::Result<()> {
        let mut text = Vec::new();
        for entry in &entries {
            serde_json::to_writer(&mut text, entry)?;
            text.push(b'\n');
        }
        self.journal.give(text);
        entries.into_iter().for_each(|entry| self.apply(entry));
        Ok(())
    }

    /// Everything that counts so far.
    pub(super) fn end(&self) -> Place {
        self.journal.end()
    }

    fn apply(&mut self, entry: Entry) {
        match &entry {
            Entry::Accepted { payment_id, order_id, amount, token, capture, reference, decide_at } => {
                let asked = NewPayment {
                    payment_id: *payment_id,
                    order_id: *order_id,
                    amount: *amount,
                    token: token.clone(),
                    capture: *capture,
                };
                let payment = Payment {
                    asked,
                    reference: reference.clone(),
                    decide_at: *decide_at,
                    standing: Standing::Pending,
                    reason: None,
                    captures: BTreeMap::new(),
                    refunds: BTreeMap::new(),
                    voided: false,
                };
                self.payments.insert(*payment_id, payment);
            }
            Entry::Authorised { payment_id, .. } => {
                self.change(*payment_id, |payment| payment.standing = Standing::Authorised)
            }
            Entry::Declined { payment_id, reason } => self.change(*payment_id, |payment| {
                payment.standing = Standing::Declined;
                payment.reason = Some(reason.clone());
            }),
            Entry::Captured { payment_id, capture_id, amount } => self.change(*payment_id, |payment| {
                payment.captures.insert(*capture_id, *amount);
            }),
            Entry::Voided { payment_id } => self.change(*payment_id, |payment| payment.voided = true),
            Entry::Refunded { payment_id, refund_id, amount } => self.change(*payment_id, |payment| {
                payment.refunds.insert(*refund_id, *amount);
            }),
            Entry::Announced { .. } => {}
            Entry::Told { notice_id, .. } => {
                self.told.insert(notice_id.clone());
            }
        }
        self.entries.push(entry);
    }

    fn change(&mut self, payment_id: PaymentId, change: impl FnOnce(&mut Payment)) {
        if let Some(payment) = self.payments.get_mut(&payment_id) {
            change(payment);
        }
    }

    /// Notices that nobody has taken yet.
    pub(super) fn untold(&self) -> Vec<(WireNotice, u32)> {
        let announced = self.entries.iter().filter_map(|entry| match entry {
            Entry::Announced { notice, times, .. } => Some((notice.clone(), *times)),
            _ => None,
        });
        announced.filter(|(notice, _)| !self.told.contains(&notice.id)).collect()
    }

    /// The authorisation is decided: held, or (with `capture`) taken.
    pub(super) fn decision(asked: &NewPayment, reference: &str, reason: Option<&str>) -> Vec<Entry> {
        let payment_id = asked.payment_id;
        if let Some(reason) = reason {
            return vec![Entry::Declined { payment_id, reason: reason.to_owned() }];
        }
        let mut entries =
            vec![Entry::Authorised { payment_id, reference: reference.to_owned(), amount: asked.amount }];
        if asked.capture {
            entries.push(Entry::Captured { payment_id, capture_id: payment_id.0, amount: asked.amount });
        }
        entries
    }

    /// What a capture asks for, if it may be. Nothing: it was done before.
    pub(super) fn capture(&self, payment_id: PaymentId, asked: &Move) -> Result<Option<Entry>, Refusal> {
        let payment = self.authorised(payment_id)?;
        match payment.captures.get(&asked.id) {
            Some(before) if *before == asked.amount => return Ok(None),
            Some(_) => return Err("idempotency_mismatch"),
            None => {}
        }
        if payment.voided {
            return Err("voided");
        }
        check(asked.amount, payment.asked.amount, payment.captured())?;
        Ok(Some(Entry::Captured { payment_id, capture_id: asked.id, amount: asked.amount }))
    }

    /// What a void asks for, if it may be.
    pub(super) fn void(&self, payment_id: PaymentId) -> Result<Option<Entry>, Refusal> {
        let payment = self.authorised(payment_id)?;
        if payment.captured() > 0 {
            return Err("captured_already");
        }
        Ok((!payment.voided).then_some(Entry::Voided { payment_id }))
    }

    /// What a refund asks for, if it may be.
    pub(super) fn refund(&self, payment_id: PaymentId, asked: &Move) -> Result<Option<Entry>, Refusal> {
        let payment = self.authorised(payment_id)?;
        match payment.refunds.get(&asked.id) {
            Some(before) if *before == asked.amount => return Ok(None),
            Some(_) => return Err("idempotency_mismatch"),
            None => {}
        }
        let captured = Money { amount: payment.captured(), ..payment.asked.amount };
        check(asked.amount, captured, payment.refunded())?;
        Ok(Some(Entry::Refunded { payment_id, refund_id: asked.id, amount: asked.amount }))
    }

    fn authorised(&self, payment_id: PaymentId) -> Result<&Payment, Refusal> {
        let payment = self.payments.get(&payment_id).ok_or("unknown_payment")?;
        if payment.standing == Standing::Authorised { Ok(payment) } else { Err("not_authorised") }
    }
}

fn check(asked: Money, limit: Money, used: i64) -> Result<(), Refusal> {
    if asked.currency != limit.currency {
        return Err("currency_mismatch");
    }
    if asked.amount <= 0 || asked.amount.checked_add(used).is_none_or(|sum| sum > limit.amount) {
        return Err("amount_too_high");
    }
    Ok(())
}
