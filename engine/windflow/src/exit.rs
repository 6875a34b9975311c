//! How a command ends: 0 it worked, 1 the run failed or the engine could not do it, 2 the input is invalid, 3 the run waits for
//! an answer, 130 interrupted, 141 nobody reads the output any more.

use std::io::ErrorKind::BrokenPipe;
use std::process::ExitCode;

use crate::remote::Refused;

/// The run failed, or something that the command needs did.
pub(crate) const FAILED: u8 = 1;
/// What the user gave is not valid; nothing was started.
pub(crate) const INVALID: u8 = 2;
/// The run waits for somebody's answer, and goes on once it is there.
pub(crate) const WAITING: u8 = 3;
/// The user interrupted it.
pub(crate) const INTERRUPTED: u8 = 130;

/// Nobody reads the output any more; what shells show where the signal of that name ends a process.
const PIPE_CLOSED: u8 = 141;

/// What the user gave is not valid. What is wrong was either printed already (no text) or is the text.
#[derive(Debug)]
pub(crate) struct InvalidInput(pub(crate) String);

impl std::fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidInput {}

/// An error for invalid input.
pub(crate) fn invalid(message: impl Into<String>) -> anyhow::Error {
    InvalidInput(message.into()).into()
}

/// Prints an error and says how the process ends.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    // Whoever reads the output has read enough.
    if error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == BrokenPipe)) {
        return ExitCode::from(PIPE_CLOSED);
    }
    let text = format!("{error:#}");
    if !text.is_empty() {
        crate::render::error(&text);
    }
    let refused = error.downcast_ref::<Refused>().is_some_and(Refused::is_invalid);
    ExitCode::from(if refused || error.is::<InvalidInput>() { INVALID } else { FAILED })
}
