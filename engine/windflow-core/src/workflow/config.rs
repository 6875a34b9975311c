//! A node's configuration held against its schema before the run, when expressions have no values yet.

use serde_json::{Map, Value};

use crate::expression::{Kind, Template};
use crate::id::NodeTypeRef;
use crate::manifest::NodeType;
use crate::place::{Place, Spanned};
use crate::problem::{Problem, did_you_mean, list};
use crate::schema::{Checker, Violation, alternatives, choices, followed};

/// Checks everything that can be told already: what an expression decides, or may decide, is left to the run.
pub(super) fn check(
    uses: &Spanned<NodeTypeRef>,
    with: &Template,
    node_type: &NodeType,
    node: &Place,
    problems: &mut Vec<Problem>,
) {
    let schema = &node_type.config;
    let Ok(checker) = node_type.config_checker() else {
        let message = format!("the schema of `{}` is broken: its plugin must be mended", uses.value);
        problems.push(Problem::error("broken_plugin", &uses.place, message));
        return;
    };
    let mut open = Vec::new();
    let value = known(with, String::new(), &mut open);
    for violation in checker.violations(&value) {
        if decided_later(&violation, &open) {
            continue;
        }
        let meant = meant(&violation, &value, schema);
        let meant = meant.iter().filter(|violation| !decided_later(violation, &open));
        let told: Vec<_> = meant.flat_map(|violation| describe(violation, uses, with, schema, node)).collect();
        problems.extend(if told.is_empty() { describe(&violation, uses, with, schema, node) } else { told });
    }
}

/// Something plainly written that does not fit a schema.
pub(super) struct Misfit<'a> {
    /// Where it is written.
    pub(super) place: &'a Place,
    /// Why.
    pub(super) message: String,
    /// What is written there, where it is text.
    written: Option<&'a str>,
    steps: Vec<String>,
    unexpected: Vec<String>,
    missing: Option<String>,
}

impl Misfit<'_> {
    /// The part that does not fit, where it is not the whole.
    pub(super) fn at(&self) -> String {
        if self.steps.is_empty() { String::new() } else { format!(" at `{}`", self.steps.join(".")) }
    }

    /// How to mend it: what the schema takes there, or the word that was meant.
    pub(super) fn remedy(&self, schema: &Value) -> String {
        if let Some(key) = &self.missing {
            return format!("add `{key}: …`");
        }
        let part = followed(schema, below(schema, &self.steps));
        if let Some(key) = self.unexpected.first() {
            let known = properties(schema, &self.steps);
            let known = known.iter().map(String::as_str);
            return did_you_mean(key, known.clone()).unwrap_or_else(|| format!("its keys are {}", list(known)));
        }
        let takes = alternatives(schema, part);
        if !takes.is_empty() {
            let takes = takes.iter().map(String::as_str);
            let meant = self.written.and_then(|written| did_you_mean(written, takes.clone()));
            return meant.unwrap_or_else(|| format!("it takes {}", list(takes)));
        }
        // What a schema asks for is short where people write one.
        let asked = shown(part);
        if asked.len() <= MAX_SHOWN {
            return format!("it takes what fits {asked}");
        }
        let kinds = types(part);
        if kinds.is_empty() { "it takes what its schema says".to_owned() } else { format!("it takes {}", list(kinds)) }
    }
}

/// Longest schema that a remedy shows, in bytes.
const MAX_SHOWN: usize = 100;

/// A schema without what is for people only.
fn shown(schema: &Value) -> String {
    let mut schema = schema.clone();
    if let Some(fields) = schema.as_object_mut() {
        ["title", "description", "examples"].iter().for_each(|key| drop(fields.remove(*key)));
    }
    schema.to_string()
}

/// The types that a schema names.
pub(super) fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What of a value that is plainly written does not fit a schema; what an expression decides, or may decide, is left to the run.
pub(super) fn misfits<'a>(template: &'a Template, checker: &Checker) -> Vec<Misfit<'a>> {
    let mut open = Vec::new();
    let value = known(template, String::new(), &mut open);
    let violations = checker.violations(&value).into_iter().filter(|violation| !decided_later(violation, &open));
    let misfit = |violation: Violation| {
        let (at, steps) = follow(template, &violation.path);
        let place = match (&at.kind, violation.unexpected.first()) {
            (Kind::Map(fields), Some(key)) => fields.get(key).map_or(&at.place, |field| &field.key),
            _ => &at.place,
        };
        let Violation { message, unexpected, missing, .. } = violation;
        Misfit { place, message, written: at.as_str(), steps, unexpected, missing }
    };
    violations.map(misfit).collect()
}

/// Where none of several alternatives fits, and the value has the key of one: what is wrong by that one.
fn meant(violation: &Violation, value: &Value, schema: &Value) -> Vec<Violation> {
    let given = value.pointer(&violation.path).and_then(Value::as_object).filter(|_| violation.is_choice);
    let Some(given) = given else { return Vec::new() };
    let steps: Vec<_> = steps(&violation.path).collect();
    let branch = choices(schema, below(schema, &steps)).find(|branch| {
        let required = branch.get("required").and_then(Value::as_array).filter(|required| !required.is_empty());
        required.is_some_and(|all| all.iter().filter_map(Value::as_str).all(|key| given.contains_key(key)))
    });
    let Some(Value::Object(branch)) = branch else { return Vec::new() };
    let mut branch = branch.clone();
    branch.extend(
        ["$defs", "definitions"].into_iter().filter_map(|key| Some((key.to_owned(), schema.get(key)?.clone()))),
    );
    let Ok(checker) = Checker::new(&Value::Object(branch)) else { return Vec::new() };
    let below = checker.violations(&Value::Object(given.clone())).into_iter();
    below.map(|below| Violation { path: format!("{}{}", violation.path, below.path), ..below }).collect()
}

/// The template as a value, with null in place of what expressions give; their paths are told.
fn known(template: &Template, path: String, open: &mut Vec<String>) -> Value {
    match &template.kind {
        Kind::Literal(value) => value.clone(),
        Kind::Expression(_) => {
            open.push(path);
            Value::Null
        }
        Kind::Text(_) => {
            open.push(path);
            Value::String(String::new())
        }
        Kind::List(items) => {
            items.iter().enumerate().map(|(index, item)| known(item, format!("{path}/{index}"), open)).collect()
        }
        Kind::Map(fields) => {
            let field = |(key, field): (&String, &crate::expression::Field)| {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                (key.clone(), known(&field.value, path, open))
            };
            Value::Object(fields.iter().map(field).collect::<Map<_, _>>())
        }
    }
}

fn decided_later(violation: &Violation, open: &[String]) -> bool {
    let below = |path: &str, parent: &str| {
        path == parent || path.strip_prefix(parent).is_some_and(|rest| rest.starts_with('/'))
    };
    open.iter().any(|path| below(&violation.path, path))
        // Which branch of several is meant can depend on any expression within.
        || (violation.is_choice && open.iter().any(|path| below(path, &violation.path)))
}

fn describe(
    violation: &Violation,
    uses: &Spanned<NodeTypeRef>,
    with: &Template,
    schema: &Value,
    node: &Place,
) -> Vec<Problem> {
    let (template, steps) = follow(with, &violation.path);
    let name = &uses.value;
    let place = if violation.path.is_empty() && with.place == *node { &uses.place } else { &template.place };
    let at = if steps.is_empty() { String::new() } else { format!(" at `{}`", steps.join(".")) };
    if !violation.unexpected.is_empty() {
        let known = properties(schema, &steps);
        let alternatives = alternatives(schema, below(schema, &steps));
        return violation
            .unexpected
            .iter()
            .map(|key| {
                let place = match &template.kind {
                    Kind::Map(fields) => fields.get(key).map_or(&template.place, |field| &field.key),
                    _ => &template.place,
                };
                let known = known.iter().map(String::as_str);
                let remedy = did_you_mean(key, known.clone()).unwrap_or_else(|| match alternatives.as_slice() {
                    [] => format!("its keys are {}", list(known)),
                    several => format!("it takes {}", list(several.iter().map(String::as_str))),
                });
                Problem::error("unknown_config", place, format!("`{name}` has no setting `{key}`{at}")).remedy(remedy)
            })
            .collect();
    }
    if let Some(key) = &violation.missing {
        let message = format!("`{name}` needs the setting `{key}`{at}");
        let place = if steps.is_empty() { &uses.place } else { place };
        return vec![Problem::error("missing_config", place, message).remedy(format!("add `{key}: …` to its `with`"))];
    }
    let takes = if violation.is_choice { alternatives(schema, below(schema, &steps)) } else { Vec::new() };
    if takes.is_empty() {
        let message = format!("`{name}` does not take this{at}: {}", violation.message);
        return vec![Problem::error("invalid_config", place, message)];
    }
    let takes = takes.iter().map(String::as_str);
    let all = list(takes.clone());
    let remedy = template.as_str().and_then(|given| {
        // The word of an alternative that holds more than the word.
        let holds = |one: &&str| one.strip_prefix("{ ").is_some_and(|one| one.starts_with(&format!("{given}:")));
        let meant = takes.clone().find(holds).map(|one| format!("write it as `{one}`"));
        Some(format!("{}; it takes {all}", meant.or_else(|| did_you_mean(given, takes.clone()))?))
    });
    let message = format!("`{name}` does not take this{at}");
    let remedy = remedy.unwrap_or_else(|| format!("it takes {all}"));
    vec![Problem::error("invalid_config", place, message).remedy(remedy)]
}

/// The steps of a JSON Pointer.
fn steps(path: &str) -> impl Iterator<Item = String> {
    path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
}

/// The part of a template at a JSON Pointer, and the steps to it.
fn follow<'a>(template: &'a Template, path: &str) -> (&'a Template, Vec<String>) {
    let mut at = template;
    let mut steps = Vec::new();
    for step in self::steps(path) {
        let next = match &at.kind {
            Kind::Map(fields) => fields.get(&step).map(|field| &field.value),
            Kind::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            Kind::Literal(_) | Kind::Expression(_) | Kind::Text(_) => None,
        };
        steps.push(step);
        match next {
            Some(next) => at = next,
            None => break,
        }
    }
    (at, steps)
}

/// The part of a schema at some steps within, as far as it is plainly written there.
fn below<'a>(schema: &'a Value, steps: &[String]) -> &'a Value {
    let mut at = schema;
    for step in steps {
        let property = |part: &'a Value| part.get("properties").and_then(|properties| properties.get(step));
        let next = property(at).or_else(|| at.get("items")).or_else(|| choices(schema, at).find_map(property));
        at = followed(schema, next.unwrap_or(&Value::Null));
    }
    at
}

/// The names that a schema knows at some steps within.
fn properties(schema: &Value, steps: &[String]) -> Vec<String> {
    below(schema, steps)
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default()
}
