//! What one version of a plugin may touch that another may not: what somebody is asked before an update, and what ends a
//! build that was pinned.

use serde_json::{Map, Value};

use super::reach::powers;
use super::{HttpPattern, RequestedCapabilities, Text};

/// Powers that came and went, each as what follows "it may".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// What the new one may do beyond the old one.
    pub more: Vec<Text>,
    /// What the old one may do that the new one may not.
    pub less: Vec<Text>,
}

/// Compares what two components may touch: what each asks for, and whether it is pure. A pure one can touch nothing, whatever
/// it asks for.
#[must_use]
pub fn difference(old: (&RequestedCapabilities, bool), new: (&RequestedCapabilities, bool)) -> Difference {
    let effective = |(asked, pure): (&RequestedCapabilities, bool)| {
        if pure { RequestedCapabilities::default() } else { asked.clone() }
    };
    let (old, new) = (effective(old), effective(new));
    Difference { more: powers(&beyond(&old, &new)), less: powers(&beyond(&new, &old)) }
}

/// What `new` asks for that `old` does not. Over the fields as they are written: a capability that is added to the manifest
/// is compared without anybody having to remember it.
fn beyond(old: &RequestedCapabilities, new: &RequestedCapabilities) -> RequestedCapabilities {
    let (old_fields, new_fields) = (fields(old), fields(new));
    let mut grown = Map::new();
    for (name, value) in &new_fields {
        let added = match value {
            Value::Array(new) => {
                let known = old_fields.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                Value::Array(
                    new.iter().filter(|item| !known.iter().any(|known| covers(known, item))).cloned().collect(),
                )
            }
            same if old_fields.get(name) == Some(same) => continue,
            other => other.clone(),
        };
        if added != Value::Array(Vec::new()) {
            grown.insert(name.clone(), added);
        }
    }
    let mut grown: RequestedCapabilities = serde_json::from_value(Value::Object(grown)).unwrap_or_else(|_| new.clone());
    // A credential goes along with something: that is what becomes more powerful.
    if grown.credentials {
        grown.http.clone_from(&new.http);
        grown.email = new.email;
    }
    grown
}

fn fields(asked: &RequestedCapabilities) -> Map<String, Value> {
    match serde_json::to_value(asked) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// Whether what was known allows it already: `*.example.org` allows `api.example.org`.
fn covers(known: &Value, item: &Value) -> bool {
    let host = |value: &Value| value.as_str().and_then(|text| text.parse::<HttpPattern>().ok());
    known == item || matches!((host(known), host(item)), (Some(known), Some(item)) if known.includes(&item))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
    fn check(old: (Value, bool), new: (Value, bool), more: &[&str], less: &[&str]) {
        let asked = |value: &Value| serde_json::from_value::<RequestedCapabilities>(value.clone()).unwrap();
        let difference = difference((&asked(&old.0), old.1), (&asked(&new.0), new.1));
        let english = |texts: &[Text]| texts.iter().map(|text| text.get("en").to_owned()).collect::<Vec<_>>();
        assert_eq!(
            (english(&difference.more), english(&difference.less)),
            (owned(more), owned(less)),
            "{old:?} {new:?}"
        );
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn only_what_differs_is_told() {
        let api = json!({ "http": ["api.example.org"] });
        check((api.clone(), false), (api.clone(), false), &[], &[]);
        check(
            (json!({}), true),
            (api.clone(), false),
            &["send requests to api.example.org where the workflow allows it"],
            &[],
        );
        check(
            (api.clone(), false),
            (json!({}), true),
            &[],
            &["send requests to api.example.org where the workflow allows it"],
        );
        let two = json!({ "http": ["api.example.org", "evil.example.net"], "run_context": true });
        check(
            (api.clone(), false),
            (two, false),
            &[
                "send requests to evil.example.net where the workflow allows it",
                "know which run, node and attempt it is",
            ],
            &[],
        );
        // Asked for all along; now its code uses it.
        check(
            (api.clone(), true),
            (api.clone(), false),
            &["send requests to api.example.org where the workflow allows it"],
            &[],
        );
        check(
            (json!({ "http": ["*.example.org"] }), false),
            (api.clone(), false),
            &[],
            &["send requests to *.example.org where the workflow allows it"],
        );
        check(
            (api.clone(), false),
            (json!({ "http": ["api.example.org"], "clock": true, "random": true }), false),
            &[
                "read the time of the machine where the workflow allows that",
                "draw random numbers that nobody can foresee or repeat, where the workflow allows that",
            ],
            &[],
        );
        check(
            (api, false),
            (json!({ "http": ["api.example.org"], "credentials": true }), false),
            &[
                "send requests to api.example.org where the workflow allows it, with a credential of the workflow that it never sees",
            ],
            &[],
        );
    }
}
