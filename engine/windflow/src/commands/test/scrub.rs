//! Secrets taken out of a recorded case.

use serde_json::Value;
use windflow_core::schema::secrets;
use windflow_core::workflow::Workflow;

/// A secret that is shorter is replaced where it is a whole value, and not within longer texts, which would lose more than it.
const SHORTEST_WITHIN: usize = 4;

/// Secrets of the inputs, and what stands in their places.
#[derive(Default)]
pub(super) struct Scrub {
    replaced: Vec<(Value, Value)>,
    names: Vec<String>,
}

impl Scrub {
    /// What the workflow's schemas call secret among the inputs of a run.
    pub(super) fn of(workflow: &Workflow, inputs: &Value) -> Self {
        let mut scrub = Self::default();
        for (name, input) in &workflow.inputs {
            let Some(value) = inputs.get(name) else { continue };
            for (path, secret) in secrets(&input.value.schema, value) {
                let name = if path.is_empty() { name.clone() } else { format!("{name}.{path}") };
                scrub.add(secret, &format!("secret-{}", name.replace('.', "-")));
                scrub.names.push(name);
            }
        }
        // A secret that holds another one is replaced first.
        scrub.replaced.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.as_str().map_or(0, str::len)));
        scrub
    }

    fn add(&mut self, secret: &Value, stands: &str) {
        match secret {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, value)| self.add(value, &format!("{stands}-{name}")));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(at, value)| self.add(value, &format!("{stands}-{at}")));
            }
            Value::String(text) if !text.is_empty() => self.replaced.push((secret.clone(), stands.into())),
            Value::Number(_) => self.replaced.push((secret.clone(), 0.into())),
            Value::String(_) | Value::Bool(_) | Value::Null => {}
        }
    }

    /// Takes the secrets out of a value, and out of texts in it. `is_input`: numbers, too; elsewhere a number is like many others.
    pub(super) fn clean(&self, value: &mut Value, is_input: bool) {
        match value {
            Value::Object(fields) => {
                let cleaned = std::mem::take(fields).into_iter().map(|(mut name, mut value)| {
                    self.clean_text(&mut name);
                    self.clean(&mut value, is_input);
                    (name, value)
                });
                *fields = cleaned.collect();
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean(item, is_input)),
            Value::String(text) => self.clean_text(text),
            Value::Number(_) if is_input => {
                if let Some((_, stands)) = self.replaced.iter().find(|(secret, _)| secret == value) {
                    *value = stands.clone();
                }
            }
            Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }

    fn clean_text(&self, text: &mut String) {
        for (secret, stands) in &self.replaced {
            let (Some(secret), Some(stands)) = (secret.as_str(), stands.as_str()) else { continue };
            if text == secret {
                stands.clone_into(text);
            } else if secret.len() >= SHORTEST_WITHIN && text.contains(secret) {
                *text = text.replace(secret, stands);
            }
        }
    }

    /// What whoever uses the case has to know.
    pub(super) fn note(&self) -> String {
        if self.names.is_empty() {
            return String::new();
        }
        let names = self.names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        format!(
            "; the secret inputs {names} were taken out: what begins with `secret-` stands for them, in the inputs and wherever they came out. \
             Where the workflow needs one of a certain form, write an invented one in all these places, never a real one"
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_replaced_wherever_they_came_out() {
        let document = "windflow: 1\nname: a\ninputs:\n  token: { type: string, format: password }\n  user: { type: object, properties: { pin: { type: integer, writeOnly: true }, name: { type: string } } }\n  short: { type: string, writeOnly: true }\nnodes: { a: { uses: log@1 } }\n";
        let workflow = Workflow::parse(document).0.unwrap();
        let inputs = json!({ "token": "hunter22", "user": { "pin": 7, "name": "ada" }, "short": "x" });
        let scrub = Scrub::of(&workflow, &inputs);
        let mut cleaned = inputs.clone();
        scrub.clean(&mut cleaned, true);
        let expected = json!({ "token": "secret-token", "user": { "pin": 0, "name": "ada" }, "short": "secret-short" });
        assert_eq!(cleaned, expected);
        let mut output = json!({ "said": "Bearer hunter22", "count": 7, "fox": ["x", "hunter22"], "hunter22": 1 });
        scrub.clean(&mut output, false);
        let expected = json!({ "said": "Bearer secret-token", "count": 7, "fox": ["secret-short", "secret-token"], "secret-token": 1 });
        assert_eq!(output, expected);
        assert!(scrub.note().contains("`token`, `user.pin`, `short`"), "{}", scrub.note());
        assert_eq!(Scrub::of(&workflow, &json!({})).note(), "");
    }
}
