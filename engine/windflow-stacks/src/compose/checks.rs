//! What no schema can say: that names are known, that nothing waits for itself, that no two want the same port.

use std::collections::HashMap;

use windflow_core::problem::{self, Problem};

use super::document::Document;
use crate::order;
use crate::project::{Condition, MAX_REPLICAS, Project, Source};

pub(super) fn check(project: &Project, document: &Document<'_>, problems: &mut Vec<Problem>) {
    if project.services.is_empty() {
        let problem =
            Problem::error("no_services", &document.place(&["services"]), "the stack has no service that is on");
        problems.push(
            problem.remedy("describe one under `services:`; services with `profiles:` are on where one of them is"),
        );
    }
    names(project, document, problems);
    ports(project, document, problems);
    if let Err(cycle) = order::levels(project) {
        let place = document.place(&["services", &cycle[0], "depends_on"]);
        let message = format!("these services wait for each other: {}", cycle.join(" → "));
        problems.push(Problem::error("cycle", &place, message).remedy("take one of the dependencies out"));
    }
}

fn names(project: &Project, document: &Document<'_>, problems: &mut Vec<Problem>) {
    for (name, service) in &project.services {
        let unknown = |what: &str, kind: &str, wanted: &str, known: Vec<&str>, part: &str| {
            let place = document.place(&["services", name, part]);
            let problem = Problem::error("unknown_name", &place, format!("there is no {what} `{wanted}`"));
            let remedy = problem::did_you_mean(wanted, known)
                .unwrap_or_else(|| format!("describe it under `{kind}:` at the top of the document"));
            problem.remedy(remedy)
        };
        for (wanted, dependency) in &service.depends_on {
            match project.services.get(wanted) {
                None => {
                    let known = project.services.keys().map(String::as_str).collect();
                    problems.push(unknown("service", "services", wanted, known, "depends_on"));
                }
                Some(other)
                    if dependency.condition == Condition::Healthy
                        && other.health.as_ref().is_some_and(|health| health.is_off()) =>
                {
                    let place = document.place(&["services", name, "depends_on"]);
                    let message =
                        format!("`{name}` waits until `{wanted}` is healthy, but its health check is switched off");
                    problems.push(Problem::error("no_healthcheck", &place, message).remedy("give it a `healthcheck:`"));
                }
                Some(_) => {}
            }
        }
        for wanted in service.networks.keys().filter(|wanted| !project.networks.contains_key(*wanted)) {
            let known = project.networks.keys().map(String::as_str).collect();
            problems.push(unknown("network", "networks", wanted, known, "networks"));
        }
        for mount in &service.mounts {
            if let Source::Volume(wanted) = &mount.source
                && !project.volumes.contains_key(wanted)
            {
                let known = project.volumes.keys().map(String::as_str).collect();
                problems.push(unknown("volume", "volumes", wanted, known, "volumes"));
            }
        }
        if service.replicas > MAX_REPLICAS {
            let place = document.place(&["services", name, "deploy", "replicas"]);
            let message = format!("a service has {MAX_REPLICAS} containers at most");
            problems.push(Problem::error("too_many_replicas", &place, message));
        }
        if service.replicas > 1 && service.container_name.is_some() {
            let place = document.place(&["services", name, "container_name"]);
            let message = format!("`{name}` has {} containers, which cannot share one name", service.replicas);
            problems.push(Problem::error("name_taken", &place, message).remedy("leave `container_name` out"));
        }
    }
}

fn ports(project: &Project, document: &Document<'_>, problems: &mut Vec<Problem>) {
    let mut taken: HashMap<(u16, &str), Vec<(&str, Option<&str>)>> = HashMap::new();
    for (name, service) in &project.services {
        for (at, port) in service.ports.iter().enumerate() {
            let Some(published) = port.published else { continue };
            let place = || document.place(&["services", name, "ports", &at.to_string()]);
            if service.replicas > 1 {
                let message =
                    format!("port {published} can belong to one container only, but `{name}` has {}", service.replicas);
                problems.push(Problem::error("port_taken", &place(), message).remedy("leave the published port out"));
            }
            let others = taken.entry((published, &port.protocol)).or_default();
            let ip = port.host_ip.as_deref();
            // Whoever takes all addresses takes each.
            if let Some((other, _)) = others.iter().find(|(_, other)| other.is_none() || ip.is_none() || *other == ip) {
                let message = format!("port {published}/{} is published by `{other}` already", port.protocol);
                problems.push(Problem::error("port_taken", &place(), message).remedy("publish it as another port"));
            }
            others.push((name, ip));
        }
    }
}
