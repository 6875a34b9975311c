//! Bodies within bounds.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};
use windflow_core::capability::Origin;

use super::connect::Connection;
use super::pool::Pool;

/// A guest's body, up to a number of bytes.
pub(super) struct RequestBody {
    pub(super) inner: WasiBody,
    pub(super) limit: u64,
    pub(super) sent: u64,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref) {
            self.sent += data.len() as u64;
            if self.sent > self.limit {
                return Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(self.limit)))));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A server's body, up to a number of bytes and never idle for long. At its end the connection goes back to the pool; a
/// body that is dropped before closes it.
pub(super) struct ResponseBody {
    inner: Incoming,
    left: u64,
    limit: u64,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    connection: Option<(Origin, Connection, Arc<Pool>)>,
    _permit: OwnedSemaphorePermit,
}

impl ResponseBody {
    pub(super) fn new(
        inner: Incoming,
        limit: u64,
        idle: Duration,
        connection: (Origin, Connection, Arc<Pool>),
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let timer = Box::pin(tokio::time::sleep(idle));
        let mut body = Self { inner, left: limit, limit, idle, timer, connection: Some(connection), _permit: permit };
        if body.inner.is_end_stream() {
            body.give_back();
        }
        body
    }

    fn give_back(&mut self) {
        if let Some((origin, connection, pool)) = self.connection.take() {
            pool.put(origin, connection);
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) else {
            ready!(self.timer.as_mut().poll(cx));
            self.connection = None;
            return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
        };
        let frame = match frame {
            None => {
                self.give_back();
                return Poll::Ready(None);
            }
            Some(Err(error)) => {
                self.connection = None;
                return Poll::Ready(Some(Err(Error::Hyper(error))));
            }
            Some(Ok(frame)) => frame,
        };
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        match self.left.checked_sub(length) {
            Some(left) => self.left = left,
            None => {
                self.connection = None;
                return Poll::Ready(Some(Err(Error::HttpResponseBodySize(Some(self.limit)))));
            }
        }
        let next = Instant::now() + self.idle;
        self.timer.as_mut().reset(next);
        if self.inner.is_end_stream() {
            self.give_back();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
