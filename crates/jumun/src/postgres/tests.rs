//! The private PostgreSQL, killed in every way.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;

use super::Postgres;
use super::processes::Processes;
use crate::config::Configuration;
use crate::data_dir::DataDir;

const DEADLINE: Duration = Duration::from_secs(120);

/// A folder of its own; whatever still runs on it at the end is stopped by the test.
fn folder() -> (PathBuf, DataDir) {
    let path = std::env::temp_dir().join(format!("jumun-postgres-{}", uuid::Uuid::new_v4().simple()));
    let data = DataDir::create(&path).unwrap();
    data.secrets().create().unwrap();
    (path, data)
}

async fn ask(postgres: &Postgres, sql: &'static str) -> Result<i64, sqlx::Error> {
    let mut connection = PgConnection::connect(postgres.url().expose_secret()).await?;
    let answer = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(answer)
}

async fn write(postgres: &Postgres) {
    let mut connection = PgConnection::connect(postgres.url().expose_secret()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept (n bigint); INSERT INTO kept VALUES (7)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

fn kill(data: &DataDir) {
    let file = std::fs::read_to_string(data.postgres().join("postmaster.pid")).unwrap();
    let pid = file.lines().next().unwrap().trim();
    assert!(std::process::Command::new("kill").args(["-KILL", pid]).status().unwrap().success());
}

#[tokio::test]
async fn a_server_that_dies_is_started_again_where_it_was() {
    let (path, data) = folder();
    let postgres = Postgres::start(&data, &Configuration::default()).await.unwrap();
    write(&postgres).await;
    let address = postgres.url().expose_secret().to_owned();
    let started = "SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint";
    let first = ask(&postgres, started).await.unwrap();
    kill(&data);
    let begun = Instant::now();
    while !ask(&postgres, started).await.is_ok_and(|now| now != first) {
        assert!(begun.elapsed() < DEADLINE, "it is not started again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(ask(&postgres, "SELECT n FROM kept").await.unwrap(), 7);
    assert_eq!(postgres.url().expose_secret(), address, "pools find it again");
    postgres.stop().await.unwrap();
    assert_eq!(Processes::default().on(&data.postgres()), Vec::<u32>::new());
    std::fs::remove_dir_all(path).unwrap();
}

#[tokio::test]
async fn what_a_killed_process_has_left_over_is_cleared_by_the_next_start() {
    let (path, data) = folder();
    let first = Postgres::start(&data, &Configuration::default()).await.unwrap();
    write(&first).await;
    first.abandon();
    assert_ne!(Processes::default().on(&data.postgres()), Vec::<u32>::new(), "it still runs");
    let second = Postgres::start(&data, &Configuration::default()).await.unwrap();
    assert_eq!(ask(&second, "SELECT n FROM kept").await.unwrap(), 7);
    second.stop().await.unwrap();
    // And the traces of one that is long gone, whose number somebody else has by now.
    let pid_file = data.postgres().join("postmaster.pid");
    std::fs::write(&pid_file, format!("{}\n{}\n", std::process::id(), data.postgres().display())).unwrap();
    let third = Postgres::start(&data, &Configuration::default()).await.unwrap();
    assert_eq!(ask(&third, "SELECT n FROM kept").await.unwrap(), 7);
    third.stop().await.unwrap();
    std::fs::remove_dir_all(path).unwrap();
}

/// A certificate for `localhost`, signed by itself, where the server reads it.
fn certificate(data: &DataDir) -> PathBuf {
    let (certificate, key) = (data.postgres().join("tls.crt"), data.postgres().join("tls.key"));
    let mut openssl = std::process::Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]);
    openssl.args([
        "-addext",
        "subjectAltName=DNS:localhost",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]);
    openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
    assert!(openssl.output().unwrap().status.success());
    let mut owner = std::process::Command::new("chown");
    owner.arg("--reference").arg(data.postgres()).args([&certificate, &key]);
    assert!(owner.status().unwrap().success());
    certificate
}

/// Managed PostgreSQL lets nobody in without TLS.
#[tokio::test]
async fn a_client_can_demand_tls_and_check_whose_certificate_it_is() {
    let (path, data) = folder();
    let postgres = Postgres::start(&data, &Configuration::default()).await.unwrap();
    let certificate = certificate(&data);
    let mut connection = PgConnection::connect(postgres.url().expose_secret()).await.unwrap();
    for sql in [
        "ALTER SYSTEM SET ssl_cert_file = 'tls.crt'",
        "ALTER SYSTEM SET ssl_key_file = 'tls.key'",
        "ALTER SYSTEM SET ssl = on",
        "SELECT pg_reload_conf()",
    ] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    let url = postgres.url().expose_secret().replace("127.0.0.1", "localhost");
    let with = |options: &str| {
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}{options}")
    };
    let trusted = with(&format!("sslmode=verify-full&sslrootcert={}", certificate.display()));
    let begun = Instant::now();
    let mut encrypted = loop {
        match PgConnection::connect(&trusted).await {
            Ok(connection) => break connection,
            Err(error) => assert!(begun.elapsed() < DEADLINE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert!(sqlx::query_scalar::<_, bool>(sql).fetch_one(&mut encrypted).await.unwrap());
    let stranger = PgConnection::connect(&with("sslmode=verify-full")).await;
    let error = stranger.expect_err("nobody has signed it but itself").to_string();
    assert!(error.contains("UnknownIssuer"), "{error}");
    postgres.stop().await.unwrap();
    std::fs::remove_dir_all(path).unwrap();
}
