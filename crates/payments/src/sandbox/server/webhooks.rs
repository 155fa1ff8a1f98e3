//! Decisions that come later, and the webhooks that tell them: late, twice, out of order, and again until they are taken.

use std::time::Duration;

use super::super::wire::{Standing, WireNotice};
use super::super::{SIGNATURE_HEADER, signature};
use super::book::{Book, Entry, Payment};
use super::{Gateway, refusal_of};
use secrecy::ExposeSecret;

/// Between two tries of a webhook, at most.
const PAUSE_MAX: Duration = Duration::from_secs(30);

impl Gateway {
    /// Decides a pending payment when its time comes, and announces it.
    pub(super) fn decide_later(&self, payment: Payment) {
        let gateway = self.clone();
        tokio::spawn(async move {
            let now = chrono::Utc::now().timestamp_millis();
            let wait = Duration::from_millis(u64::try_from(payment.decide_at - now).unwrap_or(0));
            tokio::select! {
                () = gateway.shutdown.cancelled() => {}
                () = tokio::time::sleep(wait) => gateway.decide(&payment).await,
            }
        });
    }

    async fn decide(&self, payment: &Payment) {
        let asked = &payment.asked;
        let mut entries = Book::decision(asked, &payment.reference, refusal_of(&asked.token));
        let notices = notices(payment);
        entries.extend(notices.iter().map(|(notice, times)| Entry::Announced {
            notice: notice.clone(),
            payment_id: asked.payment_id,
            times: *times,
        }));
        match self.with_book(|book| book.write(entries)).await.flatten() {
            Ok(()) => self.tell_in_order(notices),
            Err(error) => tracing::error!(%error, "the sandbox cannot write its ledger"),
        }
    }

    /// One after the other, so that "out of order" is really that.
    fn tell_in_order(&self, notices: Vec<(WireNotice, u32)>) {
        let gateway = self.clone();
        tokio::spawn(async move {
            for (notice, times) in notices {
                gateway.deliver(&notice, times).await;
            }
        });
    }

    /// Delivers one notice that many times.
    pub(super) fn tell(&self, notice: WireNotice, times: u32) {
        self.tell_in_order(vec![(notice, times)]);
    }

    async fn deliver(&self, notice: &WireNotice, times: u32) {
        let mut delivered = 0;
        let mut pause = Duration::from_millis(100);
        while delivered < times {
            if self.post(notice).await {
                delivered += 1;
                continue;
            }
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
            }
        }
        let told = Entry::Told { payment_id: notice.payment_id, notice_id: notice.id.clone() };
        if let Err(error) = self.with_book(|book| book.write(vec![told])).await.flatten() {
            tracing::error!(%error, "the sandbox cannot write its ledger");
        }
    }

    async fn post(&self, notice: &WireNotice) -> bool {
        let Ok(body) = serde_json::to_vec(notice) else { return false };
        let secret = self.options.webhook_secret.expose_secret().as_bytes();
        let signed = signature::sign(secret, chrono::Utc::now().timestamp(), &body);
        let request = self
            .http
            .post(&self.options.webhook_url)
            .header(SIGNATURE_HEADER, signed)
            .header("Content-Type", "application/json")
            .body(body);
        matches!(request.send().await, Ok(answer) if answer.status().is_success())
    }
}

/// What is told of a decision, and how often.
fn notices(payment: &Payment) -> Vec<(WireNotice, u32)> {
    let refused = refusal_of(&payment.asked.token);
    let decided = if refused.is_some() { Standing::Declined } else { Standing::Authorised };
    let notice = |status: Standing| WireNotice {
        id: format!("evt_{}", uuid::Uuid::now_v7().simple()),
        payment_id: payment.asked.payment_id,
        status,
        reference: payment.reference.clone(),
        amount: payment.asked.amount,
        reason: refused.map(str::to_owned),
        captured: payment.asked.capture && status == Standing::Authorised,
    };
    match payment.asked.token.as_str() {
        "webhook_twice" => vec![(notice(decided), 2)],
        "webhook_reordered" => {
            // Made in their true order, told in the other one.
            let (older, newer) = (notice(Standing::Pending), notice(decided));
            vec![(newer, 1), (older, 1)]
        }
        _ => vec![(notice(decided), 1)],
    }
}
