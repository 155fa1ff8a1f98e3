//! Whether Kafka says what the log says: every partition is read from its beginning, as somebody new would read it, and compared
//! with the log, event by event.

mod compare;
mod finding;
mod partition;
mod read;

use std::collections::BTreeMap;
use std::time::Duration;

use event_store::{Error, EventStore, Lane};

use self::finding::Finding;
use self::partition::Partition;
use crate::connection::Kafka;

/// One promise, and whether it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The promise, in a few words.
    pub name: String,
    /// Whether it is kept.
    pub ok: bool,
    /// How much was looked at, or what is wrong.
    pub detail: String,
}

/// Checks Kafka against the log, up to where the log ends now. A relay gets `patience` to publish that: so long nothing new may
/// come before what has not come is missing. Nothing is changed, no consumer group is disturbed.
///
/// # Errors
/// When Kafka or the database is away, or the topics are not those that are configured. A promise that is not kept is no error.
pub async fn run(store: &EventStore, kafka: &Kafka, patience: Duration) -> Result<Vec<Check>, Error> {
    let head = store.head().await?;
    let partitions = Lane::all(kafka.partitions).map(|lane| (lane, Partition::new(lane, head.epoch)));
    let mut partitions: BTreeMap<_, _> = partitions.collect();
    read::all(kafka, &mut partitions, head.position, patience).await?;
    let differences = compare::with_log(store, &partitions, head.position, kafka.partitions).await?;
    Ok(checks(&partitions, head.position, differences))
}

fn checks(
    partitions: &BTreeMap<Lane, Partition>,
    head: event_store::Position,
    differences: Finding,
) -> Vec<Check> {
    let (mut foreign, mut misplaced, mut missing) = Default::default();
    let (mut events, mut records, mut repeated) = (0, 0, 0);
    for partition in partitions.values() {
        Finding::add(&mut foreign, &partition.foreign);
        Finding::add(&mut misplaced, &partition.misplaced);
        Finding::add(&mut missing, &partition.missing_before(head));
        events += partition.taken().len() as u64;
        records += partition.records;
        repeated += partition.repeated;
    }
    let places = format!("up to position {head}, in {} partitions", partitions.len());
    let read = match repeated {
        0 => finding::counted(events, "event"),
        _ => format!(
            "{}, {} dropped",
            finding::counted(events, "event"),
            finding::counted(repeated, "repeated record")
        ),
    };
    vec![
        foreign.check("every record on Kafka is a relay's", finding::counted(records, "record")),
        misplaced.check(
            "every record on Kafka is in the partition of its key",
            finding::counted(records, "record"),
        ),
        missing.check("every partition has all that the log has", places),
        differences.check("what a fresh consumer reads is the log, in order, each event once", read),
    ]
}
