//! Answers that come bit by bit: as server-sent events, or a line of JSON each.

use windflow_sdk::http::{Body, Error, Reply, Request, begin};
use windflow_sdk::serde_json::{self, Value};
use windflow_sdk::{NodeError, log, progress};

use crate::ANSWER_BYTES;
use crate::config::{Config, Provider};
use crate::provider::Pieces;

/// So much of the end of the text is shown, in characters.
const SHOWN: usize = 100;

/// Asks for a stream and reports the text as it arrives; gives the body of the whole. Nothing where the provider refuses to stream.
pub(crate) fn ask(config: &Config, request: &Request) -> Result<Option<Value>, NodeError> {
    let mut response = match begin(request, ANSWER_BYTES) {
        Err(error) if refuses_streams(&error) => {
            log::info("the provider does not stream: asking for the answer as a whole");
            return Ok(None);
        }
        response => response?,
    };
    let kind = response.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if !kind.contains("event-stream") && !kind.contains("ndjson") {
        // It answered as a whole after all, or streams without saying so: then all of it is there by now.
        let body = response.body.read(ANSWER_BYTES)?;
        if let Ok(whole) = serde_json::from_slice(&body) {
            return Ok(Some(whole));
        }
        let mut stream = Stream::new(config);
        let streamed = stream.add(&body).and_then(|()| stream.finish(config));
        return streamed.map(Some).or_else(|error| {
            // A page of a proxy, say: told as it would have been without a stream.
            if error.code != "invalid_answer" && error.code != "stream_broken" {
                return Err(error);
            }
            Reply { status: response.status, headers: response.headers, body }.json().map(Some)
        });
    }
    let mut stream = Stream::new(config);
    stream.read(&mut response.body)?;
    stream.finish(config).map(Some)
}

/// Whether a provider says that it does not know streams, or not their options.
fn refuses_streams(error: &NodeError) -> bool {
    let told: Value = error.details.as_deref().and_then(|told| serde_json::from_slice(told).ok()).unwrap_or_default();
    error.code == "http_status"
        && [400, 405, 406, 415, 422, 501].iter().any(|status| told["status"] == *status)
        && told["body"].as_str().is_some_and(|body| body.to_ascii_lowercase().contains("stream"))
}

/// Takes a stream apart and its pieces together.
struct Stream {
    events: bool,
    pieces: Pieces,
    /// What came behind the last whole line, and how much of it was searched for the end of a line.
    line: Vec<u8>,
    searched: usize,
    /// The data of the event that has not ended yet.
    data: String,
    /// The end of the text.
    shown: String,
    has_more: bool,
    read: usize,
}

impl Stream {
    fn new(config: &Config) -> Self {
        Self {
            events: config.provider != Provider::Ollama,
            pieces: Pieces::new(config.provider),
            line: Vec::new(),
            searched: 0,
            data: String::new(),
            shown: String::new(),
            has_more: false,
            read: 0,
        }
    }

    fn read(&mut self, body: &mut Body) -> Result<(), NodeError> {
        while let Some(bytes) = body.next()? {
            self.read += bytes.len();
            if self.read > ANSWER_BYTES {
                return Err(Error::TooLarge(ANSWER_BYTES).into());
            }
            self.add(&bytes)?;
            if std::mem::take(&mut self.has_more) {
                progress::report(None, &self.shown);
            }
        }
        Ok(())
    }

    /// Takes what came; the last line waits for its end.
    fn add(&mut self, bytes: &[u8]) -> Result<(), NodeError> {
        let mut all = std::mem::take(&mut self.line);
        all.extend_from_slice(bytes);
        let mut from = 0;
        while let Some(found) = all[self.searched..].iter().position(|byte| *byte == b'\n') {
            let end = self.searched + found;
            self.line(&all[from..end])?;
            from = end + 1;
            self.searched = from;
        }
        self.line = all.split_off(from);
        self.searched = self.line.len();
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), NodeError> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line)
            .map_err(|_| NodeError::new("invalid_answer", "the provider's stream is no text in UTF-8"))?;
        if !self.events {
            return if line.trim().is_empty() { Ok(()) } else { self.piece(line) };
        }
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return if data.trim().is_empty() { Ok(()) } else { self.piece(&data) };
        }
        // Comments keep the connection open; names of events stand in their data as well.
        if let Some(data) = line.strip_prefix("data:") {
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
        Ok(())
    }

    fn piece(&mut self, piece: &str) -> Result<(), NodeError> {
        let text = self.pieces.take(piece)?;
        self.has_more |= !text.is_empty();
        self.shown.push_str(&text);
        let length = self.shown.chars().count();
        if length > SHOWN {
            let kept = self.shown.char_indices().nth(length - SHOWN).map_or(0, |(at, _)| at);
            self.shown.drain(..kept);
        }
        Ok(())
    }

    fn finish(mut self, config: &Config) -> Result<Value, NodeError> {
        // Some servers leave away the break behind their last line.
        let last = std::mem::take(&mut self.line);
        self.line(&last)?;
        self.line(b"")?;
        let body = self.pieces.finish()?;
        if config.price.is_some() && config.provider == Provider::OpenAi && body["usage"].is_null() {
            log::warn("the provider's stream does not tell how many tokens it took; with `stream: false` it may");
        }
        Ok(body)
    }
}
