//! CapRover's one-click apps, version 4: a Compose document with variables of its own, `$$cap_…`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use windflow_core::yaml::{self, Limits};

use super::declared::{Found, Variables, is_secret, name};
use super::portainer::escaped;
use super::{About, Converted, emit};

/// What of a service is taken over as it is.
const KEPT: &[&str] =
    &["image", "restart", "environment", "volumes", "depends_on", "command", "hostname", "cap_add", "ports"];

pub(super) fn convert(text: &str, converted: &mut Converted) {
    let (node, problems) = yaml::parse(text, Limits { bytes: super::MAX_BYTES, aliases: true, ..Limits::default() });
    let Some(parsed) = node.map(|node| node.to_json()) else {
        let why = problems.first().map(|problem| problem.message.clone()).unwrap_or_default();
        return converted.refuse("the text", "malformed", why);
    };
    if !matches!(&parsed["captainVersion"], Value::Number(n) if n.as_u64() == Some(4))
        && parsed["captainVersion"] != "4"
    {
        return converted.refuse("the text", "unsupported", "this is no one-click app of version 4");
    }
    let about = &parsed["caproverOneClickApp"];
    let said = |key: &str| about[key].as_str().unwrap_or_default();
    let title = if said("displayName").is_empty() { "app" } else { said("displayName") };
    let Some(services) = parsed["services"].as_object().filter(|services| !services.is_empty()) else {
        return converted.refuse(title, "malformed", "it has no services");
    };
    let mut app = App { words: BTreeMap::new(), variables: Variables::default(), volumes: Map::new() };
    app.declare(about["variables"].as_array().map(Vec::as_slice).unwrap_or_default(), services);
    let mut out = Map::new();
    for (key, service) in services {
        let name = app.service_name(key);
        match app.service(&name, service, converted, title) {
            Ok(service) => out.insert(name, Value::Object(service)),
            Err((code, why)) => return converted.refuse(title, code, why),
        };
    }
    let mut document = json!({ "services": out });
    if !app.volumes.is_empty() {
        document["volumes"] = Value::Object(app.volumes);
    }
    let text = format!("{}{}", emit::yaml(&document), app.variables.appendix());
    let homepage = said("documentation").split_whitespace().find(|word| word.starts_with("https://"));
    let summary = said("description").to_owned();
    converted.draft_of_stranger(
        About { title: title.to_owned(), summary, homepage: homepage.map(str::to_owned), tags: Vec::new() },
        text,
    );
}

struct App {
    /// What stands for each of their variables.
    words: BTreeMap<String, String>,
    variables: Variables,
    volumes: Map<String, Value>,
}

impl App {
    fn declare(&mut self, variables: &[Value], services: &Map<String, Value>) {
        let images: String = services.values().filter_map(|service| service["image"].as_str()).collect();
        for variable in variables {
            let Some(id) = variable["id"].as_str().filter(|id| id.starts_with("$$cap_")) else { continue };
            let default = match &variable["defaultValue"] {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => String::new(),
            };
            let plain = id.trim_start_matches("$$cap_");
            let kind = if images.contains(&format!(":{id}")) {
                "image_tag"
            } else if is_secret(plain) || default.contains("$$cap_gen_random") {
                "password"
            } else {
                "string"
            };
            let default =
                Some(default).filter(|text| !text.is_empty() && kind != "password" && !text.contains("$$cap_"));
            let description = variable["label"].as_str().or_else(|| variable["description"].as_str());
            let found = Found { kind, default, description: description.map(str::to_owned), choices: Vec::new() };
            let name = self.variables.add(&name(plain), found);
            self.words.insert(id.to_owned(), format!("${{{name}}}"));
        }
    }

    /// `$$cap_appname-db` is `db`, and `$$cap_appname` itself `app`.
    fn service_name(&self, key: &str) -> String {
        let plain = key.strip_prefix("$$cap_appname").map_or(key, |rest| if rest.is_empty() { "app" } else { rest });
        super::slug(plain.trim_matches('-'), 40)
    }

    /// A text with their variables replaced by ours.
    fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        // Services are reached by their names.
        while let Some(at) = text.find("srv-captain--$$cap_appname") {
            let end = at + "srv-captain--$$cap_appname".len();
            let rest =
                text[end..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).map_or(text.len(), |n| end + n);
            let name = self.service_name(&text[at + "srv-captain--".len()..rest]);
            text.replace_range(at..rest, &name);
        }
        if text.contains("$$cap_root_domain") {
            let found =
                Found { kind: "domain", description: Some("Where it is reached".to_owned()), ..Found::default() };
            let name = self.variables.add("DOMAIN", Found { default: Some("localhost".to_owned()), ..found });
            let domain = format!("\u{1}{{{name}}}");
            text = text.replace("$$cap_appname.$$cap_root_domain", &domain).replace("$$cap_root_domain", &domain);
        }
        // The longest first: one id may begin as another one.
        let mut words: Vec<_> = self.words.iter().collect();
        words.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
        for (id, ours) in words {
            text = text.replace(id.as_str(), &ours.replace('$', "\u{1}"));
        }
        escaped(&text.replace("$$cap_appname", "app")).replace('\u{1}', "$")
    }

    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), self.value(value))).collect(),
            other => other.clone(),
        }
    }

    fn service(
        &mut self,
        name: &str,
        service: &Value,
        converted: &mut Converted,
        title: &str,
    ) -> Result<Map<String, Value>, (&'static str, String)> {
        let extra = &service["caproverExtra"];
        let mut out = Map::new();
        for (key, value) in service.as_object().into_iter().flatten() {
            if KEPT.contains(&key.as_str()) {
                out.insert(key.clone(), self.value(value));
            } else if key != "caproverExtra" {
                converted.refuse(format!("{title}: {name}.{key}"), "unknown", "it is not known here, and was left out");
            }
        }
        if let Some(lines) = extra["dockerfileLines"].as_array() {
            let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            match lines.as_slice() {
                [line] if line.to_ascii_uppercase().starts_with("FROM ") => {
                    let image = self.text(line[5..].trim());
                    out.insert("image".to_owned(), json!(image));
                }
                _ => {
                    return Err((
                        "unsupported",
                        format!("{name} is built on the spot by a Dockerfile: publish its image first"),
                    ));
                }
            }
        }
        for key in extra.as_object().into_iter().flat_map(Map::keys) {
            let known = ["dockerfileLines", "containerHttpPort", "notExposeAsWebApp", "websocketSupport"];
            if !known.contains(&key.as_str()) {
                converted.refuse(format!("{title}: {name}.{key}"), "unknown", "it is not known here, and was left out");
            }
        }
        if service["cap_add"].as_array().is_some_and(|list| list.iter().any(|it| it == "SYS_ADMIN" || it == "ALL")) {
            return Err(("unsafe", format!("{name} wants a grave capability of the kernel")));
        }
        self.mounts(&mut out, name)?;
        if extra["notExposeAsWebApp"] != "true" && extra["notExposeAsWebApp"] != true {
            let port = extra["containerHttpPort"]
                .as_str()
                .map_or_else(|| extra["containerHttpPort"].to_string(), str::to_owned);
            let port = port.parse::<u16>().unwrap_or(80);
            let description = Some(format!("Where port {port} of {name} is reached"));
            let default = Some(if port < 1024 { "8080".to_owned() } else { port.to_string() });
            let found = Found { kind: "port", default, description, choices: Vec::new() };
            let variable = self.variables.add(&format!("{}_PORT", super::declared::name(name)), found);
            out.insert("ports".to_owned(), json!([format!("${{{variable}}}:{port}")]));
        }
        Ok(out)
    }

    /// Declares the volumes of a service, and makes the names of those that it waits for ours.
    fn mounts(&mut self, out: &mut Map<String, Value>, service: &str) -> Result<(), (&'static str, String)> {
        if let Some(Value::Array(mounts)) = out.get_mut("volumes") {
            for mount in mounts {
                let text = mount.as_str().unwrap_or_default().to_owned();
                let Some((source, target)) = text.split_once(':') else { continue };
                if source.ends_with(".sock") {
                    return Err((
                        "unsafe",
                        format!(
                            "{service} wants the engine's socket, by which it can do everything on the target's machine"
                        ),
                    ));
                }
                if source.starts_with('/') {
                    continue;
                }
                let source = super::slug(source, 40);
                self.volumes.insert(source.clone(), json!({}));
                *mount = json!(format!("{source}:{target}"));
            }
        }
        if let Some(Value::Array(needs)) = out.get_mut("depends_on") {
            for need in needs {
                let plain = need.as_str().unwrap_or_default().trim_start_matches("app-").to_owned();
                *need = json!(plain);
            }
        }
        Ok(())
    }
}
