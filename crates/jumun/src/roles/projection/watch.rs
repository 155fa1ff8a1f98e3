//! How far rebuilds are: a bar each on a terminal, a line every few seconds elsewhere. On standard error.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use projections::rebuild::{Meter, Stage};
use tokio::task::JoinHandle;

const LOOK_EVERY: Duration = Duration::from_millis(200);
const LINE_EVERY: Duration = Duration::from_secs(3);
const BAR: &str = "{prefix:14}{bar:30} {pos}/{len} {msg} [{elapsed} < {eta}]";

/// Looks at meters until it is told to end.
pub(super) struct Watch(JoinHandle<()>);

/// One rebuild that is looked at.
struct Watched {
    name: &'static str,
    meter: Arc<Meter>,
    /// When it was first seen at work, how far it was, and how many events it had folded when the last line was written.
    began: Option<Instant>,
    said: (Instant, u64),
    bar: Option<ProgressBar>,
}

impl Watch {
    pub(super) fn begin(meters: impl Iterator<Item = (&'static str, Arc<Meter>)>) -> Self {
        let bars = std::io::stderr().is_terminal().then(MultiProgress::new);
        let mut all: Vec<Watched> =
            meters.map(|(name, meter)| Watched::new(name, meter, bars.as_ref())).collect();
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                all.iter_mut().for_each(Watched::look);
            }
        }))
    }

    pub(super) fn end(self) {
        self.0.abort();
    }
}

impl Watched {
    fn new(name: &'static str, meter: Arc<Meter>, bars: Option<&MultiProgress>) -> Self {
        let bar = bars.map(|bars| {
            let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
            bars.add(ProgressBar::new(0).with_style(style).with_prefix(name))
        });
        Self { name, meter, began: None, said: (Instant::now(), 0), bar }
    }

    fn look(&mut self) {
        let stage = self.meter.stage();
        if stage == Stage::Waiting || (stage == Stage::Done && self.began.is_none()) {
            return;
        }
        let began = *self.began.get_or_insert_with(Instant::now);
        let (position, target, events) =
            (self.meter.position().0, self.meter.target().0, self.meter.events());
        let rate = events as f64 / began.elapsed().as_secs_f64().max(0.1);
        match &self.bar {
            Some(bar) => {
                bar.set_length(target);
                bar.set_position(position);
                bar.set_message(format!("{} {rate:.0}/s", doing(stage)));
                if stage == Stage::Done {
                    bar.finish();
                }
            }
            None if stage != Stage::Done && self.said.0.elapsed() >= LINE_EVERY => {
                let since = (events - self.said.1) as f64 / self.said.0.elapsed().as_secs_f64();
                let left = target.saturating_sub(position) as f64 * began.elapsed().as_secs_f64();
                let eta = if position > 0 { left / position as f64 } else { 0.0 };
                self.said = (Instant::now(), events);
                eprintln!(
                    "{:<14}{}: {position} of {target}, {since:.0} events/s, {eta:.0} s left",
                    self.name,
                    doing(stage)
                );
            }
            None => {}
        }
    }
}

fn doing(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "waits",
        Stage::Building => "builds",
        Stage::Comparing => "compares",
        Stage::Swapping => "swaps",
        Stage::Done => "done",
    }
}
