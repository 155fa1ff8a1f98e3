//! The consumers of docs/consumers, in other languages: run, killed, run again; what they write is the log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Instant;

use event_bus::connection::Kafka;
use event_store::{EventStore, Filter, Lane, Position};
use serde_json::Value;
use uuid::Uuid;

use crate::given::shop;
use crate::stage::{DEADLINE, Stage, stack_says};

fn documents() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/consumers")
}

#[tokio::test(flavor = "multi_thread")]
async fn java() {
    let jars = stack_says("JUMUN_TEST_KAFKA_CLASSPATH");
    let mut java = Command::new("java");
    java.args(["-cp", &jars]).arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    java.arg(documents().join("Consumer.java"));
    follows_the_log(java).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python() {
    let mut python = Command::new(python_with_kafka());
    python.arg(documents().join("consumer.py"));
    follows_the_log(python).await;
}

/// A Python environment in the target folder that has what the consumer needs.
fn python_with_kafka() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folder = own.ancestors().nth(3).unwrap().join("test-consumer-venv");
    let python = folder.join("bin/python");
    let has_kafka = || Command::new(&python).args(["-c", "import confluent_kafka"]).output();
    if !has_kafka().is_ok_and(|output| output.status.success()) {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        let requirements = documents().join("requirements.txt");
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements));
    }
    python
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

async fn follows_the_log(mut consumer: Command) {
    let mut stage = Stage::kafka().await;
    let folder = std::env::temp_dir().join(format!("jumun-consumer-{}", Uuid::now_v7().simple()));
    std::fs::create_dir(&folder).unwrap();
    let output = folder.join("events.ndjson");
    let kafka = stage.publisher.as_ref().unwrap().kafka.clone();
    consumer.args([&kafka.brokers, &kafka.topics]).arg(&output);
    let mut killed = 0;
    for round in 1..=3 {
        publish_with_repeats(&mut stage).await;
        let head = stage.head().await.0;
        let mut running = consumer.spawn().unwrap();
        // Killed wherever it is, but the last time.
        let enough = if round == 3 { head } else { head - 20 };
        wait(&output, enough as usize, &mut running).await;
        running.kill().unwrap();
        running.wait().unwrap();
        killed += 1;
    }
    assert_eq!(killed, 3);
    is_the_log(&output, &kafka, &stage.store).await;
    std::fs::remove_dir_all(&folder).unwrap();
}

/// As two relays do that overlap.
async fn publish_with_repeats(stage: &mut Stage) {
    shop(&stage.store, 10, 5).await;
    let publisher = stage.publisher.as_mut().unwrap();
    let envelopes = publisher.envelopes(&stage.store).await;
    publisher.send_all(&envelopes[..80]).await;
    publisher.send_all(&envelopes[40..]).await;
    publisher.watermarks(envelopes[0].epoch).await;
}

/// Until so many lines are there.
async fn wait(output: &Path, lines: usize, running: &mut Child) {
    let began = Instant::now();
    loop {
        let found = std::fs::read_to_string(output).unwrap_or_default().lines().count();
        if found >= lines {
            return;
        }
        assert!(began.elapsed() < DEADLINE, "{found} of {lines} events in time");
        assert!(running.try_wait().unwrap().is_none(), "it has ended");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn is_the_log(output: &Path, kafka: &Kafka, store: &EventStore) {
    let mut written: BTreeMap<Lane, Vec<(Position, Uuid, Value)>> = BTreeMap::new();
    for line in std::fs::read_to_string(output).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let topic = kafka.topic(line["topic"].as_str().unwrap()).unwrap();
        let partition = line["partition"].as_u64().unwrap() as u32;
        let lane = Lane::Partition { topic, partition, of: kafka.partitions };
        let id = line["id"].as_str().unwrap().parse().unwrap();
        let event = (Position(line["position"].as_u64().unwrap()), id, line["data"].clone());
        written.entry(lane).or_default().push(event);
    }
    let mut expected: BTreeMap<Lane, Vec<(Position, Uuid, Value)>> = BTreeMap::new();
    for raw in store.read_raw(Position(0), u32::MAX, &Filter::default()).await.unwrap() {
        let lane = Lane::of(&raw.stream, kafka.partitions);
        let data = serde_json::from_str(raw.data.get()).unwrap();
        expected.entry(lane).or_default().push((raw.position, raw.event_id, data));
    }
    assert!(written == expected, "{}", output.display());
}
