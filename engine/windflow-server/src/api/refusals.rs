//! The ways in which every endpoint may say no.

use std::collections::BTreeMap;

use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::problem::ProblemBody;

/// A problem of any status that the server knows.
pub(crate) struct Refusals;

const STATUSES: [(&str, &str); 14] = [
    ("400", "The request cannot be read"),
    ("401", "There is no valid token"),
    ("403", "The token does not go so far"),
    ("404", "There is no such thing in this organisation"),
    ("408", "It took too long"),
    ("409", "It does not fit what there is"),
    ("412", "It was changed meanwhile"),
    ("413", "The body is too large"),
    ("415", "The body is of another type"),
    ("422", "It can be read, and is not valid"),
    ("428", "`If-Match` is missing"),
    ("429", "Too often"),
    ("500", "The server has a fault"),
    ("503", "Not at present"),
];

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let response = |description: &str| {
            let content = Content::new(Some(Ref::from_schema_name(ProblemBody::name())));
            ResponseBuilder::new().description(description).content("application/problem+json", content).build()
        };
        STATUSES.iter().map(|(status, what)| ((*status).to_owned(), RefOr::T(response(what)))).collect()
    }
}
