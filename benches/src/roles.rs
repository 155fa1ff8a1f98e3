//! Roles of the platform as processes of their own, on a database that a bench has filled.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use sqlx::PgPool;
use uuid::Uuid;

/// Those that need nothing but the database.
const ROLES: [&str; 4] = ["command-api", "query-api", "projector", "process-manager"];
const READY_MAX: Duration = Duration::from_secs(60);

struct Running {
    role: &'static str,
    process: Child,
    address: String,
}

/// Roles that run. Ended when they are dropped.
pub(crate) struct Roles {
    folder: PathBuf,
    running: Vec<Running>,
}

impl Roles {
    /// Starts them where the log ends, as if they had followed it until now, and waits until each is ready.
    pub(crate) async fn start(binary: &Path, url: &str, master_key: &str, read: &PgPool) -> Result<Self> {
        let mut roles =
            Self { folder: std::env::temp_dir().join(Uuid::new_v4().to_string()), running: Vec::new() };
        std::fs::create_dir(&roles.folder)?;
        for (name, key) in
            [("master", master_key), ("token", &"08".repeat(32)), ("webhook", &"09".repeat(32))]
        {
            std::fs::write(roles.folder.join(name), key)?;
        }
        let migrated = roles.command(binary, url).arg("migrate").status()?;
        ensure!(migrated.success(), "the database cannot be migrated: {migrated}");
        follow_from_here(read).await?;
        for role in ROLES {
            let address = free_address()?;
            let log = std::fs::File::create(roles.folder.join(role))?;
            let mut command = roles.command(binary, url);
            command.args([role, "--listen", &address]).stdout(log.try_clone()?).stderr(log);
            roles.running.push(Running { role, process: command.spawn()?, address });
            roles.until_ready()?;
        }
        Ok(roles)
    }

    fn command(&self, binary: &Path, url: &str) -> Command {
        let mut command = Command::new(binary);
        let secret = |name: &str| self.folder.join(name);
        command.args(["--log", "warn"]).stdout(Stdio::null()).current_dir(&self.folder);
        for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("JUMUN_")) {
            command.env_remove(key);
        }
        command.env("JUMUN_DATABASE_URL", url).env("JUMUN_MASTER_KEY_FILE", secret("master"));
        command.env("JUMUN_TOKEN_SECRET_FILE", secret("token"));
        command.env("JUMUN_WEBHOOK_SECRET_FILE", secret("webhook"));
        // Nothing is paid here.
        command.env("JUMUN_SANDBOX_URL", "http://127.0.0.1:9");
        command
    }

    /// The role that was started last.
    fn until_ready(&mut self) -> Result<()> {
        let Running { role, process, address } = self.running.last_mut().context("no role was started")?;
        let begun = Instant::now();
        while !is_ready(address) {
            if let Some(status) = process.try_wait()? {
                bail!("{role} has ended ({status}): {}", std::fs::read_to_string(self.folder.join(*role))?);
            }
            ensure!(begun.elapsed() < READY_MAX, "{role} is not ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Their names and process ids.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.running.iter().map(|running| (running.role, running.process.id()))
    }

    /// Where one of them is asked.
    pub(crate) fn url(&self, role: &str) -> Result<String> {
        let running = self.running.iter().find(|running| running.role == role);
        Ok(format!("http://{}", running.context("such a role was not started")?.address))
    }
}

impl Drop for Roles {
    fn drop(&mut self) {
        for Running { process, .. } in &mut self.running {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Read models and process managers have seen all that there is.
async fn follow_from_here(read: &PgPool) -> Result<()> {
    sqlx::raw_sql("TRUNCATE read.progress, process.checkpoint").execute(read).await?;
    for model in projections::models() {
        sqlx::query(
            "INSERT INTO read.progress (model, lane, epoch, position, version) \
             SELECT $1, 'log', epoch, position, $2 FROM log.head",
        )
        .bind(model.name())
        .bind(model.version())
        .execute(read)
        .await?;
    }
    let sql = "INSERT INTO process.checkpoint (epoch, position) SELECT epoch, position FROM log.head";
    sqlx::raw_sql(sql).execute(read).await?;
    Ok(())
}

/// Waits until all read models and the process managers are where the log ends.
pub(crate) async fn caught_up(read: &PgPool) -> Result<()> {
    let begun = Instant::now();
    let behind = "SELECT EXISTS (SELECT FROM log.head h WHERE h.position > \
                  (SELECT min(position) FROM (SELECT position FROM read.progress UNION ALL SELECT position FROM process.checkpoint) p))";
    while sqlx::query_scalar(behind).fetch_one(read).await? {
        ensure!(begun.elapsed() < READY_MAX, "the roles do not catch up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn is_ready(address: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut connection = TcpStream::connect(address)?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        connection.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
