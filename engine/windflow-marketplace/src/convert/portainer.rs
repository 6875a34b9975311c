//! Portainer's app templates, versions 2 and 3: containers, and stacks whose document is within.

use serde_json::{Map, Value, json};

use super::declared::{Found, Variables, is_secret, name};
use super::{About, Converted, compose, emit, slug};

/// What is said about a template and makes no difference to how it runs.
const ASIDE: &[&str] = &[
    "id",
    "type",
    "title",
    "description",
    "categories",
    "platform",
    "logo",
    "note",
    "name",
    "image",
    "ports",
    "volumes",
    "env",
    "command",
    "restart_policy",
    "hostname",
    "labels",
    "administrator_only",
    "maintainer",
    "privileged",
    "network",
    "interactive",
    "stackFileContent",
    "registry",
    "repository",
    "access",
];

pub(super) fn convert(text: &str, converted: &mut Converted) {
    let parsed: Value = match serde_json::from_str(text) {
        Ok(parsed) => parsed,
        Err(error) => return converted.refuse("the text", "malformed", format!("it is no JSON: {error}")),
    };
    let version = parsed["version"].as_str().unwrap_or_default();
    let templates = match (&parsed["templates"], &parsed) {
        (Value::Array(templates), _) if ["2", "3"].contains(&version) => templates,
        (_, Value::Array(templates)) => templates,
        _ => {
            return converted.refuse(
                "the text",
                "malformed",
                "app templates have `version` 2 or 3 and a list `templates`",
            );
        }
    };
    for template in templates {
        one(template, converted);
    }
}

fn one(template: &Value, converted: &mut Converted) {
    let said = |key: &str| template[key].as_str().unwrap_or_default();
    let title = if said("title").is_empty() { said("name") } else { said("title") };
    let title: String = title.chars().take(80).collect();
    let about = || About {
        title: title.clone(),
        summary: said("description").to_owned(),
        tags: template["categories"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        homepage: None,
    };
    let mut refuse = |code, why: &str| converted.refuse(title.as_str(), code, why);
    if said("platform") == "windows" {
        return refuse("unsupported", "it is for Windows");
    }
    match template["type"].as_u64() {
        Some(1) => {}
        Some(2) => return refuse("unsupported", "it is a stack of Swarm"),
        Some(3) => match template["stackFileContent"].as_str() {
            Some(text) => {
                let text = compose::again(text);
                return converted.draft_of_stranger(about(), text);
            }
            None => {
                return refuse(
                    "remote",
                    "its document lies in a repository elsewhere: convert the Compose file itself",
                );
            }
        },
        _ => return refuse("unknown", "its type is none of 1 (a container) and 3 (a Compose stack)"),
    }
    if template["privileged"] == true {
        return refuse("unsafe", "it wants a privileged container, which can do everything on the target's machine");
    }
    let engine = |volume: &Value| volume["bind"].as_str().is_some_and(|path| path.ends_with(".sock"));
    if template["volumes"].as_array().into_iter().flatten().any(engine) {
        return refuse("unsafe", "it wants the engine's socket, by which it can do everything on the target's machine");
    }
    if said("network") == "host" {
        return refuse("unsafe", "it wants the network of the target's machine");
    }
    if said("image").is_empty() {
        return refuse("malformed", "it names no image");
    }
    let fields = template.as_object().into_iter().flat_map(Map::keys);
    for key in fields.filter(|key| !ASIDE.contains(&key.as_str())) {
        converted.refuse(format!("{title}: {key}"), "unknown", "it is not known here, and was left out");
    }
    converted.draft_of_stranger(about(), document(template, &slug(&title, 40)));
}

/// The Compose document of a container.
fn document(template: &Value, service: &str) -> String {
    let mut variables = Variables::default();
    let list = |key: &str| template[key].as_array().into_iter().flatten();
    let mut about = Map::new();
    about.insert("image".to_owned(), template["image"].clone());
    for (theirs, ours) in [("command", "command"), ("hostname", "hostname")] {
        if let Some(text) = template[theirs].as_str().filter(|text| !text.is_empty()) {
            about.insert(ours.to_owned(), json!(escaped(text)));
        }
    }
    let restart = template["restart_policy"].as_str().unwrap_or("unless-stopped");
    about.insert("restart".to_owned(), json!(restart));
    let ports: Vec<String> = list("ports").filter_map(Value::as_str).map(str::to_owned).collect();
    if !ports.is_empty() {
        about.insert("ports".to_owned(), json!(ports));
    }
    let environment: Map<String, Value> = list("env").filter_map(|env| variable(env, &mut variables)).collect();
    if !environment.is_empty() {
        about.insert("environment".to_owned(), Value::Object(environment));
    }
    let labels: Map<String, Value> = list("labels")
        .filter_map(|label| Some((label["name"].as_str()?.to_owned(), json!(escaped(label["value"].as_str()?)))))
        .collect();
    if !labels.is_empty() {
        about.insert("labels".to_owned(), Value::Object(labels));
    }
    let (mut mounts, mut volumes) = (Vec::new(), Map::new());
    for (number, volume) in list("volumes").enumerate() {
        let Some(container) = volume["container"].as_str() else { continue };
        let ending = if volume["readonly"] == true { ":ro" } else { "" };
        let source = volume["bind"].as_str().filter(|path| path.starts_with('/')).map_or_else(
            || {
                let name = if number == 0 { "data".to_owned() } else { format!("data{}", number + 1) };
                volumes.insert(name.clone(), json!({}));
                name
            },
            str::to_owned,
        );
        mounts.push(format!("{source}:{container}{ending}"));
    }
    if !mounts.is_empty() {
        about.insert("volumes".to_owned(), json!(mounts));
    }
    let mut document = json!({ "services": { (service): about } });
    if !volumes.is_empty() {
        document["volumes"] = Value::Object(volumes);
    }
    // Ports and the tag become variables as those of any Compose file; then the variables of both are declared.
    let text = compose::again(&emit::yaml(&document));
    merged(&text, &variables)
}

/// A text with further declarations.
fn merged(text: &str, variables: &Variables) -> String {
    let appendix = variables.appendix();
    match appendix.split_once("variables:\n") {
        Some((_, lines)) if text.contains("x-windflow:\n  variables:\n") => {
            // What was only seen to be used is known better now.
            let known = |line: &&str| !variables.0.keys().any(|name| line.starts_with(&format!("    {name}: ")));
            let kept: Vec<&str> = text.lines().filter(known).collect();
            format!("{}\n{lines}", kept.join("\n"))
        }
        _ => format!("{text}{appendix}"),
    }
}

/// A dollar that is meant as one.
pub(super) fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}

/// One setting of the environment: a variable, or a value that is fixed.
fn variable(env: &Value, variables: &mut Variables) -> Option<(String, Value)> {
    let key = env["name"].as_str().filter(|key| !key.is_empty())?;
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    let default = text(&env["default"]).or_else(|| text(&env["set"])).filter(|text| !text.is_empty());
    if env["preset"] == true {
        return Some((key.to_owned(), json!(escaped(&default.unwrap_or_default()))));
    }
    let options = env["select"].as_array();
    let choices: Vec<String> = options.into_iter().flatten().filter_map(|option| text(&option["value"])).collect();
    let chosen =
        options.into_iter().flatten().find(|option| option["default"] == true).and_then(|it| text(&it["value"]));
    let kind = if !choices.is_empty() {
        "choice"
    } else if is_secret(key) {
        "password"
    } else {
        "string"
    };
    let description = text(&env["label"]).or_else(|| text(&env["description"]));
    let default = chosen.or(default).filter(|_| kind != "password");
    let found = Found { kind, default: default.or_else(|| choices.first().cloned()), description, choices };
    let name = variables.add(&name(key), found);
    Some((key.to_owned(), json!(format!("${{{name}}}"))))
}
