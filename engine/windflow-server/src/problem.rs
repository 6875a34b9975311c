//! What went wrong, as RFC 9457 has it: the only way in which this server says no.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use windflow_core::ports::records::RecordsError;
use windflow_core::ports::store::StoreError;
use windflow_core::problem as document;
use windflow_marketplace::files::Fault;
use windflow_runtime::{Lost, RerunError, ResumeError, StartError};

/// Why a request is not answered as asked. Boxed, since it is rare and everything else returns beside it.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<ProblemBody>);

/// A request that was not answered as asked. `application/problem+json`, RFC 9457.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// A URN that is the same for all problems of this code.
    #[serde(rename = "type")]
    kind: String,
    /// The HTTP status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// Stable, in snake case.
    code: &'static str,
    /// What is wrong.
    detail: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// What is wrong with the document, each with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<DocumentProblem>,
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// One thing that is wrong with a document.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct DocumentProblem {
    /// In which file of a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// Stable, in snake case.
    code: &'static str,
    /// `error` or `warning`.
    severity: &'static str,
    /// What is wrong.
    message: String,
    /// Line, from 1.
    line: u32,
    /// Column, from 1, in characters.
    column: u32,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl From<&document::Problem> for DocumentProblem {
    fn from(problem: &document::Problem) -> Self {
        Self {
            file: None,
            code: problem.code,
            severity: if problem.is_error() { "error" } else { "warning" },
            message: problem.message.clone(),
            line: problem.place.line,
            column: problem.place.column,
            remedy: problem.remedy.clone(),
        }
    }
}

impl DocumentProblem {
    /// With the file that it is in.
    pub(crate) fn of_template(fault: &Fault) -> Self {
        Self { file: (!fault.file.is_empty()).then(|| fault.file.clone()), ..Self::from(&fault.problem) }
    }
}

/// How many there are, in words.
fn errors(problems: &[document::Problem]) -> String {
    let count = problems.iter().filter(|problem| problem.is_error()).count();
    format!("{count} error{}", if count == 1 { "" } else { "s" })
}

/// What handlers give.
pub(crate) type Answer<T> = Result<T, Problem>;

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(ProblemBody {
            kind: format!("urn:windflow:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Problem"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            remedy: None,
            problems: Vec::new(),
            retry_after: None,
        }))
    }

    /// What is told of it where it is a part of an answer.
    pub(crate) fn into_body(self) -> ProblemBody {
        *self.0
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {what}"))
    }

    pub(crate) fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// The document is not fit.
    pub(crate) fn document(problems: &[document::Problem]) -> Self {
        Self::invalid("invalid_workflow", format!("the workflow has {}", errors(problems))).all(problems)
    }

    /// The document is fit; what it was to be started with is not.
    fn inputs(problems: &[document::Problem]) -> Self {
        Self::invalid("invalid_inputs", format!("the inputs do not fit: {}", errors(problems))).all(problems)
    }

    fn all(mut self, problems: &[document::Problem]) -> Self {
        self.0.problems = problems.iter().map(Into::into).collect();
        self
    }

    /// A template is not fit: each problem with its file before it.
    pub(crate) fn template(faults: &[Fault]) -> Self {
        let count = faults.iter().filter(|fault| fault.is_error()).count();
        let detail = format!("the template has {count} error{}", if count == 1 { "" } else { "s" });
        let mut problem = Self::invalid("invalid_template", detail);
        problem.0.problems = faults.iter().map(DocumentProblem::of_template).collect();
        problem
    }

    /// The stack is not fit.
    pub(crate) fn stack(problems: &[document::Problem]) -> Self {
        Self::invalid("invalid_stack", format!("the stack has {}", errors(problems))).all(problems)
    }

    /// Something that only the operator can mend. What it is belongs into the log, not into the answer.
    pub(crate) fn internal(why: impl std::fmt::Display) -> Self {
        tracing::error!(error = %why, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server could not do this; its log says why")
    }

    pub(crate) fn status(&self) -> u16 {
        self.0.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.0.retry_after;
        let mut response = (status, Json(self.0)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::PAYLOAD_TOO_LARGE || status == StatusCode::REQUEST_TIMEOUT {
            // The rest of the body is not read, so nothing more can come over this connection: the client should know.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(what) => Self::not_found(what),
            StoreError::ReadOnly(why) => {
                tracing::error!(why, "the store takes no more");
                let detail = "nothing can be kept at present, so nothing new is begun";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail).retry_after(10)
            }
            StoreError::Conflict { .. } => Self::conflict("conflict", "it has changed meanwhile"),
            StoreError::TooLarge(why) => Self::invalid("too_large", why),
            StoreError::Invalid(why) => Self::invalid("invalid", why),
            StoreError::Corrupted(_) | StoreError::Unavailable(_) => Self::internal(error),
        }
    }
}

impl From<RecordsError> for Problem {
    fn from(error: RecordsError) -> Self {
        match error {
            RecordsError::Conflict { .. } => {
                Self::conflict("conflict", "it has changed meanwhile").remedy("read it again, then decide anew")
            }
            RecordsError::Refused(why) => Self::invalid("refused", why),
            RecordsError::Store(error) => error.into(),
        }
    }
}

impl From<Lost> for Problem {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Store(error) => error.into(),
            Lost::Document(problems) => Self::document(&problems),
            Lost::Stopped => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the server is stopping").retry_after(5)
            }
            other => Self::internal(other),
        }
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Invalid(invalid) if invalid.of_inputs => Self::inputs(&invalid.problems),
            StartError::Invalid(invalid) => Self::document(&invalid.problems),
            StartError::AtLimit { .. } => Self::conflict("concurrency_limit", error.to_string()),
            StartError::Overloaded(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", error.to_string()),
            StartError::Exists(run) => Self::conflict("exists", format!("run {run} was started before")),
            StartError::Store(error) => error.into(),
            StartError::Lost(lost) => lost.into(),
        }
    }
}

impl From<RerunError> for Problem {
    fn from(error: RerunError) -> Self {
        let detail = error.to_string();
        match error {
            RerunError::NotEnded(_) => Self::conflict("not_ended", detail),
            RerunError::UnknownNode { .. } => Self::invalid("unknown_node", detail),
            RerunError::Start(error) => error.into(),
            RerunError::Lost(lost) => lost.into(),
        }
    }
}

impl From<ResumeError> for Problem {
    fn from(error: ResumeError) -> Self {
        match error {
            ResumeError::Ended(run) => Self::conflict("run_ended", format!("run {run} has ended")),
            ResumeError::ComponentChanged { .. } => Self::conflict("component_changed", error.to_string()),
            ResumeError::Lost(lost) => lost.into(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} [{}]", self.0.detail, self.0.code)
    }
}
