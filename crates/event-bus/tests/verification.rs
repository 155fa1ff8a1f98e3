//! The check of Kafka against the log, and that it finds what is wrong.

use std::time::Duration;

use event_bus::envelope::Envelope;
use event_bus::verify::{self, Check};
use event_store::{Lane, Position};
use rdkafka::message::OwnedHeaders;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::given::shop;
use crate::published::PARTITIONS;
use crate::stage::Stage;

/// Nothing comes later in these tests.
const PATIENCE: Duration = Duration::from_secs(2);

/// A log that is published with one thing changed.
async fn checked(change: impl FnOnce(&mut Vec<Envelope>)) -> Vec<Check> {
    let mut stage = Stage::kafka().await;
    shop(&stage.store, 3, 6).await;
    let publisher = stage.publisher.as_mut().unwrap();
    let mut envelopes = publisher.envelopes(&stage.store).await;
    let epoch = envelopes[0].epoch;
    change(&mut envelopes);
    // One by one: a change may be one of the order.
    for envelope in &envelopes {
        publisher.send(envelope).await;
    }
    publisher.watermarks(epoch).await;
    verify::run(&stage.store, &publisher.kafka, PATIENCE).await.unwrap()
}

/// The indexes of the last three events of a partition.
fn three(envelopes: &[Envelope]) -> [usize; 3] {
    let of = |lane: Lane| {
        let indexes = (0..envelopes.len()).filter(move |index| lane.holds(&envelopes[*index].raw.stream));
        indexes.collect::<Vec<_>>()
    };
    let lane = Lane::all(PARTITIONS).map(of).find(|indexes| indexes.len() >= 6).unwrap();
    *lane.last_chunk().unwrap()
}

#[track_caller]
fn fails(checks: &[Check], which: &str, naming: &str) {
    let broken: Vec<_> = checks.iter().filter(|check| !check.ok).collect();
    assert!(
        broken.iter().any(|check| check.name.contains(which) && check.detail.contains(naming)),
        "{checks:#?} should say of {which:?} {naming:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_as_it_is_passes() {
    let checks = checked(|_| ()).await;
    assert!(checks.iter().all(|check| check.ok), "{checks:#?}");
    assert_eq!(checks[3].detail, "42 events");
    // Repeats are dropped by every consumer: a relay that took over may have sent them.
    let checks = checked(|envelopes| envelopes.extend(envelopes[10..].to_vec())).await;
    assert!(checks.iter().all(|check| check.ok), "{checks:#?}");
    assert_eq!(checks[3].detail, "42 events, 32 repeated records dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_gone_is_missed() {
    let mut range = String::new();
    let checks = checked(|envelopes| {
        let [_, gone, last] = three(envelopes);
        range = format!("after position {} up to {}", envelopes[gone].prev, envelopes[last].raw.position);
        envelopes.remove(gone);
    });
    let checks = checks.await;
    fails(&checks, "all that the log has", &range);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_gone_with_its_trace_is_missed() {
    let mut position = Position(0);
    let checks = checked(|envelopes| {
        let [_, gone, last] = three(envelopes);
        position = envelopes[gone].raw.position;
        envelopes[last].prev = envelopes[gone].prev;
        envelopes.remove(gone);
    });
    let checks = checks.await;
    fails(&checks, "is the log", &format!("passes over position {position}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_records_in_the_other_order_are_found() {
    let checks = checked(|envelopes| {
        let [_, one, other] = three(envelopes);
        envelopes.swap(one, other);
    });
    let checks = checks.await;
    fails(&checks, "all that the log has", "lacks events");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_there_twice_is_found() {
    let checks = checked(|envelopes| {
        let [_, one, other] = three(envelopes);
        let mut again = envelopes[one].clone();
        (again.raw.position, again.prev) = (envelopes[other].raw.position, envelopes[other].prev);
        envelopes.insert(other, again);
    });
    let checks = checks.await;
    fails(&checks, "is the log", "is another event in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_says_something_else_is_found() {
    let data = |envelope: &mut Envelope| envelope.raw.data = RawValue::from_string("{}".to_owned()).unwrap();
    let version = |envelope: &mut Envelope| envelope.raw.version += 1;
    let why = |envelope: &mut Envelope| envelope.raw.metadata.correlation_id = Uuid::now_v7();
    let id = |envelope: &mut Envelope| envelope.raw.event_id = Uuid::now_v7();
    let changes: [&dyn Fn(&mut Envelope); 4] = [&data, &version, &why, &id];
    for change in changes {
        let checks = checked(|envelopes| {
            let [_, changed, _] = three(envelopes);
            change(&mut envelopes[changed]);
        });
        let checks = checks.await;
        fails(&checks, "is the log", "is another event in the log");
    }
    let again = checked(|envelopes| {
        let [_, one, _] = three(envelopes);
        let mut again = envelopes[one].clone();
        data(&mut again);
        envelopes.push(again);
    });
    fails(&again.await, "is a relay's", "says something else than before");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_published_yet_is_missed() {
    let mut stage = Stage::kafka().await;
    shop(&stage.store, 3, 3).await;
    stage.published().await;
    shop(&stage.store, 1, 0).await;
    let kafka = &stage.publisher.as_ref().unwrap().kafka;
    let checks = verify::run(&stage.store, kafka, PATIENCE).await.unwrap();
    fails(&checks, "all that the log has", "does the relay run?");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_belong_there_is_found() {
    let mut stage = Stage::kafka().await;
    shop(&stage.store, 3, 3).await;
    let publisher = stage.publisher.as_mut().unwrap();
    let envelopes = publisher.envelopes(&stage.store).await;
    publisher.send_all(&envelopes).await;
    publisher.watermarks(envelopes[0].epoch).await;
    let strange = &envelopes[0];
    let own = Lane::of(&strange.raw.stream, PARTITIONS);
    let other = Lane::all(PARTITIONS).find(|lane| *lane != own).unwrap();
    publisher.produce(other, Some(strange.key()), strange.value(), strange.headers()).await;
    publisher.produce(own, None, "hello", OwnedHeaders::new()).await;
    let checks = verify::run(&stage.store, &publisher.kafka, PATIENCE).await.unwrap();
    fails(&checks, "partition of its key", strange.raw.stream.as_str());
    fails(&checks, "is a relay's", "it has no headers");
}
