//! Networks and volumes.

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::RemoveVolumeOptionsBuilder;
use windflow_stacks::driver::{DriverError, Event, Job, Result};
use windflow_stacks::plan::{Change, Plan, part_hash};
use windflow_stacks::project::{Network, Volume};

use super::{DockerTarget, errors, labels};

/// Makes the networks and volumes that are missing, and checks that those of others are there.
pub(super) async fn create(target: &DockerTarget, job: &Job<'_>, plan: &Plan) -> Result<()> {
    let project = job.project;
    let is_new = |kind: &str, name: &str| {
        plan.steps.iter().any(|step| step.kind == kind && step.name == name && step.change == Change::Created)
    };
    let told = |kind: &str, name: &str| {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        job.events.tell(Event::Part { kind, name, doing: "created".to_owned() });
    };
    for network in project.networks.values() {
        if network.external {
            let found = target.docker.inspect_network(&network.name, None).await;
            found.map_err(|error| external("network", &network.name, &error))?;
        } else if is_new("network", &network.name) {
            let asked = network_request(network, &project.name, job.deployment);
            target.docker.create_network(asked).await.map_err(|error| errors::of(&error))?;
            told("network", &network.name);
        }
    }
    for volume in project.volumes.values() {
        if volume.external {
            let found = target.docker.inspect_volume(&volume.name).await;
            found.map_err(|error| external("volume", &volume.name, &error))?;
        } else if is_new("volume", &volume.name) {
            let asked = volume_request(volume, &project.name, job.deployment);
            target.docker.create_volume(asked).await.map_err(|error| errors::of(&error))?;
            told("volume", &volume.name);
        }
    }
    Ok(())
}

fn external(kind: &str, name: &str, error: &bollard::errors::Error) -> DriverError {
    if errors::is_missing(error) {
        let message = format!("the {kind} {name} is `external`, but the target has none of this name");
        return DriverError::new("missing_external", message).remedy("make it there first, or leave `external` out");
    }
    errors::of(error)
}

fn network_request(network: &Network, stack: &str, deployment: &str) -> NetworkCreateRequest {
    let mut labels = labels::common(stack, deployment, &part_hash(network));
    labels.extend(network.labels.clone());
    let subnets = network.subnets.iter().map(|subnet| IpamConfig {
        subnet: subnet.subnet.clone(),
        ip_range: subnet.ip_range.clone(),
        gateway: subnet.gateway.clone(),
        auxiliary_addresses: None,
    });
    let ipam = Ipam { config: Some(subnets.collect()), ..Ipam::default() };
    NetworkCreateRequest {
        name: network.name.clone(),
        driver: Some(network.driver.clone().unwrap_or_else(|| "bridge".to_owned())),
        internal: Some(network.internal),
        attachable: Some(network.attachable),
        enable_ipv6: Some(network.enable_ipv6),
        options: Some(network.driver_opts.clone().into_iter().collect()),
        ipam: (!network.subnets.is_empty()).then_some(ipam),
        labels: Some(labels),
        ..NetworkCreateRequest::default()
    }
}

fn volume_request(volume: &Volume, stack: &str, deployment: &str) -> VolumeCreateRequest {
    let mut labels = labels::common(stack, deployment, &part_hash(volume));
    labels.extend(volume.labels.clone());
    VolumeCreateRequest {
        name: Some(volume.name.clone()),
        driver: volume.driver.clone(),
        driver_opts: Some(volume.driver_opts.clone().into_iter().collect()),
        labels: Some(labels),
        ..VolumeCreateRequest::default()
    }
}

/// Takes a network away. One that is in use, by somebody else then, stays.
pub(super) async fn remove_network(target: &DockerTarget, name: &str) -> Result<bool> {
    match target.docker.remove_network(name).await {
        Ok(()) => Ok(true),
        Err(error) if errors::is_missing(&error) => Ok(true),
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 403 | 409, .. }) => Ok(false),
        Err(error) => Err(errors::of(&error)),
    }
}

/// Takes a volume away with what is in it. One that is in use stays.
pub(super) async fn remove_volume(target: &DockerTarget, name: &str) -> Result<bool> {
    let options = RemoveVolumeOptionsBuilder::default().build();
    match target.docker.remove_volume(name, Some(options)).await {
        Ok(()) => Ok(true),
        Err(error) if errors::is_missing(&error) => Ok(true),
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 409, .. }) => Ok(false),
        Err(error) => Err(errors::of(&error)),
    }
}
