//! What an attempt's end means.

use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap};
use wasmtime_wasi_http::FieldMapError;
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::json::Json;
use windflow_core::ports::host::Emission;

use super::State;
use super::meter::WantsMemory;
use crate::capability::{clean, cut, random};
use crate::limits::Limits;

/// Longest message of a failure, in bytes.
const MESSAGE_BYTES: usize = 4 << 10;

/// Longest code of a failure, in bytes.
const CODE_BYTES: usize = 64;

/// What a guest returned, in whatever version of the contract.
pub(crate) enum Returned {
    Emission { port: String, value: Vec<u8> },
    Error(ReturnedError),
}

pub(crate) struct ReturnedError {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) retry: RetryHint,
    pub(crate) details: Option<Vec<u8>>,
}

/// Turns ends into emissions and typed failures.
pub(crate) struct Judge<'a> {
    pub(crate) state: &'a State,
    pub(crate) limits: &'a Limits,
}

impl Judge<'_> {
    /// The guest returned.
    pub(crate) fn returned(&self, returned: Returned) -> Result<Emission, Failure> {
        match returned {
            Returned::Emission { port, value } => self.emission(&port, value),
            Returned::Error(error) => Err(self.node_error(error)),
        }
    }

    fn emission(&self, port: &str, value: Vec<u8>) -> Result<Emission, Failure> {
        self.fits(&value, "value")?;
        let Some(port) = self.state.call.ports.iter().find(|known| known.as_str() == port) else {
            let known: Vec<&str> = self.state.call.ports.iter().map(windflow_core::id::PortName::as_str).collect();
            let message = format!(
                "the node emitted on the port {:?}, which it does not have; it has: {}",
                clean(cut(port, CODE_BYTES)),
                known.join(", ")
            );
            return Err(Failure::new(FailureKind::InvalidOutput, message));
        };
        let output = Json::parse(value).map_err(|error| {
            Failure::new(FailureKind::InvalidOutput, format!("the emitted value is no JSON: {error}"))
        })?;
        Ok(Emission { port: port.clone(), output })
    }

    fn node_error(&self, error: ReturnedError) -> Failure {
        let message = clean(cut(&error.message, MESSAGE_BYTES)).into_owned();
        // Told by the host even where the guest made something else of it: only the host knows how to mend it.
        if let Some(refusal) = self.state.refusal() {
            return refusal;
        }
        if self.state.call.cancel.is_cancelled() {
            return Failure::new(
                FailureKind::Cancelled,
                format!("the node ended because the run is being cancelled: {message}"),
            );
        }
        let details = match error.details {
            None => None,
            Some(details) => {
                if let Err(failure) = self.fits(&details, "details of the error") {
                    return failure;
                }
                match Json::parse(details) {
                    Ok(details) => Some(details),
                    Err(error) => {
                        let message = format!("the node failed ({message}) with details that are no JSON: {error}");
                        return Failure::new(FailureKind::InvalidOutput, message);
                    }
                }
            }
        };
        let code = if is_code(&error.code) { error.code } else { FailureKind::Node.code().to_owned() };
        Failure { kind: FailureKind::Node, code, message, retry: error.retry, details }
    }

    fn fits(&self, value: &[u8], what: &str) -> Result<(), Failure> {
        if value.len() <= self.limits.output_bytes {
            return Ok(());
        }
        let message = format!("the {what} has {} bytes; at most {} are taken", value.len(), self.limits.output_bytes);
        Err(Failure::new(FailureKind::LimitExceeded, message))
    }

    /// The guest trapped, or could not be started.
    pub(crate) fn stopped(&self, error: &wasmtime::Error) -> Failure {
        if let Some(refusal) = self.state.refusal() {
            return refusal;
        }
        if self.state.meter.refused_memory() || error.is::<WantsMemory>() {
            let limit = self.limits.memory_bytes >> 20;
            return Failure::new(
                FailureKind::OutOfMemory,
                format!("the node wanted more than the {limit} MiB of memory that it may have"),
            );
        }
        if let Some(full) = error.downcast_ref::<PoolConcurrencyLimitError>() {
            let failure = Failure::new(FailureKind::Unavailable, format!("no sandbox is free: {full}"));
            return Failure { retry: RetryHint::MayHelp, ..failure };
        }
        if error.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) {
            return Failure::new(
                FailureKind::LimitExceeded,
                "the node's calls went too deep: its stack is full (a recursion without end?)",
            );
        }
        if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) {
            let message = format!(
                "the node held more than {} things of the host at once (requests, headers, streams): let go of those that are done with",
                self.limits.handles
            );
            return Failure::new(FailureKind::LimitExceeded, message);
        }
        if matches!(error.downcast_ref(), Some(FieldMapError::TotalSizeTooBig | FieldMapError::TooManyFields)) {
            let message =
                format!("the node put more than {} bytes into a list of headers", self.limits.http.header_bytes);
            return Failure::new(FailureKind::LimitExceeded, message);
        }
        let cause = error.root_cause().to_string();
        if cause.contains("fuel allocated for hostcalls") {
            let message = format!("the node passed more than {} bytes at once to the host", self.limits.output_bytes);
            return Failure::new(FailureKind::LimitExceeded, message);
        }
        if cause.starts_with("requested len ") && cause.contains(" exceeds limit ") {
            let message = format!("the node asked for more than {} random bytes at once", random::BYTES);
            return Failure::new(FailureKind::LimitExceeded, message);
        }
        let cause = clean(cut(&cause, MESSAGE_BYTES)).into_owned();
        let message = match self.state.log.last_error() {
            Some(panic) => format!("the node stopped abnormally: {} ({cause})", cut(&panic, MESSAGE_BYTES)),
            None => format!("the node stopped abnormally: {cause}"),
        };
        Failure::new(FailureKind::Trap, message)
    }
}

fn is_code(code: &str) -> bool {
    code.len() <= CODE_BYTES
        && code.starts_with(|c: char| c.is_ascii_lowercase())
        && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::is_code;

    #[test]
    fn codes_are_short_and_plain() {
        for good in ["a", "http_status", "e2"] {
            assert!(is_code(good), "{good}");
        }
        for bad in ["", "A", "a b", "1a", "é", &"a".repeat(65)] {
            assert!(!is_code(bad), "{bad}");
        }
    }
}
