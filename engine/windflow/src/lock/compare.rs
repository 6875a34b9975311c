//! What workflows are now, held against what was agreed to.

use serde_json::{Map, Value};
use windflow_core::capability::HttpPattern;
use windflow_core::id::NodeTypeRef;
use windflow_core::manifest::{Difference, Text, difference};

use super::{Lock, LockedNodeType};

/// Something that is not as it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// It may be more than what was agreed to.
    pub(crate) grave: bool,
    pub(crate) text: String,
}

fn grave(text: String) -> Finding {
    Finding { grave: true, text }
}

impl Lock {
    /// Everything that differs in a workflow, precisely.
    pub(crate) fn differences(&self, now: &Self, name: &str) -> Vec<Finding> {
        let Some(current) = now.workflows.get(name) else { return Vec::new() };
        let Some(locked) = self.workflows.get(name) else {
            return vec![grave(format!("{name} is not in the lock file"))];
        };
        let mut found = Vec::new();
        for uses in &current.node_types {
            let Some(is) = now.node_types.get(uses) else { continue };
            match self.node_types.get(uses).filter(|_| locked.node_types.contains(uses)) {
                None => found.push(grave(format!("{name} uses {uses} now: {}", may(is)))),
                Some(was) => found.extend(changed(uses, was, is)),
            }
        }
        for uses in locked.node_types.difference(&current.node_types) {
            found.push(Finding { grave: false, text: format!("{name} no longer uses {uses}") });
        }
        for grant in beyond(&locked.permissions, &current.permissions) {
            found.push(grave(format!("{name} grants more: + {grant}")));
        }
        for grant in beyond(&current.permissions, &locked.permissions) {
            found.push(Finding { grave: false, text: format!("{name} grants less: - {grant}") });
        }
        found
    }
}

fn changed(uses: &NodeTypeRef, was: &LockedNodeType, is: &LockedNodeType) -> Option<Finding> {
    if was == is {
        return None;
    }
    let Difference { more, less } = difference((&was.capabilities, was.pure), (&is.capabilities, is.pure));
    let mut text = format!(
        "{uses} is another component: {} {} ({}), and not {} {} ({})",
        is.plugin, is.version, is.component, was.plugin, was.version, was.component
    );
    if more.is_empty() && less.is_empty() {
        text.push_str("\n  it may touch the same as before");
    }
    for (what, powers) in [("it may now", &more), ("it may no longer", &less)] {
        for power in powers {
            text.push_str(&format!("\n  {what} {}", power.get("en")));
        }
    }
    Some(grave(text))
}

fn may(node_type: &LockedNodeType) -> String {
    let nothing = (&windflow_core::manifest::RequestedCapabilities::default(), true);
    let powers = difference(nothing, (&node_type.capabilities, node_type.pure)).more;
    if powers.is_empty() {
        return "it only computes".to_owned();
    }
    let powers: Vec<&str> = powers.iter().map(|power: &Text| power.get("en")).collect();
    format!("it may {}", powers.join("; "))
}

/// What one set of permissions grants that another does not.
fn beyond(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in new {
        let known = old.get(name);
        match value {
            Value::Array(items) => {
                let known = known.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let news = items.iter().filter(|item| !known.iter().any(|known| covers(name, known, item)));
                found.extend(news.map(|item| format!("{name}: {}", shown(item))));
            }
            // What is switched off grants nothing.
            Value::Bool(false) | Value::Null => {}
            other if known != Some(other) => found.push(format!("{name}: {}", shown(other))),
            _ => {}
        }
    }
    found
}

fn covers(name: &str, known: &Value, item: &Value) -> bool {
    let host = |value: &Value| value.as_str().and_then(|text| text.parse::<HttpPattern>().ok());
    known == item
        || (name == "http" && matches!((host(known), host(item)), (Some(known), Some(item)) if known.includes(&item)))
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn permissions_are_compared_by_what_they_allow() {
        let map = |value: Value| value.as_object().unwrap().clone();
        for (old, new, expect) in [
            (json!({ "http": ["a.org"] }), json!({ "http": ["a.org"] }), vec![]),
            (json!({}), json!({ "http": ["a.org"], "credentials": ["k"] }), vec!["http: a.org", "credentials: k"]),
            (json!({ "http": ["*.a.org"] }), json!({ "http": ["b.a.org"] }), vec![]),
            (json!({ "http": ["b.a.org"] }), json!({ "http": ["*.a.org"] }), vec!["http: *.a.org"]),
            (json!({}), json!({ "state": false }), vec![]),
            (json!({ "state": false }), json!({ "state": true }), vec!["state: true"]),
            (
                json!({ "http": ["${{ inputs.url }}"] }),
                json!({ "http": ["${{ inputs.uri }}"] }),
                vec!["http: ${{ inputs.uri }}"],
            ),
        ] {
            assert_eq!(beyond(&map(old.clone()), &map(new.clone())), expect, "{old} {new}");
        }
    }
}
