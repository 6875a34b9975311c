//! The native side: requests go to a transport that a test sets.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::{Body, Error, Request, Response};

/// Answers requests in tests. A closure is one.
pub trait Transport {
    /// The answer to a request.
    ///
    /// # Errors
    ///
    /// Where there is none.
    fn send(&mut self, request: &Request) -> Result<Answer, Error>;
}

impl<F: FnMut(&Request) -> Result<Answer, Error>> Transport for F {
    fn send(&mut self, request: &Request) -> Result<Answer, Error> {
        self(request)
    }
}

/// An answer in tests.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    pieces: VecDeque<Vec<u8>>,
    breaks_off: bool,
}

impl Answer {
    /// An answer without headers and body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.pieces = [body.into()].into();
        self
    }

    /// Sets a body that comes in these pieces.
    #[must_use]
    pub fn pieces<T: Into<Vec<u8>>>(mut self, pieces: impl IntoIterator<Item = T>) -> Self {
        self.pieces = pieces.into_iter().map(Into::into).collect();
        self
    }

    /// The connection breaks off behind the body.
    #[must_use]
    pub fn breaks_off(mut self) -> Self {
        self.breaks_off = true;
        self
    }
}

/// A body as it comes.
#[derive(Debug)]
pub(crate) struct Pieces {
    pieces: VecDeque<Vec<u8>>,
    breaks_off: bool,
}

impl Pieces {
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match self.pieces.pop_front() {
            None if self.breaks_off => Err(Error::Connection("the connection broke off".to_owned())),
            piece => Ok(piece),
        }
    }
}

thread_local! {
    static TRANSPORT: RefCell<Option<Box<dyn Transport>>> = const { RefCell::new(None) };
}

/// Sends the requests of this thread to a transport from now on.
pub fn set_transport(transport: impl Transport + 'static) {
    TRANSPORT.set(Some(Box::new(transport)));
}

pub(super) fn send(request: &Request) -> Result<Response, Error> {
    TRANSPORT.with(|transport| match &mut *transport.borrow_mut() {
        Some(transport) => {
            let Answer { status, headers, pieces, breaks_off } = transport.send(request)?;
            Ok(Response { status, headers, body: Body(Pieces { pieces, breaks_off }) })
        }
        None => Err(Error::Connection("no transport is set: call `testing::http::set_transport`".to_owned())),
    })
}
