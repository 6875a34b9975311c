//! What a server tells of a run as it goes on: server-sent events.

use std::sync::Arc;

use reqwest::Response;
use serde::Deserialize;
use serde_json::Value;
use windflow_core::id::NodeId;
use windflow_core::ports::host::LogLevel;
use windflow_core::run::{Event, Record, Sequence, Timestamp};
use windflow_runtime::Update;

/// An event is longer than any that a server sends.
const MAX_EVENT_BYTES: usize = 64 << 20;

/// One thing that was told.
#[derive(Debug)]
pub(super) enum Told {
    /// What a run of this machine tells in the same way.
    Update(Update),
    /// So many were not told.
    Missed(u64),
    /// The run has ended.
    End,
}

/// A server-sent event.
pub(super) struct Sent {
    pub(super) kind: String,
    pub(super) data: String,
    id: Option<String>,
}

/// Server-sent events, one after the other.
pub(super) struct Events {
    answer: Response,
    unread: Vec<u8>,
}

impl Events {
    pub(super) fn new(answer: Response) -> Self {
        Self { answer, unread: Vec::new() }
    }

    /// The next one; none where the connection ended.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Sent>> {
        loop {
            while let Some(end) = self.unread.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = self.unread.drain(..end + 2).collect();
                let event = String::from_utf8_lossy(&event);
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                if let (Some(kind), Some(data)) = (field("event"), field("data")) {
                    let id = field("id").map(str::to_owned);
                    return Ok(Some(Sent { kind: kind.to_owned(), data: data.to_owned(), id }));
                }
            }
            anyhow::ensure!(self.unread.len() < MAX_EVENT_BYTES, "the server sends an event without an end");
            match self.answer.chunk().await? {
                Some(chunk) => self.unread.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }
}

/// What a server goes on telling of one run.
pub(super) struct Stream {
    events: Events,
    /// The sequence of the last event that was read.
    pub(super) last: Sequence,
}

impl Stream {
    /// Reads what was answered; `last` was read before.
    pub(super) fn new(answer: Response, last: Sequence) -> Self {
        Self { events: Events::new(answer), last }
    }

    /// The next thing that is told; none where the connection ended.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Told>> {
        while let Some(Sent { kind, data, id }) = self.events.next().await? {
            if let Some(sequence) = id.and_then(|id| id.parse().ok()) {
                self.last = sequence;
            }
            // What a later server tells beyond this is none of this command's business.
            if let Some(told) = told(&kind, &data, self.last) {
                return Ok(Some(told));
            }
        }
        Ok(None)
    }
}

fn told(kind: &str, data: &str, sequence: Sequence) -> Option<Told> {
    #[derive(Deserialize)]
    struct Kept {
        at: Timestamp,
        event: Event,
    }
    #[derive(Deserialize)]
    struct Node {
        node: NodeId,
        item: Option<u32>,
        attempt: u32,
        level: Option<LogLevel>,
        fraction: Option<f64>,
        #[serde(default)]
        message: Arc<str>,
    }
    let update = match kind {
        "event" => {
            let kept: Kept = serde_json::from_str(data).ok()?;
            Update::Event(sequence, Arc::new(Record::new(kept.at, kept.event)))
        }
        "end" => return Some(Told::End),
        "missed" => return serde_json::from_str::<Value>(data).ok()?["missed"].as_u64().map(Told::Missed),
        _ => {
            let Node { node, item, attempt, level, fraction, message } = serde_json::from_str(data).ok()?;
            match kind {
                "began" => Update::Began { node, item, attempt },
                "log" => Update::Log { node, attempt, level: level?, message },
                "progress" => Update::Progress { node, attempt, fraction, message },
                _ => return None,
            }
        }
    };
    Some(Told::Update(update))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood_or_passed_over() {
        let log = r#"{"node":"a","attempt":1,"level":"warn","message":"hot"}"#;
        assert!(matches!(told("log", log, 3), Some(Told::Update(Update::Log { level: LogLevel::Warn, .. }))));
        assert!(matches!(told("missed", r#"{"missed":7}"#, 3), Some(Told::Missed(7))));
        assert!(matches!(told("end", "{}", 3), Some(Told::End)));
        for (kind, data) in [("log", "{}"), ("event", r#"{"at":1,"event":{"of_a_later_release":{}}}"#), ("news", "{}")]
        {
            assert!(told(kind, data, 3).is_none(), "{kind} {data}");
        }
    }
}
