//! Which parameters of the query there are: what the API's document says, and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use utoipa::IntoParams;
use utoipa::Number;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, Paths};
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use windflow_core::problem::did_you_mean;

use super::extract::Identified;
use crate::problem::Problem;

/// The names of the parameters of each route, by method.
#[derive(Default)]
pub(super) struct Parameters(HashMap<String, BTreeMap<Method, Vec<String>>>);

impl Parameters {
    /// Adds those of routes below a prefix, as the API's document has them. Of what is not below one any are taken: probes
    /// ask for what they like.
    pub(super) fn add(&mut self, prefix: &str, paths: &Paths) {
        if prefix.is_empty() {
            return;
        }
        for (route, item) in &paths.paths {
            let operations = [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            let named =
                operations.into_iter().filter_map(|(method, operation)| Some((method, names(operation.as_ref()?))));
            self.0.entry(format!("{prefix}{route}")).or_default().extend(named);
        }
    }

    fn check(&self, request: &Request) -> Result<(), Problem> {
        let Some(query) = request.uri().query() else { return Ok(()) };
        let route = request.extensions().get::<MatchedPath>().and_then(|route| self.0.get(route.as_str()));
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let Some(known) = route.and_then(|methods| methods.get(method)) else { return Ok(()) };
        let mut given = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
        given.find(|name| !known.iter().any(|known| *known == *name)).map_or(Ok(()), |name| Err(unknown(&name, known)))
    }
}

fn names(operation: &Operation) -> Vec<String> {
    let named = |parameter: &RefOr<Parameter>| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => Some(parameter.name.clone()),
        _ => None,
    };
    operation.parameters.iter().flatten().filter_map(named).collect()
}

fn unknown(name: &str, known: &[String]) -> Problem {
    let shown: String = name.chars().take(80).collect();
    let near = did_you_mean(name, known.iter().map(String::as_str));
    let near = near.map(|near| format!("; {near}")).unwrap_or_default();
    let problem =
        Problem::new(StatusCode::BAD_REQUEST, "invalid_query", format!("there is no parameter `{shown}`{near}"));
    if known.is_empty() {
        return problem.remedy("this address takes none");
    }
    problem.remedy(format!("this address takes `{}`", known.join("`, `")))
}

/// Refuses parameters that there are not: whoever misspells a filter would take all for what they asked for.
pub(super) async fn known(State(parameters): State<Arc<Parameters>>, request: Request, next: Next) -> Response {
    // Nothing of a request is looked at before it is known who asks; where that does not matter, there is no query.
    let is_known = request.extensions().get::<Identified>().is_some_and(|identified| identified.0.is_ok());
    match parameters.check(&request) {
        Err(problem) if is_known => problem.into_response(),
        _ => next.run(request).await,
    }
}

/// A parameter whose value is not what it has to be: told as the document describes it.
pub(super) fn invalid<T: IntoParams>(rejection: &str) -> Problem {
    let said = rejection.strip_prefix("Failed to deserialize query string: ").unwrap_or(rejection);
    let named = said.split(": ").next().unwrap_or_default();
    let parameter = T::into_params(|| Some(ParameterIn::Query)).into_iter().find(|parameter| parameter.name == named);
    let detail = match parameter.as_ref().and_then(meant) {
        Some(meant) => format!("`{named}` is {meant}"),
        None => said.to_owned(),
    };
    let problem = Problem::new(StatusCode::BAD_REQUEST, "invalid_query", detail);
    match parameter.and_then(|parameter| parameter.description) {
        Some(description) => problem.remedy(format!("`{named}`: {description}")),
        None => problem,
    }
}

/// What values a parameter has, in words.
fn meant(parameter: &Parameter) -> Option<String> {
    let Some(RefOr::T(Schema::Object(schema))) = &parameter.schema else { return None };
    let is = |kind: &Type| match &schema.schema_type {
        SchemaType::Type(only) => only == kind,
        SchemaType::Array(several) => several.contains(kind),
        SchemaType::AnyValue => false,
    };
    if let Some(values) = &schema.enum_values {
        let words: Vec<String> =
            values.iter().filter_map(|value| value.as_str().map(|word| format!("`{word}`"))).collect();
        return Some(format!("one of {}", words.join(", ")));
    }
    if is(&Type::Boolean) {
        return Some("`true` or `false`".to_owned());
    }
    if !is(&Type::Integer) {
        return None;
    }
    let bound = |bound: &Option<Number>| match bound {
        Some(Number::Int(bound)) => Some(bound.to_string()),
        Some(Number::UInt(bound)) => Some(bound.to_string()),
        Some(Number::Float(bound)) => Some(bound.to_string()),
        None => None,
    };
    Some(match (bound(&schema.minimum), bound(&schema.maximum)) {
        (Some(least), Some(most)) => format!("a whole number, {least} to {most}"),
        _ => "a whole number".to_owned(),
    })
}
