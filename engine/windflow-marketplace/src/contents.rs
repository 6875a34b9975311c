//! What is in a template's document, as people want to know it before they install it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use windflow_core::problem::Problem;
use windflow_core::workflow::Workflow;
use windflow_stacks::compose::{self, Context, Loaded, no_files};
use windflow_stacks::project::{Condition, Port, Project, Restart, Service as Running};
use windflow_stacks::risk::{Risk, risks};
use windflow_stacks::variables::Variable;

/// What is in a document.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Contents {
    /// Services of a stack.
    pub services: Vec<Service>,
    /// Images of a stack, each once.
    pub images: Vec<String>,
    /// Ports that can be reached from outside, such as `8080:80/tcp`.
    pub ports: Vec<String>,
    /// Volumes that keep data.
    pub volumes: Vec<String>,
    /// Variables that a stack declares.
    pub variables: Vec<Variable>,
    /// What a stack could do to its machine.
    pub risks: Vec<Risk>,
    /// Node types of a workflow, each once.
    pub uses: Vec<String>,
    /// What a workflow is granted.
    pub permissions: Permissions,
    /// What a workflow is started with: JSON Schemas by name.
    pub inputs: BTreeMap<String, Value>,
}

/// A service of a stack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Its ports that can be reached from outside.
    pub ports: Vec<String>,
    /// Whether its health is watched.
    pub health: bool,
    /// What has to be there before it starts.
    pub depends_on: Vec<String>,
}

/// What a workflow is granted, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permissions {
    /// Hosts.
    pub http: Vec<String>,
    /// Names of credentials.
    pub credentials: Vec<String>,
    /// Targets.
    pub docker: Vec<String>,
    /// Mail servers with their ports.
    pub email: Vec<String>,
    /// Events that it may publish.
    pub events: Vec<String>,
    /// Whether it may keep values for later runs.
    pub state: bool,
    /// Whether it may keep files in the scratch folder of a run.
    pub files: bool,
    /// Whether it may read the time of the machine.
    pub clock: bool,
    /// Whether it may draw random numbers of the machine.
    pub random: bool,
}

impl Permissions {
    /// Each grant by itself, as people read it.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let Self { http, credentials, docker, email, events, state, files, clock, random } = self;
        let each =
            |what: &'static str, names: &[String]| names.iter().map(|name| format!("{what}{name}")).collect::<Vec<_>>();
        let mut all = http.clone();
        all.extend(each("credential ", credentials));
        all.extend(each("target ", docker));
        all.extend(each("mail server ", email));
        all.extend(each("event ", events));
        for (granted, what) in [
            (*state, "values kept for later runs"),
            (*files, "files until the run ends"),
            (*clock, "the time of the machine"),
            (*random, "random numbers of the machine"),
        ] {
            all.extend(granted.then(|| what.to_owned()));
        }
        all
    }
}

/// Reads a Compose document with values for some of its variables, and samples for the others.
#[must_use]
pub fn load(text: &str, name: Option<&str>, values: &BTreeMap<String, String>) -> Loaded {
    let mut all: BTreeMap<_, _> = compose::declared(text).iter().map(|it| (it.name.clone(), it.sample())).collect();
    all.extend(values.clone());
    compose::load(text, &Context { name, variables: &all, profiles: &["*".to_owned()], files: &no_files })
}

/// What is in a stack's document, and what is wrong with it. Problems without a place are of the document.
#[must_use]
pub fn of_stack(text: &str, name: &str) -> (Contents, Vec<Problem>) {
    let loaded = load(text, Some(name), &BTreeMap::new());
    let Loaded { project, variables, mut problems, .. } = loaded;
    let Some(project) = project else { return (Contents { variables, ..Contents::default() }, problems) };
    judge(&project, text, &mut problems);
    let service = |(name, service): (&String, &Running)| Service {
        name: name.clone(),
        image: service.image.clone(),
        ports: service.ports.iter().map(port).collect(),
        health: watched(service),
        depends_on: service.depends_on.keys().cloned().collect(),
    };
    let images: BTreeSet<_> = project.services.values().map(|service| service.image.clone()).collect();
    let contents = Contents {
        services: project.services.iter().map(service).collect(),
        images: images.into_iter().collect(),
        ports: project.services.values().flat_map(|service| service.ports.iter().map(port)).collect(),
        volumes: project.volumes.keys().cloned().collect(),
        variables,
        risks: risks(&project),
        ..Contents::default()
    };
    (contents, problems)
}

/// What is in a workflow's document, and what is wrong with it as far as can be told without the plugins that it uses.
#[must_use]
pub fn of_workflow(text: &str) -> (Contents, Vec<Problem>) {
    let (workflow, problems) = Workflow::parse(text);
    let Some(workflow) = workflow else { return (Contents::default(), problems) };
    let mut uses = Vec::new();
    for name in workflow.nodes.values().map(|node| node.uses.value.to_string()) {
        if !uses.contains(&name) {
            uses.push(name);
        }
    }
    let names = |names: &[windflow_core::place::Spanned<String>]| names.iter().map(|name| name.value.clone()).collect();
    let given = &workflow.permissions;
    let written = |template: &windflow_core::expression::Template| {
        text.get(template.place.bytes.clone()).unwrap_or_default().trim_matches(['"', '\'']).to_owned()
    };
    let permissions = Permissions {
        http: given.http.iter().map(written).collect(),
        credentials: names(&given.credentials),
        docker: names(&given.docker),
        email: given.email.iter().map(|server| server.value.to_string()).collect(),
        events: given.events.iter().map(|event| event.value.to_string()).collect(),
        state: given.state,
        files: given.files,
        clock: given.clock,
        random: given.random,
    };
    let inputs = workflow.inputs.iter().map(|(name, input)| (name.clone(), input.value.schema.clone())).collect();
    (Contents { uses, permissions, inputs, ..Contents::default() }, problems)
}

/// `8080:80/tcp`, or `80/tcp` where the engine chooses.
fn port(port: &Port) -> String {
    let Port { target, published, protocol, .. } = port;
    match published {
        Some(published) => format!("{published}:{target}/{protocol}"),
        None => format!("{target}/{protocol}"),
    }
}

fn watched(service: &Running) -> bool {
    service.health.as_ref().is_some_and(|health| health.test.is_some() && !health.is_off())
}

/// Why an image's name does not say which image it is. What is deployed tomorrow has to be what was tried today.
#[must_use]
pub fn unpinned(image: &str) -> Option<String> {
    if image.contains("@sha256:") {
        return None;
    }
    let tag = image.rsplit('/').next().and_then(|last| last.split_once(':')).map(|(_, tag)| tag);
    match tag {
        None | Some("") => Some(format!("the image {image} has no tag")),
        Some("latest") => Some(format!("the image {image} is whatever is latest")),
        Some(_) => None,
    }
}

/// What a template's stack has to keep beyond being a stack.
fn judge(project: &Project, text: &str, problems: &mut Vec<Problem>) {
    for (name, service) in &project.services {
        if let Some(why) = unpinned(&service.image) {
            let problem = Problem::error("image_not_pinned", &place(text, name), format!("{name}: {why}"));
            problems.push(problem.remedy("write the tag of a release, such as nginx:1.29.3"));
        }
        let awaited = |fits: fn(Condition) -> bool| {
            let mut others = project.services.values().filter_map(|other| other.depends_on.get(name));
            others.any(|dependency| fits(dependency.condition))
        };
        let ends = service.restart == Restart::No && awaited(|condition| condition == Condition::Completed);
        let serves = !service.ports.is_empty() || awaited(|condition| condition != Condition::Completed);
        if serves && !ends && !watched(service) {
            let message = format!("{name} serves others, and nothing looks after its health");
            let problem = Problem::warning("no_health_check", &place(text, name), message);
            problems.push(problem.remedy("give it a `healthcheck:`, so that a deployment knows when it is up"));
        }
    }
}

/// Where a service is described.
fn place(text: &str, service: &str) -> windflow_core::place::Place {
    compose::place_of_service(text, service).unwrap_or_default()
}
