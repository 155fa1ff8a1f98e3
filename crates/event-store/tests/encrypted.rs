//! Connections are encrypted as the URL of the database says, those for appends as well, which sqlx does not make.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use event_store::testing::Cluster;
use event_store::{Batch, Error, EventStore, MasterKey};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use uuid::Uuid;

use crate::given::{cart_opened, command};

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl").current_dir(folder).args(arguments.split(' ')).output().unwrap();
    assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

/// An authority, and a certificate of its for 127.0.0.1 where a server of PostgreSQL can read it.
fn certificates(folder: &Path, data: &Path) {
    let new = "req -x509 -newkey rsa:2048 -nodes -days 2";
    openssl(folder, &format!("{new} -subj /CN=authority -keyout authority.key -out authority.pem"));
    openssl(folder, &format!("{new} -subj /CN=another -keyout another.key -out another.pem"));
    openssl(
        folder,
        &format!(
            "{new} -CA authority.pem -CAkey authority.key -subj /CN=server -addext basicConstraints=critical,CA:FALSE \
             -addext subjectAltName=IP:127.0.0.1 -keyout server.key -out server.pem"
        ),
    );
    for name in ["server.key", "server.pem"] {
        let to = data.join(name);
        std::fs::copy(folder.join(name), &to).unwrap();
        let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(data).unwrap());
        std::os::unix::fs::chown(&to, Some(owner), Some(owner)).unwrap();
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Appends over a connection that is made so; whether it is encrypted.
async fn append_over(store: &EventStore, options: PgConnectOptions) -> Result<bool, Error> {
    // The pool's own connection is there already, and so is not made so.
    store.pool().set_connect_options(options);
    let store = store.reopen(store.pool().clone()).await?;
    let (stream, event) = cart_opened();
    let known = store.head().await?;
    let commands = vec![command(vec![(stream, 1, event)])];
    store.append(&Batch { known, node: Uuid::now_v7(), commands }).await?;
    let sent = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                 WHERE pid <> pg_backend_pid() AND datname = current_database()";
    loop {
        let encrypted: Vec<bool> = sqlx::query_scalar(sent).fetch_all(store.pool()).await?;
        assert!(!encrypted.is_empty(), "the connection for appends is not there");
        // The one before may not have gone yet.
        if let [encrypted] = encrypted[..] {
            return Ok(encrypted);
        }
    }
}

fn is_refused(appended: Result<bool, Error>) {
    let error = appended.expect_err("nobody knows that server");
    assert!(matches!(error, Error::Connect(_)) && error.to_string().contains("certificate"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_are_encrypted_as_the_url_says() {
    let folder = std::env::temp_dir().join(format!("jumun-encrypted-{}", Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder).unwrap();
    let data = folder.join("data");
    let cluster = Cluster::start(&folder, &format!("unix_socket_directories = '{}'\n", data.display()));
    certificates(&folder, &data);
    let pool = PgPoolOptions::new().max_connections(1).connect_with(cluster.options()).await.unwrap();
    for setting in ["ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.key'", "ssl = on"] {
        let set = sqlx::AssertSqlSafe(format!("ALTER SYSTEM SET {setting}"));
        sqlx::query(set).execute(&pool).await.unwrap();
    }
    sqlx::query("SELECT pg_reload_conf()").execute(&pool).await.unwrap();
    let is_on = async || sqlx::query_scalar::<_, String>("SHOW ssl").fetch_one(&pool).await.unwrap() == "on";
    while !is_on().await {}
    event_store::migrate(&pool).await.unwrap();
    let store = EventStore::open(pool.clone(), MasterKey::generate()).await.unwrap();
    // Over the connection in question go appends to a log that has begun.
    append_over(&store, cluster.options()).await.unwrap();

    let options = |mode| cluster.options().ssl_mode(mode);
    let (right, wrong) = (folder.join("authority.pem"), folder.join("another.pem"));
    assert!(!append_over(&store, options(PgSslMode::Disable)).await.unwrap());
    for mode in [PgSslMode::Prefer, PgSslMode::Require] {
        assert!(append_over(&store, options(mode)).await.unwrap(), "{mode:?}");
    }
    for mode in [PgSslMode::VerifyCa, PgSslMode::VerifyFull] {
        assert!(append_over(&store, options(mode).ssl_root_cert(&right)).await.unwrap(), "{mode:?}");
        let in_place = options(mode).ssl_root_cert_from_pem(std::fs::read(&right).unwrap());
        assert!(append_over(&store, in_place).await.unwrap(), "{mode:?}");
        is_refused(append_over(&store, options(mode).ssl_root_cert(&wrong)).await);
        is_refused(append_over(&store, options(mode)).await);
    }
    // Its certificate is for an address.
    let named = |mode| options(mode).host("localhost").ssl_root_cert(&right);
    assert!(append_over(&store, named(PgSslMode::VerifyCa)).await.unwrap());
    is_refused(append_over(&store, named(PgSslMode::VerifyFull)).await);
    // Over a socket there is nothing to encrypt.
    for options in [cluster.options().socket(&data), cluster.options().host(&data.display().to_string())] {
        assert!(!append_over(&store, options).await.unwrap());
    }
    cluster.remove();
}
