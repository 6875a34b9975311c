//! A container that runs once: as a service of a stack of its own, so that it is read, judged and made as services are.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Deserialize;

use super::image;
use super::words::{Words, check_environment};
use crate::compose::{mounts, units};
use crate::project::{Attachment, Options, Project, Pull, Resources, Service, Source};

/// What runs. What reaches beyond containers has to be confirmed, as with stacks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Once {
    image: String,
    #[serde(default)]
    command: Option<Words>,
    #[serde(default)]
    entrypoint: Option<Words>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    working_dir: Option<String>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    platform: Option<String>,
    #[serde(default)]
    pull: Option<Pull>,
    #[serde(default)]
    limits: Option<Limits>,
    /// The stack whose networks and volumes it may use.
    #[serde(default)]
    pub stack: Option<String>,
    #[serde(default)]
    networks: Vec<String>,
    #[serde(default)]
    network_mode: Option<String>,
    #[serde(default)]
    volumes: Vec<String>,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    privileged: bool,
    #[serde(default)]
    cap_add: Vec<String>,
    #[serde(default)]
    cap_drop: Vec<String>,
    /// How long it may take.
    #[serde(default)]
    pub seconds: Option<u32>,
    /// Risks that are confirmed by name, such as `run:host_network`.
    #[serde(default)]
    pub confirm: Vec<String>,
}

/// What it may use.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Limits {
    memory: Option<String>,
    cpus: Option<f64>,
    pids: Option<i64>,
}

/// Its own log on the target, so that one that floods it does not fill the disk.
const LOG: (&str, [(&str, &str); 2]) = ("json-file", [("max-size", "8m"), ("max-file", "2")]);

impl Once {
    /// What the service is called, also where its risks are confirmed.
    pub const SERVICE: &str = "run";

    /// It as a stack of one service, with what it uses of `of`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn project(&self, of: Option<&Project>) -> Result<Project, String> {
        image::check(&self.image)?;
        check_environment(&self.environment)?;
        let words = |words: &Option<Words>, field| words.as_ref().map(|words| words.split(field)).transpose();
        let mut project = Project { name: Self::SERVICE.to_owned(), ..Project::default() };
        let mut service = Service {
            image: self.image.clone(),
            platform: self.platform.clone(),
            pull: self.pull.unwrap_or_default(),
            command: words(&self.command, "command")?,
            entrypoint: words(&self.entrypoint, "entrypoint")?,
            environment: self.environment.clone(),
            resources: self.limits.as_ref().map(Limits::resources).transpose()?.unwrap_or_default(),
            network_mode: self.network_mode()?,
            replicas: 1,
            options: Options {
                working_dir: self.working_dir.clone(),
                user: self.user.clone(),
                read_only: self.read_only,
                privileged: self.privileged,
                cap_add: self.cap_add.clone(),
                cap_drop: self.cap_drop.clone(),
                log_driver: Some(LOG.0.to_owned()),
                log_options: LOG.1.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
                ..Options::default()
            },
            ..Service::default()
        };
        if self.networks.len() > 20 || self.volumes.len() > 50 || self.confirm.len() > 100 {
            return Err("a container has 20 networks and 50 volumes at most".to_owned());
        }
        for name in &self.networks {
            let network = self.of_the_stack("network", name, of, |of| &of.networks)?;
            project.networks.insert(name.clone(), network);
            service.networks.insert(name.clone(), Attachment::default());
        }
        for text in &self.volumes {
            let mount = mounts::short(text)?;
            if let Source::Volume(name) = &mount.source {
                let volume = self.of_the_stack("volume", name, of, |of| &of.volumes)?;
                project.volumes.insert(name.clone(), volume);
            }
            service.mounts.push(mount);
        }
        project.services.insert(Self::SERVICE.to_owned(), service);
        Ok(project)
    }

    fn network_mode(&self) -> Result<Option<String>, String> {
        match self.network_mode.as_deref() {
            None | Some("none" | "host") if self.networks.is_empty() => Ok(self.network_mode.clone()),
            None => Ok(None),
            Some("none" | "host") => Err("it has either `networks` or a `network_mode`".to_owned()),
            Some(other) => Err(format!("{other:?} is no `network_mode` of such a container: it is none or host")),
        }
    }

    /// Only what its stack uses is within reach, by the name that the stack has for it.
    fn of_the_stack<T: Clone>(
        &self,
        kind: &str,
        name: &str,
        of: Option<&Project>,
        parts: impl Fn(&Project) -> &IndexMap<String, T>,
    ) -> Result<T, String> {
        let Some((stack, of)) = self.stack.as_deref().zip(of) else {
            return Err(format!("the {kind} {name:?} is of a stack: name that under `stack`"));
        };
        parts(of).get(name).cloned().ok_or_else(|| {
            let known = windflow_core::problem::list(parts(of).keys().map(String::as_str));
            format!("the stack {stack} has no {kind} {name:?}; it has {known}")
        })
    }
}

impl Limits {
    fn resources(&self) -> Result<Resources, String> {
        let memory = match &self.memory {
            Some(text) => Some(
                units::bytes(text)
                    .filter(|bytes| *bytes > 0)
                    .ok_or(format!("`limits.memory` is {text:?}, which is no size: write it as 512m or 1g"))?,
            ),
            None => None,
        };
        if self.cpus.is_some_and(|cpus| !(0.01..=1024.0).contains(&cpus)) {
            return Err("`limits.cpus` is 0.01 to 1024".to_owned());
        }
        if self.pids.is_some_and(|pids| pids < 1) {
            return Err("`limits.pids` is 1 at least".to_owned());
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most 1024 billions, as the lines before say")]
        let nano_cpus = self.cpus.map(|cpus| (cpus * 1e9) as i64);
        Ok(Resources { memory, nano_cpus, pids: self.pids, ..Resources::default() })
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::project::{Network, Volume};
    use crate::risk::{Risk, risks};

    fn shop() -> Project {
        let volume = |name: &str| Volume { name: name.into(), ..Volume::default() };
        let mut logs = volume("shop_logs");
        logs.driver_opts.insert("device".into(), "/var/log".into());
        Project {
            name: "shop".into(),
            networks: [("default".to_owned(), Network { name: "shop_default".into(), ..Network::default() })].into(),
            volumes: [("data".to_owned(), volume("shop_data")), ("logs".to_owned(), logs)].into(),
            ..Project::default()
        }
    }

    fn read(more: Value) -> Result<Project, String> {
        let mut asked = json!({ "image": "app:1" });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let once: Once = serde_json::from_value(asked).map_err(|error| error.to_string())?;
        let shop = shop();
        once.project(once.stack.is_some().then_some(&shop))
    }

    #[test]
    fn it_is_a_stack_of_one_service() {
        // What is not said may be null.
        let nothing = [
            "command",
            "entrypoint",
            "working_dir",
            "user",
            "platform",
            "pull",
            "limits",
            "stack",
            "network_mode",
            "seconds",
        ];
        assert!(read(nothing.into_iter().map(|field| (field.to_owned(), Value::Null)).collect::<Value>()).is_ok());
        let project = read(json!({
            "command": "sh -c 'exit 3'", "environment": { "A": "$b" }, "stack": "shop", "networks": ["default"],
            "volumes": ["data:/data:ro", "/scratch"], "limits": { "memory": "64m", "cpus": 0.5 },
        }))
        .unwrap();
        let service = &project.services[Once::SERVICE];
        assert_eq!(service.command.as_deref().unwrap(), ["sh", "-c", "exit 3"]);
        assert_eq!((service.resources.memory, service.resources.nano_cpus), (Some(64 << 20), Some(500_000_000)));
        assert_eq!((&*project.networks["default"].name, &*project.volumes["data"].name), ("shop_default", "shop_data"));
        assert_eq!(service.environment["A"], "$b", "nothing is filled in a second time");
        assert!(risks(&project).is_empty());
    }

    #[test]
    fn what_reaches_beyond_it_is_a_risk() {
        for (more, risk) in [
            (json!({ "privileged": true }), "run:privileged"),
            (json!({ "network_mode": "host" }), "run:host_network"),
            (json!({ "volumes": ["/etc:/x"] }), "run:host_path:/etc"),
            (json!({ "volumes": ["/var/run/docker.sock:/s"] }), "run:docker_socket"),
            (json!({ "cap_add": ["SYS_ADMIN"] }), "run:capability:SYS_ADMIN"),
            (json!({ "stack": "shop", "volumes": ["logs:/x"] }), "run:host_path:/var/log"),
        ] {
            let named: Vec<_> = risks(&read(more).unwrap()).iter().map(Risk::name).collect();
            assert_eq!(named, [risk]);
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (more, said) in [
            (json!({ "imagee": 1 }), "unknown field `imagee`"),
            (json!({ "image": "a b" }), "no name of an image"),
            (json!({ "limits": { "memory": "much" } }), "`limits.memory`"),
            (json!({ "limits": { "cpus": 0 } }), "`limits.cpus`"),
            (json!({ "network_mode": "container:db" }), "none or host"),
            (json!({ "networks": ["default"] }), "name that under `stack`"),
            (json!({ "volumes": ["data:/data"] }), "name that under `stack`"),
            (json!({ "stack": "shop", "volumes": ["other_db:/data"] }), "the stack shop has no volume"),
            (json!({ "stack": "shop", "networks": ["default"], "network_mode": "host" }), "either"),
            (json!({ "command": "sh 'a" }), "quote"),
            (json!({ "environment": { "A=B": "" } }), "A=B"),
        ] {
            let error = read(more).unwrap_err();
            assert!(error.contains(said), "{said}: {error}");
        }
    }
}
