//! Requests that carry an access token.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use wasmtime_wasi_http::{Error, WasiBody};

use super::connect::Connection;
use super::sender::{Attempt, Route, Sender};
use crate::capability::credentials::Held;

impl Sender {
    /// Sends the request with an access token; where the server does not take that one, once more with a fresh one. The body is
    /// read whole first, to have it for the second time; its bounds are those of all bodies.
    pub(super) async fn with_token(
        &self,
        request: Request<WasiBody>,
        route: &Route<'_>,
        held: &Held,
        attempt: &Attempt,
    ) -> Result<(Response<Incoming>, Connection), Error> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let mut refused: Option<(Arc<str>, _)> = None;
        loop {
            let before = refused.as_ref().map(|(token, _)| Arc::clone(token));
            let token = held.token(route.origin, &attempt.keys.grants, &attempt.log, before).await;
            let Some(token) = token.map_err(|failure| attempt.troubled(failure))? else {
                // Another token would be refused as well: what the server said is what there is to say.
                return refused.map(|(_, answer)| answer).ok_or(Error::HttpRequestDenied);
            };
            attempt.untroubled();
            let mut request = Request::from_parts(parts.clone(), full(&body));
            Held::authorise(&mut request, &token)?;
            let answer = self.exchange(request, route).await?;
            if answer.0.status() != StatusCode::UNAUTHORIZED || refused.is_some() {
                return Ok(answer);
            }
            refused = Some((token, answer));
        }
    }
}

fn full(body: &Bytes) -> WasiBody {
    Full::new(body.clone()).map_err(|never| match never {}).boxed_unsync()
}
