//! What containers write.

use std::collections::{BTreeSet, HashMap};

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use windflow_stacks::driver::{DriverError, Lines, LogLine, LogQuery, Result};
use windflow_stacks::plan::{Container, Observed, State};

use super::{DockerTarget, errors, watch};

/// Longest line that is handed on; the rest is cut off.
const MAX_LINE: usize = 16 << 10;

/// Lines of a container that begins again, among which those are that it has written since.
const AGAIN: u32 = 5000;

pub(super) async fn logs(target: &DockerTarget, stack: &str, query: &LogQuery, lines: Lines<'_>) -> Result<()> {
    let mut begun = if query.follow { watch::begun(target, stack) } else { futures::stream::pending().boxed() };
    let seen = target.seen(stack).await?;
    seen.known(stack, &query.services)?;
    let mut reading = Reading::new(target, query);
    reading.open(&seen);
    while reading.goes_on() {
        let is_news = tokio::select! {
            Some(piece) = reading.all.next() => match reading.take(piece, lines).await? {
                Taken::Enough => return Ok(()),
                Taken::Lines => false,
                Taken::End => query.follow,
            },
            told = begun.next() => match told {
                Some(told) => told.map(|()| true)?,
                None => return Err(DriverError::new("unreachable", "the engine tells nothing more").may_help()),
            },
        };
        if is_news {
            reading.open(&target.seen(stack).await?);
        }
    }
    Ok(())
}

/// Something of a container's log.
struct Piece {
    id: String,
    service: String,
    number: u32,
    /// Nothing at its end.
    part: Option<std::result::Result<LogOutput, bollard::errors::Error>>,
}

/// What came of a piece.
enum Taken {
    Lines,
    /// Nothing more comes of this container.
    End,
    /// Nobody wants more.
    Enough,
}

struct Reading<'a> {
    target: &'a DockerTarget,
    query: &'a LogQuery,
    all: SelectAll<BoxStream<'static, Piece>>,
    /// The containers that are read.
    open: BTreeSet<String>,
    /// By container, when its last line was written.
    last: HashMap<String, String>,
    /// The same when it was opened again: what is told up to there was told before.
    known: HashMap<String, String>,
    /// Nothing was opened yet.
    is_first: bool,
    /// A container is about to begin again.
    waits: bool,
}

impl<'a> Reading<'a> {
    fn new(target: &'a DockerTarget, query: &'a LogQuery) -> Self {
        let (last, known) = (HashMap::new(), HashMap::new());
        Self { target, query, all: SelectAll::new(), open: BTreeSet::new(), last, known, is_first: true, waits: false }
    }

    fn goes_on(&self) -> bool {
        !self.open.is_empty() || self.query.follow && self.waits
    }

    /// Opens what is not read yet: at first all that there is, later what has begun since.
    fn open(&mut self, seen: &Observed) {
        let is_there = |id: &String| seen.containers.iter().any(|found| found.id == *id);
        self.last.retain(|id, _| is_there(id));
        self.known.retain(|id, _| is_there(id));
        let services = &self.query.services;
        let own = |found: &&Container| services.is_empty() || services.contains(&found.service);
        self.waits = seen.containers.iter().filter(own).any(|found| found.state == State::Restarting);
        for found in seen.containers.iter().filter(own) {
            if (self.is_first || found.state == State::Running) && self.open.insert(found.id.clone()) {
                self.read(found);
            }
        }
        self.is_first = false;
    }

    fn read(&mut self, found: &Container) {
        let last = self.last.get(&found.id).cloned();
        let tail = match (&last, self.is_first) {
            (Some(_), _) => Some(AGAIN),
            (None, true) => self.query.tail,
            (None, false) => None,
        };
        self.known.extend(last.map(|last| (found.id.clone(), last)));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let since = self.query.since_seconds;
        let since = since.map_or(0, |seconds| i32::try_from(now.saturating_sub(seconds.into())).unwrap_or(0));
        let options = LogsOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .tail(&tail.map_or_else(|| "all".to_owned(), |tail| tail.to_string()))
            .since(since)
            .follow(self.query.follow)
            .build();
        let (id, service, number) = (found.id.clone(), found.service.clone(), found.number);
        let parts = self.target.docker.logs(&found.id, Some(options)).map(Some);
        let parts = parts.chain(futures::stream::once(std::future::ready(None)));
        let pieces = parts.map(move |part| Piece { id: id.clone(), service: service.clone(), number, part });
        self.all.push(pieces.boxed());
    }

    async fn take(&mut self, piece: Piece, lines: Lines<'_>) -> Result<Taken> {
        let Piece { id, service, number, part } = piece;
        let part = match part {
            Some(Ok(part)) => part,
            // It was removed before it could be read; its end comes next.
            Some(Err(error)) if errors::is_missing(&error) => return Ok(Taken::Lines),
            Some(Err(error)) => return Err(errors::of(&error)),
            None => {
                self.open.remove(&id);
                return Ok(Taken::End);
            }
        };
        let stderr = matches!(part, LogOutput::StdErr { .. });
        let part = part.to_string();
        for line in part.lines() {
            let (at, text) = line.split_once(' ').unwrap_or((line, ""));
            // An engine's times all have the same form, so that they are in order as texts.
            if self.known.get(&id).is_some_and(|known| at <= known.as_str()) {
                continue;
            }
            let text = text.char_indices().nth(MAX_LINE).map_or(text, |(end, _)| &text[..end]).to_owned();
            at.clone_into(self.last.entry(id.clone()).or_default());
            if !lines(LogLine { service: service.clone(), number, at: at.to_owned(), stderr, text }).await {
                return Ok(Taken::Enough);
            }
        }
        Ok(Taken::Lines)
    }
}
