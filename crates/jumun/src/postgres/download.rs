//! PostgreSQL's programs from the package registry: the archives of `embedded-postgres-binaries` (Maven), one per processor,
//! of one version, by their SHA-256.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use tokio::process::Command;

/// What is fetched.
const VERSION: &str = "17.11.0";
/// Its major version.
pub(super) const MAJOR: u32 = 17;
/// No archive is larger.
const BYTES_MAX: usize = 64 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(600);

/// An archive: its processor as Rust and as Maven call it, and its SHA-256.
struct Archive {
    processor: &'static str,
    classifier: &'static str,
    sha256: &'static str,
}

const ARCHIVES: [Archive; 2] = [
    Archive {
        processor: "x86_64",
        classifier: "linux-amd64",
        sha256: "0dd7b72b6f335b8ecfb355fa24c5781e8a93edd09880bb77eb52ebbf29b3e96d",
    },
    Archive {
        processor: "aarch64",
        classifier: "linux-arm64v8",
        sha256: "8b042e0ea418b1927d95399207950da0734d27fe01e29503ade3bdc464ad4c2b",
    },
];

/// The folder with the programs, which are fetched when they are not there. They are kept under their version, whole or not at
/// all.
pub(super) async fn fetch(folder: &Path, repository: &str) -> Result<PathBuf> {
    let whole = folder.join(VERSION);
    if !whole.is_dir() {
        let archive = ARCHIVES
            .iter()
            .find(|archive| archive.processor == std::env::consts::ARCH)
            .with_context(|| format!("there is no archive for {}", std::env::consts::ARCH))?;
        let fresh = folder.join(format!("{VERSION}.new"));
        let _ = std::fs::remove_dir_all(&fresh);
        std::fs::create_dir_all(&fresh).with_context(|| format!("{} cannot be made", fresh.display()))?;
        let jar = fresh.join("archive.jar");
        let bytes = download(archive, repository).await?;
        std::fs::write(&jar, bytes).with_context(|| format!("{} cannot be written", jar.display()))?;
        unpack(&fresh, &jar).await?;
        std::fs::rename(&fresh, &whole).with_context(|| format!("{} cannot be made", whole.display()))?;
    }
    Ok(whole.join("bin"))
}

async fn download(archive: &Archive, repository: &str) -> Result<Vec<u8>> {
    let artifact = format!("embedded-postgres-binaries-{}", archive.classifier);
    let url = format!(
        "{}/io/zonky/test/postgres/{artifact}/{VERSION}/{artifact}-{VERSION}.jar",
        repository.trim_end_matches('/')
    );
    tracing::info!(
        version = VERSION,
        "fetching PostgreSQL {VERSION} from the package registry (maven_repository)"
    );
    let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
    let mut answer = client.get(&url).send().await?.error_for_status()?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if bytes.len() + chunk.len() > BYTES_MAX {
            bail!("{url} is larger than {BYTES_MAX} bytes");
        }
        bytes.extend_from_slice(&chunk);
    }
    check(&bytes, archive.sha256).with_context(|| url)?;
    Ok(bytes)
}

fn check(bytes: &[u8], sha256: &str) -> Result<()> {
    let found = hex::encode(Sha256::digest(bytes));
    if found != sha256 {
        bail!("the SHA-256 of what came is {found}, not {sha256}: it was not used");
    }
    Ok(())
}

/// The jar is a zip with one tar in it, compressed with xz.
async fn unpack(folder: &Path, jar: &Path) -> Result<()> {
    let mut unzip = Command::new("unzip");
    unzip.args(["-q", "-o", "-j"]).arg(jar).arg("*.txz").arg("-d").arg(folder);
    run(&mut unzip, "unzip", "unzip").await?;
    let tar = std::fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "txz"))
        .context("there is no .txz in the archive")?;
    let mut untar = Command::new("tar");
    untar.args(["--no-same-owner", "-xJf"]).arg(&tar).arg("-C").arg(folder);
    run(&mut untar, "tar", "tar xz-utils").await?;
    std::fs::remove_file(tar)?;
    std::fs::remove_file(jar)?;
    Ok(())
}

async fn run(command: &mut Command, program: &str, packages: &str) -> Result<()> {
    let output = command
        .output()
        .await
        .with_context(|| format!("{program} is missing: apt-get install {packages} (as root)"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        bail!("{program} failed (does it need apt-get install {packages}?): {said}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_another_digest_is_not_used() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        check(b"", empty).unwrap();
        assert!(check(b"x", empty).is_err());
    }

    #[test]
    fn the_version_is_of_the_major_version() {
        assert!(VERSION.starts_with(&format!("{MAJOR}.")));
    }
}
