//! What is missing in a partition comes from the log.

use event_store::{Error, Filter, Lane, Position};

use super::KafkaFeed;

/// Events that are read from the log at once.
const PAGE: u32 = 500;

impl KafkaFeed {
    /// Reads some of what is missing in one lane. The rest comes with the next calls.
    pub(super) async fn fill(&mut self) -> Result<(), Error> {
        let missing = self.lanes.iter().find_map(|(lane, reading)| Some((*lane, reading.missing()?)));
        let Some((lane, (after, until))) = missing else { return Ok(()) };
        let Lane::Partition { topic, .. } = lane else { return Ok(()) };
        if !self.log_reaches(lane, until).await? {
            return Ok(());
        }
        let filter = Filter { categories: topic.categories(), until: Some(until), ..Filter::default() };
        let page = self.store.read_raw(after, PAGE, &filter).await?;
        let last = page.last().filter(|_| page.len() == PAGE as usize).map_or(until, |raw| raw.position);
        if let Some(reading) = self.lanes.get_mut(&lane) {
            let of_lane = page.into_iter().filter(|raw| lane.holds(&raw.stream));
            reading.fill(lane, of_lane, last);
        }
        Ok(())
    }

    /// What is missing is in the log only when the log is the one that the record is of.
    async fn log_reaches(&mut self, lane: Lane, until: Position) -> Result<bool, Error> {
        let head = self.store.head().await?;
        if head.epoch == self.epoch && head.position >= until {
            return Ok(true);
        }
        if head.epoch == self.epoch {
            let end = head.position;
            return Err(Error::Corrupt(format!("{lane} names position {until}, and the log ends at {end}")));
        }
        if let Some(reading) = self.lanes.get_mut(&lane) {
            reading.other_log(lane, head.epoch);
        }
        Ok(false)
    }
}
