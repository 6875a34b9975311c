//! What can be asked of a target, as JSON: `{ "do": "deploy", … }`. docs/deploy.md tells it to authors of plugins.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use windflow_stacks::containers::{Build, Exec, Once};

/// What is asked.
#[derive(Debug)]
pub(super) enum Request {
    Deploy(Box<Deploy>),
    Carry(Carry),
    Scale(Scale),
    Rollback(Rollback),
    Remove(Remove),
    Status(Stack),
    Start(Services),
    Stop(Services),
    Restart(Services),
    Logs(Logs),
    Single(Box<Single>),
}

/// What is asked of single containers and images.
#[derive(Debug)]
pub(super) enum Single {
    Run(Once),
    Exec(Exec),
    Build(Build),
    Pull(Image),
    Tag(Tag),
    Push(Image),
    Inspect(Inspect),
    Prune(Prune),
}

/// What there is to ask.
const ALL: [&str; 18] = [
    "deploy", "carry", "scale", "rollback", "remove", "status", "start", "stop", "restart", "logs", "run", "exec",
    "build", "pull", "tag", "push", "inspect", "prune",
];

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut fields: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let what = fields.remove("do");
        let single = |single| Self::Single(Box::new(single));
        Ok(match what.as_ref().and_then(Value::as_str).unwrap_or_default() {
            "deploy" => Self::Deploy(part(fields)?),
            "carry" => Self::Carry(part(fields)?),
            "scale" => Self::Scale(part(fields)?),
            "rollback" => Self::Rollback(part(fields)?),
            "remove" => Self::Remove(part(fields)?),
            "status" => Self::Status(part(fields)?),
            "start" => Self::Start(part(fields)?),
            "stop" => Self::Stop(part(fields)?),
            "restart" => Self::Restart(part(fields)?),
            "logs" => Self::Logs(part(fields)?),
            "run" => single(Single::Run(part(fields)?)),
            "exec" => single(Single::Exec(part(fields)?)),
            "build" => single(Single::Build(part(fields)?)),
            "pull" => single(Single::Pull(part(fields)?)),
            "tag" => single(Single::Tag(part(fields)?)),
            "push" => single(Single::Push(part(fields)?)),
            "inspect" => single(Single::Inspect(part(fields)?)),
            "prune" => single(Single::Prune(part(fields)?)),
            other => return Err(format!("`do` is {other:?}; there are {}", windflow_core::problem::list(ALL))),
        })
    }
}

/// What is wrong is told with its place, as `limits.memory`.
fn part<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, String> {
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| match error.path().to_string().as_str() {
        "." => error.inner().to_string(),
        path => format!("`{path}`: {}", error.inner()),
    })
}

/// A deployment that was begun.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Carry {
    pub(super) deployment: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scale {
    pub(super) stack: String,
    pub(super) replicas: BTreeMap<String, u32>,
}

/// Back to the deployment before, or to the one that is named.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rollback {
    pub(super) stack: String,
    #[serde(default)]
    pub(super) to: Option<String>,
}

/// A stack to take away; its volumes only where that is said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Remove {
    pub(super) stack: String,
    #[serde(default)]
    pub(super) volumes: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stack {
    pub(super) stack: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Services {
    pub(super) stack: String,
    #[serde(default)]
    pub(super) services: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Logs {
    pub(super) stack: String,
    #[serde(default)]
    pub(super) services: Vec<String>,
    #[serde(default = "usual_lines")]
    pub(super) tail: u32,
}

fn usual_lines() -> u32 {
    100
}

/// A stack to deploy: a kept one, or a document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deploy {
    pub(super) stack: Option<String>,
    pub(super) version: Option<u32>,
    pub(super) compose: Option<String>,
    #[serde(default)]
    pub(super) variables: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) profiles: Vec<String>,
    #[serde(default)]
    pub(super) confirm: Vec<String>,
    pub(super) seconds: Option<u32>,
}

/// An image to fetch, or to bring to its registry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Image {
    pub(super) image: String,
    pub(super) seconds: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tag {
    pub(super) image: String,
    pub(super) tags: Vec<String>,
}

/// An image, or the containers of a stack.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inspect {
    pub(super) image: Option<String>,
    pub(super) stack: Option<String>,
    pub(super) service: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prune {
    #[serde(default = "yes")]
    pub(super) containers: bool,
    #[serde(default = "yes")]
    pub(super) images: bool,
    #[serde(default)]
    pub(super) volumes_of: Vec<String>,
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_told_with_its_place() {
        for (text, said) in [
            (r#"{ "do": "dance" }"#, "`do` is \"dance\"; there are `deploy`"),
            (
                r#"{ "do": "run", "image": "a", "limits": { "memori": "1g" } }"#,
                "`limits.memori`: unknown field `memori`",
            ),
            (r#"{ "do": "run", "image": "a", "comand": [] }"#, "unknown field `comand`, expected one of `image`"),
            (r#"{ "do": "run" }"#, "missing field `image`"),
            (r#"{ "do": "exec", "stack": "s", "service": "w", "command": ["a"], "seconds": -1 }"#, "`seconds`: "),
            (r#"{ "do": "scale", "stack": "s", "replica": {} }"#, "unknown field `replica`"),
            (r#"{ "do": "deploy", "stack": "s", "confirmed": [] }"#, "unknown field `confirmed`"),
            (r"[]", "expected a map"),
        ] {
            let error = Request::read(text).unwrap_err();
            assert!(error.contains(said), "{said}: {error}");
        }
        for what in ALL {
            let error = Request::read(&format!(r#"{{ "do": "{what}", "nosuch": 1 }}"#)).unwrap_err();
            assert!(error.contains("nosuch"), "{what}: {error}");
        }
    }

    /// The node type describes to authors what is read here; `accept` is its own.
    #[test]
    fn all_that_the_node_type_docker_offers_is_known() {
        let schema = include_str!("../../../../plugins/deploy/schema/docker.config.json");
        let schema: Value = serde_json::from_str(schema).unwrap();
        let mut offered = 0;
        for action in schema["properties"]["action"]["oneOf"].as_array().unwrap() {
            let Some((what, asked)) = action["properties"].as_object().and_then(|action| action.iter().next()) else {
                continue;
            };
            let told = Request::read(&format!(r#"{{ "do": "{what}", "nosuch": 1 }}"#)).unwrap_err();
            for field in asked["properties"].as_object().unwrap().keys().filter(|field| *field != "accept") {
                assert!(told.contains(&format!("`{field}`")), "`{field}` of {what}: {told}");
                offered += 1;
            }
        }
        assert!(offered > 40, "the schema is not read: {offered}");
    }
}
