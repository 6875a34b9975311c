//! A plain Compose file: its text stays as it is but for the values that become variables.

use std::collections::BTreeMap;
use std::ops::Range;

use windflow_core::yaml::{self, Kind, Limits, Node};
use windflow_stacks::compose as stacks;

use super::declared::{Found, Variables, guess, is_secret, name};
use super::{About, Converted};

/// Changes of a text: where, and what stands there afterwards.
#[derive(Default)]
struct Edits(BTreeMap<usize, (Range<usize>, String)>);

pub(super) fn convert(text: &str, converted: &mut Converted) {
    let (node, problems) = yaml::parse(text, Limits { bytes: super::MAX_BYTES, aliases: true, ..Limits::default() });
    let is_compose = |node: &Node| matches!(&node.kind, Kind::Map(_)) && field(node, "services").is_some();
    let Some(node) = node.filter(is_compose) else {
        let why = problems.first().map_or("it has no `services:`", |problem| problem.message.as_str());
        converted.refuse("the text", "malformed", format!("this is no Compose file: {why}"));
        return;
    };
    let title = field(&node, "name").and_then(Node::as_str).unwrap_or_default().to_owned();
    let mut first = String::new();
    if let Some(Kind::Map(services)) = field(&node, "services").map(|services| &services.kind) {
        first = services.first().map(|(name, _)| name.value.clone()).unwrap_or_default();
    }
    let title = if title.is_empty() { first } else { title };
    converted.draft(About { title, ..About::default() }, with_variables(text, &node));
}

fn field<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    let Kind::Map(entries) = &node.kind else { return None };
    entries.iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
}

/// The text with variables where ports, tags and passwords stood. A text that declares its own is left alone.
pub(super) fn with_variables(text: &str, node: &Node) -> String {
    if field(node, "x-windflow").is_some() {
        return text.to_owned();
    }
    let mut finding = Finding { variables: Variables::default(), edits: Edits::default(), secrets: BTreeMap::new() };
    finding.written(text);
    if let Some(Kind::Map(services)) = field(node, "services").map(|services| &services.kind) {
        for (service, node) in services {
            finding.environment(&service.value, node);
        }
        for (service, node) in services {
            finding.image(&service.value, node);
            finding.ports(&service.value, node);
            finding.addresses(node);
        }
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, insert) in finding.edits.0.values() {
        if let Some(before) = text.get(at..range.start) {
            out.push_str(before);
            out.push_str(insert);
            at = range.end;
        }
    }
    out.push_str(text.get(at..).unwrap_or_default());
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(&finding.variables.appendix());
    out
}

struct Finding {
    variables: Variables,
    edits: Edits,
    /// Values that are kept secret, and the variable of each: where two services share one, they share the variable.
    secrets: BTreeMap<String, String>,
}

impl Finding {
    /// Variables that the text has already.
    fn written(&mut self, text: &str) {
        for (at, _) in text.match_indices("${") {
            let before = text[..at].bytes().rev().take_while(|b| *b == b'$').count();
            if before % 2 == 1 {
                continue;
            }
            let rest = &text[at + 2..];
            let Some(end) = rest.find('}') else { continue };
            let inside = &rest[..end];
            let length = inside.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            let (name, rest) = inside.split_at(length);
            if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            let default = rest.strip_prefix(":-").or_else(|| rest.strip_prefix('-')).filter(|it| !it.contains('$'));
            let kind = guess(name, default);
            let default = default.filter(|it| !it.is_empty() && kind != "password").map(str::to_owned);
            self.variables.0.entry(name.to_owned()).or_insert(Found { kind, default, ..Found::default() });
        }
    }

    fn replace(&mut self, node: &Node, with: &str) {
        let quoted = serde_json::Value::from(with).to_string();
        self.edits.0.insert(node.place.bytes.start, (node.place.bytes.clone(), quoted));
    }

    fn secret(&mut self, service: &str, key: &str, value: &str) -> String {
        if let Some(known) = self.secrets.get(value) {
            return known.clone();
        }
        let found = Found { kind: "password", description: Some(format!("{key} of {service}")), ..Found::default() };
        let name = self.variables.add(&name(key), found);
        self.secrets.insert(value.to_owned(), name.clone());
        name
    }

    fn environment(&mut self, service: &str, node: &Node) {
        let literal = |key: &str, value: &str| {
            is_secret(key) && !value.is_empty() && !value.contains('$') && !key.ends_with("_FILE")
        };
        match field(node, "environment").map(|environment| &environment.kind) {
            Some(Kind::Map(entries)) => {
                for (key, value) in entries {
                    let Kind::Scalar(scalar) = &value.kind else { continue };
                    if !scalar.value.is_boolean() && literal(&key.value, &scalar.text) {
                        let name = self.secret(service, &key.value, &scalar.text);
                        self.replace(value, &format!("${{{name}}}"));
                    }
                }
            }
            Some(Kind::List(items)) => {
                for item in items {
                    let Some((key, value)) = item.as_str().and_then(|text| text.split_once('=')) else { continue };
                    if literal(key, value) {
                        let name = self.secret(service, key, value);
                        self.replace(item, &format!("{key}=${{{name}}}"));
                    }
                }
            }
            _ => {}
        }
    }

    /// Passwords within addresses, such as `postgres://shop:secret@db/shop`.
    fn addresses(&mut self, node: &Node) {
        let Some(environment) = field(node, "environment") else { return };
        let values: Vec<&Node> = match &environment.kind {
            Kind::Map(entries) => entries.iter().map(|(_, value)| value).collect(),
            Kind::List(items) => items.iter().collect(),
            Kind::Scalar(_) => return,
        };
        for value in values {
            let Some(text) = value.as_str().filter(|text| text.contains("://") && !text.contains('$')) else {
                continue;
            };
            let found = self.secrets.iter().find(|(secret, _)| text.contains(&format!(":{secret}@")));
            let changed =
                found.map(|(secret, name)| text.replacen(&format!(":{secret}@"), &format!(":${{{name}}}@"), 1));
            if let Some(changed) = changed {
                self.replace(value, &changed);
            }
        }
    }

    fn image(&mut self, service: &str, node: &Node) {
        let Some(image) = field(node, "image") else { return };
        let Some(text) = image.as_str().filter(|text| !text.contains(['$', '@'])) else { return };
        let Some((before, tag)) = text.rsplit_once(':').filter(|(_, tag)| !tag.contains('/') && *tag != "latest")
        else {
            return;
        };
        let found = Found {
            kind: "image_tag",
            default: Some(tag.to_owned()),
            description: Some(format!("Version of {service}")),
            ..Found::default()
        };
        let name = self.variables.add(&format!("{}_TAG", name(service)), found);
        self.replace(image, &format!("{before}:${{{name}}}"));
    }

    fn ports(&mut self, service: &str, node: &Node) {
        let Some(Kind::List(items)) = field(node, "ports").map(|ports| &ports.kind) else { return };
        for item in items {
            match &item.kind {
                Kind::Scalar(scalar) => {
                    let mut parts: Vec<String> = scalar.text.split(':').map(str::to_owned).collect();
                    let Some(at) = parts.len().checked_sub(2) else { continue };
                    let target = parts[at + 1].split('/').next().unwrap_or_default().to_owned();
                    if let Some(name) = self.port(service, &parts[at], &target, items.len()) {
                        parts[at] = format!("${{{name}}}");
                        self.replace(item, &parts.join(":"));
                    }
                }
                Kind::Map(_) => {
                    let text = |name: &str| match field(item, name).map(|node| (&node.kind, node)) {
                        Some((Kind::Scalar(scalar), node)) => Some((scalar.text.clone(), node)),
                        _ => None,
                    };
                    let (Some((published, place)), Some((target, _))) = (text("published"), text("target")) else {
                        continue;
                    };
                    if let Some(name) = self.port(service, &published, &target, items.len()) {
                        self.replace(place, &format!("${{{name}}}"));
                    }
                }
                Kind::List(_) => {}
            }
        }
    }

    fn port(&mut self, service: &str, published: &str, target: &str, ports: usize) -> Option<String> {
        published.parse::<u16>().ok().filter(|port| *port > 0)?;
        let found = Found {
            kind: "port",
            default: Some(published.to_owned()),
            description: Some(format!("Where port {target} of {service} is reached")),
            ..Found::default()
        };
        let wanted =
            if ports == 1 { format!("{}_PORT", name(service)) } else { format!("{}_PORT_{target}", name(service)) };
        Some(self.variables.add(&wanted, found))
    }
}

/// What a document of others comes to once its values are variables, too.
pub(super) fn again(text: &str) -> String {
    let (node, _) = yaml::parse(text, Limits { bytes: stacks::MAX_BYTES, ..Limits::default() });
    node.map_or_else(|| text.to_owned(), |node| with_variables(text, &node))
}
