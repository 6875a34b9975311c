//! What the Compose Specification has and we do not: named with its place, never dropped.

use serde_json::Value;
use windflow_core::problem::Problem;

use super::document::Document;

/// Keys of services that would change what runs, and why they cannot be taken.
const SERVICE: &[(&str, &str)] = &[
    ("attach", ""),
    ("blkio_config", "limits of disks are not set"),
    ("build", "images are not built while deploying: build and push it first, and name it by `image:`"),
    ("cgroup", ""),
    ("cpu_count", "use `cpus`"),
    ("cpu_percent", "use `cpus`"),
    ("cpu_period", "use `cpus`"),
    ("cpu_quota", "use `cpus`"),
    ("cpu_rt_period", ""),
    ("cpu_rt_runtime", ""),
    ("credential_spec", ""),
    ("device_cgroup_rules", "name the devices by `devices:`"),
    ("extends", "write the service out, or share parts by a YAML anchor"),
    ("external_links", "use a network that both share"),
    ("gpus", ""),
    ("isolation", ""),
    ("label_file", "write the labels out"),
    ("links", "services of a network find each other by name; use `depends_on` for the order"),
    ("mac_address", ""),
    ("mem_swappiness", ""),
    ("models", ""),
    ("oom_kill_disable", ""),
    ("post_start", "use a service of its own, which others wait for by `service_completed_successfully`"),
    ("pre_start", "use a service of its own, which others wait for by `service_completed_successfully`"),
    ("pre_stop", ""),
    ("provider", ""),
    ("pull_refresh_after", "use `pull_policy: always`"),
    ("storage_opt", ""),
    ("use_api_socket", "mount the socket by `volumes:`, which is asked for before it is done"),
    ("volumes_from", "name the volumes by `volumes:`"),
];

const TOP: &[(&str, &str)] = &[("include", "write the services into this document"), ("models", "")];

/// Keys of `deploy:`.
const DEPLOY: &[(&str, &str)] = &[
    ("endpoint_mode", "it is for Swarm"),
    ("placement", "it is for Swarm"),
    ("rollback_config", "a deployment that fails is always rolled back at once"),
];

/// What changes nothing that runs, so that a warning does.
const HARMLESS: &[(&str, &str)] = &[("develop", "it is for developing")];

pub(super) fn check(document: &Document<'_>, problems: &mut Vec<Problem>) {
    refuse(document, &[], TOP, problems);
    let services = document.json.get("services").and_then(Value::as_object);
    for (name, service) in services.into_iter().flatten() {
        let at = ["services", name];
        refuse(document, &at, SERVICE, problems);
        refuse(document, &["services", name, "deploy"], DEPLOY, problems);
        for (key, why) in HARMLESS {
            if service.get(key).is_some() {
                let place = document.key(&["services", name, key]);
                problems.push(Problem::warning("ignored", &place, format!("`{key}` is left out: {why}")));
            }
        }
        let update = service.pointer("/deploy/update_config").and_then(Value::as_object);
        for key in update.into_iter().flatten().map(|(key, _)| key).filter(|key| !key.starts_with("x-")) {
            let place = document.key(&["services", name, "deploy", "update_config", key]);
            let why = "containers are replaced one after the other, the old one stopped first, and all are put back where one fails";
            problems.push(Problem::warning("ignored", &place, format!("`{key}` is left out: {why}")));
        }
        let limits = |part: &str, known: &[&str], problems: &mut Vec<Problem>| {
            let found = service.pointer(&format!("/deploy/resources/{part}")).and_then(Value::as_object);
            for key in found.into_iter().flatten().map(|(key, _)| key) {
                if !known.contains(&key.as_str()) && !key.starts_with("x-") {
                    let place = document.key(&["services", name, "deploy", "resources", part, key]);
                    problems.push(unsupported(key, "", &place));
                }
            }
        };
        limits("limits", &["cpus", "memory", "pids"], problems);
        limits("reservations", &["memory"], problems);
    }
}

fn refuse(document: &Document<'_>, at: &[&str], words: &[(&str, &str)], problems: &mut Vec<Problem>) {
    let mut value = &document.json;
    for part in at {
        let Some(next) = value.get(part) else { return };
        value = next;
    }
    for (key, why) in words.iter().filter(|(key, _)| value.get(key).is_some_and(|value| !value.is_null())) {
        let path = [at, &[*key]].concat();
        problems.push(unsupported(key, why, &document.key(&path)));
    }
}

pub(super) fn unsupported(key: &str, why: &str, place: &windflow_core::place::Place) -> Problem {
    let problem = Problem::error("unsupported", place, format!("`{key}` is not supported"));
    if why.is_empty() { problem.remedy("leave it out") } else { problem.remedy(why) }
}
