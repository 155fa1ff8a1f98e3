//! What is told by webhook, and who is believed.

use payments::sandbox::{SIGNATURE_HEADER, Sandbox};
use payments::{Forged, Gateway, News, Notice, Outcome, signature};
use secrecy::SecretString;

use crate::given::{Came, Receiver, Running, authorise, decided, done, won};

fn verified(adapter: &Sandbox, came: &Came, now: i64) -> Result<Notice, Forged> {
    let header = |name: &str| (name == SIGNATURE_HEADER).then(|| came.signature.clone());
    adapter.verify_webhook(&header, &came.body, now)
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

async fn told(token: &str, turned_away: usize, count: usize) -> (Vec<Notice>, payments::Authorisation) {
    let mut receiver = Receiver::start(turned_away).await;
    let sandbox = Running::start(&receiver.url).await;
    let asked = authorise(token);
    assert_eq!(sandbox.adapter.authorise(&asked).await, Outcome::Pending);
    let came = receiver.came(count).await;
    let notices: Vec<_> = came.iter().map(|came| verified(&sandbox.adapter, came, now()).unwrap()).collect();
    assert!(notices.iter().all(|notice| notice.payment_id == asked.payment_id));
    (notices, done(decided(&sandbox.adapter, asked.payment_id).await))
}

#[tokio::test]
async fn late_is_told_once() {
    let (notices, held) = told("webhook_late", 0, 1).await;
    assert_eq!(held.amount, won(1_000));
    assert_eq!(notices.iter().map(|notice| &notice.news).collect::<Vec<_>>(), [&News::Authorised(held)]);
}

#[tokio::test]
async fn twice_is_the_same_notice_twice() {
    let (notices, held) = told("webhook_twice", 0, 2).await;
    assert_eq!(notices[0], notices[1]);
    assert_eq!(notices[0].news, News::Authorised(held));
}

#[tokio::test]
async fn reordered_is_the_newer_notice_first() {
    let (notices, held) = told("webhook_reordered", 0, 2).await;
    assert_ne!(notices[0].event_id, notices[1].event_id);
    assert_eq!(notices[0].news, News::Authorised(held));
    assert_eq!(notices[1].news, News::Nothing);
}

#[tokio::test]
async fn whoever_turns_a_notice_away_gets_it_again() {
    let (notices, held) = told("webhook_late", 2, 1).await;
    assert_eq!(notices[0].news, News::Authorised(held));
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let mut receiver = Receiver::start(0).await;
    let sandbox = Running::start(&receiver.url).await;
    sandbox.adapter.authorise(&authorise("webhook_late")).await;
    let came = receiver.came(1).await.remove(0);
    let adapter = &sandbox.adapter;
    assert!(verified(adapter, &came, now()).is_ok());
    assert_eq!(verified(adapter, &came, now() + 1_000), Err(Forged::OutOfTime));
    let mut changed = came.clone();
    let place = changed.body.iter().position(|byte| *byte == b'1').unwrap();
    changed.body[place] = b'2';
    assert_eq!(verified(adapter, &changed, now()), Err(Forged::Mismatch));
    let unsigned = Came { signature: String::new(), ..came.clone() };
    assert_eq!(verified(adapter, &unsigned, now()), Err(Forged::Malformed));
    assert_eq!(adapter.verify_webhook(&|_| None, &came.body, now()), Err(Forged::Malformed));
    let stranger =
        Sandbox::new("http://unused", SecretString::from("another".to_owned()), std::time::Duration::MAX);
    assert_eq!(verified(&stranger.unwrap(), &came, now()), Err(Forged::Mismatch));
    let signed = signature::sign(b"a secret of these tests", now(), b"{}");
    let empty = Came { signature: signed, body: b"{}".to_vec() };
    assert_eq!(verified(adapter, &empty, now()), Err(Forged::Unreadable));
}
