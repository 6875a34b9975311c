//! The lines in which git speaks: four hexadecimal digits that tell how long each is (gitprotocol-common(5)).

use windflow_sdk::NodeError;
use windflow_sdk::http::Body;

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    Line(Vec<u8>),
    /// The end of a section, of an answer, or of everything.
    End,
}

/// Reads them as they come.
pub(crate) struct Packets {
    body: Body,
    buffer: Vec<u8>,
    at: usize,
    /// How much may still come.
    left: usize,
}

impl Packets {
    /// Of an answer of at most so many bytes.
    pub(crate) fn new(body: Body, most: usize) -> Self {
        Self { body, buffer: Vec::new(), at: 0, left: most }
    }

    pub(crate) fn next(&mut self) -> Result<Packet, NodeError> {
        if !self.fill(4)? && self.at == self.buffer.len() {
            return Ok(Packet::End);
        }
        let digits = self.take(4)?;
        let length = std::str::from_utf8(&digits).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
        match length {
            Some(0..=2) => Ok(Packet::End),
            Some(length @ 4..=65_520) => Ok(Packet::Line(self.take(length - 4)?)),
            _ => Err(no_git("it answers in another way than git does")),
        }
    }

    /// The next line as text, without its end; nothing where a section ends.
    pub(crate) fn text(&mut self) -> Result<Option<String>, NodeError> {
        match self.next()? {
            Packet::End => Ok(None),
            Packet::Line(line) => {
                let text = String::from_utf8_lossy(&line);
                Ok(Some(text.strip_suffix('\n').unwrap_or(&text).to_owned()))
            }
        }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, NodeError> {
        if !self.fill(length)? {
            let broken = NodeError::new("connection", "the answer of the git server broke off");
            return Err(broken.with_retry(windflow_sdk::Retry::MayHelp));
        }
        let taken = self.buffer[self.at..self.at + length].to_vec();
        self.at += length;
        Ok(taken)
    }

    /// Waits until so much is there; false where it ends before.
    fn fill(&mut self, length: usize) -> Result<bool, NodeError> {
        while self.buffer.len() - self.at < length {
            let Some(piece) = self.body.next()? else { return Ok(false) };
            self.left = self.left.checked_sub(piece.len()).ok_or_else(|| {
                NodeError::new(
                    "too_large",
                    "the repository is too large: what the server sends of it is longer than is taken",
                )
            })?;
            self.buffer.drain(..self.at);
            self.at = 0;
            self.buffer.extend_from_slice(&piece);
        }
        Ok(true)
    }
}

/// Whoever answers is no git server, or one of another time.
pub(crate) fn no_git(why: &str) -> NodeError {
    NodeError::new("no_git_server", format!("this is no git server that can be used: {why}. Look at `repository`"))
}

/// Writes a line.
pub(crate) fn line(request: &mut Vec<u8>, text: &str) {
    request.extend_from_slice(format!("{:04x}{text}\n", text.len() + 5).as_bytes());
}
