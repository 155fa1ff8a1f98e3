//! How far it is: a bar on a terminal, a line every few seconds elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows progress on standard error.
pub(super) struct Progress {
    terminal: bool,
    stage: Mutex<Stage>,
}

struct Stage {
    what: &'static str,
    total: usize,
    done: usize,
    bar: Option<ProgressBar>,
    said: Instant,
}

impl Progress {
    pub(super) fn new() -> Self {
        let stage = Stage { what: "", total: 0, done: 0, bar: None, said: Instant::now() };
        Self { terminal: std::io::stderr().is_terminal(), stage: Mutex::new(stage) }
    }

    /// Begins with something else; what came before is finished.
    pub(super) fn begin(&self, what: &'static str, total: usize) {
        self.end();
        let bar = self.terminal.then(|| {
            let style = ProgressStyle::with_template("{msg:9} {bar:40} {pos}/{len} [{elapsed} < {eta}]");
            let bar = ProgressBar::new(total as u64).with_message(what);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        *stage = Stage { what, total, done: 0, bar, said: Instant::now() };
    }

    /// One more is done.
    pub(super) fn step(&self) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        stage.done += 1;
        match &stage.bar {
            Some(bar) => bar.inc(1),
            None if stage.said.elapsed() >= LINE_EVERY => {
                stage.said = Instant::now();
                eprintln!("{}: {} of {}", stage.what, stage.done, stage.total);
            }
            None => {}
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&self) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = stage.bar.take() {
            bar.finish();
        } else if stage.total > 0 {
            eprintln!("{}: {} of {}", stage.what, stage.done, stage.total);
        }
        stage.total = 0;
    }
}
