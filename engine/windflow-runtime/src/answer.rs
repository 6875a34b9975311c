//! Answers to what runs ask of people and other systems.

use serde_json::{Map, Value, json};
use windflow_core::id::{NodeId, RunId};
use windflow_core::json::Json;
use windflow_core::ports::host::Emission;
use windflow_core::run::{Asked, Question, Timestamp};
use windflow_core::schema::Checker;

use crate::start::ResumeError;

/// What somebody answers.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The node that asked.
    pub node: NodeId,
    /// The item, where the node runs for each of several.
    pub item: Option<u32>,
    /// The question's token, where the answer comes from somebody who is not signed in; it must be the right one then.
    pub token: Option<String>,
    /// What is said.
    pub reply: Reply,
}

/// What is said.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A system reports back.
    Data(Value),
    /// A person decides.
    Decision {
        /// Whether it may go on.
        approved: bool,
        /// Who decided.
        by: String,
        /// Why.
        comment: Option<String>,
        /// What the form asks for.
        data: Option<Value>,
    },
}

/// Why an answer was not taken. The run is as it was.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The workflow has no such node.
    #[error("run {run} has no node `{node}`")]
    UnknownNode {
        /// The run.
        run: RunId,
        /// What was named.
        node: NodeId,
    },
    /// It asks nothing now: not yet, or somebody answered before, or it was too late.
    #[error("node `{node}` is {status} and waits for no answer")]
    NotAsked {
        /// The node.
        node: NodeId,
        /// How it stands.
        status: &'static str,
    },
    /// The token is not that of the question.
    #[error("this is not the token of the question that node `{0}` asks")]
    WrongToken(NodeId),
    /// A callback was approved, or an approval was given data.
    #[error("node `{node}` {wants}")]
    WrongKind {
        /// The node.
        node: NodeId,
        /// What it waits for instead.
        wants: &'static str,
    },
    /// The data does not fit what the node asks for.
    #[error("the answer does not fit what node `{node}` asks for: {}", .problems.join("; "))]
    Invalid {
        /// The node.
        node: NodeId,
        /// What is wrong with it.
        problems: Vec<String>,
    },
    /// The run cannot be taken up, or was given up meanwhile.
    #[error(transparent)]
    Resume(#[from] ResumeError),
}

/// What the node emits for a reply to its question.
pub(crate) fn emission(
    node: &NodeId,
    question: &Question,
    answer: &Answer,
    now: Timestamp,
) -> Result<Emission, AnswerError> {
    if answer.token.as_ref().is_some_and(|token| *token != question.token) {
        return Err(AnswerError::WrongToken(node.clone()));
    }
    let wrong_kind = |wants| AnswerError::WrongKind { node: node.clone(), wants };
    let (port, output, data) = match (&answer.reply, question.of) {
        (Reply::Data(data), Asked::System) => ("out", data.clone(), Some(data)),
        (Reply::Decision { approved, by, comment, data }, Asked::Person) => {
            let port = if *approved { "approved" } else { "rejected" };
            let at = rfc3339(now);
            (port, json!({ "approved": approved, "by": by, "at": at, "comment": comment, "data": data }), data.as_ref())
        }
        (Reply::Data(_), Asked::Person) => return Err(wrong_kind("waits for somebody to approve or reject")),
        (Reply::Decision { .. }, Asked::System) => return Err(wrong_kind("waits for data, and not for a decision")),
    };
    // Whoever rejects need not fill in the form.
    let nothing = Value::Object(Map::new());
    if let Some(form) = question.form.as_ref().filter(|_| port != "rejected" || data.is_some()) {
        let problems = match Checker::new(form.value()) {
            Ok(checker) => checker.check(data.unwrap_or(&nothing)).err().unwrap_or_default(),
            Err(error) => return Err(AnswerError::Invalid { node: node.clone(), problems: vec![error.to_string()] }),
        };
        if !problems.is_empty() {
            let problems = problems.iter().take(10).map(ToString::to_string).collect();
            return Err(AnswerError::Invalid { node: node.clone(), problems });
        }
    }
    // Names of the engine's own ports are names.
    let port = port.parse().map_err(|_| wrong_kind("cannot be answered"))?;
    Ok(Emission { port, output: Json::from(output) })
}

/// An instant as text.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    i64::try_from(at.0)
        .ok()
        .and_then(|at| jiff::Timestamp::from_millisecond(at).ok())
        .map(|at| at.to_string())
        .unwrap_or_default()
}
