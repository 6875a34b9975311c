//! The three protocols.

use windflow_sdk::NodeError;
use windflow_sdk::serde_json::{Value, json};

use crate::Usage;
use crate::config::{Config, Message, Provider};

mod anthropic;
mod ollama;
mod openai;
mod pieces;

pub(crate) use self::pieces::Pieces;

/// What came of a question.
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) model: String,
    pub(crate) finish: String,
    pub(crate) usage: Usage,
}

impl Provider {
    pub(crate) fn address(self) -> &'static str {
        match self {
            Self::OpenAi => "https://api.openai.com/v1",
            Self::Anthropic => "https://api.anthropic.com",
            Self::Ollama => "http://localhost:11434",
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::OpenAi => "/chat/completions",
            Self::Anthropic => "/v1/messages",
            Self::Ollama => "/api/chat",
        }
    }

    /// The body of the request.
    pub(crate) fn question(self, config: &Config, messages: &[Message], schema: Option<&Value>) -> Value {
        match self {
            Self::OpenAi => openai::question(config, messages, schema),
            Self::Anthropic => anthropic::question(config, messages, schema),
            Self::Ollama => ollama::question(config, messages, schema),
        }
    }

    /// Makes the body ask for a stream.
    pub(crate) fn streamed(self, body: &mut Value) {
        body["stream"] = json!(true);
        if self == Self::OpenAi {
            // Without it, a stream does not tell its tokens.
            body["stream_options"] = json!({ "include_usage": true });
        }
    }

    /// Reads the body of the answer.
    pub(crate) fn answer(self, body: &Value, model: &str, structured: bool) -> Result<Answer, NodeError> {
        let mut answer = match self {
            Self::OpenAi => openai::answer(body),
            Self::Anthropic => anthropic::answer(body, structured),
            Self::Ollama => ollama::answer(body),
        }?;
        body["model"].as_str().unwrap_or(model).clone_into(&mut answer.model);
        Ok(answer)
    }
}

/// The conversation with the instructions first, as two of the three want it.
fn with_system(config: &Config, messages: &[Message]) -> Vec<Value> {
    let system = config.system.iter().map(|content| json!({ "role": "system", "content": content }));
    system.chain(messages.iter().map(message)).collect()
}

fn message(message: &Message) -> Value {
    json!({ "role": message.role.as_str(), "content": message.content })
}

fn tokens(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// The answer has not the form that the protocol says.
fn malformed(body: &Value) -> NodeError {
    let shown: String = body.to_string().chars().take(2000).collect();
    NodeError::new(
        "invalid_answer",
        "the provider's answer holds no text where its protocol has it; is `provider` right?",
    )
    .with_details(&shown)
}

/// The model, or a filter of the provider, will not answer.
fn refused(why: &str) -> NodeError {
    let shown: String = why.chars().take(500).collect();
    NodeError::new("refused", format!("the model refuses to answer: {shown}"))
}
