//! Ports in their short and long forms.

use serde_json::Value;

use super::reader::{Reader, scalar};
use crate::project::Port;

/// Ports of one range at most.
const MAX_RANGE: usize = 1000;

pub(super) fn ports(reader: &mut Reader<'_, '_>, service: &str) -> Vec<Port> {
    let path = ["services", service, "ports"];
    let count = reader.get(&path).and_then(Value::as_array).map_or(0, Vec::len);
    let mut ports = Vec::new();
    for at in 0..count {
        let at = at.to_string();
        let path = [path[0], path[1], path[2], at.as_str()];
        let read = match reader.get(&path) {
            Some(Value::Object(_)) => long(reader, &path),
            Some(value) => short(&scalar(value).unwrap_or_default()),
            None => continue,
        };
        match read {
            Ok(found) => ports.extend(found),
            Err(why) => {
                reader.refuse(&path, "invalid_port", why, "write it as \"8080:80\" or \"127.0.0.1:8080:80/tcp\"")
            }
        }
    }
    ports
}

fn long(reader: &Reader<'_, '_>, path: &[&str]) -> Result<Vec<Port>, String> {
    let text = |key: &str| reader.text(&[path, &[key]].concat());
    let (target, published) = (text("target").ok_or("`target` is missing")?, text("published"));
    let protocol = text("protocol").unwrap_or_else(|| "tcp".to_owned());
    if text("mode").is_some_and(|mode| mode != "host" && mode != "ingress") {
        return Err("`mode` is host or ingress".to_owned());
    }
    expand(&target, published.as_deref().filter(|text| !text.is_empty()), text("host_ip"), &protocol)
}

/// `[[address:]published:]target[/protocol]`.
fn short(text: &str) -> Result<Vec<Port>, String> {
    let (rest, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    // An address of version 6 has colons of its own.
    let (host_ip, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        Some((address, rest)) => (Some(address), rest),
        None => (None, rest),
    };
    let parts: Vec<&str> = rest.split(':').collect();
    let (host_ip, published, target) = match (host_ip, parts.as_slice()) {
        (None, [target]) => (None, None, *target),
        (address, [published, target]) => (address, Some(*published), *target),
        (None, [address, published, target]) => (Some(*address), Some(*published), *target),
        _ => return Err(format!("{text:?} is no port")),
    };
    expand(target, published.filter(|text| !text.is_empty()), host_ip.map(str::to_owned), protocol)
}

fn range(text: &str) -> Result<Vec<u16>, String> {
    let port = |text: &str| {
        text.parse::<u16>()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| format!("{text:?} is no port: it is 1 to 65535"))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (port(first)?, port(last)?);
    let ports: Vec<u16> = (first..=last).collect();
    match ports.len() {
        1..=MAX_RANGE => Ok(ports),
        0 => Err(format!("the range {text} ends before it begins")),
        _ => Err(format!("the range {text} has more than {MAX_RANGE} ports")),
    }
}

fn expand(target: &str, published: Option<&str>, host_ip: Option<String>, protocol: &str) -> Result<Vec<Port>, String> {
    if !["tcp", "udp", "sctp"].contains(&protocol) {
        return Err(format!("{protocol:?} is no protocol: it is tcp, udp or sctp"));
    }
    if let Some(address) = &host_ip
        && address.parse::<std::net::IpAddr>().is_err()
    {
        return Err(format!("{address:?} is no address"));
    }
    let targets = range(target)?;
    let published: Vec<Option<u16>> = match published {
        None => vec![None; targets.len()],
        Some(text) => range(text)?.into_iter().map(Some).collect(),
    };
    if published.len() != targets.len() {
        return Err("the ranges of published and target ports have different lengths".to_owned());
    }
    let port =
        |(target, published)| Port { target, published, host_ip: host_ip.clone(), protocol: protocol.to_owned() };
    Ok(targets.into_iter().zip(published).map(port).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[(Option<&str>, Option<u16>, u16, &str)]) {
        let found = short(text).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|port| (port.host_ip.as_deref(), port.published, port.target, port.protocol.as_str()))
            .collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn short_forms() {
        check("80", &[(None, None, 80, "tcp")]);
        check("8080:80", &[(None, Some(8080), 80, "tcp")]);
        check("127.0.0.1:8080:80/udp", &[(Some("127.0.0.1"), Some(8080), 80, "udp")]);
        check("127.0.0.1::80", &[(Some("127.0.0.1"), None, 80, "tcp")]);
        check("[::1]:8080:80", &[(Some("::1"), Some(8080), 80, "tcp")]);
        check("90-91:80-81", &[(None, Some(90), 80, "tcp"), (None, Some(91), 81, "tcp")]);
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in ["", "0", "65536", "a:b", "1:2:3:4", "80/icmp", "90-91:80", "9-8:9-8", "x:80:80", "1-60000"] {
            assert!(short(bad).is_err(), "{bad}");
        }
    }
}
