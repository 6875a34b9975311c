//! Values of a document that may hold expressions.

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde_json::Value;

use super::budget::Budget;
use super::{Expression, ExpressionError, Lookup, Reference, embed};
use crate::place::{Place, Spanned};
use crate::problem::Problem;
use crate::yaml;

/// A value of a document that may hold expressions.
#[derive(Debug, Clone)]
pub struct Template {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Template`] is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A value without expressions; lists and maps are of their own kinds even where they hold none.
    Literal(Value),
    /// One expression; its value keeps its type.
    Expression(Expression),
    /// Text with expressions in it, whose values become text.
    Text(Vec<Part>),
    /// A list.
    List(Vec<Template>),
    /// A map, in the order of the document.
    Map(IndexMap<String, Field>),
}

/// A piece of a text with expressions.
#[derive(Debug, Clone)]
pub enum Part {
    /// Text as written.
    Text(String),
    /// An expression.
    Expression(Expression),
}

/// A value of a map.
#[derive(Debug, Clone)]
pub struct Field {
    /// Where its key stands.
    pub key: Place,
    /// The value.
    pub value: Template,
}

impl Template {
    /// The template that a YAML value is. In place of every expression that is none, which is told, stands one that is
    /// null, so that the rest can be judged.
    pub fn from_yaml(node: &yaml::Node, problems: &mut Vec<Problem>) -> Self {
        let place = node.place.clone();
        let kind = match &node.kind {
            yaml::Kind::Scalar(scalar) => match &scalar.source {
                Some(source) if scalar.value.is_string() => {
                    embed::parse(&scalar.text, source, &place).unwrap_or_else(|found| {
                        problems.extend(found);
                        Expression::compile("null", &place).ok().map(Kind::Expression)
                    })
                }
                _ => None,
            }
            .unwrap_or_else(|| Kind::Literal(scalar.value.clone())),
            yaml::Kind::List(items) => Kind::List(items.iter().map(|item| Self::from_yaml(item, problems)).collect()),
            yaml::Kind::Map(entries) => {
                let field = |(key, value): &(Spanned<String>, yaml::Node)| {
                    (key.value.clone(), Field { key: key.place.clone(), value: Self::from_yaml(value, problems) })
                };
                Kind::Map(entries.iter().map(field).collect())
            }
        };
        Self { place, kind }
    }

    /// The template that a JSON value is, such as the default `"${{ input }}"` of a schema. All of it stands at one place.
    ///
    /// # Errors
    /// Every expression in it that is none.
    pub fn from_json(value: &Value, place: &Place) -> Result<Self, Vec<Problem>> {
        let kind = match value {
            // An empty source: no part of the text stands in the document.
            Value::String(text) => embed::parse(text, "", place)?.unwrap_or_else(|| Kind::Literal(value.clone())),
            Value::Array(items) => Kind::List(all(items.iter().map(|item| Self::from_json(item, place)))?),
            Value::Object(object) => Kind::Map(fields(object.iter().map(|(key, value)| {
                (key.clone(), Self::from_json(value, place).map(|value| Field { key: place.clone(), value }))
            }))?),
            _ => Kind::Literal(value.clone()),
        };
        Ok(Self { place: place.clone(), kind })
    }

    /// An empty map.
    #[must_use]
    pub fn empty_map(place: &Place) -> Self {
        Self { place: place.clone(), kind: Kind::Map(IndexMap::new()) }
    }

    /// Whether it holds no expression.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.expressions().is_empty()
    }

    /// A field of a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(fields) => fields.get(key).map(|field| &field.value),
            _ => None,
        }
    }

    /// The keys of a map.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let fields = if let Kind::Map(fields) = &self.kind { Some(fields) } else { None };
        fields.into_iter().flat_map(|fields| fields.keys().map(String::as_str))
    }

    /// Its text, where it is one without expressions.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Literal(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Every expression in it, in the order of the document.
    #[must_use]
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'a>(&'a self, found: &mut Vec<&'a Expression>) {
        match &self.kind {
            Kind::Literal(_) => {}
            Kind::Expression(expression) => found.push(expression),
            Kind::Text(parts) => found.extend(parts.iter().filter_map(|part| match part {
                Part::Expression(expression) => Some(expression),
                Part::Text(_) => None,
            })),
            Kind::List(items) => items.iter().for_each(|item| item.collect(found)),
            Kind::Map(fields) => fields.values().for_each(|field| field.value.collect(found)),
        }
    }

    /// What its expressions read.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.expressions().into_iter().flat_map(Expression::references)
    }

    /// Its value.
    ///
    /// # Errors
    /// When one of its expressions has none, or all together build more than is allowed.
    pub fn render(&self, scope: &dyn Lookup) -> Result<Value, ExpressionError> {
        self.spend(scope, &mut Budget::new())
    }

    fn spend(&self, scope: &dyn Lookup, budget: &mut Budget) -> Result<Value, ExpressionError> {
        Ok(match &self.kind {
            Kind::Literal(value) => value.clone(),
            Kind::Expression(expression) => {
                budget.refresh();
                expression.spend(scope, budget)?
            }
            Kind::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(part) => text.push_str(part),
                        Part::Expression(expression) => {
                            budget.refresh();
                            match expression.spend(scope, budget)? {
                                Value::String(part) => text.push_str(&part),
                                // Everything but text is put in as JSON writes it.
                                other => write!(text, "{other}").unwrap_or_default(),
                            }
                        }
                    }
                }
                Value::String(text)
            }
            Kind::List(items) => {
                Value::Array(items.iter().map(|item| item.spend(scope, budget)).collect::<Result<_, _>>()?)
            }
            Kind::Map(fields) => {
                let fields = fields.iter().map(|(key, field)| Ok((key.clone(), field.value.spend(scope, budget)?)));
                Value::Object(fields.collect::<Result<_, _>>()?)
            }
        })
    }
}

/// All results, or all problems.
fn all(results: impl Iterator<Item = Result<Template, Vec<Problem>>>) -> Result<Vec<Template>, Vec<Problem>> {
    let (mut values, mut problems) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

fn fields(
    results: impl Iterator<Item = (String, Result<Field, Vec<Problem>>)>,
) -> Result<IndexMap<String, Field>, Vec<Problem>> {
    let (mut values, mut problems) = (IndexMap::new(), Vec::new());
    for (key, result) in results {
        match result {
            Ok(value) => {
                values.insert(key, value);
            }
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}
