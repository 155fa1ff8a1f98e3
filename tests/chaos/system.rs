//! The system that is hurt: a shop scaled out on servers of its own, with a proxy on every connection that matters, the log on a disk that
//! can be full, and clocks that can be moved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use super::plan::{Able, LINKS, Link, ROLES};
use super::proxy::{Mode, Proxy};
use crate::clocks::Clocks;
use crate::shop::{OwnServers, Shop, repository};

pub(super) struct System {
    pub(super) shop: Shop,
    pub(super) ground: Ground,
    proxies: BTreeMap<(String, String), Proxy>,
    clocks: Clocks,
}

/// What it stands on. Servers leave the disk before it goes.
pub(crate) struct Ground {
    pub(crate) servers: OwnServers,
    pub(crate) disk: Option<Disk>,
    /// What makes flushes slow, and where it is told.
    slow: Option<PathBuf>,
}

impl Ground {
    /// Servers with the log on a disk of its own, as far as that can be, and more flags of `script/stack up`. Blocks.
    pub(crate) fn start_in(folder: PathBuf, flags: &[&str]) -> Self {
        std::fs::create_dir_all(folder.join("postgres")).unwrap();
        let disk = Disk::mount(&folder.join("postgres"));
        let slow = slow_disk(&folder);
        // No --fast: an acknowledged commit must survive the death of PostgreSQL.
        Self { servers: OwnServers::start_in(folder, flags), disk, slow }
    }

    /// Every flush of PostgreSQL takes so much longer.
    pub(super) fn flushes_take(&self, time: Duration) {
        if let Some(told) = &self.slow {
            std::fs::write(told, time.as_millis().to_string()).unwrap();
        }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.servers.stop();
        self.disk.take();
    }
}

impl System {
    pub(super) async fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("jumun-chaos-{}", uuid::Uuid::new_v4().simple()));
        let clocks = Clocks::find(&folder.join("clocks"), ROLES);
        let kafka = Proxy::bind();
        let port = kafka.address().port().to_string();
        let started = move || Ground::start_in(folder, &["--kafka-proxy", &port]);
        let ground = tokio::task::spawn_blocking(started).await.unwrap();
        kafka.lead_to(ground.servers.servers.kafka_proxied.as_deref().unwrap());
        let proxies = Mutex::new(BTreeMap::from([(named("everybody", "kafka-1"), kafka)]));
        let through = |role: &str, environment| {
            let configured = proxied(&mut proxies.lock().unwrap(), role, environment);
            clocks.configure(role, configured)
        };
        let shop = Shop::open_through(&ground.servers, &through).await;
        Self { shop, ground, proxies: proxies.into_inner().unwrap(), clocks }
    }

    pub(super) fn able(&self) -> Able {
        Able {
            fill_disk: self.ground.disk.is_some(),
            slow_disk: self.ground.slow.is_some(),
            move_clock: self.clocks.can_be_moved(),
        }
    }

    pub(super) fn set_link(&self, (role, server): Link, mode: Mode) {
        self.proxies[&named(role, server)].set(mode);
    }

    /// Connections that nobody has made: faults of these have hurt nobody.
    pub(super) fn unused_links(&self) -> Vec<String> {
        let unused = LINKS.iter().filter(|(role, server)| !self.proxies[&named(role, server)].used());
        unused.map(|(role, server)| format!("{role} to {server}")).collect()
    }

    pub(super) fn set_clock(&self, role: &str, seconds: i64) {
        self.clocks.set(role, seconds);
    }

    /// No role is told of a bad network or a wrong clock any more, and the disk has room.
    pub(super) fn mend(&self) {
        self.proxies.values().for_each(|proxy| proxy.set(Mode::Well));
        ROLES.iter().for_each(|role| self.clocks.set(role, 0));
        self.ground.flushes_take(Duration::ZERO);
        if let Some(disk) = &self.ground.disk {
            disk.empty();
        }
    }
}

fn named(role: &str, server: &str) -> (String, String) {
    (role.to_owned(), server.to_owned())
}

/// Every address of a server, replaced by that of a proxy which leads to it.
fn proxied(
    proxies: &mut BTreeMap<(String, String), Proxy>,
    role: &str,
    environment: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let kafka = proxies[&named("everybody", "kafka-1")].address().to_string();
    let mut behind = |server: &str, text: &str| {
        let (before, rest) = text.split_once("127.0.0.1:").unwrap_or_else(|| panic!("no address in {text}"));
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let proxy =
            proxies.entry(named(role, server)).or_insert_with(|| Proxy::to(&format!("127.0.0.1:{port}")));
        format!("{before}{}{}", proxy.address(), &rest[port.len()..])
    };
    let configure = |(key, value): (String, String)| {
        let value = match key.as_str() {
            "JUMUN_DATABASE_URL" => behind("postgres", &value),
            "JUMUN_READ_REPLICA_URLS" => {
                let urls = value.split(',').enumerate();
                let urls: Vec<_> =
                    urls.map(|(at, url)| behind(&format!("replica-{}", at + 1), url)).collect();
                urls.join(",")
            }
            "JUMUN_OPENSEARCH_URL" => behind("opensearch", &value),
            "JUMUN_SANDBOX_URL" => behind("gateway", &value),
            "JUMUN_SANDBOX_WEBHOOK_URL" => behind("webhooks", &value),
            "JUMUN_KAFKA_BROKERS" => kafka.clone(),
            _ => value,
        };
        (key, value)
    };
    environment.into_iter().map(configure).collect()
}

/// Makes what `script/stack` puts in front of PostgreSQL's flushes. Where that is told how long they take; `None`: there is no C compiler.
fn slow_disk(folder: &Path) -> Option<PathBuf> {
    let (source, library) = (repository("tests/chaos/slow_disk.c"), folder.join("slow-disk.so"));
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).output();
    compiled.is_ok_and(|output| output.status.success()).then(|| folder.join("slow-disk"))
}

/// The disk under the log: memory with a size, which shrinks to what is used and then is full. Only root can have one.
pub(crate) struct Disk {
    folder: PathBuf,
}

const ROOM: &str = "size=3g";

impl Disk {
    fn mount(folder: &Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", ROOM, "tmpfs"]).arg(folder).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self { folder: folder.to_owned() })
    }

    fn resize(&self, size: &str) -> bool {
        let options = format!("remount,{size}");
        Command::new("mount").args(["-o", &options]).arg(&self.folder).status().unwrap().success()
    }

    /// No more than `spare` kilobytes can be written from now on.
    pub(crate) fn fill(&self, spare: u64) {
        loop {
            let used = Command::new("df").args(["--output=used", "-k"]).arg(&self.folder).output().unwrap();
            let text = String::from_utf8(used.stdout).unwrap();
            let used: u64 = text.lines().last().unwrap().trim().parse().unwrap();
            // It may have grown meanwhile.
            if self.resize(&format!("size={}k", used + spare)) {
                return;
            }
        }
    }

    /// How often PostgreSQL, since its last start, has found no space.
    pub(super) fn found_full(&self) -> usize {
        let said = std::fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&said).matches("No space left on device").count()
    }

    pub(crate) fn empty(&self) {
        assert!(self.resize(ROOM));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.folder).status();
    }
}
