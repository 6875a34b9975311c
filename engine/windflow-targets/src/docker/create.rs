//! Making a container of a service.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, DeviceMapping, EndpointIpamConfig, EndpointSettings, HealthConfig, HostConfig,
    HostConfigLogConfig, Mount as EngineMount, MountTmpfsOptions, MountType, NetworkConnectRequest, NetworkingConfig,
    PortBinding, ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};
use bollard::query_parameters::CreateContainerOptionsBuilder;
use windflow_stacks::driver::{Job, Result};
use windflow_stacks::project::{Attachment, Health, Mount, Project, Restart, Service, Source};

use super::{DockerTarget, errors, files, labels};

type Labels = HashMap<String, String>;

/// Makes a container of a deployment, with its files, and does not start it. Its id.
pub(super) async fn create(target: &DockerTarget, job: &Job<'_>, name: &str, number: u32) -> Result<String> {
    let service = &job.project.services[name];
    let own = service.container_name.clone().unwrap_or_else(|| format!("{}-{name}-{number}", job.project.name));
    let mut labels: Labels = service.labels.clone().into_iter().collect();
    labels.extend(labels::common(&job.project.name, job.deployment, &job.project.config_hash(name)));
    labels.insert(labels::SERVICE.to_owned(), name.to_owned());
    labels.insert(labels::NUMBER.to_owned(), number.to_string());
    make(target, job.project, name, &own, labels).await
}

/// Makes a container of a service under a name of its own, with its files, and does not start it. Its id.
pub(super) async fn make(
    target: &DockerTarget,
    project: &Project,
    name: &str,
    own: &str,
    labels: Labels,
) -> Result<String> {
    let service = &project.services[name];
    let mut options = CreateContainerOptionsBuilder::default().name(own);
    if let Some(platform) = &service.platform {
        options = options.platform(platform);
    }
    let mut networks = service.networks.iter().map(|(key, on)| (network_name(project, key), endpoint(name, on)));
    let first = networks.next();
    let body = body(project, service, labels, first);
    let made = target.docker.create_container(Some(options.build()), body).await.map_err(|error| errors::of(&error))?;
    // Older engines take one network when a container is made.
    for (network, endpoint) in networks {
        let asked = NetworkConnectRequest { container: made.id.clone(), endpoint_config: Some(endpoint) };
        target.docker.connect_network(&network, asked).await.map_err(|error| errors::of(&error))?;
    }
    files::write(target, &made.id, &service.files).await?;
    Ok(made.id)
}

fn network_name(project: &Project, key: &str) -> String {
    project.networks.get(key).map_or_else(|| key.to_owned(), |network| network.name.clone())
}

fn endpoint(service: &str, on: &Attachment) -> EndpointSettings {
    let mut aliases = on.aliases.clone();
    aliases.push(service.to_owned());
    let fixed =
        EndpointIpamConfig { ipv4_address: on.ipv4.clone(), ipv6_address: on.ipv6.clone(), link_local_ips: None };
    let has_fixed = on.ipv4.is_some() || on.ipv6.is_some();
    EndpointSettings { aliases: Some(aliases), ipam_config: has_fixed.then_some(fixed), ..EndpointSettings::default() }
}

fn body(
    project: &Project,
    service: &Service,
    labels: Labels,
    network: Option<(String, EndpointSettings)>,
) -> ContainerCreateBody {
    let options = &service.options;
    let mut exposed: Vec<String> =
        service.ports.iter().map(|port| format!("{}/{}", port.target, port.protocol)).collect();
    exposed.extend(service.expose.iter().cloned());
    let anonymous = service.mounts.iter().filter(|mount| mount.source == Source::Anonymous);
    let mode = service.network_mode.clone().or_else(|| network.as_ref().map(|(name, _)| name.clone()));
    ContainerCreateBody {
        image: Some(service.image.clone()),
        cmd: service.command.clone(),
        entrypoint: service.entrypoint.clone(),
        env: Some(service.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        hostname: options.hostname.clone(),
        domainname: options.domainname.clone(),
        user: options.user.clone(),
        working_dir: options.working_dir.clone(),
        tty: Some(options.tty),
        open_stdin: Some(options.stdin_open),
        stop_signal: options.stop_signal.clone(),
        stop_timeout: options.stop_grace_seconds.map(i64::from),
        healthcheck: service.health.as_ref().map(health),
        labels: Some(labels),
        exposed_ports: Some(exposed),
        volumes: Some(anonymous.map(|mount| mount.target.clone()).collect()),
        networking_config: network
            .map(|(name, endpoint)| NetworkingConfig { endpoints_config: Some([(name, endpoint)].into()) }),
        host_config: Some(HostConfig { network_mode: mode, ..host(project, service) }),
        ..ContainerCreateBody::default()
    }
}

/// The engine takes nanoseconds.
fn health(health: &Health) -> HealthConfig {
    let nanoseconds =
        |milliseconds: Option<u64>| milliseconds.and_then(|ms| i64::try_from(ms).ok()?.checked_mul(1_000_000));
    HealthConfig {
        test: health.test.clone(),
        interval: nanoseconds(health.interval),
        timeout: nanoseconds(health.timeout),
        retries: health.retries.map(i64::from),
        start_period: nanoseconds(health.start_period),
        start_interval: nanoseconds(health.start_interval),
    }
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn host(project: &Project, service: &Service) -> HostConfig {
    let (options, resources) = (&service.options, &service.resources);
    let mut ports: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for port in &service.ports {
        let binding =
            PortBinding { host_ip: port.host_ip.clone(), host_port: port.published.map(|port| port.to_string()) };
        let key = format!("{}/{}", port.target, port.protocol);
        ports.entry(key).or_default().get_or_insert_default().push(binding);
    }
    let (restart, most) = match service.restart {
        Restart::No => (RestartPolicyNameEnum::NO, None),
        Restart::Always => (RestartPolicyNameEnum::ALWAYS, None),
        Restart::UnlessStopped => (RestartPolicyNameEnum::UNLESS_STOPPED, None),
        Restart::OnFailure(most) => (RestartPolicyNameEnum::ON_FAILURE, Some(i64::from(most))),
    };
    let ulimits = options.ulimits.iter().map(|(name, (soft, hard))| ResourcesUlimits {
        name: Some(name.clone()),
        soft: Some(*soft),
        hard: Some(*hard),
    });
    HostConfig {
        port_bindings: Some(ports),
        mounts: some(service.mounts.iter().filter_map(|found| mount(project, found)).collect()),
        restart_policy: Some(RestartPolicy { name: Some(restart), maximum_retry_count: most }),
        nano_cpus: resources.nano_cpus,
        memory: resources.memory,
        memory_reservation: resources.memory_reservation,
        memory_swap: resources.memory_swap,
        pids_limit: resources.pids,
        cpu_shares: resources.cpu_shares,
        cpuset_cpus: resources.cpuset.clone(),
        privileged: Some(options.privileged),
        readonly_rootfs: Some(options.read_only),
        init: options.init,
        cap_add: some(options.cap_add.clone()),
        cap_drop: some(options.cap_drop.clone()),
        devices: some(options.devices.iter().map(|text| device(text)).collect()),
        dns: some(options.dns.clone()),
        dns_search: some(options.dns_search.clone()),
        dns_options: some(options.dns_opt.clone()),
        extra_hosts: some(options.extra_hosts.clone()),
        security_opt: some(options.security_opt.clone()),
        group_add: some(options.group_add.clone()),
        pid_mode: options.pid.clone(),
        ipc_mode: options.ipc.clone(),
        userns_mode: options.userns_mode.clone(),
        uts_mode: options.uts.clone(),
        cgroup_parent: options.cgroup_parent.clone(),
        runtime: options.runtime.clone(),
        shm_size: options.shm_bytes,
        oom_score_adj: options.oom_score_adj,
        sysctls: (!options.sysctls.is_empty()).then(|| options.sysctls.clone().into_iter().collect()),
        ulimits: some(ulimits.collect()),
        log_config: (options.log_driver.is_some() || !options.log_options.is_empty()).then(|| HostConfigLogConfig {
            typ: Some(options.log_driver.clone().unwrap_or_else(|| "json-file".to_owned())),
            config: Some(options.log_options.clone().into_iter().collect()),
        }),
        ..HostConfig::default()
    }
}

fn device(text: &str) -> DeviceMapping {
    let mut parts = text.splitn(3, ':');
    let source = parts.next().unwrap_or_default().to_owned();
    DeviceMapping {
        path_in_container: Some(parts.next().map_or_else(|| source.clone(), str::to_owned)),
        cgroup_permissions: Some(parts.next().unwrap_or("rwm").to_owned()),
        path_on_host: Some(source),
    }
}

fn mount(project: &Project, mount: &Mount) -> Option<EngineMount> {
    let (typ, source, tmpfs_options) = match &mount.source {
        Source::Volume(key) => {
            let name = project.volumes.get(key).map_or_else(|| key.clone(), |volume| volume.name.clone());
            (MountType::VOLUME, Some(name), None)
        }
        Source::Host(path) => (MountType::BIND, Some(path.clone()), None),
        Source::Memory(size) => {
            (MountType::TMPFS, None, Some(MountTmpfsOptions { size_bytes: *size, ..MountTmpfsOptions::default() }))
        }
        // These are named when the container is made.
        Source::Anonymous => return None,
    };
    Some(EngineMount {
        target: Some(mount.target.clone()),
        source,
        typ: Some(typ),
        read_only: Some(mount.read_only),
        tmpfs_options,
        ..EngineMount::default()
    })
}
