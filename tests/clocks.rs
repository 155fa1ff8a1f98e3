//! Clocks that people set: what moves them, and what must not wait for them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncReadExt;

use crate::shop::{DEADLINE, Shop, scaled};

/// What moves a clock, where Debian's package `faketime` puts it.
const FAKETIME: &str = "faketime/libfaketimeMT.so.1";

/// A clock for every role, moved through a file.
pub(crate) struct Clocks {
    library: Option<PathBuf>,
    folder: PathBuf,
}

impl Clocks {
    /// Right for now, all of them.
    pub(crate) fn find(folder: &Path, roles: &[&str]) -> Self {
        let triples = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let library = triples.map(|folder| folder.path().join(FAKETIME)).find(|path| path.exists());
        std::fs::create_dir_all(folder).unwrap();
        let clocks = Self { library, folder: folder.to_owned() };
        roles.iter().for_each(|role| clocks.set(role, 0));
        clocks
    }

    /// Whether there is what moves them.
    pub(crate) fn can_be_moved(&self) -> bool {
        self.library.is_some()
    }

    /// The environment of a role whose clock can be moved.
    pub(crate) fn configure(
        &self,
        role: &str,
        mut environment: Vec<(String, String)>,
    ) -> Vec<(String, String)> {
        if let Some(library) = &self.library {
            let all = [
                ("LD_PRELOAD", library.display().to_string()),
                ("FAKETIME_TIMESTAMP_FILE", self.file(role).display().to_string()),
                ("FAKETIME_CACHE_DURATION", "1".to_owned()),
                // Only the clock that people set can jump.
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ];
            environment.extend(all.map(|(key, value)| (key.to_owned(), value)));
        }
        environment
    }

    fn file(&self, role: &str) -> PathBuf {
        self.folder.join(role)
    }

    /// Sets a clock so many seconds from what it is.
    pub(crate) fn set(&self, role: &str, seconds: i64) {
        // Never seen half written.
        let new = self.folder.join(format!("{role}.new"));
        std::fs::write(&new, format!("{seconds:+}\n")).unwrap();
        std::fs::rename(new, self.file(role)).unwrap();
    }
}

/// Kafka's client waits until a moment of that clock, and nobody can take back what it was asked.
#[tokio::test]
async fn a_clock_that_was_set_back_holds_up_no_stop() {
    const RELAY: &str = "relay";
    let folder = std::env::temp_dir().join(format!("jumun-clocks-{}", uuid::Uuid::new_v4().simple()));
    let clocks = Clocks::find(&folder, &[RELAY]);
    if !scaled() || !clocks.can_be_moved() {
        println!("only for a shop that is fed by Kafka, and where Debian's package `faketime` is");
        return;
    }
    let shop = Shop::open().await;
    // A broker that lets everybody in and says nothing.
    let broker = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = broker.local_addr().unwrap().to_string();
    clocks.set(RELAY, 3_600);
    let environment = clocks.configure(RELAY, vec![("JUMUN_KAFKA_BROKERS".to_owned(), address)]);
    let mut relay = shop.tool(&["relay", "--listen", "127.0.0.1:0"]);
    let relay = relay.envs(environment).env("FAKETIME_NO_CACHE", "1").kill_on_drop(true);
    let mut relay = relay.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (mut asking, _) = tokio::time::timeout(DEADLINE, broker.accept()).await.unwrap().unwrap();
    assert!(asking.read_u8().await.is_ok(), "it asks nothing");
    clocks.set(RELAY, 0);
    let pid = relay.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = tokio::time::timeout(DEADLINE, relay.wait()).await.expect("it waits for its clock").unwrap();
    assert!(ended.success(), "{ended}");
    shop.close().await;
    std::fs::remove_dir_all(folder).unwrap();
}
