//! The manifest of a plugin: what it offers and what it asks for.
//!
//! An author writes `plugin.toml` and keeps the JSON Schemas, generated from the types, beside it; packing joins them into
//! one JSON document and puts it into a custom section of the component, where it is read without running anything.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::capability::{Capability, HttpPattern};
use crate::schema::{Checker, CompiledOnce, InvalidSchema};

pub use self::choices::{Choice, choices, inner, variants};
pub use self::difference::{Difference, difference};
pub use self::handed::Handed;
pub use self::reach::{powers, reach};

mod choices;
mod difference;
mod handed;
mod reach;

/// Name of the component's custom section that holds the packed manifest.
pub const MANIFEST_SECTION: &str = "windflow:manifest";

/// A packed manifest is at most this long, in bytes. It is read before anything is trusted.
pub const MAX_MANIFEST_BYTES: usize = 256 * 1024;

/// A packed plugin is at most this long, in bytes.
pub const MAX_PACKAGE_BYTES: usize = 64 * 1024 * 1024;

/// The port of a node type that declares none.
pub const DEFAULT_PORT: &str = "out";

/// The port that every node has beside its own: it emits the failure of a node that failed for good.
pub const ERROR_PORT: &str = "error";

/// What a plugin offers and asks for, complete with schemas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Who the plugin is.
    pub plugin: PluginInfo,
    /// What it may ever ask the host for. Imports beyond this are refused when the component is loaded.
    #[serde(default)]
    pub capabilities: RequestedCapabilities,
    /// The node types by name; at least one.
    #[serde(rename = "node")]
    pub nodes: IndexMap<String, NodeType>,
}

/// Who a plugin is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginInfo {
    /// `[a-z][a-z0-9-]*`, unique in an installation.
    pub name: String,
    /// Semantic version. Workflows name the major one: `uses: http@1`.
    pub version: semver::Version,
    /// One sentence.
    pub description: Text,
    /// SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
}

/// One node type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeType {
    /// Two or three words, for the palette.
    pub title: Text,
    /// One sentence.
    pub description: Text,
    /// Where it stands in the palette.
    pub category: Category,
    /// Name of an icon of the set that the editor bundles, such as `lucide:globe`.
    pub icon: String,
    /// The ports out of which it emits, without `error`. None written means the single port `out`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    /// Where further ports come from that only a node's configuration names, such as the cases of a `switch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports_from: Option<String>,
    /// What people read of the fields of `with:`, by name. English comes from the schema where it is not written here.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<String, FieldText>,
    /// JSON Schema (2020-12) of `with:`. In `plugin.toml` it is the path of the generated file.
    pub config: serde_json::Value,
    /// JSON Schema of the emitted value. In `plugin.toml` it is the path of the generated file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<serde_json::Value>,
    /// The schema of `with:`, compiled: documents are checked at every key that is typed.
    #[serde(skip)]
    compiled: CompiledOnce,
}

impl NodeType {
    /// The schema of `with:`, compiled once.
    ///
    /// # Errors
    /// When it is none.
    pub fn config_checker(&self) -> Result<&Checker, &InvalidSchema> {
        self.compiled.get(&self.config)
    }
}

/// What people read of one field of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldText {
    /// Two or three words: the label of the field.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub title: Text,
    /// One sentence.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub description: Text,
    /// What it can be, each in one sentence: by value, by the key of a map that is one of several, or else by the type (see [`choices`]). English comes from the
    /// schema where it is not written here.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub values: IndexMap<String, Text>,
    /// How what it can be is called, each in a few words, by the same names as `values`. A map of one key is called as that field is, where nothing is written here.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub names: IndexMap<String, Text>,
    /// What people read of the fields within it, by name: in a map, in one of several, or in each entry of a list (see [`inner`]). What is written under `values` and
    /// `names` holds for them, too, where they say nothing else.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<String, FieldText>,
}

/// A port out of which a node type emits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// `[a-z][a-z0-9_]*`; not `error`, which every node has.
    pub name: String,
    /// When it emits there.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub description: Text,
}

/// Text for people by language (`en`, `fr`). English is always there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(pub BTreeMap<String, String>);

impl Text {
    /// Whether nothing is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text in a language, else in English, else nothing.
    #[must_use]
    pub fn get(&self, language: &str) -> &str {
        self.0.get(language).or_else(|| self.0.get("en")).map_or("", String::as_str)
    }
}

/// The sections of the palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Conditions, switches, failing on purpose.
    Logic,
    /// Reshaping of data.
    Data,
    /// Talking to other systems.
    Network,
    /// Telling people.
    Notify,
    /// Language models.
    Ai,
    /// Containers.
    Deploy,
    /// Everything else.
    Other,
}

/// What a plugin asks for: the first of the keys that must agree before a capability is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestedCapabilities {
    /// Hosts that it wants to send requests to; `*` asks for whatever the workflow grants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpPattern>,
    /// Wants to deploy to the targets that the workflow grants, and to look after what is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub docker: bool,
    /// Wants to send mail through servers that the workflow grants.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub email: bool,
    /// Wants the host to add to its requests the credential that the field `credential` of a node's configuration names. It
    /// never sees it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub credentials: bool,
    /// Wants to keep values for later runs of the same workflow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub state: bool,
    /// Wants to read and write files in the scratch folder of the run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub files: bool,
    /// Fields of configurations, as `action.build.folder`, that name a folder of the run: wants the host to hand its files to the
    /// target that the node asks. It reads none of them itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hands_files: Vec<String>,
    /// Wants to publish events that the workflow grants.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub events: bool,
    /// Wants the time of the machine from `wasi:clocks`, which otherwise gives the run's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clock: bool,
    /// Wants random numbers of the machine from `wasi:random`, which otherwise follow from the node run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub random: bool,
    /// Wants to know run, node, attempt, deadline and idempotency key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub run_context: bool,
    /// Wants to be told of cancellation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancellation: bool,
}

impl RequestedCapabilities {
    /// Every capability that is asked for. Empty means that the plugin is pure.
    #[must_use]
    pub fn list(&self) -> Vec<Capability> {
        let mut all = Vec::new();
        if !self.http.is_empty() {
            all.push(Capability::Http);
        }
        if self.docker {
            all.push(Capability::Docker);
        }
        if self.email {
            all.push(Capability::Email);
        }
        if self.credentials {
            all.push(Capability::Credentials);
        }
        if self.state {
            all.push(Capability::State);
        }
        if self.files {
            all.push(Capability::Files);
        }
        if !self.hands_files.is_empty() {
            all.push(Capability::HandsFiles);
        }
        if self.events {
            all.push(Capability::Events);
        }
        if self.clock {
            all.push(Capability::Clock);
        }
        if self.random {
            all.push(Capability::Random);
        }
        if self.run_context {
            all.push(Capability::RunContext);
        }
        if self.cancellation {
            all.push(Capability::Cancellation);
        }
        all
    }
}
