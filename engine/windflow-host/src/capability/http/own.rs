//! Requests of the host itself on behalf of an attempt: by the same ways as those of guests, to addresses that are public or that the
//! workflow grants, and that the operator allows.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;
use wasmtime_wasi_http::WasiBody;
use windflow_core::capability::{Grants, Origin};

use super::sender::{Route, Sender};
use super::{check, errors, headers};

/// The longest that one answer may take, from beginning to end.
const TIME: Duration = Duration::from_secs(20);

/// An answer, read whole.
pub(crate) struct OwnAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why there is none.
pub(crate) enum Unanswered {
    /// It may not be asked, and nothing was sent; how to allow it.
    Denied(String),
    /// The answer is longer than was to be read.
    TooLong,
    /// In words for people.
    Failed(String),
}

impl Sender {
    /// Sends a request and reads the answer. Redirects are not followed.
    pub(crate) async fn own(
        &self,
        grants: &Grants,
        origin: &Origin,
        request: Request<WasiBody>,
        most: usize,
    ) -> Result<OwnAnswer, Unanswered> {
        let time = TIME.min(self.limits.connect_time.saturating_add(self.limits.idle_time));
        let too_slow = || Unanswered::Failed(format!("there was no whole answer within {} s", time.as_secs_f32()));
        timeout(time, self.ask_own(grants, origin, request, most)).await.map_err(|_| too_slow())?
    }

    async fn ask_own(
        &self,
        grants: &Grants,
        origin: &Origin,
        mut request: Request<WasiBody>,
        most: usize,
    ) -> Result<OwnAnswer, Unanswered> {
        let denied = |denied: check::Denied| Unanswered::Denied(denied.0);
        let failed = |error: wasmtime_wasi_http::Error| Unanswered::Failed(errors::words(&error));
        check::operator(&*self.policy, origin).map_err(denied)?;
        headers::prepare(&mut request, origin).map_err(failed)?;
        let connect_time = self.limits.connect_time;
        let addresses = timeout(connect_time, self.resolve(origin)).await;
        let addresses = addresses.map_err(|_| failed(wasmtime_wasi_http::Error::DnsTimeout))?.map_err(failed)?;
        check::addresses(grants, &*self.policy, origin, &addresses).map_err(denied)?;
        self.breaker.enter(origin, Instant::now()).map_err(|left| {
            let seconds = left.as_secs() + 1;
            Unanswered::Failed(format!(
                "it did not answer several times in a row, and is left alone for another {seconds} s"
            ))
        })?;
        let route = Route { origin, addresses: &addresses, connect_time, first_byte: self.limits.idle_time };
        let exchanged = self.exchange(request, &route).await;
        self.breaker.went(origin, self.judged(&exchanged, connect_time), Instant::now());
        let (response, connection) = exchanged.map_err(failed)?;
        let (head, body) = response.into_parts();
        let body =
            Limited::new(body, most).collect().await.map_err(|error| match error.downcast::<LengthLimitError>() {
                Ok(_) => Unanswered::TooLong,
                Err(error) => Unanswered::Failed(format!("the answer broke off: {error}")),
            })?;
        // It may be long until this server is asked again.
        drop(connection);
        Ok(OwnAnswer { status: head.status, headers: head.headers, body: body.to_bytes() })
    }
}
