//! Which PostgreSQL processes work on a folder, as far as `/proc` tells. Where a process works may be hidden from us: in a
//! container, root without `CAP_SYS_PTRACE` sees of other users' processes only names and command lines. What is hidden is never
//! taken for nobody.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Whose a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// PostgreSQL on this folder.
    Ours,
    /// Something else, or PostgreSQL on another folder.
    Others,
    /// A backend that has lost its postmaster, of whatever folder. It ends when it notices.
    Orphan,
    /// PostgreSQL on a folder that is not to be seen.
    Hidden,
    /// Ended, but still in the list, for whoever started it has not asked.
    Dead,
    /// Not in the list.
    Absent,
}

/// The processes of this machine.
#[derive(Debug)]
pub(super) struct Processes(PathBuf);

impl Default for Processes {
    fn default() -> Self {
        Self("/proc".into())
    }
}

impl Processes {
    /// Those that work on the folder, or may.
    pub(super) fn on(&self, cluster: &Path) -> Vec<u32> {
        let entries = std::fs::read_dir(&self.0).into_iter().flatten().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        numbers.filter(|pid| matches!(self.whose(*pid, cluster), Whose::Ours | Whose::Orphan)).collect()
    }

    /// Whose it is.
    pub(super) fn whose(&self, pid: u32, cluster: &Path) -> Whose {
        let Some((state, parent)) = self.state(pid) else { return Whose::Absent };
        if matches!(state, 'Z' | 'X') {
            return Whose::Dead;
        }
        if !self.is_postgres(pid) {
            return Whose::Others;
        }
        match std::fs::read_link(self.file(pid, "cwd")) {
            Ok(folder) if folder == cluster => Whose::Ours,
            Ok(_) => Whose::Others,
            Err(error) if error.kind() == ErrorKind::NotFound => Whose::Absent,
            Err(_) => self.by_command_line(pid, parent, cluster),
        }
    }

    fn by_command_line(&self, pid: u32, parent: u32, cluster: &Path) -> Whose {
        let line = std::fs::read(self.file(pid, "cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        // A backend calls itself `postgres: …`, and its parent is the postmaster.
        if line.starts_with("postgres: ") {
            return if self.is_postgres(parent) { self.whose(parent, cluster) } else { Whose::Orphan };
        }
        let mut words = line.split('\0').skip_while(|word| *word != "-D").skip(1);
        match words.next().map(|folder| Path::new(folder).canonicalize()) {
            Some(Ok(folder)) if folder == cluster => Whose::Ours,
            Some(Ok(_)) => Whose::Others,
            _ => Whose::Hidden,
        }
    }

    fn is_postgres(&self, pid: u32) -> bool {
        std::fs::read_to_string(self.file(pid, "comm")).is_ok_and(|name| name.trim_end() == "postgres")
    }

    /// Its state, and its parent. The name before them may hold anything.
    fn state(&self, pid: u32) -> Option<(char, u32)> {
        let stat = std::fs::read_to_string(self.file(pid, "stat")).ok()?;
        let mut words = stat.rsplit_once(')')?.1.split_whitespace();
        Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
    }

    fn file(&self, pid: u32, name: &str) -> PathBuf {
        self.0.join(pid.to_string()).join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `/proc` of its own, with a folder to work on beside it.
    struct Machine {
        folder: PathBuf,
        cluster: PathBuf,
        processes: Processes,
    }

    impl Machine {
        fn new() -> Self {
            let folder =
                std::env::temp_dir().join(format!("jumun-processes-{}", uuid::Uuid::new_v4().simple()));
            let (proc, cluster) = (folder.join("proc"), folder.join("cluster"));
            std::fs::create_dir_all(&proc).unwrap();
            std::fs::create_dir_all(&cluster).unwrap();
            let cluster = cluster.canonicalize().unwrap();
            Self { folder, cluster, processes: Processes(proc) }
        }

        /// Without `cwd` it is hidden: the link cannot be read.
        fn run(&self, pid: u32, parent: u32, state: char, name: &str, line: &[&str], cwd: Option<&Path>) {
            let place = self.processes.0.join(pid.to_string());
            std::fs::create_dir(&place).unwrap();
            std::fs::write(place.join("comm"), format!("{name}\n")).unwrap();
            std::fs::write(place.join("stat"), format!("{pid} ({name}) {state} {parent} 1 1")).unwrap();
            std::fs::write(place.join("cmdline"), line.join("\0")).unwrap();
            match cwd {
                Some(folder) => std::os::unix::fs::symlink(folder, place.join("cwd")).unwrap(),
                None => std::fs::write(place.join("cwd"), "").unwrap(),
            }
        }

        fn whose(&self, pid: u32) -> Whose {
            self.processes.whose(pid, &self.cluster)
        }
    }

    impl Drop for Machine {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    #[test]
    fn a_server_is_known_by_its_folder_and_a_shell_in_it_is_none() {
        let machine = Machine::new();
        let cluster = machine.cluster.clone();
        machine.run(10, 1, 'S', "postgres", &["postgres"], Some(&cluster));
        machine.run(11, 1, 'S', "bash", &["bash"], Some(&cluster));
        machine.run(12, 1, 'S', "postgres", &["postgres"], Some(Path::new("/")));
        machine.run(13, 1, 'Z', "postgres", &[], Some(&cluster));
        assert_eq!([10, 11, 12].map(|pid| machine.whose(pid)), [Whose::Ours, Whose::Others, Whose::Others]);
        assert_eq!([13, 14].map(|pid| machine.whose(pid)), [Whose::Dead, Whose::Absent]);
        assert_eq!(machine.processes.on(&cluster), [10]);
    }

    #[test]
    fn a_server_whose_folder_is_hidden_is_known_by_its_command_line() {
        let machine = Machine::new();
        let (ours, other) = (machine.cluster.display().to_string(), machine.folder.display().to_string());
        machine.run(10, 1, 'S', "postgres", &["postgres", "-D", &ours], None);
        machine.run(11, 10, 'S', "postgres", &["postgres: checkpointer "], None);
        machine.run(20, 1, 'S', "postgres", &["postgres", "-D", &other], None);
        machine.run(21, 20, 'S', "postgres", &["postgres: checkpointer "], None);
        machine.run(30, 1, 'S', "postgres", &["postgres"], None);
        machine.run(40, 1, 'S', "postgres", &["postgres: checkpointer "], None);
        assert_eq!([10, 11].map(|pid| machine.whose(pid)), [Whose::Ours; 2]);
        assert_eq!([20, 21].map(|pid| machine.whose(pid)), [Whose::Others; 2]);
        assert_eq!([30, 40].map(|pid| machine.whose(pid)), [Whose::Hidden, Whose::Orphan]);
        let mut on = machine.processes.on(&machine.cluster);
        on.sort_unstable();
        assert_eq!(on, [10, 11, 40]);
    }
}
