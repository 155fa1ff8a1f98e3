//! Publishing, for as long as this relay leads and nothing fails. Reading the log, sending, and hearing what was acknowledged
//! overlap; the checkpoint follows what was acknowledged.

use std::collections::VecDeque;

use event_store::{Position, Raw};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at};

use super::lease::{Lead, Moved};
use super::place::Place;
use super::publisher::{Publisher, Report};
use super::reader::{Batch, Reader};
use super::window::Window;
use super::{Error, Relay, tail};
use crate::envelope::{Envelope, Watermark};

/// Reports heard at once.
const REPORTS: usize = 4_096;

/// Why a relay does not lead any more, when nothing has failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Another relay has a newer term.
    Superseded,
    /// It was told to stop.
    Stopped,
}

/// One partition.
#[derive(Debug, Clone, Copy)]
struct Partition {
    /// What is sent, acknowledged or not. Its offset means nothing.
    sent: Place,
    /// What is acknowledged.
    acknowledged: Place,
    /// Up to here all its events were in it when this began.
    complete: Position,
    /// Whether the stored place is an older one.
    changed: bool,
}

/// A relay that leads.
pub(crate) struct Leading<'a> {
    relay: &'a Relay,
    lead: &'a Lead,
    partitions: Vec<Partition>,
    reader: Reader,
    publisher: Publisher,
    reports: mpsc::UnboundedReceiver<Report>,
    window: Window,
    /// Was read, and waits for room in the queue.
    unsent: VecDeque<Raw>,
    /// All up to here was read, and sent where it was needed.
    sent: Position,
    /// Nothing more was there when it was read.
    at_head: bool,
    marked: Instant,
    /// There are partitions that do not know yet how far the log is.
    to_mark: bool,
    /// Watermarks that are not acknowledged: there are no new ones before they are, so that they do not pile up.
    marks_under_way: usize,
    /// The checkpoint that was stored last, and when.
    stored: Position,
    stored_at: Instant,
    database_away: bool,
}

impl<'a> Leading<'a> {
    /// Looks where the partitions end, and begins there.
    pub(crate) async fn begin(relay: &'a Relay, lead: &'a Lead) -> Result<Self, Error> {
        let ends = {
            let (kafka, layout) = (relay.kafka.clone(), relay.layout.clone());
            let (store, lead) = (relay.store.clone(), lead.clone());
            tokio::task::spawn_blocking(move || tail::read(&kafka, &layout, &store, &lead)).await
        };
        let ends = ends.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
        let head = relay.store.head().await?.position;
        if let Some(end) = ends.iter().find(|end| end.complete > head) {
            return Err(Error::Behind { published: end.complete, head });
        }
        let start = ends.iter().map(|end| end.complete).min().unwrap_or_default();
        let partitions = ends
            .iter()
            .zip(&lead.places)
            .map(|(end, stored)| Partition {
                sent: end.place,
                acknowledged: end.place,
                complete: end.complete,
                changed: end.place != *stored,
            })
            .collect();
        let (sender, reports) = mpsc::unbounded_channel();
        Ok(Self {
            relay,
            lead,
            partitions,
            reader: Reader::after(relay.store.clone(), start),
            publisher: Publisher::new(&relay.kafka, relay.layout.clone(), sender)?,
            reports,
            window: Window::at(start),
            unsent: VecDeque::new(),
            sent: start,
            at_head: true,
            marked: Instant::now(),
            to_mark: true,
            marks_under_way: 0,
            stored: lead.position,
            stored_at: Instant::now(),
            database_away: false,
        })
    }

    /// Publishes until the lead is lost, something fails, or it is time to stop.
    pub(crate) async fn run(mut self) -> Result<Ended, Error> {
        let ended = self.publish().await;
        // Whatever comes next must not begin before this has ended.
        self.publisher.close().await;
        ended
    }

    async fn publish(&mut self) -> Result<Ended, Error> {
        let relay = self.relay;
        let mut store = interval(relay.options.checkpoint_every);
        store.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Vec::new();
        loop {
            self.send()?;
            let may_read = self.unsent.is_empty() && self.window.len() < relay.options.in_flight_max;
            let (mark_at, may_mark) = (self.mark_at(), self.to_mark && self.marks_under_way == 0);
            tokio::select! {
                () = relay.shutdown.cancelled() => return self.stop().await,
                _ = self.reports.recv_many(&mut heard, REPORTS) => self.acknowledge(&mut heard)?,
                _ = store.tick() => if !self.store().await? {
                    return Ok(Ended::Superseded);
                },
                () = sleep_until(mark_at), if may_mark => self.mark()?,
                batch = self.reader.next(), if may_read => self.take(batch?),
            }
        }
    }

    /// Takes what was read.
    fn take(&mut self, batch: Batch) {
        self.unsent = batch.raws.into();
        self.at_head = batch.at_head;
    }

    /// Sends what was read and is not in its partition yet, as far as the queue has room.
    fn send(&mut self) -> Result<(), Error> {
        while let Some(raw) = self.unsent.pop_front() {
            let (position, index) = (raw.position, self.relay.layout.index(&raw.stream));
            let partition = &mut self.partitions[index];
            let needs_sending = position > partition.complete;
            if needs_sending {
                let (prev, epoch) = (partition.sent.last_event, self.lead.epoch);
                let envelope = Envelope { raw, prev, epoch };
                if !self.publisher.event(index, &envelope)? {
                    self.unsent.push_front(envelope.raw);
                    return Ok(());
                }
                (partition.sent.last_event, partition.sent.through) = (position, position);
            }
            self.window.open(needs_sending);
            (self.sent, self.to_mark) = (position, true);
        }
        Ok(())
    }

    /// Waits for reports.
    async fn hear(&mut self) -> Result<(), Error> {
        let mut heard = Vec::new();
        self.reports.recv_many(&mut heard, REPORTS).await;
        self.acknowledge(&mut heard)
    }

    fn acknowledge(&mut self, heard: &mut Vec<Report>) -> Result<(), Error> {
        let mut events = 0;
        for Report { sent, outcome } in heard.drain(..) {
            let offset = outcome.map_err(|source| {
                metrics::counter!("relay_delivery_errors_total").increment(1);
                self.publisher.failed(sent, source)
            })?;
            let partition = &mut self.partitions[sent.partition];
            if sent.event {
                partition.acknowledged.last_event = sent.position;
                self.window.acknowledge(sent.position);
                events += 1;
            } else {
                self.marks_under_way -= 1;
            }
            (partition.acknowledged.through, partition.acknowledged.offset) = (sent.position, Some(offset));
            partition.changed = true;
        }
        metrics::counter!("relay_published_total").increment(events);
        Ok(())
    }

    fn mark_at(&self) -> Instant {
        let options = &self.relay.options;
        self.marked
            + if self.at_head && self.unsent.is_empty() {
                options.watermark_pause
            } else {
                options.watermark_every
            }
    }

    /// Tells every partition that has something older as its last record how far the log is.
    fn mark(&mut self) -> Result<(), Error> {
        let (position, epoch) = (self.sent, self.lead.epoch);
        self.marked = Instant::now();
        for (index, partition) in self.partitions.iter_mut().enumerate() {
            if partition.sent.through >= position {
                continue;
            }
            let watermark = Watermark { position, prev: partition.sent.last_event, epoch };
            // When there is no room, the rest is told next time.
            if !self.publisher.watermark(index, &watermark)? {
                return Ok(());
            }
            partition.sent.through = position;
            self.marks_under_way += 1;
        }
        self.to_mark = false;
        Ok(())
    }

    /// Stores what is acknowledged, when it has changed or the lead must be renewed. `false`: the lead is lost.
    async fn store(&mut self) -> Result<bool, Error> {
        let reached = self.window.reached();
        let changed: Vec<_> =
            (0..self.partitions.len()).filter(|index| self.partitions[*index].changed).collect();
        let due = self.stored_at.elapsed() > self.relay.options.lease / 4;
        if reached == self.stored && changed.is_empty() && !due {
            return Ok(true);
        }
        let lane = |index: &usize| {
            (self.relay.layout.lane(*index).to_string(), self.partitions[*index].acknowledged)
        };
        let rows: Vec<(String, Place)> = changed.iter().map(lane).collect();
        let begun = Instant::now();
        let moved = self.relay.candidate.move_to(self.lead.term, reached, &rows);
        match timeout_at(begun + self.relay.options.lease, moved).await {
            Ok(Ok(moved)) => self.moved(moved, reached, begun, &changed),
            Ok(Err(error)) => Ok(self.away(&error)),
            Err(_elapsed) => Ok(self.away(&sqlx::Error::PoolTimedOut)),
        }
    }

    /// Nothing is lost by a checkpoint that is stored later.
    fn away(&mut self, error: &sqlx::Error) -> bool {
        if !std::mem::replace(&mut self.database_away, true) {
            tracing::warn!(%error, "the checkpoint cannot be stored; it is tried again until it can");
        }
        true
    }

    fn moved(
        &mut self,
        moved: Moved,
        reached: Position,
        begun: Instant,
        changed: &[usize],
    ) -> Result<bool, Error> {
        let (log, known) = (moved.log(), self.lead.epoch);
        if log.epoch != known {
            return Err(Error::Epoch { known, found: log.epoch, position: reached });
        }
        if !moved.led {
            return Ok(false);
        }
        if log.position < reached {
            return Err(Error::Behind { published: reached, head: log.position });
        }
        for index in changed {
            self.partitions[*index].changed = false;
        }
        (self.stored, self.stored_at, self.database_away) = (reached, begun, false);
        metrics::gauge!("relay_position").set(reached.0 as f64);
        metrics::gauge!("relay_lag_events").set((log.position.0 - reached.0) as f64);
        Ok(true)
    }

    /// Finishes what is under way, for a while.
    async fn stop(&mut self) -> Result<Ended, Error> {
        self.mark()?;
        let deadline = Instant::now() + self.relay.options.stop_max;
        while self.under_way() {
            match timeout_at(deadline, self.hear()).await {
                Ok(heard) => heard?,
                Err(_elapsed) => {
                    tracing::warn!(
                        "Kafka did not acknowledge everything in time; the next relay looks what has arrived"
                    );
                    break;
                }
            }
        }
        self.store().await?;
        Ok(Ended::Stopped)
    }

    fn under_way(&self) -> bool {
        self.partitions.iter().any(|each| each.acknowledged.through < each.sent.through)
    }
}
