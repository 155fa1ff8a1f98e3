//! The gateway: its own ledger is the truth about money. It does what it is asked once per key (`crates/payments/src/lib.rs`).

use domain::ids::{CaptureId, RefundId};

/// What the gateway knows of an authorisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Standing {
    /// Nothing.
    Unasked,
    /// Nothing yet, but the call is on its way, or it takes its time: it decides whenever it likes.
    Deciding,
    Approved,
    Declined,
}

/// The gateway's account of one payment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Account {
    pub(super) standing: Standing,
    pub(super) voided: bool,
    pub(super) captures: Vec<(CaptureId, i64)>,
    pub(super) refunds: Vec<(RefundId, i64)>,
}

/// What it says of a call that moves money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Done,
    Refused,
}

impl Account {
    pub(super) fn new() -> Self {
        Self { standing: Standing::Unasked, voided: false, captures: Vec::new(), refunds: Vec::new() }
    }

    pub(super) fn captured(&self) -> i64 {
        self.captures.iter().map(|(_, amount)| amount).sum()
    }

    pub(super) fn refunded(&self) -> i64 {
        self.refunds.iter().map(|(_, amount)| amount).sum()
    }

    /// Nothing of the buyer's money is held or kept.
    pub(super) fn is_even(&self) -> bool {
        match self.standing {
            Standing::Approved => self.voided || (self.captured() > 0 && self.captured() == self.refunded()),
            _ => true,
        }
    }

    pub(super) fn capture(&mut self, id: CaptureId, amount: i64, keyed: bool) -> Said {
        if keyed && self.captures.iter().any(|(known, _)| *known == id) {
            return Said::Done;
        }
        if self.voided || self.standing != Standing::Approved {
            return Said::Refused;
        }
        self.captures.push((id, amount));
        Said::Done
    }

    pub(super) fn void(&mut self) -> Said {
        if self.standing != Standing::Approved || !self.captures.is_empty() {
            return Said::Refused;
        }
        self.voided = true;
        Said::Done
    }

    pub(super) fn refund(&mut self, id: RefundId, amount: i64) -> Said {
        if self.refunds.iter().any(|(known, _)| *known == id) {
            return Said::Done;
        }
        if self.refunded() + amount > self.captured() {
            return Said::Refused;
        }
        self.refunds.push((id, amount));
        Said::Done
    }
}
