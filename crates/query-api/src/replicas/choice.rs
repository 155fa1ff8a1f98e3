//! Which server a query is sent to.

use std::sync::atomic::Ordering;

use event_store::Head;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use projections::Standing;
use tokio::time::Instant;

use super::server::{PRIMARY, Server, State};
use super::{Set, lost};
use crate::error::Error;

/// So often is a query asked again of a server that has already been asked.
const REPEATS_MAX: u32 = 3;

/// A question on its way: what its answer must show, and who has been asked in vain.
pub(super) struct Asked<'a> {
    /// The place that the read models must have come to.
    place: Option<Head>,
    models: &'a [&'static str],
    deadline: Instant,
    /// The numbers of servers that are not to be asked any more.
    closed: Vec<usize>,
    repeats: u32,
    failure: Option<Error>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(place: Option<Head>, models: &'a [&'static str], deadline: Instant) -> Self {
        Self { place, models, deadline, closed: Vec::new(), repeats: 0, failure: None }
    }

    /// This server has not answered, but may when it is asked again.
    pub(super) fn may_repeat(&mut self, server: &Server) {
        self.repeats += 1;
        if self.repeats > REPEATS_MAX {
            self.closed.push(server.number);
        }
    }

    /// This server has failed, and another may answer.
    pub(super) fn failed(&mut self, server: &Server, error: Error) {
        if lost::is_suspect(&error) {
            server.suspect();
        }
        if server.number == PRIMARY && lost::is_passing(&error) {
            self.may_repeat(server);
        } else {
            self.closed.push(server.number);
        }
        self.failure = Some(error);
    }

    /// Why there is no answer.
    pub(super) fn failure(self) -> Error {
        self.failure.unwrap_or(Error::Lagging)
    }

    fn is_open(&self, server: &Server) -> bool {
        !self.closed.contains(&server.number)
    }
}

/// A server that may be asked now.
pub(super) struct Chosen<'a> {
    pub(super) server: &'a Server,
    /// The connections that it had opened before it was looked at.
    opened: u64,
}

impl<'a> Chosen<'a> {
    fn now(server: &'a Server) -> Self {
        Self { server, opened: server.opened() }
    }

    /// Whether what was seen of it is still true: a server that was started again may be behind what it had reached, and can be
    /// met on a new connection only.
    pub(super) fn is_sure(&self) -> bool {
        self.server.opened() == self.opened
    }
}

impl Set {
    /// Who is to be asked next. `None`: there is nobody left.
    pub(super) async fn choose(&self, asked: &Asked<'_>) -> Result<Option<Chosen<'_>>, Error> {
        match asked.place {
            None => Ok(self.any(asked).map(Chosen::now)),
            Some(place) => self.come_to(place, asked).await,
        }
    }

    /// A replica that is well; else the primary; else, when that is away, a replica that lags.
    fn any(&self, asked: &Asked<'_>) -> Option<&Server> {
        let primary = Some(&self.primary).filter(|primary| asked.is_open(primary));
        let answering = primary.filter(|primary| primary.state() != State::Away);
        self.least_used(asked, State::Well)
            .or(answering)
            .or_else(|| self.least_used(asked, State::Lagging))
            .or(primary)
    }

    /// Of the replicas in that state the one with the fewest queries under way; in turn among those that have equally few.
    fn least_used(&self, asked: &Asked<'_>, state: State) -> Option<&Server> {
        let (first, count) = (self.turn.fetch_add(1, Ordering::Relaxed), self.replicas.len());
        let in_turn = (0..count).map(|step| &self.replicas[(first + step) % count]);
        let open = in_turn.filter(|server| server.state() == state && asked.is_open(server));
        open.min_by_key(|server| server.in_use())
    }

    /// A replica that has come to that place, or the first that does in the time they are given; else the primary; and when
    /// that is away, whoever comes there at all.
    async fn come_to(&self, place: Head, asked: &Asked<'_>) -> Result<Option<Chosen<'_>>, Error> {
        let now = Instant::now();
        if let Some(server) = self.least_used(asked, State::Well)
            && let Stands::There(chosen) = stand(server, place, asked.models, now).await
        {
            return Ok(Some(chosen));
        }
        let until = asked.deadline.min(now + self.patience.replica_wait);
        if let Some(chosen) = self.first_there(place, asked, until, &[State::Well]).await {
            return Ok(Some(chosen));
        }
        if !asked.is_open(&self.primary) {
            return Ok(None);
        }
        match stand(&self.primary, place, asked.models, asked.deadline).await {
            Stands::There(chosen) => Ok(Some(chosen)),
            Stands::Behind => Err(Error::Lagging),
            Stands::OtherLog => Err(Error::OtherEpoch),
            Stands::Unknown(error) => {
                let answering = &[State::Well, State::Lagging];
                let late = self.first_there(place, asked, asked.deadline, answering).await;
                late.map(Some).ok_or(error)
            }
        }
    }

    /// The first of the replicas in these states to come to that place.
    async fn first_there(
        &self,
        place: Head,
        asked: &Asked<'_>,
        until: Instant,
        states: &[State],
    ) -> Option<Chosen<'_>> {
        let open = |server: &&Server| states.contains(&server.state()) && asked.is_open(server);
        let waited_for = self.replicas.iter().filter(open);
        let mut standing: FuturesUnordered<_> =
            waited_for.map(|server| stand(server, place, asked.models, until)).collect();
        while let Some(stands) = standing.next().await {
            if let Stands::There(chosen) = stands {
                return Some(chosen);
            }
        }
        None
    }
}

/// How a server stands to a place.
enum Stands<'a> {
    There(Chosen<'a>),
    Behind,
    OtherLog,
    Unknown(Error),
}

/// Waits until all these models have come to a place on that server.
async fn stand<'a>(
    server: &'a Server,
    place: Head,
    models: &[&'static str],
    deadline: Instant,
) -> Stands<'a> {
    let chosen = Chosen::now(server);
    match projections::come_to(&server.looks, models, place, deadline).await {
        Ok(Standing::There) => Stands::There(chosen),
        Ok(Standing::Behind) => Stands::Behind,
        Ok(Standing::OtherLog) => Stands::OtherLog,
        Err(error) => {
            let error = Error::from(error);
            if lost::is_suspect(&error) {
                server.suspect();
            }
            Stands::Unknown(error)
        }
    }
}
