//! What the node is told.

use std::collections::BTreeMap;

use windflow_sdk::{Json, config};

/// The request, and what is made of its answer.
#[config]
pub struct Config {
    /// GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS.
    #[serde(default = "get")]
    pub(crate) method: String,
    /// An absolute URL, `http` or `https`. Its host must be granted by the workflow's `permissions`.
    pub(crate) url: String,
    /// Headers by name.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Parameters that are encoded and added to the URL.
    #[serde(default)]
    pub(crate) query: BTreeMap<String, Scalar>,
    /// The body as JSON.
    #[serde(default)]
    pub(crate) json: Option<Json>,
    /// The body as a form.
    #[serde(default)]
    pub(crate) form: Option<BTreeMap<String, Scalar>>,
    /// The body as text.
    #[serde(default)]
    pub(crate) text: Option<String>,
    /// The body as bytes, in Base64.
    #[serde(default)]
    pub(crate) base64: Option<String>,
    /// How the request says who sends it.
    #[serde(default)]
    pub(crate) auth: Option<Auth>,
    /// Redirects that are followed at most; 0 hands a redirect on as it is.
    #[serde(default = "five")]
    pub(crate) follow_redirects: u8,
    /// The longest body that is read, in bytes.
    #[serde(default = "five_mebibytes")]
    pub(crate) max_bytes: u64,
    /// Statuses that fail the node, such as `404` or `5xx`.
    #[serde(default = "failures")]
    pub(crate) fail_on: Vec<String>,
    /// How the body is given.
    #[serde(default)]
    pub(crate) response: Form,
}

/// Text, a number or a boolean.
#[config]
#[serde(untagged)]
pub enum Scalar {
    /// As it is.
    Text(String),
    /// As JSON writes it.
    Whole(i64),
    /// As JSON writes it.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Whole(number) => number.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Bool(value) => value.fmt(f),
        }
    }
}

/// How a request says who sends it.
#[config]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// `Authorization: Bearer …`
    Bearer(String),
    /// `Authorization: Basic …`
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: String,
    },
}

/// How a body is given.
#[config]
#[derive(Clone, Copy, Default, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// JSON where the answer says that it is, else text where it is UTF-8, else Base64.
    #[default]
    Auto,
    /// JSON; anything else fails the node.
    Json,
    /// Text.
    Text,
    /// Base64.
    Base64,
}

fn get() -> String {
    "GET".to_owned()
}

fn five() -> u8 {
    5
}

fn five_mebibytes() -> u64 {
    5 * 1024 * 1024
}

fn failures() -> Vec<String> {
    vec!["429".to_owned(), "5xx".to_owned()]
}
