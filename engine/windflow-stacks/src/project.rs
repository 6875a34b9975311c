//! A stack that was read: every variable filled in, every short form written out. It needs nothing else to be deployed.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use windflow_core::id::Digest;

/// A stack, ready to deploy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// Its name: what all that belongs to it is called after.
    pub name: String,
    /// What runs, by name.
    pub services: IndexMap<String, Service>,
    /// Networks by the name that services use.
    pub networks: IndexMap<String, Network>,
    /// Volumes by the name that services use.
    pub volumes: IndexMap<String, Volume>,
}

/// When an image is fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pull {
    /// Where the target does not have it.
    #[default]
    Missing,
    /// At each deployment.
    Always,
    /// Not at all: the target has to have it.
    Never,
}

/// What an engine does when a container ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// Nothing.
    #[default]
    No,
    /// Starts it again, also after the engine was started.
    Always,
    /// Starts it again unless it was stopped by somebody.
    UnlessStopped,
    /// Starts it again where it failed, so many times at most; 0 is without bound.
    OnFailure(u32),
}

/// A service: one or more containers of one image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Service {
    /// The image with its tag or digest.
    pub image: String,
    /// Operating system and architecture, where the image is for several.
    pub platform: Option<String>,
    /// When the image is fetched.
    pub pull: Pull,
    /// Instead of the image's own.
    pub command: Option<Vec<String>>,
    /// Instead of the image's own.
    pub entrypoint: Option<Vec<String>>,
    /// Environment.
    pub environment: BTreeMap<String, String>,
    /// Ports that can be reached from outside.
    pub ports: Vec<Port>,
    /// Ports that other services may use, as `80/tcp`.
    pub expose: Vec<String>,
    /// What is mounted.
    pub mounts: Vec<Mount>,
    /// Networks, by the name that the project has for them.
    pub networks: IndexMap<String, Attachment>,
    /// `host` or `none`, instead of networks.
    pub network_mode: Option<String>,
    /// Secrets and configs, written into the container before it starts.
    pub files: Vec<File>,
    /// How its health is seen.
    pub health: Option<Health>,
    /// What has to be there before it starts.
    pub depends_on: IndexMap<String, Dependency>,
    /// How many containers.
    pub replicas: u32,
    /// What it may use.
    pub resources: Resources,
    /// What happens when it ends.
    pub restart: Restart,
    /// Labels of its containers.
    pub labels: BTreeMap<String, String>,
    /// The container's name instead of one made from project, service and number.
    pub container_name: Option<String>,
    /// Everything else that is handed on as it is.
    pub options: Options,
}

/// Settings of containers that are handed on as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "named as the Compose Specification names them")]
pub struct Options {
    pub hostname: Option<String>,
    pub domainname: Option<String>,
    pub user: Option<String>,
    pub working_dir: Option<String>,
    pub tty: bool,
    pub stdin_open: bool,
    pub init: Option<bool>,
    pub privileged: bool,
    pub read_only: bool,
    pub cap_add: Vec<String>,
    pub cap_drop: Vec<String>,
    pub devices: Vec<String>,
    pub dns: Vec<String>,
    pub dns_search: Vec<String>,
    pub dns_opt: Vec<String>,
    pub extra_hosts: Vec<String>,
    pub security_opt: Vec<String>,
    pub group_add: Vec<String>,
    pub pid: Option<String>,
    pub ipc: Option<String>,
    pub userns_mode: Option<String>,
    pub uts: Option<String>,
    pub cgroup_parent: Option<String>,
    pub runtime: Option<String>,
    pub stop_signal: Option<String>,
    pub stop_grace_seconds: Option<u32>,
    pub shm_bytes: Option<i64>,
    pub sysctls: BTreeMap<String, String>,
    pub ulimits: BTreeMap<String, (i64, i64)>,
    pub log_driver: Option<String>,
    pub log_options: BTreeMap<String, String>,
    pub oom_score_adj: Option<i64>,
}

/// A port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// In the container.
    pub target: u16,
    /// On the target's machine; none: the engine chooses.
    pub published: Option<u16>,
    /// The address of the target's machine; none: all of them.
    pub host_ip: Option<String>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(address) = &self.host_ip {
            write!(f, "{address}:")?;
        }
        match self.published {
            Some(published) => write!(f, "{published}->{}/{}", self.target, self.protocol),
            None => write!(f, "{}/{}", self.target, self.protocol),
        }
    }
}

/// Something that is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where in the container.
    pub target: String,
    /// What.
    pub source: Source,
    /// Whether it cannot be written.
    pub read_only: bool,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A volume of the project, by the name that the project has for it.
    Volume(String),
    /// A volume without a name. It goes with its container.
    Anonymous,
    /// A path of the target's machine.
    Host(String),
    /// Memory, up to so many bytes.
    Memory(Option<i64>),
}

/// How a service is on a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Further names there.
    pub aliases: Vec<String>,
    /// A fixed address.
    pub ipv4: Option<String>,
    /// A fixed address.
    pub ipv6: Option<String>,
}

/// A secret or config.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Where in the container.
    pub target: String,
    /// What is in it.
    pub content: String,
    /// Permissions.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What is in it may be secret.
        write!(f, "File({}, {} bytes)", self.target, self.content.len())
    }
}

/// A health check. Durations are in milliseconds; what is not said is the engine's or the image's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// `NONE` switches the image's own off.
    pub test: Option<Vec<String>>,
    /// Time between checks.
    pub interval: Option<u64>,
    /// How long one may take.
    pub timeout: Option<u64>,
    /// How many fail in a row before it is unhealthy.
    pub retries: Option<u32>,
    /// How long failures do not count.
    pub start_period: Option<u64>,
    /// Time between checks meanwhile.
    pub start_interval: Option<u64>,
}

impl Health {
    /// Whether it switches checks off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.test.as_ref().is_some_and(|test| test.first().is_some_and(|first| first == "NONE"))
    }
}

/// What another service has to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// It was started.
    Started,
    /// Its health check succeeds.
    Healthy,
    /// It has ended, with status 0.
    Completed,
}

/// That a service needs another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// What the other has to be like.
    pub condition: Condition,
    /// Whether it starts again when the other one is replaced.
    #[serde(default)]
    pub restart: bool,
}

/// What a container may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Billionths of a core.
    pub nano_cpus: Option<i64>,
    /// Bytes.
    pub memory: Option<i64>,
    /// Bytes that are kept for it.
    pub memory_reservation: Option<i64>,
    /// Processes.
    pub pids: Option<i64>,
    /// Weight against others.
    pub cpu_shares: Option<i64>,
    /// Which cores.
    pub cpuset: Option<String>,
    /// Memory and swap together, in bytes.
    pub memory_swap: Option<i64>,
}

/// A network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Its name on the target.
    pub name: String,
    /// Somebody else made it, and it stays.
    pub external: bool,
    /// The kind.
    pub driver: Option<String>,
    /// Settings of its driver.
    pub driver_opts: BTreeMap<String, String>,
    /// Without a way out.
    pub internal: bool,
    /// Containers from elsewhere may join.
    pub attachable: bool,
    /// IPv6, too.
    pub enable_ipv6: bool,
    /// Ranges of addresses: subnet, range, gateway.
    pub subnets: Vec<Subnet>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// A range of addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subnet {
    /// In CIDR form.
    pub subnet: Option<String>,
    /// The part that containers get theirs from.
    pub ip_range: Option<String>,
    /// The way out.
    pub gateway: Option<String>,
}

/// A volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// Its name on the target.
    pub name: String,
    /// Somebody else made it, and it stays.
    pub external: bool,
    /// The kind.
    pub driver: Option<String>,
    /// Settings of its driver.
    pub driver_opts: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

fn digest(value: &impl Serialize) -> String {
    // Types without maps of other keys than text always can be written.
    let text = serde_json::to_vec(value).unwrap_or_default();
    let digest = Digest::of(&text).to_string();
    digest.trim_start_matches("sha256:")[..32].to_owned()
}

impl Project {
    /// What a service's containers are made from, as a digest: where it differs they are made anew. How many there are and
    /// what they wait for is no part of it.
    #[must_use]
    pub fn config_hash(&self, name: &str) -> String {
        let Some(service) = self.services.get(name) else { return String::new() };
        let mut service = service.clone();
        service.replicas = 0;
        service.depends_on.clear();
        service.pull = Pull::Missing;
        let networks: Vec<_> = service.networks.keys().map(|key| self.networks.get(key).map(|net| &net.name)).collect();
        let volumes: Vec<_> = service
            .mounts
            .iter()
            .filter_map(|mount| match &mount.source {
                Source::Volume(key) => self.volumes.get(key).map(|volume| &volume.name),
                _ => None,
            })
            .collect();
        digest(&(&service, networks, volumes))
    }

    /// The whole as a digest: the same means that nothing is to be done.
    #[must_use]
    pub fn digest(&self) -> String {
        digest(self)
    }

    /// Another number of containers for some services.
    ///
    /// # Errors
    /// Where there is no such service, or it cannot have several.
    pub fn scale(&mut self, replicas: &BTreeMap<String, u32>) -> Result<(), String> {
        for (name, count) in replicas {
            let Some(service) = self.services.get_mut(name) else {
                let known = || self.services.keys().map(String::as_str);
                let near = windflow_core::problem::did_you_mean(name, known());
                let known = near.unwrap_or_else(|| format!("there are {}", windflow_core::problem::list(known())));
                return Err(format!("there is no service `{name}` in {}; {known}", self.name));
            };
            if *count > MAX_REPLICAS {
                return Err(format!("a service has {MAX_REPLICAS} containers at most"));
            }
            if *count > 1 && service.container_name.is_some() {
                return Err(format!(
                    "`{name}` names its container, so there can be one only: leave `container_name` out"
                ));
            }
            if *count > 1 && service.ports.iter().any(|port| port.published.is_some()) {
                return Err(format!(
                    "`{name}` publishes a fixed port, which one container only can have: leave the published port out"
                ));
            }
            service.replicas = *count;
        }
        Ok(())
    }
}

/// Containers of one service at most.
pub const MAX_REPLICAS: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> Project {
        let web = Service { image: "web:1".into(), replicas: 1, ..Service::default() };
        Project { name: "shop".into(), services: [("web".to_owned(), web)].into(), ..Project::default() }
    }

    #[test]
    fn the_hash_is_of_what_containers_are_made_from() {
        let one = project();
        let mut other = project();
        other.services["web"].replicas = 3;
        assert_eq!(one.config_hash("web"), other.config_hash("web"));
        assert_ne!(one.digest(), other.digest());
        other.services["web"].image = "web:2".into();
        assert_ne!(one.config_hash("web"), other.config_hash("web"));
    }

    #[test]
    fn what_cannot_be_there_twice_is_not_scaled() {
        let scale = |project: &mut Project, name: &str, count| project.scale(&[(name.to_owned(), count)].into());
        let mut shop = project();
        assert!(scale(&mut shop, "web", 3).is_ok() && shop.services["web"].replicas == 3);
        assert!(scale(&mut shop, "nosuch", 1).unwrap_err().contains("`web`"));
        assert!(scale(&mut shop, "web", 10_000).is_err());
        let port = Port { target: 80, published: Some(8080), host_ip: None, protocol: "tcp".into() };
        shop.services["web"].ports.push(port);
        assert!(scale(&mut shop, "web", 2).unwrap_err().contains("fixed port"));
    }
}
