//! What goes wrong, when, and for how long: all of it follows from the seed.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::proxy::Mode;
use super::random::Random;

/// Roles that are killed and frozen.
pub(super) const ROLES: &[&str] = &[
    "sandbox-gateway",
    "command-api-1",
    "command-api-2",
    "relay-1",
    "relay-2",
    "projector-1",
    "projector-2",
    "process-manager-1",
    "process-manager-2",
    "query-api-1",
    "query-api-2",
];
const SERVERS: &[&str] = &["postgres", "replica-1", "replica-2", "kafka-1", "opensearch"];
/// A role, and a server that it talks to through a proxy of its own.
pub(super) type Link = (&'static str, &'static str);
pub(super) const LINKS: &[Link] = &[
    ("command-api-1", "postgres"),
    ("command-api-2", "postgres"),
    ("relay-1", "postgres"),
    ("relay-2", "postgres"),
    ("projector-1", "postgres"),
    ("projector-2", "postgres"),
    ("process-manager-1", "postgres"),
    ("process-manager-2", "postgres"),
    ("query-api-1", "replica-1"),
    ("query-api-2", "replica-2"),
    ("projector-1", "opensearch"),
    ("query-api-1", "opensearch"),
    ("process-manager-1", "gateway"),
    ("process-manager-2", "gateway"),
    ("sandbox-gateway", "webhooks"),
    // All come to the broker through one.
    ("everybody", "kafka-1"),
    ("everybody", "kafka-1"),
];
const MODES: &[Mode] = &[
    Mode::Cut,
    Mode::Slow(Duration::from_millis(20)),
    Mode::Slow(Duration::from_millis(200)),
    Mode::AnswersLost,
    Mode::Held,
];
/// What a flush takes on a slow disk.
const FLUSHES: &[Duration] = &[Duration::from_millis(50), Duration::from_millis(500)];
/// Clocks that jump, in seconds.
const JUMPS: &[i64] = &[-3_600, -60, 45, 600, 3_600];

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    KillRole(&'static str),
    FreezeRole(&'static str),
    KillServer(&'static str),
    FreezeServer(&'static str),
    /// PostgreSQL loses one of its processes, and starts all of them again.
    KillBackend,
    Link(Link, Mode),
    FullDisk,
    /// Every flush of PostgreSQL takes so long.
    SlowDisk(Duration),
    Clock(&'static str, i64),
}

impl Fault {
    /// What is counted together.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::KillRole(_) => "kill -9 of a role",
            Self::FreezeRole(_) => "a role frozen",
            Self::KillServer(_) => "kill -9 of a server",
            Self::FreezeServer(_) => "a server frozen",
            Self::KillBackend => "kill -9 of a backend of PostgreSQL",
            Self::Link(_, Mode::Slow(_)) => "connections slow",
            Self::Link(_, Mode::AnswersLost) => "connections half open",
            Self::Link(_, Mode::Held) => "connections held",
            Self::Link(..) => "connections cut",
            Self::FullDisk => "the log's disk full",
            Self::SlowDisk(_) => "PostgreSQL's disk slow",
            Self::Clock(..) => "a clock that jumps",
        }
    }

    /// Faults of one target do not overlap; nor do those of servers, of which the system has one each.
    pub(super) fn target(self) -> String {
        match self {
            Self::KillRole(role) | Self::FreezeRole(role) => role.to_owned(),
            // What starts again flushes thousands of files first: on a slow disk for minutes.
            Self::KillServer(_)
            | Self::FreezeServer(_)
            | Self::KillBackend
            | Self::FullDisk
            | Self::SlowDisk(_) => "servers".to_owned(),
            Self::Link((role, server), _) => format!("{role} to {server}"),
            Self::Clock(role, _) => format!("clock of {role}"),
        }
    }

    /// How long it lasts, and how long it takes then until the next one may hit the same target.
    fn lengths(self, random: &mut Random) -> (Duration, Duration) {
        let (low, high, after) = match self {
            Self::KillRole(_) => (300, 3_000, 2_000),
            // Longer than the leases of relays and process managers, now and then.
            Self::FreezeRole(_) => (1_000, 14_000, 1_000),
            Self::KillServer("opensearch") => (500, 2_000, 20_000),
            Self::KillServer("kafka-1") => (500, 2_000, 12_000),
            Self::KillServer(_) => (200, 2_000, 5_000),
            Self::KillBackend => (100, 100, 4_000),
            Self::FreezeServer("postgres") => (500, 5_000, 2_000),
            Self::FreezeServer(_) => (1_000, 9_000, 2_000),
            Self::FullDisk => (1_500, 5_000, 6_000),
            Self::SlowDisk(_) => (2_000, 8_000, 2_000),
            Self::Link(..) => (500, 7_000, 500),
            Self::Clock(..) => (2_000, 8_000, 1_500),
        };
        (random.millis(low, high), Duration::from_millis(after))
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillRole(name) | Self::KillServer(name) => write!(f, "kill -9 {name}"),
            Self::FreezeRole(name) | Self::FreezeServer(name) => write!(f, "freeze {name}"),
            Self::Link((role, server), mode) => write!(f, "{role} to {server}: {mode:?}"),
            Self::KillBackend => write!(f, "kill -9 a backend of postgres"),
            Self::FullDisk => write!(f, "the log's disk is full"),
            Self::SlowDisk(takes) => write!(f, "a flush of PostgreSQL takes {takes:?}"),
            Self::Clock(role, seconds) => write!(f, "the clock of {role} jumps by {seconds} s"),
        }
    }
}

/// When a fault begins, counted from the start, and how long it lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Injection {
    pub(super) at: Duration,
    pub(super) lasts: Duration,
    pub(super) fault: Fault,
}

/// What this machine lets us do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Able {
    pub(super) fill_disk: bool,
    pub(super) slow_disk: bool,
    pub(super) move_clock: bool,
}

/// The kinds that a schedule draws from, each as often as it is to happen in a round.
fn round(able: Able, random: &mut Random) -> Vec<Fault> {
    let mut kinds: Vec<_> = SERVERS.iter().map(|name| Fault::KillServer(name)).collect();
    kinds.extend((0..2).map(|_| Fault::FreezeServer(random.pick(SERVERS))));
    kinds.push(Fault::KillBackend);
    kinds.extend((0..6).map(|_| Fault::KillRole(random.pick(ROLES))));
    kinds.extend((0..6).map(|_| Fault::FreezeRole(random.pick(ROLES))));
    kinds.extend(MODES.iter().chain(MODES).map(|mode| Fault::Link(random.pick(LINKS), *mode)));
    if able.fill_disk {
        kinds.push(Fault::FullDisk);
    }
    if able.slow_disk {
        kinds.extend(FLUSHES.iter().map(|takes| Fault::SlowDisk(*takes)));
    }
    if able.move_clock {
        kinds.extend((0..3).map(|_| Fault::Clock(random.pick(ROLES), random.pick(JUMPS))));
    }
    random.shuffle(&mut kinds);
    kinds
}

/// The faults of a run, in the order in which they begin.
pub(super) fn schedule(seed: u64, length: Duration, able: Able) -> Vec<Injection> {
    let mut random = Random::new(seed);
    let (mut found, mut waiting) = (Vec::<Injection>::new(), Vec::<Fault>::new());
    let mut free = std::collections::HashMap::<String, Duration>::new();
    let mut at = Duration::from_secs(1);
    while at + Duration::from_secs(3) < length {
        let ready = |fault: &Fault| free.get(&fault.target()).is_none_or(|free| *free <= at);
        if !waiting.iter().any(ready) {
            waiting.extend(round(able, &mut random));
        }
        if let Some(place) = waiting.iter().position(ready) {
            let fault = waiting.remove(place);
            let (lasts, after) = fault.lengths(&mut random);
            free.insert(fault.target(), at + lasts + after);
            found.push(Injection { at, lasts, fault });
        }
        at += random.millis(150, 1_500);
    }
    found
}

#[test]
fn the_same_seed_injects_the_same_faults_and_another_one_others() {
    let able = Able { fill_disk: true, slow_disk: true, move_clock: true };
    let of = |seed| schedule(seed, Duration::from_secs(600), able);
    assert_eq!(of(7), of(7));
    assert_ne!(of(7), of(8));
}

#[test]
fn a_long_run_has_every_kind_of_fault_and_none_twice_at_once() {
    let able = Able { fill_disk: true, slow_disk: true, move_clock: true };
    let found = schedule(1, Duration::from_secs(600), able);
    let kinds: std::collections::BTreeSet<_> = found.iter().map(|one| one.fault.kind()).collect();
    assert_eq!(kinds.len(), 12, "{kinds:?}");
    for (number, one) in found.iter().enumerate() {
        let later = found[number + 1..].iter().find(|other| other.fault.target() == one.fault.target());
        assert!(later.is_none_or(|later| later.at >= one.at + one.lasts), "{one:?} and {later:?}");
    }
    let none = Able { fill_disk: false, slow_disk: false, move_clock: false };
    let without = schedule(1, Duration::from_secs(600), none);
    assert!(
        without
            .iter()
            .all(|one| !matches!(one.fault, Fault::FullDisk | Fault::SlowDisk(_) | Fault::Clock(..)))
    );
}
