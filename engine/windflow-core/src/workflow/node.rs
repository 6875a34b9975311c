//! Nodes of the document.

use std::collections::HashSet;
use std::time::Duration;

use indexmap::IndexMap;

use super::parse::unsupported;
use super::read::Reader;
use super::{Backoff, Join, Need, Node, OnUnknown, Retry};
use crate::expression::{Expression, Kind as TemplateKind, Template, reserved};
use crate::id::{NodeId, NodeTypeRef, PortName};
use crate::place::Spanned;
use crate::yaml;

const KEYS: &[&str] = &[
    "uses",
    "with",
    "needs",
    "join",
    "if",
    "retry",
    "timeout",
    "on_unknown",
    "disabled",
    "title",
    "for_each",
    "compensate",
    "concurrency",
    "on_item_error",
];

/// Node types that the engine itself will offer.
const ENGINE_NATIVE: &[&str] = &["wait", "callback", "approval", "workflow"];

pub(super) fn nodes(reader: &mut Reader, node: &yaml::Node) -> IndexMap<NodeId, Node> {
    let mut nodes = IndexMap::new();
    let Some(fields) = reader.open_map(node, "`nodes`") else { return nodes };
    if fields.iter().next().is_none() {
        reader.error_with(
            "no_nodes",
            &node.place,
            "the workflow has no nodes",
            "add one, such as `hello: { uses: log@1, with: { message: Hello } }`",
        );
    }
    for (key, value) in fields.iter() {
        let Some(id) = reader.id::<NodeId>("invalid_name", &key.value, &key.place) else {
            reader.unreadable.insert(format!("nodes.{}", key.value));
            continue;
        };
        if let Some(why) = reserved(&key.value) {
            reader.error_with("invalid_name", &key.place, why, "choose another name");
        }
        match one(reader, Spanned::new(id.clone(), key.place.clone()), value) {
            Some(read) => drop(nodes.insert(id, read)),
            None => drop(reader.unreadable.insert(format!("nodes.{id}"))),
        }
    }
    nodes
}

fn one(reader: &mut Reader, id: Spanned<NodeId>, node: &yaml::Node) -> Option<Node> {
    let fields = reader.map(node, "a node", KEYS)?;
    for word in ["for_each", "compensate", "concurrency", "on_item_error"] {
        if let Some(key) = fields.key(word) {
            unsupported(reader, key);
        }
    }
    let uses = reader.required(&fields, "uses").and_then(|node| uses(reader, node));
    let with = match fields.get("with") {
        None => Some(Template::empty_map(&id.place)),
        Some(node) => reader.open_map(node, "`with`").map(|_| reader.template(node)),
    };
    let uses = uses.or_else(|| {
        // The rest of the node is read and validated all the same.
        reader.unreadable.insert(format!("uses.{}", id.value));
        Some(Spanned::new(NodeTypeRef { name: "unreadable".into(), major: 0 }, id.place.clone()))
    });
    let with = with.unwrap_or_else(|| {
        reader.unreadable.insert(format!("with.{}", id.value));
        Template::empty_map(&id.place)
    });
    let needs = fields.get("needs").map(|node| needs(reader, node));
    let join =
        fields.get("join").and_then(|node| reader.word(node, "`join`", &[("all", Join::All), ("any", Join::Any)]));
    let condition = fields.get("if").and_then(|node| condition(reader, node));
    let retry = fields.get("retry").and_then(|node| retry(reader, node));
    let timeout = fields.get("timeout").and_then(|node| {
        let timeout = reader.duration(node, "`timeout`")?;
        if timeout.is_zero() {
            reader.error("out_of_range", &node.place, "a `timeout` of nothing lets no attempt succeed");
        }
        Some(timeout)
    });
    let words = [("retry", OnUnknown::Retry), ("fail", OnUnknown::Fail)];
    let on_unknown = fields.get("on_unknown").and_then(|node| reader.word(node, "`on_unknown`", &words));
    let disabled = fields.get("disabled").and_then(|node| reader.bool(node, "`disabled`"));
    let title = fields
        .get("title")
        .and_then(|node| reader.text(node, "`title`").map(|text| Spanned::new(text.to_owned(), node.place.clone())));
    Some(Node {
        id,
        title,
        uses: uses?,
        with,
        needs,
        join: join.unwrap_or_default(),
        condition,
        retry,
        timeout,
        on_unknown: on_unknown.unwrap_or_default(),
        disabled: disabled.unwrap_or_default(),
    })
}

fn uses(reader: &mut Reader, node: &yaml::Node) -> Option<Spanned<NodeTypeRef>> {
    let text = reader.text(node, "`uses`")?;
    if ENGINE_NATIVE.contains(&text.split('@').next().unwrap_or_default()) {
        unsupported(reader, &Spanned::new(text.to_owned(), node.place.clone()));
        return None;
    }
    reader.id("invalid_uses", text, &node.place).map(|uses| Spanned::new(uses, node.place.clone()))
}

fn needs(reader: &mut Reader, node: &yaml::Node) -> Vec<Spanned<Need>> {
    // A single need may be written without a list.
    let items = if node.as_str().is_some() { std::slice::from_ref(node) } else { reader.list(node, "`needs`") };
    let read = |item: &yaml::Node| {
        let text = reader.text(item, "a need")?;
        let (name, port) = text.split_once('.').map_or((text, None), |(name, port)| (name, Some(port)));
        let name = reader.id::<NodeId>("invalid_need", name, &item.place)?;
        let port = match port {
            Some(port) => Some(reader.id::<PortName>("invalid_need", port, &item.place)?),
            None => None,
        };
        Some(Spanned::new(Need { node: name, port }, item.place.clone()))
    };
    let needs: Vec<_> = items.iter().filter_map(read).collect();
    let mut seen = HashSet::new();
    for need in &needs {
        if !seen.insert(&need.value) {
            reader.error_with("duplicate_need", &need.place, "this edge is there twice", "keep one of them");
        }
    }
    needs
}

/// `if` takes an expression with or without `${{ }}`, or a boolean.
fn condition(reader: &mut Reader, node: &yaml::Node) -> Option<Spanned<Expression>> {
    let yaml::Kind::Scalar(scalar) = &node.kind else {
        reader.wrong_type(node, "`if`", "an expression");
        return None;
    };
    if scalar.text.contains("${{") {
        return match reader.template(node).kind {
            TemplateKind::Expression(expression) => Some(Spanned::new(expression, node.place.clone())),
            _ => {
                reader.error_with(
                    "wrong_type",
                    &node.place,
                    "`if` is one expression, without text around it",
                    "write it as ${{ … }}",
                );
                None
            }
        };
    }
    match Expression::compile(scalar.text.trim(), &node.place) {
        Ok(expression) => Some(Spanned::new(expression, node.place.clone())),
        Err(problem) => {
            reader.problems.push(problem);
            None
        }
    }
}

fn retry(reader: &mut Reader, node: &yaml::Node) -> Option<Retry> {
    let fields = reader.map(node, "`retry`", &["attempts", "backoff", "initial", "max", "jitter"])?;
    let mut retry = Retry {
        attempts: 3,
        backoff: Backoff::Exponential,
        initial: Duration::from_secs(1),
        max: Duration::from_secs(60),
        jitter: 0.2,
    };
    if let Some(node) = fields.get("attempts") {
        let attempts = reader.number(node, "`attempts`", 1.0, 100.0);
        match node.to_json().as_u64().and_then(|attempts| u32::try_from(attempts).ok()) {
            Some(attempts) => retry.attempts = attempts,
            None if attempts.is_some() => {
                reader.error("wrong_type", &node.place, "`attempts` must be a whole number");
            }
            None => {}
        }
    }
    if let Some(node) = fields.get("backoff") {
        let words = [("fixed", Backoff::Fixed), ("linear", Backoff::Linear), ("exponential", Backoff::Exponential)];
        retry.backoff = reader.word(node, "`backoff`", &words).unwrap_or(retry.backoff);
    }
    if let Some(node) = fields.get("initial") {
        retry.initial = reader.duration(node, "`initial`").unwrap_or(retry.initial);
        // A first wait that is longer than the usual bound moves the bound along.
        retry.max = retry.max.max(retry.initial);
    }
    if let Some(node) = fields.get("max") {
        retry.max = reader.duration(node, "`max`").unwrap_or(retry.max);
    }
    if let Some(node) = fields.get("jitter") {
        retry.jitter = reader.number(node, "`jitter`", 0.0, 1.0).unwrap_or(retry.jitter);
    }
    Some(retry)
}
