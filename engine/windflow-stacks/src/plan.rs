//! The difference between what is wanted and what runs, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::project::{Project, Restart};

/// What there is of a stack on a target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// Its containers.
    pub containers: Vec<Container>,
    /// Its networks, by their names on the target.
    pub networks: BTreeMap<String, Part>,
    /// Its volumes, by their names on the target.
    pub volumes: BTreeMap<String, Part>,
}

/// A network or volume of a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it was made from; empty where somebody else made it.
    pub hash: String,
    /// By which deployment.
    pub deployment: String,
}

/// A container of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// The engine's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whose.
    pub service: String,
    /// Which of several, from 1.
    pub number: u32,
    /// What it was made from.
    pub hash: String,
    /// Its image, by name.
    pub image: String,
    /// Its image, by content.
    pub image_id: String,
    /// How it is.
    pub state: State,
    /// What its checks say, where it has any.
    pub health: Option<HealthState>,
    /// By which deployment.
    pub deployment: String,
    /// It has run for a second or longer, by the engine's clock.
    #[serde(default)]
    pub steady: bool,
    /// It has run for ten seconds or longer, after which an engine takes a start for a success.
    #[serde(default)]
    pub settled: bool,
    /// Kept aside while its successor is tried.
    pub retired: bool,
    /// Its ports that can be reached: `127.0.0.1:8080->80/tcp`.
    pub ports: Vec<String>,
}

/// How a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Made and never started.
    Created,
    /// It runs.
    Running,
    /// It ended and is being started again.
    Restarting,
    /// It stands still.
    Paused,
    /// It has ended, with a status.
    Exited(i64),
    /// It is being removed, or cannot be.
    Dead,
}

/// What the checks of a container say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Nothing yet.
    Starting,
    /// It is well.
    Healthy,
    /// It is not.
    Unhealthy,
}

/// What happens to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It stays.
    Unchanged,
    /// It is made.
    Created,
    /// It is replaced.
    Changed,
    /// It is started.
    Started,
    /// It is taken away.
    Removed,
}

/// What happens to a service, a network or a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// `service`, `network` or `volume`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What happens.
    pub change: Change,
    /// Why.
    pub why: String,
    /// What happens to each container of a service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<Replica>,
}

/// What happens to one container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replica {
    /// Which, from 1.
    pub number: u32,
    /// What happens.
    pub change: Change,
    /// The engine's id of the container that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

/// What a deployment changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In the order of the document; what goes away comes last.
    pub steps: Vec<Step>,
    /// What keeps it from being done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obstacles: Vec<String>,
}

impl Plan {
    /// Whether everything is as wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.change == Change::Unchanged)
    }

    /// What happens to a service.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.kind == "service" && step.name == name)
    }

    /// How many services, networks and volumes each change is made to, in words.
    #[must_use]
    pub fn summary(&self) -> String {
        let words = [
            (Change::Created, "created"),
            (Change::Changed, "changed"),
            (Change::Started, "started"),
            (Change::Removed, "removed"),
            (Change::Unchanged, "unchanged"),
        ];
        let count = |change| self.steps.iter().filter(|step| step.change == change).count();
        let parts = words.iter().map(|(change, word)| (count(*change), word)).filter(|(count, _)| *count > 0);
        let parts: Vec<_> = parts.map(|(count, word)| format!("{count} {word}")).collect();
        if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
    }
}

/// Holds a project against what there is. `images` are the contents of images by name, as far as the target has them.
#[must_use]
pub fn plan(project: &Project, observed: &Observed, images: &BTreeMap<String, String>) -> Plan {
    let mut plan = Plan::default();
    for (name, service) in &project.services {
        let image = images.get(&service.image).map(String::as_str);
        plan.steps.push(service_step(project, name, image, observed));
    }
    replaced_dependencies(project, &mut plan);
    parts(project, observed, &mut plan);
    let mut gone: Vec<&Container> = observed
        .containers
        .iter()
        .filter(|found| !found.retired && !project.services.contains_key(&found.service))
        .collect();
    gone.sort_by_key(|found| (&found.service, found.number));
    for found in gone {
        let replica = Replica { number: found.number, change: Change::Removed, container: Some(found.id.clone()) };
        match plan.steps.iter_mut().find(|step| step.kind == "service" && step.name == found.service) {
            Some(step) => step.replicas.push(replica),
            None => plan.steps.push(Step {
                kind: "service".to_owned(),
                name: found.service.clone(),
                change: Change::Removed,
                why: "the stack has it no more".to_owned(),
                replicas: vec![replica],
            }),
        }
    }
    plan
}

fn service_step(project: &Project, name: &str, image: Option<&str>, observed: &Observed) -> Step {
    let service = &project.services[name];
    let hash = project.config_hash(name);
    let own: Vec<&Container> =
        observed.containers.iter().filter(|found| !found.retired && found.service == name).collect();
    let (mut replicas, mut reasons) = (Vec::new(), Vec::new());
    for number in 1..=service.replicas {
        let found = own.iter().find(|found| found.number == number);
        let (change, why) = match found {
            None if own.is_empty() => (Change::Created, "it is not there".to_owned()),
            None => (Change::Created, format!("{} of {} are there", own.len(), service.replicas)),
            Some(found) => judge(found, &hash, &service.image, image, service.restart),
        };
        let container = found.map(|found| found.id.clone());
        replicas.push(Replica { number, change, container });
        reasons.push((change, why));
    }
    for found in own.iter().filter(|found| found.number > service.replicas) {
        replicas.push(Replica { number: found.number, change: Change::Removed, container: Some(found.id.clone()) });
        reasons.push((Change::Removed, format!("{} are wanted", service.replicas)));
    }
    let grave = |change: &Change| match change {
        Change::Unchanged => 0,
        Change::Removed => 1,
        Change::Started => 2,
        Change::Created => 3,
        Change::Changed => 4,
    };
    let (mut change, why) = reasons
        .into_iter()
        .rev()
        .max_by_key(|(change, _)| grave(change))
        .unwrap_or((Change::Unchanged, "none are wanted".to_owned()));
    if !own.is_empty() && matches!(change, Change::Created | Change::Removed) {
        change = Change::Changed;
    }
    Step { kind: "service".to_owned(), name: name.to_owned(), change, why, replicas }
}

fn judge(found: &Container, hash: &str, wanted: &str, image: Option<&str>, restart: Restart) -> (Change, String) {
    if found.hash != hash {
        let why = if found.image == wanted {
            "its configuration is another".to_owned()
        } else {
            format!("its image was {}", found.image)
        };
        return (Change::Changed, why);
    }
    if image.is_some_and(|image| image != found.image_id) {
        return (Change::Changed, format!("{wanted} is another image now"));
    }
    match (found.state, found.health) {
        (State::Created, _) => (Change::Changed, "it was made and never started".to_owned()),
        (State::Running, Some(HealthState::Unhealthy)) => (Change::Changed, "it is unhealthy".to_owned()),
        (State::Running | State::Restarting, _) => (Change::Unchanged, "it is as wanted".to_owned()),
        (State::Exited(0), _) if restart == Restart::No => (Change::Unchanged, "it has done its work".to_owned()),
        (State::Exited(_), _) => (Change::Started, "it is stopped".to_owned()),
        (State::Paused | State::Dead, _) => (Change::Changed, "it stands still".to_owned()),
    }
}

/// What asked to start again when something that it depends on is replaced.
fn replaced_dependencies(project: &Project, plan: &mut Plan) {
    loop {
        let replaced = |name: &str| plan.service(name).is_some_and(|step| step.change == Change::Changed);
        let next = project.services.iter().find_map(|(name, service)| {
            let other = service.depends_on.iter().find(|(other, needed)| needed.restart && replaced(other))?.0;
            (plan.service(name)?.change == Change::Unchanged).then(|| (name.clone(), other.clone()))
        });
        let Some((name, other)) = next else { return };
        if let Some(step) = plan.steps.iter_mut().find(|step| step.kind == "service" && step.name == name) {
            (step.change, step.why) = (Change::Changed, format!("{other} is replaced, on which it depends"));
            step.replicas.iter_mut().for_each(|replica| replica.change = Change::Changed);
        }
    }
}

fn parts(project: &Project, observed: &Observed, plan: &mut Plan) {
    let networks = project
        .networks
        .values()
        .filter(|network| !network.external)
        .map(|network| ("network", &network.name, part_hash(network), &observed.networks));
    let volumes = project
        .volumes
        .values()
        .filter(|volume| !volume.external)
        .map(|volume| ("volume", &volume.name, part_hash(volume), &observed.volumes));
    for (kind, name, hash, there) in networks.chain(volumes) {
        let (change, why) = match there.get(name) {
            None => (Change::Created, "it is not there"),
            Some(found) if found.hash.is_empty() || found.hash == hash => (Change::Unchanged, "it is as wanted"),
            Some(_) => {
                plan.obstacles.push(format!(
                    "the {kind} {name} is there with other settings, and cannot change while it is in use: give it another name, or remove the stack first"
                ));
                (Change::Changed, "its settings are others")
            }
        };
        plan.steps.push(Step {
            kind: kind.to_owned(),
            name: name.clone(),
            change,
            why: why.to_owned(),
            replicas: Vec::new(),
        });
    }
    for name in observed.networks.keys().filter(|name| !project.networks.values().any(|network| network.name == **name))
    {
        plan.steps.push(Step {
            kind: "network".to_owned(),
            name: name.clone(),
            change: Change::Removed,
            why: "the stack has it no more".to_owned(),
            replicas: Vec::new(),
        });
    }
    // Volumes that the stack has no more are left: what is in them is taken away only where somebody asks for it.
}

/// What a network or volume is made from, as a digest.
#[must_use]
pub fn part_hash(part: &impl Serialize) -> String {
    let text = serde_json::to_vec(part).unwrap_or_default();
    windflow_core::id::Digest::of(&text).to_string().trim_start_matches("sha256:")[..32].to_owned()
}

#[cfg(test)]
mod tests;
