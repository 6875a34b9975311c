//! Values of a document that may hold expressions.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Expression, ExpressionError, Lookup, Reference};
use crate::place::Place;
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
    /// The template that a YAML value is.
    ///
    /// # Errors
    /// Every expression in it that is none.
    pub fn from_yaml(node: &yaml::Node) -> Result<Self, Vec<Problem>> {
        Ok(Self { place: node.place.clone(), kind: Kind::Literal(Value::Null) })
    }

    /// The template that a JSON value is, such as the default `"${{ input }}"` of a schema. All of it stands at one place.
    ///
    /// # Errors
    /// Every expression in it that is none.
    pub fn from_json(value: &Value, place: &Place) -> Result<Self, Vec<Problem>> {
        Ok(Self { place: place.clone(), kind: Kind::Literal(value.clone()) })
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
    /// When one of its expressions has none.
    pub fn render(&self, scope: &dyn Lookup) -> Result<Value, ExpressionError> {
        match &self.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Expression(expression) => expression.evaluate(scope),
            Kind::Text(_) => Ok(Value::Null),
            Kind::List(items) => items.iter().map(|item| item.render(scope)).collect::<Result<_, _>>().map(Value::Array),
            Kind::Map(fields) => fields
                .iter()
                .map(|(key, field)| Ok((key.clone(), field.value.render(scope)?)))
                .collect::<Result<_, _>>()
                .map(Value::Object),
        }
    }
}
