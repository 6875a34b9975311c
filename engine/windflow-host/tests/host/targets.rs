//! Targets are reached where every key agrees, and nowhere else.

use std::sync::Arc;

use serde_json::{Value, json};
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::id::{OrganisationId, RunId, RunKey};
use windflow_core::json::Json;
use windflow_core::ports::files::FileStore;
use windflow_core::ports::host::LogLevel;
use windflow_core::ports::store::BoxFuture;
use windflow_core::ports::targets::{TargetCall, Targets};
use windflow_host::PluginHost;
use windflow_store::MemoryFiles;

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
            if let Some(folder) = &call.folder {
                let files = folder.list().map_err(|error| Failure::new(FailureKind::Node, error.to_string()))?;
                return Ok(Json::from(json!(files)));
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

/// A plugin that builds from a folder of the run, whether its manifest and the node's configuration say so or not.
fn handing(hands: &Value, config: &Value) -> (PluginHost, Attempt) {
    let host = host();
    host.install(guest("hand", &json!({ "docker": true, "hands_files": hands }))).unwrap();
    host.set_targets(Arc::new(Echo));
    let mut attempt = Attempt::of("hand").config(&config.to_string());
    let files = MemoryFiles::new();
    let run: RunId = "01890000-0000-7000-8000-000000000000".parse().unwrap();
    let other: RunId = "01890000-0000-7000-8000-000000000001".parse().unwrap();
    for (run, path) in [(run, "shop/Dockerfile"), (run, "shop/a/b"), (run, "shopping"), (run, "x/y"), (other, "shop/c")]
    {
        let run = RunKey { organisation: OrganisationId::local(), run };
        files.write(&run, &path.parse().unwrap(), 0, b"x").unwrap();
    }
    attempt.files = Some(Arc::new(files));
    attempt.grants.docker = vec!["edge".to_owned()];
    attempt.grants.files = true;
    (host, attempt)
}

#[tokio::test]
async fn the_folder_that_the_configuration_names_goes_to_the_target_and_nothing_else() {
    let (host, attempt) = handing(&json!(["build.folder"]), &json!({ "build": { "folder": "shop" } }));
    attempt.gives(&host, r#"[["Dockerfile",1],["a/b",1]]"#).await;
}

#[tokio::test]
async fn a_folder_goes_to_a_target_only_where_every_key_agrees() {
    let (fields, config) = (json!(["build.folder"]), json!({ "build": { "folder": "shop" } }));
    let (host, attempt) = handing(&json!([]), &config);
    attempt.fails(&host, FailureKind::Denied, "`hands_files`").await;
    // What the author of the workflow did not name, the guest cannot have.
    for other in [json!({}), json!({ "build": { "folder": "x" } }), json!({ "folder": "shop" }), json!("shop")] {
        let (host, attempt) = handing(&fields, &other);
        let failure =
            attempt.fails(&host, FailureKind::Denied, "not the one that the node's configuration names").await;
        assert_eq!(failure.retry, RetryHint::Never);
    }
    let (host, mut attempt) = handing(&fields, &config);
    attempt.grants.files = false;
    let failure = attempt.fails(&host, FailureKind::Denied, "permissions: { files: true }").await;
    assert_eq!(failure.retry, RetryHint::Never);
    let (host, mut attempt) = handing(&fields, &config);
    attempt.grants.docker.clear();
    attempt.fails(&host, FailureKind::Denied, "docker: [edge]").await;
    let (host, mut attempt) = handing(&fields, &config);
    attempt.files = None;
    attempt.fails(&host, FailureKind::Node, "no folder for them").await;
}

#[test]
fn whoever_does_not_ask_for_it_is_not_installed() {
    let error = host().install(guest("deploy", &json!({}))).unwrap_err().to_string();
    assert!(error.contains("docker = true"), "{error}");
}
