//! What a stack could do to the machine that it runs on. Whoever deploys it has to say yes to each by name.

use serde::Serialize;

use crate::project::{Project, Service, Source};

/// Something that reaches beyond containers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Risk {
    /// Which service.
    pub service: String,
    /// Stable: `privileged`, `host_network`, `docker_socket`, `host_path`, `host_namespace`, `device`, `capability`, `security`.
    pub code: &'static str,
    /// What it is, for people.
    pub what: String,
}

impl Risk {
    /// What confirms it: `web:host_network`, or with the path `web:host_path:/etc`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.code {
            "host_path" | "device" | "capability" | "host_namespace" | "security" => {
                format!("{}:{}:{}", self.service, self.code, self.what)
            }
            _ => format!("{}:{}", self.service, self.code),
        }
    }
}

impl std::fmt::Display for Risk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { service, what, .. } = self;
        match self.code {
            "privileged" => write!(f, "{service} runs privileged: it can do everything on the target's machine"),
            "host_network" => write!(f, "{service} uses the network of the target's machine"),
            "docker_socket" => {
                write!(f, "{service} gets the engine's socket {what}: it can do everything on the target's machine")
            }
            "host_path" => write!(f, "{service} gets the path {what} of the target's machine"),
            "host_namespace" => write!(f, "{service} shares with the target's machine: {what}"),
            "device" => write!(f, "{service} gets the device {what}"),
            "capability" => write!(f, "{service} gets the kernel capability {what}"),
            _ => write!(f, "{service} switches a protection off: {what}"),
        }
    }
}

/// Capabilities of the kernel by which a container gets out, or near it.
const GRAVE: &[&str] = &[
    "ALL",
    "SYS_ADMIN",
    "SYS_MODULE",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_BOOT",
    "SYS_TIME",
    "NET_ADMIN",
    "DAC_READ_SEARCH",
    "BPF",
    "PERFMON",
    "MAC_ADMIN",
    "SYSLOG",
];

/// Everything risky in a project.
#[must_use]
pub fn risks(project: &Project) -> Vec<Risk> {
    project.services.iter().flat_map(|(name, service)| of(project, name, service)).collect()
}

fn of(project: &Project, name: &str, service: &Service) -> Vec<Risk> {
    let mut risks = Vec::new();
    let mut add = |code, what: &str| risks.push(Risk { service: name.to_owned(), code, what: what.to_owned() });
    let options = &service.options;
    if options.privileged {
        add("privileged", "");
    }
    if service.network_mode.as_deref() == Some("host") {
        add("host_network", "");
    }
    for mount in &service.mounts {
        let path = match &mount.source {
            Source::Host(path) => Some(path.as_str()),
            // A volume of the local driver may be a path of the machine, too.
            Source::Volume(key) => {
                project.volumes.get(key).and_then(|volume| volume.driver_opts.get("device")).map(String::as_str)
            }
            _ => None,
        };
        match path {
            Some(path) if is_engine_socket(path) => add("docker_socket", path),
            Some(path) => add("host_path", path),
            None => {}
        }
    }
    for (kind, value) in
        [("pid", &options.pid), ("ipc", &options.ipc), ("uts", &options.uts), ("userns", &options.userns_mode)]
    {
        if value.as_deref().is_some_and(|value| value == "host" || value.starts_with("container:")) {
            add("host_namespace", kind);
        }
    }
    options.devices.iter().for_each(|device| add("device", device.split(':').next().unwrap_or(device)));
    for capability in &options.cap_add {
        let plain = capability.to_ascii_uppercase();
        let plain = plain.strip_prefix("CAP_").unwrap_or(&plain);
        if GRAVE.contains(&plain) {
            add("capability", plain);
        }
    }
    for option in &options.security_opt {
        if option.replace('=', ":").ends_with(":unconfined") || option.replace('=', ":") == "label:disable" {
            add("security", option);
        }
    }
    risks
}

fn is_engine_socket(path: &str) -> bool {
    let plain = path.trim_end_matches('/');
    ["docker.sock", "containerd.sock", "podman.sock", "crio.sock"].iter().any(|name| plain.ends_with(name))
        || ["/var/run", "/run", "/var", "/"].contains(&if plain.is_empty() { "/" } else { plain })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Mount, Options};

    fn codes(service: Service) -> Vec<String> {
        let project = Project { services: [("web".to_owned(), service)].into(), ..Project::default() };
        risks(&project).iter().map(Risk::name).collect()
    }

    #[test]
    fn what_reaches_beyond_containers_is_named() {
        assert!(codes(Service::default()).is_empty());
        let host = |path: &str| Mount { target: "/x".into(), source: Source::Host(path.into()), read_only: true };
        let service = Service {
            network_mode: Some("host".into()),
            mounts: vec![host("/etc"), host("/var/run/docker.sock"), host("/run/")],
            options: Options {
                privileged: true,
                pid: Some("host".into()),
                cap_add: vec!["cap_sys_admin".into(), "CHOWN".into()],
                security_opt: vec!["seccomp:unconfined".into(), "no-new-privileges:true".into()],
                ..Options::default()
            },
            ..Service::default()
        };
        let expect = [
            "web:privileged",
            "web:host_network",
            "web:host_path:/etc",
            "web:docker_socket",
            "web:docker_socket",
            "web:host_namespace:pid",
            "web:capability:SYS_ADMIN",
            "web:security:seccomp:unconfined",
        ];
        assert_eq!(codes(service), expect);
    }
}
