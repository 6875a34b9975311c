//! Where wasmtime's `wasi:http` hands over a request.

use std::sync::{Arc, OnceLock, PoisonError};

use http::HeaderName;
use tokio::sync::Semaphore;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::manifest::Manifest;
use windflow_core::ports::host::Call;

use super::check::Keys;
use super::sender::{Attempt, Sender};
use super::{errors, headers};
use crate::capability::credentials::Held;
use crate::capability::log::Log;

/// The requests of one attempt.
pub(crate) struct Hooks {
    sender: Arc<Sender>,
    attempt: Attempt,
    left: usize,
}

type Answer = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl Hooks {
    pub(crate) fn new(
        sender: &Arc<Sender>,
        manifest: &Arc<Manifest>,
        call: &Call,
        held: Option<&Arc<Held>>,
        log: &Arc<Log>,
    ) -> Self {
        let keys = Keys {
            manifest: Arc::clone(manifest),
            grants: Arc::clone(&call.grants),
            policy: Arc::clone(&sender.policy),
        };
        let attempt = Attempt {
            keys,
            slots: Arc::new(Semaphore::new(sender.limits.concurrent)),
            denial: Arc::new(OnceLock::new()),
            trouble: Arc::default(),
            held: held.cloned(),
            trace: call.trace.clone(),
            log: Arc::clone(log),
        };
        Self { sender: Arc::clone(sender), attempt, left: sender.limits.requests }
    }

    /// The first denial, or why there was no access token in the end.
    pub(crate) fn refusal(&self) -> Option<Failure> {
        let denial = self.attempt.denial.get().map(|denial| Failure::new(FailureKind::Denied, denial.as_str()));
        denial.or_else(|| self.attempt.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl WasiHttpHooks for Hooks {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        headers::is_host_only(name)
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(headers::is_host_only)
    }

    fn p2_error_from_connect(&mut self, error: &std::io::Error) -> ErrorCode {
        errors::connect(error)
    }

    fn p2_error_from_tls(&mut self, error: &std::io::Error) -> ErrorCode {
        errors::tls(error)
    }

    fn p2_error_from_hyper(&mut self, error: &hyper::Error) -> ErrorCode {
        errors::exchange(error)
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        let (sender, attempt) = (Arc::clone(&self.sender), self.attempt.clone());
        Box::new(async move {
            if !allowed {
                return Err(Error::ConnectionLimitReached);
            }
            let response = sender.send(request, options.unwrap_or_default(), attempt).await?;
            // The connection's worker is a task of its own, so nothing else must be kept going.
            let nothing: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(std::future::ready(Ok(())));
            Ok((response, nothing))
        })
    }
}
