//! How a command ended, judged.

use windflow_sdk::serde_json::{self, Value};
use windflow_sdk::{NodeError, Retry};

use super::Output;

/// Takes out which exit statuses are no error.
pub(super) fn accepted(asked: &mut Value) -> Result<Vec<i64>, NodeError> {
    match asked.as_object_mut().and_then(|fields| fields.remove("accept")) {
        Some(accepted) => serde_json::from_value(accepted)
            .map_err(|error| NodeError::new("invalid_config", format!("`accept`: {error}"))),
        None => Ok(Vec::new()),
    }
}

/// An exit status that is not accepted, and an end that was not its own, are errors. Their details are the output. An author who
/// has it tried again knows that this can help.
pub(super) fn judge(ended: Value, accepted: &[i64]) -> Result<Output, NodeError> {
    let is = |what: &str| ended[what] == true;
    let (timed_out, out_of_memory) = (is("timed_out"), is("out_of_memory"));
    let output: Output =
        serde_json::from_value(ended).map_err(|error| NodeError::new("invalid_answer", error.to_string()))?;
    let last = output.output.as_deref().unwrap_or_default().lines().rev().find(|line| !line.trim().is_empty());
    let last = last.map(|line| format!(": {}", line.trim().chars().take(300).collect::<String>())).unwrap_or_default();
    let failed = |code: &'static str, message: String| {
        Err(NodeError::new(code, format!("{message}{last}")).with_retry(Retry::MayHelp).with_details(&output))
    };
    let is_fine = |code| if accepted.is_empty() { code == 0 } else { accepted.contains(&code) };
    match output.exit_code {
        _ if timed_out => failed("timeout", "it did not end within its time".to_owned()),
        _ if out_of_memory => {
            failed("out_of_memory", "it was ended since it took more memory than its limit".to_owned())
        }
        Some(code) if !is_fine(code) => failed("exit_code", format!("it ended with status {code}")),
        _ => Ok(output),
    }
}
