//! Everything that a workflow may reach, in plain words: what somebody reads before a run. What a single node type may touch is in
//! `manifest/reach.rs`.

use std::sync::Arc;

use super::children::name_of;
use super::{Child, Children, Workflow};
use crate::capability::{HttpPattern, Origin};
use crate::credential::{Binding, Credential};
use crate::expression::Template;
use crate::id::NodeId;
use crate::manifest::{Handed, RequestedCapabilities, Text};
use crate::native::Native;
use crate::ports::host::Registry;

/// Stands between the node that runs another workflow and the node of that one.
const INSIDE: &str = " › ";

/// One thing that may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Of which kind it is.
    pub kind: ReachedKind,
    /// What it is, in English and French.
    pub what: Text,
    /// The nodes that may; those of a workflow that is run are written behind the node that runs it.
    pub nodes: Vec<String>,
}

/// Kinds of what may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReachedKind {
    /// A host, by requests.
    Http,
    /// A host that the engine asks for access tokens.
    TokenServer,
    /// A target.
    Docker,
    /// A mail server.
    Email,
    /// An event.
    Event,
    /// Values that are kept for later runs.
    State,
    /// Files of the run.
    Files,
    /// Files of the run that go to a target.
    HandedFiles,
    /// The time of the machine.
    Clock,
    /// Random numbers of the machine.
    Random,
    /// A credential, which goes along with requests.
    Credential,
    /// Facts about the run.
    RunContext,
}

impl ReachedKind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::TokenServer => "token_server",
            Self::Docker => "docker",
            Self::Email => "email",
            Self::Event => "event",
            Self::State => "state",
            Self::Files => "files",
            Self::HandedFiles => "handed_files",
            Self::Clock => "clock",
            Self::Random => "random",
            Self::Credential => "credential",
            Self::RunContext => "run_context",
        }
    }
}

/// What is known of a credential that a workflow names.
#[derive(Debug, Clone)]
pub enum Known {
    /// There is one; its value is not looked at.
    Set(Arc<Credential>),
    /// There is none.
    Unset,
    /// Whoever asks may not know.
    Hidden,
}

/// Everything that a valid workflow may reach, and whatever it runs. More may be told than its nodes make use of, and never less.
#[must_use]
pub fn reach(
    workflow: &Workflow,
    children: &Children,
    registry: &dyn Registry,
    credential: &dyn Fn(&str) -> Known,
) -> Vec<Reached> {
    let mut all = Vec::new();
    add(&mut all, "", workflow, children, registry, credential);
    all
}

fn add(
    all: &mut Vec<Reached>,
    within: &str,
    workflow: &Workflow,
    children: &Children,
    registry: &dyn Registry,
    credential: &dyn Fn(&str) -> Known,
) {
    let asking = Asking::of(within, workflow, registry);
    let permissions = &workflow.permissions;
    let mut found = |kind, what: [String; 2], nodes: &[String]| {
        let [en, fr] = what;
        // What no node asks for cannot be reached, though it is granted.
        if !nodes.is_empty() {
            let what = Text([("en".to_owned(), en), ("fr".to_owned(), fr)].into());
            all.push(Reached { kind, what, nodes: nodes.to_vec() });
        }
    };
    let http = asking.nodes(|asked| !asked.http.is_empty());
    for host in &permissions.http {
        found(ReachedKind::Http, requests(host), &http);
    }
    for target in &permissions.docker {
        let name = &target.value;
        let what = [format!("the target {name}"), format!("la cible {name}")];
        found(ReachedKind::Docker, what, &asking.nodes(|asked| asked.docker));
    }
    for server in &permissions.email {
        let server = &server.value;
        let what = [format!("the mail server {server}"), format!("le serveur de courrier {server}")];
        found(ReachedKind::Email, what, &asking.nodes(|asked| asked.email));
    }
    for event in &permissions.events {
        let event = &event.value;
        let what = [
            format!("the event {event}, and so the workflows that listen to it"),
            format!("l’événement {event}, et donc les workflows qui l’écoutent"),
        ];
        found(ReachedKind::Event, what, &asking.nodes(|asked| asked.events));
    }
    if permissions.state {
        let what = ["values kept for later runs", "des valeurs gardées pour les exécutions suivantes"];
        found(ReachedKind::State, what.map(str::to_owned), &asking.nodes(|asked| asked.state));
    }
    if permissions.files {
        let what = ["files of the run, which end with it", "des fichiers de l’exécution, qui disparaissent avec elle"];
        found(ReachedKind::Files, what.map(str::to_owned), &asking.nodes(|asked| asked.files));
        let what = [
            "files of the run, handed to a target to build from",
            "des fichiers de l’exécution, remis à une cible qui en construit",
        ];
        found(ReachedKind::HandedFiles, what.map(str::to_owned), &asking.handing);
    }
    if permissions.clock {
        let what = ["the time of the machine", "l’heure de la machine"];
        found(ReachedKind::Clock, what.map(str::to_owned), &asking.nodes(|asked| asked.clock));
    }
    if permissions.random {
        let what = ["random numbers of the machine", "des nombres aléatoires de la machine"];
        found(ReachedKind::Random, what.map(str::to_owned), &asking.nodes(|asked| asked.random));
    }
    let with_credentials = asking.nodes(|asked| asked.credentials);
    for name in &permissions.credentials {
        let known = credential(&name.value);
        found(ReachedKind::Credential, goes(&name.value, &known), &with_credentials);
        if let Some(what) = token_server(&name.value, &known) {
            found(ReachedKind::TokenServer, what, &with_credentials);
        }
    }
    let what = [
        "its own run, node, attempt and idempotency key",
        "ses propres exécution, nœud, tentative et clé d’idempotence",
    ];
    found(ReachedKind::RunContext, what.map(str::to_owned), &asking.nodes(|asked| asked.run_context));

    for (node, child) in runs(workflow, children) {
        if let Some(below) = Workflow::parse(&child.document).0 {
            add(all, &format!("{within}{node}{INSIDE}"), &below, &child.children, registry, credential);
        }
    }
}

/// What the plugins behind the nodes ask for.
struct Asking {
    by_node: Vec<(String, RequestedCapabilities)>,
    /// Nodes whose configuration may name a folder that is handed to a target.
    handing: Vec<String>,
}

impl Asking {
    fn of(within: &str, workflow: &Workflow, registry: &dyn Registry) -> Self {
        let mut asking = Self { by_node: Vec::new(), handing: Vec::new() };
        for (id, node) in &workflow.nodes {
            // Of a component that imports nothing, whatever it asks for cannot be used.
            let Some(installed) = registry.get(&node.uses.value).filter(|installed| !installed.pure) else { continue };
            let (name, asked) = (format!("{within}{id}"), installed.manifest.capabilities.clone());
            if !asked.hands_files.is_empty() && !matches!(asked.handed(&node.with), Handed::None) {
                asking.handing.push(name.clone());
            }
            asking.by_node.push((name, asked));
        }
        asking
    }

    fn nodes(&self, asks: impl Fn(&RequestedCapabilities) -> bool) -> Vec<String> {
        self.by_node.iter().filter(|(_, asked)| asks(asked)).map(|(name, _)| name.clone()).collect()
    }
}

/// The nodes that run other workflows, each with the one that it runs.
fn runs<'a>(workflow: &'a Workflow, children: &'a Children) -> impl Iterator<Item = (&'a NodeId, &'a Child)> {
    let natives = workflow.nodes.iter().filter(|(_, node)| Native::find(&node.uses.value) == Some(Native::Workflow));
    natives.filter_map(|(id, node)| Some((id, children.0.get(&name_of(node)?.0.key())?)))
}

fn requests(host: &Template) -> [String; 2] {
    match (host.as_str(), host.expressions().first()) {
        (Some(literal), _) => [format!("{literal}, by HTTP"), format!("{literal}, par HTTP")],
        (None, Some(expression)) => {
            let source = expression.source().trim();
            [
                format!("the origin that `{source}` gives when the run starts, by HTTP"),
                format!("l’origine que donne `{source}` au début de l’exécution, par HTTP"),
            ]
        }
        (None, None) => ["?".to_owned(), "?".to_owned()],
    }
}

fn goes(name: &str, known: &Known) -> [String; 2] {
    match known {
        Known::Set(credential) => {
            // Without the ports that nobody writes.
            let plain = |host: &HttpPattern| {
                let written = host.to_string();
                Origin::from_url(&written).map_or(written, |origin| origin.to_string())
            };
            let hosts: Vec<String> = credential.hosts().iter().map(plain).collect();
            let hosts = hosts.join(", ");
            if matches!(credential.binding(), Binding::OAuth(_)) {
                [
                    format!("access tokens of the credential {name}, which go to {hosts}"),
                    format!("les jetons d’accès de l’identifiant {name}, qui vont à {hosts}"),
                ]
            } else {
                [
                    format!("the credential {name}, which goes to {hosts}"),
                    format!("l’identifiant {name}, qui va à {hosts}"),
                ]
            }
        }
        Known::Unset => [
            format!("the credential {name}, which is not set here, so that it is not known where it goes"),
            format!("l’identifiant {name}, qui n’est pas défini ici, si bien que l’on ne sait pas où il va"),
        ],
        Known::Hidden => [format!("the credential {name}"), format!("l’identifiant {name}")],
    }
}

/// The engine itself asks it, whatever the workflow grants.
fn token_server(name: &str, known: &Known) -> Option<[String; 2]> {
    let Known::Set(credential) = known else { return None };
    let Binding::OAuth(client) = credential.binding() else { return None };
    let origin = Origin::from_url(&client.token_url)?;
    Some([
        format!("{origin}, which the engine asks for access tokens with the credential {name}"),
        format!("{origin}, à qui le moteur demande des jetons d’accès avec l’identifiant {name}"),
    ])
}

#[cfg(test)]
mod tests;
