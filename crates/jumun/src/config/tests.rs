//! Right and wrong configurations.

use std::collections::HashMap;
use std::path::PathBuf;

use secrecy::ExposeSecret;

use super::{Capture, Configuration, Flags, load::KEYS};

fn load(file: Option<&str>, variables: &[(&str, &str)], flags: Flags) -> Result<Configuration, String> {
    let variables: HashMap<_, _> =
        variables.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let path = file.map(|text| {
        let path = std::env::temp_dir().join(format!("jumun-{}.toml", uuid::Uuid::new_v4().simple()));
        std::fs::write(&path, text).unwrap();
        path
    });
    let flags = Flags { config: path.clone(), ..flags };
    let loaded = Configuration::load_from(&flags, variables).map_err(|error| format!("{error:#}"));
    if let Some(path) = path {
        std::fs::remove_file(path).unwrap();
    }
    loaded
}

#[track_caller]
fn refused(file: Option<&str>, variables: &[(&str, &str)], words: &[&str]) {
    let error = load(file, variables, Flags::default()).err().expect("a refusal");
    for word in words {
        assert!(error.contains(word), "{word:?} is not in {error:?}");
    }
}

#[test]
fn flags_beat_the_environment_and_that_beats_the_file() {
    let file = "reservation_seconds = 1\nsandbox_late_millis = 1\ncapture = \"at_once\"\ndata_dir = \"/a\"";
    let variables = [("JUMUN_RESERVATION_SECONDS", "2"), ("JUMUN_DATA_DIR", "/b")];
    let flags = Flags::default().with("data_dir", Some("/c")).with("query_listen", None::<String>);
    let loaded = load(Some(file), &variables, flags).unwrap();
    assert_eq!(loaded.reservation_seconds, 2);
    assert_eq!(loaded.sandbox_late_millis, 1);
    assert_eq!(loaded.capture, Capture::AtOnce);
    assert_eq!(loaded.data_dir, PathBuf::from("/c"));
    assert_eq!(loaded.query_listen.port(), 8081);
}

#[test]
fn unknown_keys_stop_the_start_and_say_where_they_are() {
    refused(
        None,
        &[("JUMUN_RESERVATION_SECOND", "2")],
        &["JUMUN_RESERVATION_SECOND ", "did you mean JUMUN_RESERVATION_SECONDS"],
    );
    refused(Some("colour = 1"), &[], &["colour", ".toml", "not a key"]);
}

#[test]
fn wrong_values_stop_the_start_with_the_name_of_the_key() {
    refused(None, &[("JUMUN_RESERVATION_SECONDS", "soon")], &["reservation_seconds", "soon"]);
    refused(None, &[("JUMUN_RESERVATION_SECONDS", "-1")], &["reservation_seconds"]);
    refused(None, &[("JUMUN_REPLICA_LAG_SECONDS", "0")], &["replica_lag_seconds"]);
    refused(None, &[("JUMUN_RESERVATION_SECONDS", "0")], &["reservation_seconds"]);
    refused(
        None,
        &[("JUMUN_CAPTURE", "never")],
        &["capture", "at_shipment or at_once, not never", "environment"],
    );
    refused(None, &[("JUMUN_COMMAND_LISTEN", "here")], &["command_listen", "environment"]);
    refused(Some("log_format = \"xml\""), &[], &["log_format", ".toml"]);
    refused(None, &[("JUMUN_LOG", "a=b=c")], &["log"]);
    refused(None, &[("JUMUN_MAVEN_REPOSITORY", "ftp://example.com")], &["maven_repository"]);
    refused(Some("reservation_seconds = \"x\""), &[], &["reservation_seconds", ".toml"]);
    refused(Some("= 3"), &[], &[".toml"]);
}

#[test]
fn secrets_are_not_repeated_and_do_not_belong_into_the_file() {
    let error = load(None, &[("JUMUN_DATABASE_URL", "mysql:hunter2")], Flags::default()).err().unwrap();
    assert!(error.contains("database_url") && !error.contains("hunter2"), "{error}");
    let error = load(Some("master_key = \"hunter2\""), &[], Flags::default()).err().unwrap();
    assert!(error.contains("master_key_file") && !error.contains("hunter2"), "{error}");
    let short = load(None, &[("JUMUN_TOKEN_SECRET", "hunter2")], Flags::default()).unwrap();
    let error = format!("{:#}", short.token().unwrap_err());
    assert!(error.contains("token_secret") && !error.contains("hunter2"), "{error}");
}

#[test]
fn a_secret_of_digits_stays_text() {
    let digits = "0123456789".repeat(7)[..64].to_owned();
    let loaded = load(None, &[("JUMUN_MASTER_KEY", &digits)], Flags::default()).unwrap();
    assert_eq!(loaded.master_key.as_ref().unwrap().expose_secret(), digits);
    assert!(loaded.master().unwrap().is_some());
}

#[test]
fn variables_that_are_no_configuration_are_left_alone() {
    let variables = [("JUMUN_BIN", "x"), ("JUMUN_STAFF_PASSWORD", "x"), ("JUMUN_TEST_DATABASE_URL", "x")];
    load(None, &variables, Flags::default()).unwrap();
}

#[test]
fn every_key_is_a_field() {
    for key in KEYS {
        let error = load(Some(&format!("[{key}]\nx = 1")), &[], Flags::default()).err();
        assert!(error.is_some_and(|error| error.contains(key)), "{key}");
    }
}

#[test]
fn a_build_without_msk_iam_says_so() {
    let variables =
        [("JUMUN_KAFKA_BROKERS", "b:9098"), ("JUMUN_KAFKA_SECURITY", "msk_iam"), ("JUMUN_KAFKA_REGION", "r")];
    match load(None, &variables, Flags::default()).unwrap().kafka() {
        Ok(kafka) => assert!(event_bus::connection::MSK_IAM && kafka.is_some()),
        Err(error) => assert!(error.to_string().contains("kafka_security is msk_iam"), "{error}"),
    }
}
