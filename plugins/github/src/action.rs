//! What can be done, and the request that does it.

use windflow_sdk::http::encode;
use windflow_sdk::serde_json::{Map, Value, json};
use windflow_sdk::{Json, NodeError, config};

use crate::wrong;

/// What is done or read.
#[config]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Lists issues without pull requests, the newest first.
    ListIssues(ListIssues),
    /// Writes an issue.
    CreateIssue(CreateIssue),
    /// Comments on an issue or a pull request.
    Comment(Comment),
    /// Closes an issue.
    CloseIssue(CloseIssue),
    /// Reads the latest release.
    LatestRelease,
    /// Makes a release.
    CreateRelease(CreateRelease),
    /// Starts a workflow of GitHub Actions.
    Dispatch(Dispatch),
    /// Sends a `repository_dispatch`.
    Event(RepositoryEvent),
    /// Sets the status of a commit.
    Status(Status),
    /// Reads the status of a commit, branch or tag.
    CombinedStatus(String),
}

/// Which issues.
#[config]
pub struct ListIssues {
    /// `open`, `closed` or `all`.
    #[serde(default = "open")]
    state: String,
    /// All of these labels.
    #[serde(default)]
    labels: Vec<String>,
    /// Changed since this time (RFC 3339).
    #[serde(default)]
    since: Option<String>,
    /// How many at most, up to 100.
    #[serde(default = "hundred")]
    limit: u8,
}

/// A new issue.
#[config]
pub struct CreateIssue {
    /// Its title.
    title: String,
    /// Its text, in Markdown.
    #[serde(default)]
    body: Option<String>,
    /// Its labels.
    #[serde(default)]
    labels: Vec<String>,
    /// Whose it is.
    #[serde(default)]
    assignees: Vec<String>,
}

/// A comment.
#[config]
pub struct Comment {
    /// The number of the issue or pull request.
    issue: u64,
    /// Its text, in Markdown.
    body: String,
}

/// An issue to close.
#[config]
pub struct CloseIssue {
    /// Its number.
    issue: u64,
    /// `completed` or `not_planned`.
    #[serde(default = "completed")]
    reason: String,
}

/// A new release.
#[config]
pub struct CreateRelease {
    /// Its tag.
    tag: String,
    /// Its name; the tag where left out.
    #[serde(default)]
    name: Option<String>,
    /// Its text, in Markdown.
    #[serde(default)]
    body: Option<String>,
    /// Not published yet.
    #[serde(default)]
    draft: bool,
    /// Not for everybody yet.
    #[serde(default)]
    prerelease: bool,
    /// Let GitHub list what changed.
    #[serde(default)]
    generate_notes: bool,
}

/// A workflow to start.
#[config]
pub struct Dispatch {
    /// Its file, such as `deploy.yml`.
    workflow: String,
    /// The branch or tag.
    #[serde(rename = "ref")]
    reference: String,
    /// Its inputs.
    #[serde(default)]
    inputs: Option<Json>,
}

/// An event of one's own.
#[config]
pub struct RepositoryEvent {
    /// Its type.
    #[serde(rename = "type")]
    kind: String,
    /// What it says.
    #[serde(default)]
    payload: Option<Json>,
}

/// The status of a commit.
#[config]
pub struct Status {
    /// The commit.
    sha: String,
    /// `error`, `failure`, `pending` or `success`.
    state: String,
    /// What tells it apart from other statuses.
    #[serde(default = "windflow")]
    context: String,
    /// One line about it.
    #[serde(default)]
    description: Option<String>,
    /// Where to read more.
    #[serde(default)]
    url: Option<String>,
}

fn open() -> String {
    "open".to_owned()
}

fn hundred() -> u8 {
    100
}

fn completed() -> String {
    "completed".to_owned()
}

fn windflow() -> String {
    "windflow".to_owned()
}

/// A request within a repository.
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
}

impl Action {
    pub(crate) fn call(&self) -> Result<Call, NodeError> {
        let get = |path: String| Call { method: "GET", path, query: Vec::new(), body: None };
        let post = |path: String, body: Value| Call { method: "POST", path, query: Vec::new(), body: Some(body) };
        Ok(match self {
            Self::ListIssues(list) => {
                one_of("state", &list.state, &["open", "closed", "all"])?;
                let mut call = get("issues".to_owned());
                call.query = vec![("state", list.state.clone()), ("per_page", list.limit.clamp(1, 100).to_string())];
                if !list.labels.is_empty() {
                    call.query.push(("labels", list.labels.join(",")));
                }
                call.query.extend(list.since.clone().map(|since| ("since", since)));
                call
            }
            Self::CreateIssue(issue) => post(
                "issues".to_owned(),
                without_nulls(json!({
                    "title": issue.title, "body": issue.body, "labels": issue.labels, "assignees": issue.assignees,
                })),
            ),
            Self::Comment(comment) => {
                post(format!("issues/{}/comments", comment.issue), json!({ "body": comment.body }))
            }
            Self::CloseIssue(close) => {
                one_of("reason", &close.reason, &["completed", "not_planned"])?;
                let body = json!({ "state": "closed", "state_reason": close.reason });
                Call { method: "PATCH", ..post(format!("issues/{}", close.issue), body) }
            }
            Self::LatestRelease => get("releases/latest".to_owned()),
            Self::CreateRelease(release) => post(
                "releases".to_owned(),
                without_nulls(json!({
                    "tag_name": release.tag, "name": release.name, "body": release.body, "draft": release.draft,
                    "prerelease": release.prerelease, "generate_release_notes": release.generate_notes,
                })),
            ),
            Self::Dispatch(dispatch) => {
                let path = format!("actions/workflows/{}/dispatches", encode(&dispatch.workflow));
                let mut body = json!({ "ref": dispatch.reference });
                if let Some(inputs) = &dispatch.inputs {
                    body["inputs"] = inputs.parse()?;
                }
                post(path, body)
            }
            Self::Event(event) => {
                let mut body = json!({ "event_type": event.kind });
                if let Some(payload) = &event.payload {
                    body["client_payload"] = payload.parse()?;
                }
                post("dispatches".to_owned(), body)
            }
            Self::Status(status) => {
                one_of("state", &status.state, &["error", "failure", "pending", "success"])?;
                let body = json!({
                    "state": status.state, "context": status.context, "description": status.description, "target_url": status.url,
                });
                post(format!("statuses/{}", encode(&status.sha)), without_nulls(body))
            }
            Self::CombinedStatus(reference) => get(format!("commits/{}/status", encode(reference))),
        })
    }

    /// To GitHub, pull requests are issues.
    pub(crate) fn tidy(&self, answer: Value) -> Value {
        match (self, answer) {
            (Self::ListIssues(_), Value::Array(issues)) => {
                issues.into_iter().filter(|issue| issue.get("pull_request").is_none()).collect()
            }
            (_, answer) => answer,
        }
    }
}

fn one_of(field: &str, value: &str, known: &[&str]) -> Result<(), NodeError> {
    if known.contains(&value) {
        return Ok(());
    }
    Err(wrong(format!("`{field}`: `{value}` is none of {}", known.join(", "))))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>().into(),
        other => other,
    }
}
