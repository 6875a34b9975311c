//! Services.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::Value;

use super::reader::{Reader, scalar};
use super::{files, mounts, networks, ports};
use crate::project::{Attachment, Condition, Dependency, Health, Options, Project, Pull, Resources, Restart, Service};

/// Services of one stack at most.
const MAX_SERVICES: usize = 500;

pub(super) fn project(reader: &mut Reader<'_, '_>, name: String) -> Project {
    let mut networks = networks::networks(reader, &name);
    let volumes = networks::volumes(reader, &name);
    let mut services = IndexMap::new();
    let keys = reader.keys(&["services"]);
    if keys.len() > MAX_SERVICES {
        let message = format!("the stack has {} services; {MAX_SERVICES} are taken at most", keys.len());
        reader.refuse(&["services"], "too_many_services", message, "split it into several stacks");
        return Project::default();
    }
    for key in keys {
        if is_on(reader, key) {
            services.insert(key.to_owned(), service(reader, key));
        }
    }
    let uses_default = services.values().any(|service: &Service| service.networks.contains_key("default"));
    if uses_default && !networks.contains_key("default") {
        networks.insert("default".to_owned(), networks::default_network(&name));
    }
    Project { name, services, networks, volumes }
}

/// A service without profiles is always there.
fn is_on(reader: &Reader<'_, '_>, key: &str) -> bool {
    let profiles = reader.list(&["services", key, "profiles"]);
    profiles.is_empty()
        || profiles.iter().any(|profile| reader.context.profiles.iter().any(|on| on == profile || on == "*"))
}

fn service(reader: &mut Reader<'_, '_>, key: &str) -> Service {
    let at = |part: &'static str| ["services", key, part];
    let image = reader.text(&at("image")).unwrap_or_default();
    if image.is_empty() && reader.get(&at("build")).is_none() {
        reader.refuse(
            &["services", key],
            "no_image",
            format!("the service `{key}` has no image"),
            "name it by `image:`",
        );
    }
    let network_mode = network_mode(reader, key);
    let mut files = files::files(reader, key, "secrets");
    files.extend(files::files(reader, key, "configs"));
    Service {
        image,
        platform: reader.text(&at("platform")),
        pull: pull(reader, key),
        command: reader.command(&at("command")),
        entrypoint: reader.command(&at("entrypoint")),
        environment: environment(reader, key),
        ports: ports::ports(reader, key),
        expose: expose(reader, key),
        mounts: mounts::mounts(reader, key),
        networks: if network_mode.is_some() { IndexMap::new() } else { attachments(reader, key) },
        network_mode,
        files,
        health: health(reader, key),
        depends_on: depends_on(reader, key),
        replicas: replicas(reader, key),
        resources: resources(reader, key),
        restart: restart(reader, key),
        labels: reader.texts(&at("labels")),
        container_name: reader.text(&at("container_name")),
        options: options(reader, key),
    }
}

fn pull(reader: &mut Reader<'_, '_>, key: &str) -> Pull {
    match reader.text(&["services", key, "pull_policy"]).as_deref() {
        Some("always") => Pull::Always,
        Some("never") => Pull::Never,
        None | Some("missing" | "if_not_present") => Pull::Missing,
        Some(other) => {
            let remedy = "it is always, missing or never";
            let path = ["services", key, "pull_policy"];
            reader.refuse(&path, "unsupported", format!("the pull policy {other:?} is not supported"), remedy);
            Pull::Missing
        }
    }
}

fn network_mode(reader: &mut Reader<'_, '_>, key: &str) -> Option<String> {
    let path = ["services", key, "network_mode"];
    let mode = reader.text(&path)?;
    if !["host", "none", "bridge"].contains(&mode.as_str()) {
        let remedy = "it is host, none or bridge; services that share a network find each other by name";
        reader.refuse(&path, "unsupported", format!("the network mode {mode:?} is not supported"), remedy);
    }
    Some(mode)
}

fn environment(reader: &mut Reader<'_, '_>, key: &str) -> BTreeMap<String, String> {
    let mut environment = env_files(reader, key);
    for (name, value) in reader.pairs(&["services", key, "environment"], '=') {
        // A name without a value takes that of the variable; without one it is not there at all.
        if let Some(value) = value.or_else(|| reader.values.get(&name).cloned()) {
            environment.insert(name, value);
        }
    }
    environment
}

fn env_files(reader: &mut Reader<'_, '_>, key: &str) -> BTreeMap<String, String> {
    let path = ["services", key, "env_file"];
    let entries: Vec<(String, bool)> = match reader.get(&path) {
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(|item| match item {
                Value::Object(map) => {
                    Some((map.get("path").and_then(scalar)?, map.get("required") != Some(&Value::Bool(false))))
                }
                other => Some((scalar(other)?, true)),
            })
            .collect(),
        Some(other) => scalar(other).map(|path| (path, true)).into_iter().collect(),
        None => Vec::new(),
    };
    let mut environment = BTreeMap::new();
    for (file, required) in entries {
        match (reader.context.files)(&file) {
            Ok(text) => environment.extend(crate::variables::dotenv(&text)),
            Err(why) if required => reader.refuse(&path, "no_content", format!("{file}: {why}"), ""),
            Err(_) => {}
        }
    }
    environment
}

fn expose(reader: &mut Reader<'_, '_>, key: &str) -> Vec<String> {
    let ports = reader.list(&["services", key, "expose"]);
    ports.into_iter().map(|port| if port.contains('/') { port } else { format!("{port}/tcp") }).collect()
}

fn attachments(reader: &mut Reader<'_, '_>, key: &str) -> IndexMap<String, Attachment> {
    let path = ["services", key, "networks"];
    let named = match reader.get(&path) {
        Some(Value::Object(_)) => reader.keys(&path).into_iter().map(str::to_owned).collect(),
        _ => reader.list(&path),
    };
    if named.is_empty() {
        return [("default".to_owned(), Attachment::default())].into();
    }
    let mut found = IndexMap::new();
    for name in named {
        let at = |part: &'static str| ["services", key, "networks", name.as_str(), part];
        for part in ["interface_name", "link_local_ips", "mac_address", "driver_opts", "priority", "gw_priority"] {
            if reader.get(&at(part)).is_some() {
                reader.problems.push(super::supported::unsupported(part, "", &reader.document.key(&at(part))));
            }
        }
        let attachment = Attachment {
            aliases: reader.list(&at("aliases")),
            ipv4: reader.text(&at("ipv4_address")),
            ipv6: reader.text(&at("ipv6_address")),
        };
        found.insert(name, attachment);
    }
    found
}

fn health(reader: &mut Reader<'_, '_>, key: &str) -> Option<Health> {
    let at = |part: &'static str| ["services", key, "healthcheck", part];
    reader.get(&["services", key, "healthcheck"])?;
    if reader.flag(&at("disable")) == Some(true) {
        return Some(Health { test: Some(vec!["NONE".to_owned()]), ..Health::default() });
    }
    let test = match reader.get(&at("test")) {
        Some(Value::Array(_)) => Some(reader.list(&at("test"))),
        Some(other) => scalar(other).map(|line| vec!["CMD-SHELL".to_owned(), line]),
        None => None,
    };
    if let Some(first) = test.as_ref().map(|test| test.first().map_or("", String::as_str))
        && !["NONE", "CMD", "CMD-SHELL"].contains(&first)
    {
        let remedy = "write the command as text, or as a list that begins with CMD or CMD-SHELL";
        reader.refuse(&at("test"), "invalid_test", format!("a test does not begin with {first:?}"), remedy);
    }
    Some(Health {
        test,
        interval: reader.milliseconds(&at("interval")),
        timeout: reader.milliseconds(&at("timeout")),
        retries: reader.number(&at("retries")),
        start_period: reader.milliseconds(&at("start_period")),
        start_interval: reader.milliseconds(&at("start_interval")),
    })
}

fn depends_on(reader: &mut Reader<'_, '_>, key: &str) -> IndexMap<String, Dependency> {
    let path = ["services", key, "depends_on"];
    if !matches!(reader.get(&path), Some(Value::Object(_))) {
        let started = Dependency { condition: Condition::Started, restart: false };
        return reader.list(&path).into_iter().map(|name| (name, started)).collect();
    }
    let mut found = IndexMap::new();
    for name in reader.keys(&path) {
        let at = |part: &'static str| ["services", key, "depends_on", name, part];
        let condition = match reader.text(&at("condition")).as_deref() {
            Some("service_healthy") => Condition::Healthy,
            Some("service_completed_successfully") => Condition::Completed,
            _ => Condition::Started,
        };
        let restart = reader.flag(&at("restart")).unwrap_or_default();
        let optional = reader.flag(&at("required")) == Some(false);
        let there = reader.get(&["services", name]).is_some() && is_on(reader, name);
        if there || !optional {
            found.insert(name.to_owned(), Dependency { condition, restart });
        }
    }
    found
}

fn replicas(reader: &mut Reader<'_, '_>, key: &str) -> u32 {
    if reader.text(&["services", key, "deploy", "mode"]).is_some_and(|mode| mode != "replicated") {
        let remedy = "it is for Swarm; here it is replicated";
        reader.refuse(&["services", key, "deploy", "mode"], "unsupported", "this mode is not supported", remedy);
    }
    let deployed = reader.number(&["services", key, "deploy", "replicas"]);
    let scaled = reader.number(&["services", key, "scale"]);
    deployed.or(scaled).unwrap_or(1)
}

fn resources(reader: &mut Reader<'_, '_>, key: &str) -> Resources {
    let at = |part: &'static str| ["services", key, part];
    let limit = |part: &'static str| ["services", key, "deploy", "resources", "limits", part];
    let reserved = ["services", key, "deploy", "resources", "reservations", "memory"];
    let cores: Option<f64> = reader.number(&limit("cpus")).or_else(|| reader.number(&at("cpus")));
    #[allow(clippy::cast_possible_truncation, reason = "bounded by the line itself")]
    let nano_cpus = cores.filter(|cores| *cores > 0.0).map(|cores| (cores.min(1e6) * 1e9) as i64);
    Resources {
        nano_cpus,
        memory: reader.bytes(&limit("memory")).or_else(|| reader.bytes(&at("mem_limit"))),
        memory_reservation: reader.bytes(&reserved).or_else(|| reader.bytes(&at("mem_reservation"))),
        pids: reader.number(&limit("pids")).or_else(|| reader.number(&at("pids_limit"))),
        cpu_shares: reader.number(&at("cpu_shares")),
        cpuset: reader.text(&at("cpuset")),
        memory_swap: reader.bytes(&at("memswap_limit")),
    }
}

fn restart(reader: &mut Reader<'_, '_>, key: &str) -> Restart {
    let policy = ["services", key, "deploy", "restart_policy", "condition"];
    if let Some(condition) = reader.text(&policy) {
        let most = reader.number(&["services", key, "deploy", "restart_policy", "max_attempts"]).unwrap_or(0);
        return match condition.as_str() {
            "none" => Restart::No,
            "on-failure" => Restart::OnFailure(most),
            _ => Restart::UnlessStopped,
        };
    }
    let path = ["services", key, "restart"];
    let text = reader.text(&path).unwrap_or_else(|| "no".to_owned());
    match text.as_str() {
        // YAML 1.2 takes `no` for text; documents for 1.1 may have put a boolean there.
        "no" | "false" => Restart::No,
        "always" => Restart::Always,
        "unless-stopped" => Restart::UnlessStopped,
        "on-failure" => Restart::OnFailure(0),
        other => match other.strip_prefix("on-failure:").and_then(|most| most.parse().ok()) {
            Some(most) => Restart::OnFailure(most),
            None => {
                let remedy = "it is no, always, unless-stopped, on-failure or on-failure:3";
                reader.refuse(&path, "invalid_restart", format!("{other:?} is no restart policy"), remedy);
                Restart::No
            }
        },
    }
}

fn options(reader: &mut Reader<'_, '_>, key: &str) -> Options {
    let at = |part: &'static str| ["services", key, part];
    let grace = reader.milliseconds(&at("stop_grace_period"));
    Options {
        hostname: reader.text(&at("hostname")),
        domainname: reader.text(&at("domainname")),
        user: reader.text(&at("user")),
        working_dir: reader.text(&at("working_dir")),
        tty: reader.flag(&at("tty")).unwrap_or_default(),
        stdin_open: reader.flag(&at("stdin_open")).unwrap_or_default(),
        init: reader.flag(&at("init")),
        privileged: reader.flag(&at("privileged")).unwrap_or_default(),
        read_only: reader.flag(&at("read_only")).unwrap_or_default(),
        cap_add: reader.list(&at("cap_add")),
        cap_drop: reader.list(&at("cap_drop")),
        devices: devices(reader, key),
        dns: reader.list(&at("dns")),
        dns_search: reader.list(&at("dns_search")),
        dns_opt: reader.list(&at("dns_opt")),
        extra_hosts: extra_hosts(reader, key),
        security_opt: reader.list(&at("security_opt")),
        group_add: reader.list(&at("group_add")),
        pid: reader.text(&at("pid")),
        ipc: reader.text(&at("ipc")),
        userns_mode: reader.text(&at("userns_mode")),
        uts: reader.text(&at("uts")),
        cgroup_parent: reader.text(&at("cgroup_parent")),
        runtime: reader.text(&at("runtime")),
        stop_signal: reader.text(&at("stop_signal")),
        stop_grace_seconds: grace.map(|time| u32::try_from(time.div_ceil(1000)).unwrap_or(u32::MAX)),
        shm_bytes: reader.bytes(&at("shm_size")),
        sysctls: reader.texts(&at("sysctls")),
        ulimits: ulimits(reader, key),
        log_driver: reader.text(&["services", key, "logging", "driver"]),
        log_options: reader.texts(&["services", key, "logging", "options"]),
        oom_score_adj: reader.number(&at("oom_score_adj")),
    }
}

fn devices(reader: &Reader<'_, '_>, key: &str) -> Vec<String> {
    let path = ["services", key, "devices"];
    let Some(Value::Array(items)) = reader.get(&path) else { return Vec::new() };
    let text = |item: &Value| match item {
        Value::Object(map) => {
            let field = |key: &str| map.get(key).and_then(scalar);
            let source = field("source")?;
            let target = field("target").unwrap_or_else(|| source.clone());
            Some(format!("{source}:{target}:{}", field("permissions").unwrap_or_else(|| "rwm".to_owned())))
        }
        other => scalar(other),
    };
    items.iter().filter_map(text).collect()
}

fn extra_hosts(reader: &Reader<'_, '_>, key: &str) -> Vec<String> {
    let path = ["services", key, "extra_hosts"];
    match reader.get(&path) {
        Some(Value::Array(items)) => items.iter().filter_map(scalar).map(|item| item.replacen('=', ":", 1)).collect(),
        Some(Value::Object(map)) => map
            .iter()
            .flat_map(|(host, addresses)| match addresses {
                Value::Array(items) => items.iter().filter_map(scalar).map(|to| format!("{host}:{to}")).collect(),
                other => scalar(other).map(|to| format!("{host}:{to}")).into_iter().collect::<Vec<_>>(),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn ulimits(reader: &mut Reader<'_, '_>, key: &str) -> BTreeMap<String, (i64, i64)> {
    let mut found = BTreeMap::new();
    for name in reader.keys(&["services", key, "ulimits"]) {
        let path = ["services", key, "ulimits", name];
        let limits = if matches!(reader.get(&path), Some(Value::Object(_))) {
            let at = |part: &'static str| ["services", key, "ulimits", name, part];
            reader.number(&at("soft")).zip(reader.number(&at("hard")))
        } else {
            reader.number::<i64>(&path).map(|limit| (limit, limit))
        };
        found.extend(limits.map(|limits| (name.to_owned(), limits)));
    }
    found
}
