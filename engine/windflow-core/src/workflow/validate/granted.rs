//! What the plugin behind a node asks for, held against what the workflow grants: told before the run, with the line to add.

use crate::capability::Origin;
use crate::manifest::Handed;
use crate::ports::host::InstalledNodeType;
use crate::problem::Problem;
use crate::workflow::{Node, Workflow};

pub(super) fn check(workflow: &Workflow, node: &Node, installed: &InstalledNodeType, problems: &mut Vec<Problem>) {
    let (asked, granted) = (&installed.manifest.capabilities, &workflow.permissions);
    check_credential(workflow, node, problems);
    if asked.docker {
        check_target(workflow, node, problems);
    }
    if asked.email {
        check_mail_server(workflow, node, problems);
    }
    if asked.events {
        check_event(workflow, node, problems);
    }
    let place = &node.uses.place;
    let wants = |does: &str| format!("`{}` {does}, which is not granted to this workflow", node.uses.value);
    let add = |permission: &str| format!("add to the workflow: permissions: {{ {permission}: true }}");
    if asked.state && !granted.state {
        let message = wants("keeps values for later runs");
        problems.push(Problem::error("state_not_granted", place, message).remedy(add("state")));
    }
    if asked.files && !granted.files {
        let message = wants("keeps files of the run");
        problems.push(Problem::error("files_not_granted", place, message).remedy(add("files")));
    }
    if asked.clock && !granted.clock {
        let message = wants("reads the time of the machine");
        problems.push(Problem::error("clock_not_granted", place, message).remedy(add("clock")));
    }
    if asked.random && !granted.random {
        let message = wants("draws random numbers of the machine");
        problems.push(Problem::error("random_not_granted", place, message).remedy(add("random")));
    }
    if let Handed::Named(folder) = asked.handed(&node.with)
        && !granted.files
    {
        let message = wants("hands files of the run to its target");
        problems.push(Problem::error("folder_not_granted", &folder.place, message).remedy(add("files")));
    }
    if !asked.http.is_empty() && granted.http.is_empty() {
        let message =
            format!("`{}` sends requests, and this workflow grants no host: they will be denied", node.uses.value);
        let remedy = "add the hosts that it may reach: permissions: { http: [\"api.example.org\"] }";
        problems.push(Problem::warning("no_permission", &node.uses.place, message).remedy(remedy));
    }
}

fn check_credential(workflow: &Workflow, node: &Node, problems: &mut Vec<Problem>) {
    if let Some(credential) = node.with.get("credential").filter(|template| template.as_str().is_some()) {
        let name = credential.as_str().unwrap_or_default();
        if !workflow.permissions.credentials.iter().any(|granted| granted.value == name) {
            let message = format!("the credential `{name}` is not granted to this workflow");
            let remedy = format!("add to the workflow: permissions: {{ credentials: [{name}] }}");
            problems.push(Problem::error("credential_not_granted", &credential.place, message).remedy(remedy));
        }
    }
}

/// A node that deploys names a target, which the workflow has to grant.
fn check_target(workflow: &Workflow, node: &Node, problems: &mut Vec<Problem>) {
    let Some(target) = node.with.get("target") else { return };
    let Some(name) = target.as_str() else { return };
    if !workflow.permissions.docker.iter().any(|granted| granted.value == name) {
        let message = format!("the target `{name}` is not granted to this workflow");
        let remedy = format!("add to the workflow: permissions: {{ docker: [{name}] }}");
        problems.push(Problem::error("target_not_granted", &target.place, message).remedy(remedy));
    }
}

/// A node that sends mail names a server, which the workflow has to grant.
fn check_mail_server(workflow: &Workflow, node: &Node, problems: &mut Vec<Problem>) {
    let Some(server) = node.with.get("server") else { return };
    let Some(origin) = server.as_str().and_then(|server| Origin::from_url(&format!("https://{server}"))) else {
        return;
    };
    if !workflow.permissions.email.iter().any(|granted| granted.value.covers(&origin)) {
        let name = server.as_str().unwrap_or_default();
        let message = format!("the mail server {name} is not granted to this workflow");
        let remedy = format!("add to the workflow: permissions: {{ email: [\"{name}\"] }}");
        problems.push(Problem::error("mail_server_not_granted", &server.place, message).remedy(remedy));
    }
}

/// A node that publishes names an event, which the workflow has to grant.
fn check_event(workflow: &Workflow, node: &Node, problems: &mut Vec<Problem>) {
    let Some(event) = node.with.get("name") else { return };
    let Some(name) = event.as_str() else { return };
    if !workflow.permissions.events.iter().any(|granted| granted.value.covers(name)) {
        let message = format!("the event `{name}` is not granted to this workflow");
        let remedy = format!("add to the workflow: permissions: {{ events: [{name}] }}");
        problems.push(Problem::error("event_not_granted", &event.place, message).remedy(remedy));
    }
}
