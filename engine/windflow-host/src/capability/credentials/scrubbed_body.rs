//! Bodies of answers to requests that carried a credential: a server that echoes it must not hand it to the guest.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::{Error, WasiBody};

use super::Scrubber;

/// Blots out values as the body passes. Only the end of a piece that may be the beginning of a value waits for the next.
pub(crate) struct ScrubbedBody {
    inner: WasiBody,
    scrubber: Arc<Scrubber>,
    held_back: BytesMut,
    /// What comes behind the data: trailers, or nothing.
    last: Option<Frame<Bytes>>,
    ended: bool,
}

impl ScrubbedBody {
    pub(crate) fn new(inner: WasiBody, scrubber: Arc<Scrubber>) -> Self {
        Self { inner, scrubber, held_back: BytesMut::new(), last: None, ended: false }
    }
}

impl Body for ScrubbedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            if self.ended {
                return Poll::Ready(self.last.take().map(Ok));
            }
            let frame = match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => Some(frame),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => None,
            };
            match frame.map(Frame::into_data) {
                Some(Ok(data)) => {
                    let mut bytes = std::mem::take(&mut self.held_back);
                    bytes.extend_from_slice(&data);
                    self.scrubber.bytes(&mut bytes);
                    let open = self.scrubber.open_end(&bytes);
                    self.held_back = bytes.split_off(bytes.len() - open);
                    if !bytes.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(bytes.freeze()))));
                    }
                }
                other => {
                    self.ended = true;
                    self.last = other.and_then(Result::err).map(|frame| match frame.into_trailers() {
                        Ok(mut trailers) => {
                            self.scrubber.headers(&mut trailers);
                            Frame::trailers(trailers)
                        }
                        Err(frame) => frame,
                    });
                    let rest = std::mem::take(&mut self.held_back);
                    if !rest.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(rest.freeze()))));
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended && self.last.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, StreamBody};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_value_is_found_across_pieces_and_everything_else_passes() {
        let document = json!({ "bind": "bearer", "hosts": ["a.b"], "value": "s3cret-value" });
        let scrubber = Arc::new(Scrubber::new(&serde_json::from_value(document).unwrap()));
        let whole = b"before s3cret-value s3cret s3cret-value-after s3c";
        for size in 1..whole.len() {
            let pieces: Vec<Result<Frame<Bytes>, Error>> =
                whole.chunks(size).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
            let pieces = StreamBody::new(futures::stream::iter(pieces)).boxed_unsync();
            let body = ScrubbedBody::new(pieces, Arc::clone(&scrubber)).collect().await.unwrap().to_bytes();
            assert_eq!(body, &b"before ************ s3cret ************-after s3c"[..], "pieces of {size}");
        }
    }
}
