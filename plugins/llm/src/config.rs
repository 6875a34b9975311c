//! What is asked, and of whom.

use windflow_sdk::{Json, NodeError, config};

/// What is asked, and of whom.
#[config]
pub struct Config {
    /// The protocol. `openai` is also that of every compatible server.
    #[serde(default)]
    pub(crate) provider: Provider,
    /// The model, as the provider names it.
    pub(crate) model: String,
    /// The address of the API; the provider's own where left out.
    #[serde(default)]
    pub(crate) base_url: Option<String>,
    /// The provider's key: bind: bearer for OpenAI, the header x-api-key for Anthropic.
    #[serde(default)]
    #[allow(dead_code, reason = "read by the engine")]
    credential: Option<String>,
    /// What the model is to be and to keep to.
    #[serde(default)]
    pub(crate) system: Option<String>,
    /// What is asked; after the messages, where there are any.
    #[serde(default)]
    prompt: Option<String>,
    /// The conversation so far.
    #[serde(default)]
    messages: Vec<Message>,
    /// A JSON Schema: the answer is then JSON, checked, and mended once by the model if need be.
    #[serde(default)]
    pub(crate) schema: Option<Json>,
    /// How many tokens the answer may have.
    #[serde(default = "usual")]
    pub(crate) max_tokens: u32,
    /// From 0, predictable, to 2.
    #[serde(default)]
    pub(crate) temperature: Option<f64>,
    /// Whether the answer is shown in the run's progress while it arrives. What comes of it is the same.
    #[serde(default = "yes")]
    pub(crate) stream: bool,
    /// The price of a million tokens, to know what it costs.
    #[serde(default)]
    pub(crate) price: Option<Price>,
}

fn usual() -> u32 {
    2048
}

fn yes() -> bool {
    true
}

/// The protocol.
#[config]
#[derive(Default, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_arch = "wasm32"), derive(windflow_sdk::serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// OpenAI, and every compatible server.
    #[default]
    OpenAi,
    /// Anthropic.
    Anthropic,
    /// Ollama.
    Ollama,
}

/// A part of the conversation.
#[config]
#[derive(Clone)]
pub struct Message {
    /// Who said it.
    pub(crate) role: Role,
    /// What was said.
    pub(crate) content: String,
}

/// Who said it.
#[config]
#[derive(Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Whoever asks.
    User,
    /// The model.
    Assistant,
}

/// The price of a million tokens.
#[config]
pub struct Price {
    /// Read by the model.
    pub(crate) input: f64,
    /// Written by it.
    pub(crate) output: f64,
}

impl Config {
    /// All that is said, the prompt last.
    pub(crate) fn conversation(&self) -> Result<Vec<Message>, NodeError> {
        let prompt = self.prompt.clone().map(|content| Message { role: Role::User, content });
        let all: Vec<Message> = self.messages.iter().cloned().chain(prompt).collect();
        if all.last().is_none_or(|last| last.role != Role::User) {
            return Err(NodeError::new(
                "invalid_config",
                "there is nothing to answer: write a `prompt`, or end `messages` with one of the user",
            ));
        }
        Ok(all)
    }
}

impl Role {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}
