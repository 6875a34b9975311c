//! What is sent, and what is made of the answer.

use windflow_sdk::{Fields, Json, config};

/// What is sent, and what is made of the answer.
#[config]
pub struct Config {
    /// The method, such as `GET` or `POST`.
    #[serde(default = "get")]
    pub(crate) method: String,
    /// The address, with `http://` or `https://`.
    pub(crate) url: String,
    /// Headers by name: texts, numbers, or lists of them for a header that comes several times.
    #[serde(default)]
    pub(crate) headers: Fields<Json>,
    /// Fields that are added to the address behind `?`, encoded: texts, numbers, or lists of them. `null` is left out.
    #[serde(default)]
    pub(crate) query: Fields<Json>,
    /// The body as JSON.
    #[serde(default)]
    pub(crate) json: Option<Json>,
    /// The body as the fields of a form.
    #[serde(default)]
    pub(crate) form: Option<Fields<Json>>,
    /// The body as text.
    #[serde(default)]
    pub(crate) text: Option<String>,
    /// The body as bytes in base64.
    #[serde(default)]
    pub(crate) base64: Option<String>,
    /// The name of a credential that the workflow grants. The engine adds it to requests to its hosts; the node never sees
    /// it. For one that is a whole address, write `https://credential.invalid` as `url`.
    #[serde(default)]
    #[allow(dead_code, reason = "read by the engine")]
    pub(crate) credential: Option<String>,
    /// How to log in without a credential. What is written here is no secret: it stands in the workflow and in its runs.
    #[serde(default)]
    pub(crate) auth: Option<Auth>,
    /// How many redirects are followed. With 0 a redirect is an answer like others.
    #[serde(default = "five")]
    pub(crate) follow_redirects: u32,
    /// How many bytes the body of the answer may have.
    #[serde(default = "five_mebibytes")]
    pub(crate) max_bytes: u32,
    /// The statuses with which the node fails, such as `404`, `429` or `5xx`.
    #[serde(default = "fail_on")]
    pub(crate) fail_on: Vec<String>,
    /// What becomes of the body of the answer.
    #[serde(default)]
    pub(crate) response: As,
}

/// How to log in.
#[config]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// With a token.
    Bearer(String),
    /// With a name and a password.
    Basic(Basic),
}

/// A name and a password.
#[config]
pub struct Basic {
    /// The name.
    pub(crate) username: String,
    /// The password.
    pub(crate) password: String,
}

/// What becomes of the body of the answer.
#[config]
#[derive(Default, Clone, Copy, PartialEq)]
#[cfg_attr(not(target_arch = "wasm32"), derive(windflow_sdk::serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum As {
    /// JSON where the answer says that it is JSON, else text where it is text, else base64.
    #[default]
    Auto,
    /// JSON, whatever the answer says of itself.
    Json,
    /// Text; what is not UTF-8 in it is replaced.
    Text,
    /// Bytes in base64.
    Base64,
}

fn get() -> String {
    "GET".to_owned()
}

fn five() -> u32 {
    5
}

fn five_mebibytes() -> u32 {
    5 * 1024 * 1024
}

fn fail_on() -> Vec<String> {
    vec!["429".to_owned(), "5xx".to_owned()]
}
