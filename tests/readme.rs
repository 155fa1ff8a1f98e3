//! README's flow, run as it is printed: every `sh` block of its section "The flow" in one shell, in order. Where a `json` block
//! follows, the answer must have the same shape as the one that is shown: the same members, and the same values where they do not
//! depend on the day (statuses, amounts, names, types of events).

use serde_json::Value;
use tokio::process::Command;

use crate::shop::{Shop, repository};

/// A command of README, and the answer it shows.
struct Block {
    command: String,
    shown: Option<Value>,
    /// Lines that must be among those that come, where the answer is not JSON.
    lines: Vec<String>,
}

/// Printed between the blocks.
const END: &str = "-- end of block --";

/// What the system does a moment later by itself: it may not have happened yet when the next command is run.
const LATER: &[&str] = &["NotificationRequested", "PaymentCaptured"];

fn blocks(readme: &str) -> Vec<Block> {
    let flow = readme
        .split("\n## ")
        .find(|section| section.starts_with("The flow"))
        .expect("a section \"The flow\"");
    let mut blocks: Vec<Block> = Vec::new();
    for fence in flow.split("\n```").skip(1).step_by(2) {
        let (language, text) = fence.split_once('\n').unwrap();
        match language {
            "sh" => blocks.push(Block { command: text.to_owned(), shown: None, lines: Vec::new() }),
            "json" => {
                let shown = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
                blocks.last_mut().expect("a command before its answer").shown = Some(shown);
            }
            "text" => {
                let lines = text.lines().filter(|line| !LATER.contains(line)).map(str::to_owned);
                blocks.last_mut().expect("a command before its answer").lines.extend(lines);
            }
            other => panic!("a block of {other:?}"),
        }
    }
    blocks
}

/// What cannot be the same on another day.
fn changes(name: &str) -> bool {
    [
        "_id",
        "_at",
        "token",
        "hash",
        "epoch",
        "position",
        "first_position",
        "start",
        "end",
        "until",
        "traceparent",
        "expires_in",
    ]
    .iter()
    .any(|part| name.ends_with(part))
        || ["id", "subject", "stream", "at"].contains(&name)
}

fn compare(path: &str, shown: &Value, came: &Value) {
    match (shown, came) {
        (Value::Object(shown), Value::Object(came)) => {
            let names = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(shown), names(came), "the members of {path}");
            for (name, value) in shown {
                if !changes(name) {
                    compare(&format!("{path}/{name}"), value, &came[name]);
                }
            }
        }
        (Value::Array(shown), Value::Array(came)) => {
            assert_eq!(shown.len(), came.len(), "the length of {path}: {came:#?}");
            for (index, (shown, came)) in shown.iter().zip(came).enumerate() {
                compare(&format!("{path}/{index}"), shown, came);
            }
        }
        (shown, came) => assert_eq!(shown, came, "{path}"),
    }
}

#[tokio::test]
async fn readme_tells_the_truth() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let blocks = blocks(&readme);
    assert!(blocks.iter().filter(|block| block.shown.is_some()).count() >= 6, "README shows too few answers");
    let shop = Shop::open().await;
    shop.searchable().await;
    let here = |text: &str| {
        text.replace("http://localhost:8080", shop.command_url())
            .replace("http://localhost:8081", shop.query_url())
            .replace(".jumun/", &format!("{}/", shop.data_dir.display()))
    };
    let mut script = String::new();
    for block in &blocks {
        script.push_str(&here(&block.command));
        script.push_str("\necho; echo '");
        script.push_str(END);
        script.push_str("'\n");
    }
    let output = Command::new("bash").arg("-eu").arg("-c").arg(&script).output().await.unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}\n{errors}");
    let answers: Vec<_> = text.split(END).map(str::trim).collect();
    for (number, (block, answer)) in blocks.iter().zip(answers).enumerate() {
        for line in &block.lines {
            assert!(
                answer.lines().any(|came| came == line),
                "block {number}: {line:?} is missing in {answer}"
            );
        }
        if let Some(shown) = &block.shown {
            let came = serde_json::from_str(answer)
                .unwrap_or_else(|error| panic!("block {number}: {error} in {answer}"));
            compare(&format!("block {number}: "), shown, &came);
        }
    }
    shop.close().await;
}
