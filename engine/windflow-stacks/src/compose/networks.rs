//! Networks and volumes of a project.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::Value;

use super::reader::Reader;
use super::supported::unsupported;
use crate::project::{Network, Subnet, Volume};

pub(super) fn networks(reader: &mut Reader<'_, '_>, project: &str) -> IndexMap<String, Network> {
    let mut networks = IndexMap::new();
    for key in reader.keys(&["networks"]) {
        let at = |part: &'static str| ["networks", key, part];
        let (name, external) = name(reader, "networks", project, key);
        for part in ["enable_ipv4"] {
            if reader.get(&at(part)).is_some() {
                reader.problems.push(unsupported(part, "", &reader.document.key(&at(part))));
            }
        }
        if reader.get(&["networks", key, "ipam", "driver"]).is_some_and(|driver| driver != "default") {
            reader.problems.push(unsupported("driver", "", &reader.document.key(&["networks", key, "ipam", "driver"])));
        }
        networks.insert(
            key.to_owned(),
            Network {
                name,
                external,
                driver: reader.text(&at("driver")),
                driver_opts: reader.texts(&at("driver_opts")),
                internal: reader.flag(&at("internal")).unwrap_or_default(),
                attachable: reader.flag(&at("attachable")).unwrap_or_default(),
                enable_ipv6: reader.flag(&at("enable_ipv6")).unwrap_or_default(),
                subnets: subnets(reader, key),
                labels: reader.texts(&at("labels")),
            },
        );
    }
    networks
}

fn subnets(reader: &mut Reader<'_, '_>, key: &str) -> Vec<Subnet> {
    let path = ["networks", key, "ipam", "config"];
    let count = reader.get(&path).and_then(Value::as_array).map_or(0, Vec::len);
    let mut subnets = Vec::new();
    for at in 0..count {
        let at = at.to_string();
        let text = |part: &str| reader.text(&[&path[..], &[at.as_str(), part]].concat());
        subnets.push(Subnet { subnet: text("subnet"), ip_range: text("ip_range"), gateway: text("gateway") });
        let aux = [&path[..], &[at.as_str(), "aux_addresses"]].concat();
        if reader.get(&aux).is_some() {
            reader.problems.push(unsupported("aux_addresses", "", &reader.document.key(&aux)));
        }
    }
    subnets
}

pub(super) fn volumes(reader: &mut Reader<'_, '_>, project: &str) -> IndexMap<String, Volume> {
    let mut volumes = IndexMap::new();
    for key in reader.keys(&["volumes"]) {
        let (name, external) = name(reader, "volumes", project, key);
        let at = |part: &'static str| ["volumes", key, part];
        let volume = Volume {
            name,
            external,
            driver: reader.text(&at("driver")),
            driver_opts: reader.texts(&at("driver_opts")),
            labels: reader.texts(&at("labels")),
        };
        volumes.insert(key.to_owned(), volume);
    }
    volumes
}

/// The name on the target, and whether somebody else made it. `external: { name: … }` is the older form.
fn name(reader: &mut Reader<'_, '_>, kind: &str, project: &str, key: &str) -> (String, bool) {
    let older = reader.text(&[kind, key, "external", "name"]);
    let external = match reader.get(&[kind, key, "external"]) {
        Some(Value::Object(_)) => true,
        _ => reader.flag(&[kind, key, "external"]).unwrap_or_default(),
    };
    let own = || if external { key.to_owned() } else { format!("{project}_{key}") };
    (reader.text(&[kind, key, "name"]).or(older).unwrap_or_else(own), external)
}

/// The network that every service is on which names none.
pub(super) fn default_network(project: &str) -> Network {
    Network { name: format!("{project}_default"), labels: BTreeMap::new(), ..Network::default() }
}
