//! What a server answers: bounded, and in its own words where it refuses.

use std::fmt;

use reqwest::{Response, StatusCode};
use serde::Deserialize;

/// Longer answers are not read: no page of a list comes near it.
const MAX_BYTES: usize = 64 << 20;

/// Reads what was answered.
///
/// # Errors
/// Where the connection ends before the answer does, or the answer is too long.
pub(super) async fn body(mut answer: Response) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        anyhow::ensure!(bytes.len() + chunk.len() <= MAX_BYTES, "the answer is longer than {} MiB", MAX_BYTES >> 20);
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A server did not do what it was asked. Problem details, RFC 9457.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    problem: Problem,
}

/// What is wrong, in the server's words.
#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
    remedy: Option<String>,
    #[serde(default)]
    problems: Vec<DocumentProblem>,
}

/// One thing that is wrong with a document.
#[derive(Debug, Clone, Deserialize, serde::Serialize)]
pub(crate) struct DocumentProblem {
    /// In which file of a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    code: String,
    severity: String,
    message: String,
    line: u32,
    column: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl DocumentProblem {
    /// As it is shown for a file, or the folder of a template.
    pub(crate) fn render(&self, path: &str) -> String {
        let Self { file, code, severity, message, line, column, remedy } = self;
        let file = match (path, file) {
            (path, None) => path.to_owned(),
            ("", Some(file)) => file.clone(),
            (folder, Some(file)) => format!("{}/{file}", folder.trim_end_matches('/')),
        };
        let remedy = remedy.as_ref().map(|remedy| format!("\n  = {remedy}")).unwrap_or_default();
        format!("{file}:{line}:{column}: {severity}[{code}]: {message}{remedy}")
    }
}

impl Refused {
    pub(super) async fn read(answer: Response, signed_in: bool) -> Self {
        let status = answer.status();
        let bytes = body(answer).await.unwrap_or_default();
        let mut problem: Problem = serde_json::from_slice(&bytes).unwrap_or_default();
        if problem.detail.is_empty() {
            problem.detail = format!("the server answered {status}");
        }
        if status == StatusCode::UNAUTHORIZED {
            problem.remedy = Some(if signed_in {
                "make another key with `windflow token create`, on the machine of the server, or on its page “API keys”"
                    .into()
            } else {
                "put an API key into WINDFLOW_TOKEN, or name its file with --token-file".into()
            });
        }
        Self { status, problem }
    }
}

impl Refused {
    /// Whether what was asked for is wrong: not that nobody may ask, or that the server fails.
    pub(crate) fn is_invalid(&self) -> bool {
        let denied = matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        self.stays() && !denied
    }

    /// Whether asking again would be answered the same.
    pub(super) fn stays(&self) -> bool {
        self.status.is_client_error() && self.status != StatusCode::TOO_MANY_REQUESTS
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { code, detail, remedy, problems } = &self.problem;
        f.write_str(detail)?;
        if !code.is_empty() {
            write!(f, " [{code}]")?;
        }
        for DocumentProblem { file, line, column, message, .. } in problems {
            let file = file.as_ref().map(|file| format!("{file}:")).unwrap_or_default();
            write!(f, "\n  {file}{line}:{column}: {message}")?;
        }
        match remedy {
            Some(remedy) => write!(f, "\n  = {remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refused {}
