//! Asking for what plugins want beyond a workflow's `permissions:`.

use std::io::{BufRead, IsTerminal, Write};

use windflow_core::capability::HttpPattern;
use windflow_core::id::NodeTypeRef;
use windflow_core::ports::host::Registry;
use windflow_core::workflow::Workflow;

use crate::render;

/// A host that a plugin asks for by name and that nobody grants.
#[derive(Debug, PartialEq)]
struct Wanted {
    uses: NodeTypeRef,
    host: HttpPattern,
}

/// Hosts that the user grants for this run, asked on a terminal. Where there is none nothing is granted: such a request is
/// denied, and the failure names the line to add.
///
/// # Errors
/// Where the terminal cannot be read.
pub(crate) fn ask(
    workflow: &Workflow,
    registry: &dyn Registry,
    allowed: &[HttpPattern],
) -> anyhow::Result<Vec<HttpPattern>> {
    if !std::io::stdin().is_terminal() || !console::user_attended_stderr() {
        return Ok(Vec::new());
    }
    let mut granted = Vec::new();
    for Wanted { uses, host } in beyond(workflow, registry, allowed) {
        let mut stderr = std::io::stderr().lock();
        write!(
            stderr,
            "{uses} wants to send requests to {host}, which the workflow's `permissions:` do not grant.\nGrant it for this run? [y/N] "
        )?;
        stderr.flush()?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            granted.push(host);
        } else {
            render::line("not granted; to grant it always add the host to `permissions: { http: […] }`");
        }
    }
    Ok(granted)
}

/// What the manifests of the used plugins name and nobody grants. A plugin that takes whatever the workflow grants wants
/// nothing beyond.
fn beyond(workflow: &Workflow, registry: &dyn Registry, allowed: &[HttpPattern]) -> Vec<Wanted> {
    let written = workflow.permissions.http.iter().filter_map(|host| host.as_str()?.parse::<HttpPattern>().ok());
    let granted: Vec<HttpPattern> = written.chain(allowed.iter().cloned()).collect();
    let mut wanted: Vec<Wanted> = Vec::new();
    for node in workflow.nodes.values() {
        let Some(installed) = registry.get(&node.uses.value) else { continue };
        let asked = &installed.manifest.capabilities.http;
        // One that knows several services needs that of the workflow's choice.
        if asked.iter().any(|host| granted.iter().any(|granted| granted.includes(host) || host.includes(granted))) {
            continue;
        }
        for host in asked.iter().filter(|host| !host.is_wide()) {
            let known = wanted.iter().any(|wanted| wanted.host == *host);
            if !known {
                wanted.push(Wanted { uses: node.uses.value.clone(), host: host.clone() });
            }
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use windflow_core::id::Digest;
    use windflow_core::ports::host::InstalledNodeType;

    use super::*;

    /// One plugin, `slack`, that wants to reach one of two hosts.
    struct Slack;

    impl Registry for Slack {
        fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
            let manifest = json!({
                "plugin": { "name": "slack", "version": "1.0.0", "description": {} },
                "capabilities": { "http": ["hooks.slack.com", "https://slack.com"] },
                "node": { "slack": { "title": {}, "description": {}, "category": "notify", "icon": "x", "config": {} } },
            });
            let manifest = Arc::new(serde_json::from_value(manifest).unwrap());
            (&*uses.name == "slack").then(|| InstalledNodeType {
                manifest,
                name: "slack".into(),
                component: Digest::of(b""),
                pure: false,
            })
        }

        fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
            Vec::new()
        }
    }

    #[test]
    fn only_what_nobody_grants_is_asked_for_and_once() {
        for (permissions, allowed, asked) in [
            ("", None, 2),
            ("permissions: { http: [example.org] }\n", None, 2),
            ("permissions: { http: [hooks.slack.com] }\n", None, 0),
            ("permissions: { http: [\"*.slack.com\"] }\n", None, 0),
            ("permissions: { http: [\"https://slack.com\"] }\n", None, 0),
            ("", Some("hooks.slack.com"), 0),
        ] {
            let text = format!(
                "windflow: 1\nname: tell\n{permissions}nodes:\n  a: {{ uses: slack@1 }}\n  b: {{ uses: slack@1, needs: [a] }}\n"
            );
            let workflow = Workflow::parse(&text).0.unwrap();
            let allowed: Vec<HttpPattern> = allowed.iter().map(|host| host.parse().unwrap()).collect();
            assert_eq!(beyond(&workflow, &Slack, &allowed).len(), asked, "{permissions}{allowed:?}");
        }
    }
}
