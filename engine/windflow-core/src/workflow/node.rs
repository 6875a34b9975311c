//! Nodes of the document.

use std::collections::HashSet;
use std::time::Duration;

use indexmap::IndexMap;

use super::read::{Fields, Reader};
use super::{Backoff, ForEach, Join, Need, Node, OnItemError, OnUnknown, Retry};
use crate::expression::{Expression, Kind as TemplateKind, Template, reserved};
use crate::id::{NodeId, NodeTypeRef, PortName};
use crate::place::Spanned;
use crate::problem::Problem;
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
    let handlers: HashSet<NodeId> =
        nodes.values().filter_map(|node: &Node| node.compensate.as_ref()).map(|by| by.value.clone()).collect();
    for node in nodes.values_mut() {
        node.compensates = handlers.contains(&node.id.value);
    }
    nodes
}

fn one(reader: &mut Reader, id: Spanned<NodeId>, node: &yaml::Node) -> Option<Node> {
    let fields = reader.map(node, "a node", KEYS)?;
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
    let for_each = for_each(reader, &fields);
    if for_each.is_none() && fields.get("for_each").is_some() {
        reader.unreadable.insert(format!("for_each.{}", id.value));
    }
    let compensate = fields.get("compensate").and_then(|node| {
        let text = reader.text(node, "`compensate`")?;
        let name = reader.id::<NodeId>("invalid_name", text, &node.place)?;
        Some(Spanned::new(name, node.place.clone()))
    });
    let retry = fields.get("retry").and_then(|node| retry(reader, node));
    let timeout = fields.get("timeout").and_then(|node| timeout(reader, node));
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
        for_each,
        compensate,
        compensates: false,
        retry,
        timeout,
        on_unknown: on_unknown.unwrap_or_default(),
        disabled: disabled.unwrap_or_default(),
    })
}

pub(super) fn timeout(reader: &mut Reader, node: &yaml::Node) -> Option<Duration> {
    let timeout = reader.duration(node, "`timeout`")?;
    if timeout.is_zero() {
        reader.error("out_of_range", &node.place, "a `timeout` of nothing lets nothing succeed");
    }
    Some(timeout)
}

/// How many items run at the same time where nobody says.
const CONCURRENCY: u32 = 10;

/// How many items may run at the same time.
const MAX_CONCURRENCY: u32 = 1000;

fn for_each(reader: &mut Reader, fields: &Fields<'_>) -> Option<ForEach> {
    let Some(items) = fields.get("for_each") else {
        for word in ["concurrency", "on_item_error"] {
            if let Some(key) = fields.key(word) {
                let message = format!("`{word}` says how the items of `for_each` run, and there is none");
                reader.error_with("no_items", &key.place, message, "add `for_each: ${{ … }}`, or leave it out");
            }
        }
        return None;
    };
    let items = match &items.kind {
        yaml::Kind::List(_) => reader.template(items),
        yaml::Kind::Scalar(scalar) if scalar.text.contains("${{") => reader.template(items),
        _ => {
            reader.error_with(
                "wrong_type",
                &items.place,
                "`for_each` is a list, or an expression that gives one",
                "write for_each: ${{ nodes.a.output }}, or for_each: [a, b]",
            );
            return None;
        }
    };
    if matches!(items.kind, TemplateKind::Text(_)) {
        let message = "`for_each` is one expression, without text around it";
        reader.error_with("wrong_type", &items.place, message, "write it as ${{ … }}");
    }
    let concurrency = fields.get("concurrency").and_then(|node| whole(reader, node, "`concurrency`", MAX_CONCURRENCY));
    let words = [("fail", OnItemError::Fail), ("collect", OnItemError::Collect)];
    let on_item_error = fields.get("on_item_error").and_then(|node| reader.word(node, "`on_item_error`", &words));
    Some(ForEach {
        items,
        concurrency: concurrency.unwrap_or(CONCURRENCY),
        on_item_error: on_item_error.unwrap_or_default(),
    })
}

/// A whole number from 1 on.
fn whole(reader: &mut Reader, node: &yaml::Node, what: &str, most: u32) -> Option<u32> {
    reader.number(node, what, 1.0, f64::from(most))?;
    let number = node.to_json().as_u64().and_then(|number| u32::try_from(number).ok());
    if number.is_none() {
        reader.error("wrong_type", &node.place, format!("{what} must be a whole number"));
    }
    number
}

fn uses(reader: &mut Reader, node: &yaml::Node) -> Option<Spanned<NodeTypeRef>> {
    let text = reader.text(node, "`uses`")?;
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
    // Where the document has the expression letter by letter, plain or between quotes, its parts have places of their own.
    let text = scalar.text.trim();
    let quote = match node.place.bytes.len().checked_sub(scalar.text.len()) {
        Some(0) => Some(0),
        Some(2) => Some(1),
        _ => None,
    };
    let compiled = match quote {
        Some(quote) => {
            let lead = quote + scalar.text.len() - scalar.text.trim_start().len();
            let source = format!("{:lead$}{text}", "");
            Expression::compile(text, &node.place.within(&source, lead..source.len()))
        }
        None => {
            Expression::compile(text, &node.place).map_err(|problem| Problem { place: node.place.clone(), ..problem })
        }
    };
    match compiled {
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
        retry.attempts = whole(reader, node, "`attempts`", 100).unwrap_or(retry.attempts);
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
