//! What an expression gives as far as that is known before anything runs, and what it reads that can never be there.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::code::{Code, CodeKind, Comprehension, Function, Operator, Path, Step};
use super::path::missing_key;
use super::reference::Target;
use super::{Expression, Kind, Template};
use crate::problem::Problem;

/// What is known of what expressions read: the JSON Schema of a target.
pub type Shapes<'a> = dyn Fn(&Target) -> Option<Cow<'a, Value>> + 'a;

/// Schemas of more parts than this are not put into others: expressions are many, and what is built of them is not.
const MAX_PARTS: usize = 100;

/// What says that a schema is more than its own keywords, so that nothing is concluded from those.
const OPEN: [&str; 8] = ["$ref", "$dynamicRef", "anyOf", "oneOf", "allOf", "if", "not", "patternProperties"];

impl Expression {
    /// The JSON Schema of its value, as far as one is known; what it reads that is never there becomes a problem.
    #[must_use]
    pub fn shape<'a>(&self, shapes: &Shapes<'a>, problems: &mut Vec<Problem>) -> Option<Cow<'a, Value>> {
        let mut reader = Reader { expression: self, shapes, locals: Vec::new(), problems };
        reader.shape(&self.0.code)
    }
}

impl Template {
    /// Everything that its expressions read and that is never there.
    pub fn misread(&self, shapes: &Shapes<'_>, problems: &mut Vec<Problem>) {
        for expression in self.expressions() {
            let _ = expression.shape(shapes, problems);
        }
    }

    /// The JSON Schema of its value, where an expression or a text with expressions gives it and something is known of it.
    #[must_use]
    pub fn shape<'a>(&self, shapes: &Shapes<'a>) -> Option<Cow<'a, Value>> {
        match &self.kind {
            Kind::Expression(expression) => expression.shape(shapes, &mut Vec::new()),
            Kind::Text(_) => of_type("string"),
            Kind::Literal(_) | Kind::List(_) | Kind::Map(_) => None,
        }
    }
}

struct Reader<'r, 'a> {
    expression: &'r Expression,
    shapes: &'r Shapes<'a>,
    /// Those of the variables of the comprehensions around.
    locals: Vec<Option<Cow<'a, Value>>>,
    problems: &'r mut Vec<Problem>,
}

impl<'a> Reader<'_, 'a> {
    fn shape(&mut self, code: &Code) -> Option<Cow<'a, Value>> {
        match &code.kind {
            CodeKind::Null => of_type("null"),
            CodeKind::Bool(_) | CodeKind::HasTarget(_) => of_type("boolean"),
            CodeKind::Int(_) | CodeKind::Uint(_) => of_type("integer"),
            CodeKind::Double(_) => of_type("number"),
            CodeKind::Text(_) => of_type("string"),
            CodeKind::Type(_) => None,
            CodeKind::Path(path) => self.path(path, code),
            CodeKind::Local(at) => self.locals.get(*at).cloned().flatten(),
            CodeKind::Select(from, field) => {
                let from = self.shape(from)?;
                self.step(from, &Step::Field(field.clone()), code)
            }
            CodeKind::Has(from, _) => {
                self.shape(from);
                of_type("boolean")
            }
            CodeKind::Index(from, index) => {
                let (from, _) = (self.shape(from), self.shape(index));
                match &index.kind {
                    CodeKind::Int(_) => self.step(from?, &Step::Index(0), code),
                    CodeKind::Text(key) => self.step(from?, &Step::Field(key.clone()), code),
                    _ => None,
                }
            }
            CodeKind::Not(one) => {
                self.shape(one);
                of_type("boolean")
            }
            CodeKind::Negate(one) => self.shape(one).filter(|one| is_number(one)),
            CodeKind::Binary(operator, left, right) => {
                let (left, right) = (self.shape(left), self.shape(right));
                operation(*operator, left.as_deref(), right.as_deref())
            }
            CodeKind::And(parts) | CodeKind::Or(parts) => {
                self.all(parts);
                of_type("boolean")
            }
            CodeKind::If(parts) => {
                self.shape(&parts[0]);
                let (then, otherwise) = (self.shape(&parts[1]), self.shape(&parts[2]));
                then.filter(|then| otherwise.as_ref() == Some(then))
            }
            CodeKind::List(items) => {
                self.all(items);
                of_type("array")
            }
            CodeKind::Map(entries) => {
                for (key, value) in entries {
                    self.shape(key);
                    self.shape(value);
                }
                of_type("object")
            }
            CodeKind::Call(function, arguments) => {
                self.all(arguments);
                result(*function).and_then(of_type)
            }
            CodeKind::Matches(text, _) => {
                self.shape(text);
                of_type("boolean")
            }
            CodeKind::Each(comprehension, over, body) => {
                let over = self.shape(over);
                let body = self.of_each(over.as_ref(), &[body]);
                match comprehension {
                    Comprehension::Filter => over,
                    Comprehension::Map => Some(list_of(body)),
                    Comprehension::All | Comprehension::Exists | Comprehension::ExistsOne => of_type("boolean"),
                }
            }
            CodeKind::MapIf(over, condition, body) => {
                let over = self.shape(over);
                let body = self.of_each(over.as_ref(), &[condition, body]);
                Some(list_of(body))
            }
        }
    }

    fn all(&mut self, parts: &[Code]) {
        for part in parts {
            self.shape(part);
        }
    }

    /// The shape of the last of several parts, which stand for each item of a list, or each key of a map.
    fn of_each(&mut self, over: Option<&Cow<'a, Value>>, parts: &[&Code]) -> Option<Cow<'a, Value>> {
        let item = over.filter(|over| only_type(over) == Some("array")).cloned();
        let item = item.and_then(|list| within(list, |list| list.get("items")));
        self.locals.push(item);
        let mut last = None;
        for part in parts {
            last = self.shape(part);
        }
        self.locals.pop();
        last
    }

    fn path(&mut self, path: &Path, code: &Code) -> Option<Cow<'a, Value>> {
        let mut at = (self.shapes)(&path.target)?;
        for step in &path.steps {
            at = self.step(at, step, code)?;
        }
        Some(at)
    }

    /// What is within a value; none where nothing is known of it, which is told where there never is anything.
    fn step(&mut self, from: Cow<'a, Value>, step: &Step, code: &Code) -> Option<Cow<'a, Value>> {
        if OPEN.iter().any(|key| from.get(key).is_some()) {
            return None;
        }
        let kind = only_type(&from)?.to_owned();
        match (step, &*kind) {
            (Step::Field(name), "object") => {
                if from.get("properties").and_then(|known| known.get(&**name)).is_some() {
                    return within(from, |from| from.get("properties")?.get(&**name));
                }
                if from.get("additionalProperties") == Some(&Value::Bool(false)) {
                    let known = from.get("properties").and_then(Value::as_object);
                    let names = known.into_iter().flat_map(|known| known.keys().map(String::as_str));
                    let remedy = missing_key(name, names).unwrap_or_else(|| "nothing is given back there".to_owned());
                    self.problem(code, &format!("`{name}`, which is never there"), remedy);
                }
                None
            }
            (Step::Index(_), "array") => within(from, |from| from.get("items")),
            (Step::Index(_), "object") => None,
            (Step::Field(name), kind) => {
                let remedy = match kind {
                    "array" => "name an item, as in list[0], or use .map(one, …)",
                    _ => "read the value itself",
                };
                self.problem(code, &format!("`{name}` within a value of the type `{kind}`"), remedy.to_owned());
                None
            }
            (Step::Index(_), kind) => {
                let what = format!("an item of a value of the type `{kind}`");
                self.problem(code, &what, "read the value itself".to_owned());
                None
            }
        }
    }

    fn problem(&mut self, code: &Code, what: &str, remedy: String) {
        let Expression(expression) = self.expression;
        let place = expression.place.within(&expression.source, code.span());
        let message = format!("`{}` reads {what}", expression.source.get(code.span()).unwrap_or(&expression.source));
        self.problems.push(Problem::error("unknown_output", &place, message).remedy(remedy));
    }
}

/// A part of a value, which stays where it lies.
fn within<'a>(value: Cow<'a, Value>, part: impl Fn(&Value) -> Option<&Value>) -> Option<Cow<'a, Value>> {
    match value {
        Cow::Borrowed(value) => part(value).map(Cow::Borrowed),
        Cow::Owned(value) => part(&value).cloned().map(Cow::Owned),
    }
}

fn of_type<'a>(kind: &str) -> Option<Cow<'a, Value>> {
    Some(Cow::Owned(json!({ "type": kind })))
}

fn list_of<'a>(item: Option<Cow<'a, Value>>) -> Cow<'a, Value> {
    Cow::Owned(match item.filter(|item| parts(item, MAX_PARTS) > 0) {
        Some(item) => json!({ "type": "array", "items": item }),
        None => json!({ "type": "array" }),
    })
}

/// What is left of a number of parts once those of a value are counted.
fn parts(value: &Value, left: usize) -> usize {
    let left = left.saturating_sub(1);
    match value {
        Value::Array(items) => items.iter().take(left).fold(left, |left, item| parts(item, left)),
        Value::Object(fields) => fields.values().take(left).fold(left, |left, field| parts(field, left)),
        _ => left,
    }
}

/// The one type that a schema names.
fn only_type(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) if kinds.len() == 1 => kinds[0].as_str(),
        _ => None,
    }
}

fn is_number(schema: &Value) -> bool {
    matches!(only_type(schema), Some("integer" | "number"))
}

fn operation<'a>(operator: Operator, left: Option<&Value>, right: Option<&Value>) -> Option<Cow<'a, Value>> {
    match operator {
        Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Modulo => {
            match (left.and_then(only_type)?, right.and_then(only_type)?) {
                ("integer", "integer") => of_type("integer"),
                ("integer" | "number", "integer" | "number") => of_type("number"),
                ("string", "string") => of_type("string"),
                _ => None,
            }
        }
        Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessOrEqual
        | Operator::Greater
        | Operator::GreaterOrEqual
        | Operator::In => of_type("boolean"),
    }
}

fn result(function: Function) -> Option<&'static str> {
    match function {
        Function::Size | Function::Int | Function::Uint | Function::IndexOf => Some("integer"),
        Function::Double => Some("number"),
        Function::Bool | Function::Contains | Function::StartsWith | Function::EndsWith | Function::Matches => {
            Some("boolean")
        }
        Function::String
        | Function::LowerAscii
        | Function::UpperAscii
        | Function::Trim
        | Function::Join
        | Function::Replace
        | Function::Substring => Some("string"),
        Function::Split => Some("array"),
        Function::Dyn | Function::Type => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;

    fn of(source: &str) -> (Option<Value>, Vec<String>) {
        let closed = json!({
            "type": "object", "additionalProperties": false,
            "properties": { "total": { "type": "number" }, "lines": { "type": "array", "items": { "type": "object", "properties": { "name": { "type": "string" } } } }, "any": {} },
        });
        let shapes = |target: &Target| (target.to_string() == "nodes.sum.output").then(|| Cow::Borrowed(&closed));
        let expression = Expression::compile(source, &Place::default()).unwrap();
        let mut problems = Vec::new();
        let shape = expression.shape(&shapes, &mut problems).map(Cow::into_owned);
        let told =
            problems.into_iter().map(|problem| format!("{}: {}", problem.message, problem.remedy.unwrap_or_default()));
        (shape, told.collect())
    }

    #[test]
    fn what_is_never_there_is_found_wherever_it_is_read() {
        for (source, told) in [
            ("nodes.sum.output.totl", "reads `totl`, which is never there: did you mean `total`?"),
            ("1 + nodes.sum.output[\"ttal\"]", "did you mean `total`?"),
            ("nodes.sum.output.lines.map(line, nodes.sum.output.nothing_like_it)", "there are `total`, `lines`, `any`"),
            ("nodes.sum.output.total.cents", "reads `cents` within a value of the type `number`"),
            ("nodes.sum.output.lines.name", "name an item"),
            ("nodes.sum.output.lines.map(line, line.name.first)", "of the type `string`"),
            ("has(nodes.sum.output.totl.cents)", "did you mean `total`?"),
        ] {
            let (_, found) = of(source);
            assert!(found.len() == 1 && found[0].contains(told), "{source}: {found:?}");
        }
    }

    #[test]
    fn what_may_be_there_is_left_to_the_run() {
        for source in [
            "nodes.sum.output.any.thing[3]",
            "nodes.sum.output.lines[0].more",
            "nodes.other.output.whatever",
            "has(nodes.sum.output.totl)",
            "nodes.sum.output.lines.map(line, line.name.size())",
            "nodes.sum.error.code",
        ] {
            assert_eq!(of(source).1, Vec::<String>::new(), "{source}");
        }
    }

    #[test]
    fn the_type_of_a_value_is_known_where_it_follows() {
        for (source, kind) in [
            ("nodes.sum.output.total", Some("number")),
            ("nodes.sum.output.total + 1", Some("number")),
            ("string(nodes.sum.output.any)", Some("string")),
            ("nodes.sum.output.lines.map(line, line.name)[0]", Some("string")),
            ("nodes.sum.output.total > 3 ? \"a\" : \"b\"", Some("string")),
            ("nodes.sum.output.total > 3 ? \"a\" : 1", None),
            ("nodes.sum.output.any", None),
        ] {
            let shape = of(source).0;
            assert_eq!(shape.as_ref().and_then(only_type), kind, "{source}");
        }
    }
}
