use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::french;
use crate::id::{Digest, NodeTypeRef};
use crate::ports::host::InstalledNodeType;

/// Node types by what they ask for.
struct Types(Vec<(&'static str, serde_json::Value, bool)>);

impl Registry for Types {
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        let (name, asks, pure) = self.0.iter().find(|(name, ..)| **name == *uses.name)?;
        let text = json!({ "en": "text" });
        let manifest = json!({
            "plugin": { "name": name, "version": "1.0.0", "description": text }, "capabilities": asks,
            "node": { (*name): { "title": text, "description": text, "category": "other", "icon": "lucide:box", "config": {} } },
        });
        let manifest = Arc::new(serde_json::from_value(manifest).unwrap());
        Some(InstalledNodeType { manifest, name: (*name).into(), component: Digest::of(name.as_bytes()), pure: *pure })
    }

    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        Vec::new()
    }
}

fn credentials(name: &str) -> Known {
    let document = match name {
        "crm" => json!({
            "bind": { "oauth2": { "token_url": "https://login.example.org/oauth2/token", "client_id": "me" } },
            "hosts": ["crm.example.org"], "value": "s3cret-s3cret",
        }),
        "chat" => json!({ "bind": "url", "value": "https://hooks.example.org/s3cret-path" }),
        "hidden" => return Known::Hidden,
        _ => return Known::Unset,
    };
    Known::Set(Arc::new(serde_json::from_value(document).unwrap()))
}

/// What may be reached, a line each: kind, words, nodes.
#[track_caller]
fn check(text: &str, children: &Children, language: &str, expect: &[&str]) {
    let types = Types(vec![
        ("http", json!({ "http": ["*"], "credentials": true, "run_context": true }), false),
        ("idle", json!({ "http": ["*"], "state": true }), true),
        ("post", json!({ "email": true, "credentials": true }), false),
        ("keep", json!({ "state": true, "files": true, "events": true }), false),
        ("tell", json!({ "clock": true, "random": true }), false),
        ("build", json!({ "docker": true, "hands_files": ["folder"] }), false),
    ]);
    let (workflow, problems) = Workflow::parse(&format!("windflow: 1\nname: test\n{text}"));
    assert_eq!(problems, []);
    let found = reach(&workflow.unwrap(), children, &types, &credentials);
    for one in &found {
        assert_eq!(french::mistakes(one.what.get("fr")), [""; 0]);
    }
    let line = |one: &Reached| format!("{}: {}; {}", one.kind.word(), one.what.get(language), one.nodes.join(" "));
    assert_eq!(found.iter().map(line).collect::<Vec<_>>(), expect);
}

#[test]
fn the_token_server_of_a_credential_is_told_although_nobody_grants_it() {
    let text = "permissions: { http: [crm.example.org], credentials: [crm] }\nnodes: { a: { uses: http@1 } }\n";
    check(
        text,
        &Children::default(),
        "en",
        &[
            "http: crm.example.org, by HTTP; a",
            "credential: access tokens of the credential crm, which go to crm.example.org; a",
            "token_server: https://login.example.org, which the engine asks for access tokens with the credential crm; a",
            "run_context: its own run, node, attempt and idempotency key; a",
        ],
    );
    check(
        text,
        &Children::default(),
        "fr",
        &[
            "http: crm.example.org, par HTTP; a",
            "credential: les jetons d’accès de l’identifiant crm, qui vont à crm.example.org; a",
            "token_server: https://login.example.org, à qui le moteur demande des jetons d’accès avec l’identifiant crm; a",
            "run_context: ses propres exécution, nœud, tentative et clé d’idempotence; a",
        ],
    );
}

/// The value of a credential is an address here: its host is told, and not the rest, which is the secret.
#[test]
fn credentials_are_told_by_where_they_go() {
    check(
        "permissions: { http: [hooks.example.org], credentials: [chat, nowhere, hidden] }\nnodes: { a: { uses: post@1 } }\n",
        &Children::default(),
        "en",
        &[
            "credential: the credential chat, which goes to https://hooks.example.org; a",
            "credential: the credential nowhere, which is not set here, so that it is not known where it goes; a",
            "credential: the credential hidden; a",
        ],
    );
}

#[test]
fn what_is_granted_and_asked_for_by_nobody_is_not_reached() {
    let all = "permissions: { http: [\"*\"], docker: [prod], email: [\"mail.example.org:587\"], events: [a.b], state: true, files: true, clock: true, random: true, credentials: [crm] }\n";
    check(&format!("{all}nodes: {{ a: {{ uses: idle@1 }} }}\n"), &Children::default(), "en", &[]);
    check(
        &format!(
            "{all}nodes: {{ a: {{ uses: keep@1 }}, b: {{ uses: build@1, with: {{ folder: src }} }}, c: {{ uses: build@1 }} }}\n"
        ),
        &Children::default(),
        "en",
        &[
            "docker: the target prod; b c",
            "event: the event a.b, and so the workflows that listen to it; a",
            "state: values kept for later runs; a",
            "files: files of the run, which end with it; a",
            "handed_files: files of the run, handed to a target to build from; b",
        ],
    );
}

#[test]
fn time_and_chance_are_told_where_they_are_granted_and_asked_for() {
    let nodes = "nodes: { a: { uses: tell@1 }, b: { uses: keep@1 } }\n";
    check(
        &format!("permissions: {{ clock: true, random: true }}\n{nodes}"),
        &Children::default(),
        "en",
        &["clock: the time of the machine; a", "random: random numbers of the machine; a"],
    );
    check(
        &format!("permissions: {{ random: true }}\n{nodes}"),
        &Children::default(),
        "fr",
        &["random: des nombres aléatoires de la machine; a"],
    );
}

#[test]
fn what_a_workflow_runs_reaches_as_well() {
    let leaf = "windflow: 1\nname: leaf\npermissions: { http: [\"${{ inputs.to }}\"] }\ninputs: { to: { type: string } }\nnodes: { call: { uses: http@1 } }\n";
    let middle = "windflow: 1\nname: middle\nnodes: { on: { uses: workflow@1, with: { name: leaf } } }\n";
    let child = |document: &str, children| Child { document: document.to_owned(), children };
    let below = Children(BTreeMap::from([("name:leaf".to_owned(), child(leaf, Children::default()))]));
    let children = Children(BTreeMap::from([("file:parts/middle.yaml".to_owned(), child(middle, below))]));
    check(
        "nodes: { go: { uses: workflow@1, with: { file: parts/middle.yaml } } }\n",
        &children,
        "en",
        &[
            "http: the origin that `inputs.to` gives when the run starts, by HTTP; go › on › call",
            "run_context: its own run, node, attempt and idempotency key; go › on › call",
        ],
    );
}
