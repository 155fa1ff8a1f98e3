//! The rules of the house, as far as a machine can check them. A number here may be lowered, never raised without a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::shop::repository;

/// Lines of the longest file.
const FILE_LINES_MAX: usize = 400;

/// Who may depend on whom; nobody else does.
const DEPENDENCIES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("event-store", &["domain"]),
    ("http-surface", &["domain", "event-store"]),
    ("payments", &["domain"]),
    ("projections", &["domain", "event-store"]),
    ("command-api", &["domain", "event-store", "http-surface", "payments"]),
    ("query-api", &["domain", "event-store", "http-surface", "projections"]),
    ("search", &["domain", "event-store", "projections"]),
    ("process-managers", &["domain", "event-store", "command-api", "payments"]),
];

/// What the business must never reach for: it has no clock, no I/O, no threads of its own.
const NOT_IN_DOMAIN: &[&str] = &["tokio", "sqlx", "axum", "reqwest", "tracing"];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path"])
        .arg(repository("Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What each package depends on outside its tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let names = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.map(|package| (package["name"].as_str().unwrap().to_owned(), names(package))).collect()
}

#[test]
fn dependencies_point_one_way() {
    let all = dependencies();
    let ours: BTreeSet<_> = all.keys().cloned().collect();
    for (package, allowed) in DEPENDENCIES {
        let found = &all[*package];
        for dependency in found.intersection(&ours) {
            assert!(allowed.contains(&dependency.as_str()), "{package} depends on {dependency}");
        }
    }
    for name in NOT_IN_DOMAIN {
        assert!(!all["domain"].contains(*name), "domain depends on {name}");
    }
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in ["crates", "tests", "benches"] {
        files(&repository(folder), "rs", &mut found);
    }
    found.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn nothing_is_left_undone_or_too_long() {
    let all = sources();
    assert!(all.len() > 100, "only {} files were found", all.len());
    for (path, text) in all {
        let lines = text.lines().count();
        assert!(lines <= FILE_LINES_MAX, "{} has {lines} lines", path.display());
        // Written so that this file does not hold what it looks for.
        for marker in [
            concat!("to", "do!("),
            concat!("unimplemen", "ted!("),
            concat!("#[ig", "nore"),
            concat!("FIX", "ME"),
        ] {
            assert!(!text.contains(marker), "{} holds {marker}", path.display());
        }
    }
}

#[test]
fn the_domain_has_no_clock() {
    let mut found = Vec::new();
    files(&repository("crates/domain/src"), "rs", &mut found);
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        for call in ["Utc::now", "SystemTime", "Instant::", "now_v7", "new_v4", "std::fs", "std::net"] {
            assert!(
                !text.contains(call) || path.to_string_lossy().contains("tests"),
                "{} calls {call}",
                path.display()
            );
        }
    }
}

#[test]
fn projections_create_no_tables_and_read_no_clock() {
    let mut found = Vec::new();
    files(&repository("migrations/read"), "sql", &mut found);
    assert!(!found.is_empty());
    for path in found {
        // No event is folded into these: they say when somebody did something to a read model.
        if path.ends_with("0302_parked.sql") || path.ends_with("0304_copies.sql") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
        let statements: String = text.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
        assert!(
            !statements.contains("now()") && !statements.contains("clock_timestamp"),
            "{} reads a clock",
            path.display()
        );
    }
}
