//! As whom PostgreSQL runs: as whoever runs us, but never as root, which it refuses.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use anyhow::{Context, Result};

/// `nobody`, on every Linux.
pub(super) const NOBODY: Owner = Owner { uid: 65534, gid: 65534 };

/// A user, when it must be another one than ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Owner {
    /// Whom to run as, for a cluster in that folder. `None`: as ourselves.
    pub(super) fn of(cluster: &Path) -> Option<Self> {
        let root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        if !root {
            return None;
        }
        // Whoever has it already goes on with it.
        let present =
            std::fs::metadata(cluster).ok().map(|found| Self { uid: found.uid(), gid: found.gid() });
        let present = present.filter(|owner| owner.uid != 0);
        let users = || std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        Some(present.or_else(|| named("postgres", &users())).unwrap_or(NOBODY))
    }

    /// Gives a file or a folder away.
    pub(super) fn give(self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
            .with_context(|| format!("{} cannot be given to user {}", path.display(), self.uid))
    }

    /// Lets this user pass through the folders above `path`, as far as they do not yet. Passing is all: nobody may list them for it.
    pub(super) fn let_pass_to(self, path: &Path) -> Result<()> {
        for parent in path.ancestors().skip(1) {
            let found = std::fs::metadata(parent).with_context(|| format!("{}", parent.display()))?;
            let mode = found.permissions().mode();
            let passes = mode & 0o001 != 0
                || (found.uid() == self.uid && mode & 0o100 != 0)
                || (found.gid() == self.gid && mode & 0o010 != 0);
            if !passes {
                tracing::warn!(folder = %parent.display(), "PostgreSQL cannot run as root: other users may pass through {} from now on", parent.display());
                std::fs::set_permissions(parent, std::fs::Permissions::from_mode(mode | 0o001))
                    .with_context(|| format!("{} cannot be made passable", parent.display()))?;
            }
        }
        Ok(())
    }
}

/// A user of `/etc/passwd`.
fn named(name: &str, users: &str) -> Option<Owner> {
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut numbers = line.split(':').skip(2).map(str::parse::<u32>);
    let (uid, gid) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    (uid != 0).then_some(Owner { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_root_is_none() {
        let users =
            "root:x:0:0::/root:/bin/sh\npostgres:x:103:106:PostgreSQL:/var/lib/postgresql:/bin/bash\nodd:x";
        assert_eq!(named("postgres", users), Some(Owner { uid: 103, gid: 106 }));
        assert_eq!(named("root", users), None);
        assert_eq!(named("odd", users), None);
        assert_eq!(named("nobody", users), None);
    }
}
