//! Targets are reached where every key agrees, and nowhere else.

use std::sync::Arc;

use serde_json::json;
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::json::Json;
use windflow_core::ports::host::LogLevel;
use windflow_core::ports::store::BoxFuture;
use windflow_core::ports::targets::{TargetCall, Targets};
use windflow_host::PluginHost;

use crate::support::{Attempt, guest, host};

/// Tells what it was asked; the target `gone` is not there.
struct Echo;

impl Targets for Echo {
    fn perform(&self, call: TargetCall) -> BoxFuture<'_, Result<Json, Failure>> {
        Box::pin(async move {
            (call.events)("asked");
            if call.target == "gone" {
                let failure = Failure::new(FailureKind::Node, "it is gone");
                return Err(Failure { code: "unreachable".into(), retry: RetryHint::MayHelp, ..failure });
            }
            let asked = json!([call.organisation, call.target, call.request.value()["do"], &*call.key]);
            Ok(Json::from(asked))
        })
    }
}

fn deploying() -> PluginHost {
    let host = host();
    host.install(guest("deploy", &json!({ "docker": true }))).unwrap();
    host.set_targets(Arc::new(Echo));
    host
}

fn attempt(target: &str, granted: &[&str]) -> Attempt {
    let mut attempt = Attempt::of("deploy").config(&json!(target).to_string());
    attempt.grants.docker = granted.iter().map(|name| (*name).to_owned()).collect();
    attempt
}

#[tokio::test]
async fn a_granted_target_is_asked_with_the_attempts_key() {
    let host = deploying();
    let attempt = attempt("edge", &["edge"]);
    attempt.gives(&host, r#"["local","edge","status","run/node"]"#).await;
    assert_eq!(*attempt.heard.lines.lock().unwrap(), [(LogLevel::Info, "asked".to_owned())]);
}

#[tokio::test]
async fn a_target_that_is_not_granted_by_this_very_name_is_denied() {
    let host = deploying();
    for granted in [&[][..], &["edge2"], &["edg"], &["Edge"], &["*"], &["edge "]] {
        let failure = attempt("edge", granted).fails(&host, FailureKind::Denied, "docker: [edge]").await;
        assert_eq!(failure.retry, RetryHint::Never);
    }
    attempt("", &["edge"]).fails(&host, FailureKind::Denied, "does not grant").await;
}

#[tokio::test]
async fn what_a_target_says_keeps_its_code_and_its_hint() {
    let failure = attempt("gone", &["gone"]).fails(&deploying(), FailureKind::Node, "it is gone").await;
    assert_eq!((failure.code.as_str(), failure.retry), ("unreachable", RetryHint::MayHelp));
    let nobody = host();
    nobody.install(guest("deploy", &json!({ "docker": true }))).unwrap();
    attempt("edge", &["edge"]).fails(&nobody, FailureKind::Node, "knows no targets").await;
}

#[test]
fn whoever_does_not_ask_for_it_is_not_installed() {
    let error = host().install(guest("deploy", &json!({}))).unwrap_err().to_string();
    assert!(error.contains("docker = true"), "{error}");
}
