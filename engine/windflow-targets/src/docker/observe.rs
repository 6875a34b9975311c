//! What there is of a stack.

use std::time::Duration;

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum as Is, PortSummary};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder};
use windflow_stacks::driver::Result;
use windflow_stacks::plan::{Container, HealthState, Observed, Part, State};

use super::{DockerTarget, errors, labels};

/// How long a container runs until its engine takes its start for a success.
pub(super) const SETTLED: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);

impl DockerTarget {
    pub(super) async fn seen(&self, stack: &str) -> Result<Observed> {
        let filter = labels::filter(stack);
        let containers = ListContainersOptionsBuilder::default().all(true).filters(&filter).build();
        let networks = ListNetworksOptionsBuilder::default().filters(&filter).build();
        let volumes = ListVolumesOptionsBuilder::default().filters(&filter).build();
        let (containers, networks, volumes) = futures::try_join!(
            self.docker.list_containers(Some(containers)),
            self.docker.list_networks(Some(networks)),
            self.docker.list_volumes(Some(volumes)),
        )
        .map_err(|error| errors::of(&error))?;
        let part = |labels: &std::collections::HashMap<String, String>| Part {
            hash: labels.get(labels::HASH).cloned().unwrap_or_default(),
            deployment: labels.get(labels::DEPLOYMENT).cloned().unwrap_or_default(),
        };
        let mut containers: Vec<Container> = containers.into_iter().filter_map(container).collect();
        containers.sort_by(|a, b| (&a.service, a.number, a.retired).cmp(&(&b.service, b.number, b.retired)));
        Ok(Observed {
            containers,
            networks: networks
                .into_iter()
                .filter_map(|network| Some((network.name?, part(&network.labels.unwrap_or_default()))))
                .collect(),
            volumes: volumes
                .volumes
                .unwrap_or_default()
                .into_iter()
                .map(|volume| (volume.name, part(&volume.labels)))
                .collect(),
        })
    }
}

fn container(found: ContainerSummary) -> Option<Container> {
    let labels = found.labels.unwrap_or_default();
    let name = found.names.unwrap_or_default().first()?.trim_start_matches('/').to_owned();
    let status = found.status.unwrap_or_default();
    let label = |key: &str| labels.get(key).cloned().unwrap_or_default();
    Some(Container {
        id: found.id?,
        service: label(labels::SERVICE),
        number: label(labels::NUMBER).parse().unwrap_or(1),
        hash: label(labels::HASH),
        deployment: label(labels::DEPLOYMENT),
        image: found.image.unwrap_or_default(),
        image_id: found.image_id.unwrap_or_default(),
        state: state(found.state, &status),
        health: health(&status),
        steady: runs_since(&status).is_some_and(|since| since >= Duration::from_secs(1)),
        settled: runs_since(&status).is_some_and(|since| since >= SETTLED),
        retired: name.ends_with(labels::RETIRED) || name.ends_with(labels::RETIRED_STOPPED),
        ports: found.ports.unwrap_or_default().iter().filter_map(port).collect(),
        name,
    })
}

fn state(state: Option<Is>, status: &str) -> State {
    match state {
        Some(Is::CREATED) => State::Created,
        Some(Is::RUNNING | Is::STOPPING) => State::Running,
        Some(Is::PAUSED) => State::Paused,
        Some(Is::RESTARTING) => State::Restarting,
        Some(Is::EXITED) => {
            // Lists tell the status in words only: "Exited (137) 2 hours ago".
            let code = status.split_once('(').and_then(|(_, rest)| rest.split_once(')')?.0.parse().ok());
            State::Exited(code.unwrap_or(-1))
        }
        Some(Is::EMPTY | Is::REMOVING | Is::DEAD) | None => State::Dead,
    }
}

/// Lists tell since when it runs in words only: "Up Less than a second", "Up 2 minutes", "Up About an hour". That long at least.
fn runs_since(status: &str) -> Option<Duration> {
    let since = status.strip_prefix("Up ")?;
    let mut words = since.split(' ');
    let (number, unit) = (words.next()?, words.next().unwrap_or_default());
    Some(match number.parse() {
        Ok(seconds) if unit.starts_with("second") => Duration::from_secs(seconds),
        Ok(_) => MINUTE,
        Err(_) if since.starts_with("About a") => MINUTE,
        Err(_) => Duration::ZERO,
    })
}

/// Lists of older engines tell it in words only: "Up 2 minutes (health: starting)".
fn health(status: &str) -> Option<HealthState> {
    if status.ends_with("(healthy)") {
        Some(HealthState::Healthy)
    } else if status.ends_with("(unhealthy)") {
        Some(HealthState::Unhealthy)
    } else {
        status.ends_with("(health: starting)").then_some(HealthState::Starting)
    }
}

fn port(port: &PortSummary) -> Option<String> {
    let public = port.public_port?;
    let address = port.ip.as_deref().unwrap_or("0.0.0.0");
    let protocol = port.typ.map(|typ| typ.to_string()).unwrap_or_default();
    Some(format!("{address}:{public}->{}/{protocol}", port.private_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_lists_are_understood() {
        assert_eq!(state(Some(Is::EXITED), "Exited (137) 2 hours ago"), State::Exited(137));
        for (status, seconds) in [
            ("Up Less than a second", Some(0)),
            ("Up 1 second", Some(1)),
            ("Up 12 seconds (healthy)", Some(12)),
            ("Up About a minute", Some(60)),
            ("Up 3 weeks (unhealthy)", Some(60)),
            ("Exited (0) 2 hours ago", None),
            ("Created", None),
        ] {
            assert_eq!(runs_since(status), seconds.map(Duration::from_secs), "{status}");
        }
        assert_eq!(health("Up 2 minutes (health: starting)"), Some(HealthState::Starting));
        assert_eq!(health("Up 2 minutes (unhealthy)"), Some(HealthState::Unhealthy));
        assert_eq!((health("Up 2 minutes (healthy)"), health("Up 2 minutes")), (Some(HealthState::Healthy), None));
    }
}
