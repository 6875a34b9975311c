//! What a node may touch. A capability is given only where every key agrees: the plugin's manifest asks, the workflow's
//! `permissions:` grant, the operator's policy allows. Empty means nothing.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::written_as_text;

pub use self::events::{
    ENGINE_EVENTS, EventPattern, InvalidEventPattern, MAX_EVENT_NAME_BYTES, is_event_name, is_public_event,
};
pub use self::http::{HttpPattern, InvalidPattern, Origin, Scheme};

mod events;
mod http;

/// A kind of permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Sending HTTP requests to granted hosts.
    Http,
    /// Deploying to targets of the workflow, and looking after what is deployed there.
    Docker,
    /// Sending mail through servers that the workflow grants.
    Email,
    /// Having the host add a credential of the workflow to requests, without seeing it.
    Credentials,
    /// Keeping values for later runs of the same workflow.
    State,
    /// Keeping files in the scratch folder of the run.
    Files,
    /// Having the host hand files of the run to a target, without reading them.
    HandsFiles,
    /// Publishing events that start workflows of the organisation.
    Events,
    /// Reading the time of the machine. Without it, the clock of WASI is the run's.
    Clock,
    /// Drawing random numbers of the machine. Without it, those of WASI follow from the node run.
    Random,
    /// Knowing run, node, attempt, deadline and idempotency key. Harmless: it needs no grant, but ends purity.
    RunContext,
    /// Being told of cancellation. Harmless: it needs no grant, but ends purity.
    Cancellation,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Http => "http",
            Self::Docker => "docker",
            Self::Email => "email",
            Self::Credentials => "credentials",
            Self::State => "state",
            Self::Files => "files",
            Self::HandsFiles => "hands_files",
            Self::Events => "events",
            Self::Clock => "clock",
            Self::Random => "random",
            Self::RunContext => "run_context",
            Self::Cancellation => "cancellation",
        })
    }
}

impl Capability {
    /// All that have to be granted, in the order in which they are told.
    pub const GRANTED: [Self; 10] = [
        Self::Http,
        Self::Docker,
        Self::Email,
        Self::Credentials,
        Self::State,
        Self::Files,
        Self::HandsFiles,
        Self::Events,
        Self::Clock,
        Self::Random,
    ];
}

/// A word that names nothing that has to be granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no capability that workflows are granted; those are http, docker, email, credentials, state, files, hands_files, events, clock and random"
)]
pub struct UnknownCapability(String);

impl FromStr for Capability {
    type Err = UnknownCapability;

    /// One that has to be granted.
    fn from_str(word: &str) -> Result<Self, UnknownCapability> {
        let known = Self::GRANTED.into_iter().find(|one| one.to_string() == word);
        known.ok_or_else(|| UnknownCapability(word.chars().take(40).collect()))
    }
}

/// A range of addresses, such as `10.0.0.0/8` or `127.0.0.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressRange {
    address: IpAddr,
    prefix: u8,
}

impl AddressRange {
    /// Exactly one address.
    #[must_use]
    pub fn one(address: IpAddr) -> Self {
        Self { address, prefix: if address.is_ipv4() { 32 } else { 128 } }
    }

    /// Whether the address lies in the range. IPv4 addresses mapped into IPv6 are compared as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(range), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.prefix.min(32));
                u32::from(range).checked_shr(shift) == u32::from(address).checked_shr(shift)
            }
            (IpAddr::V6(range), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.prefix.min(128));
                u128::from(range).checked_shr(shift) == u128::from(address).checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl FromStr for AddressRange {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| ())?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim_start_matches('[').trim_end_matches(']').parse().map_err(|_| ())?;
        let address = address.to_canonical();
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(widest);
        if prefix > widest { Err(()) } else { Ok(Self { address, prefix }) }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = if self.address.is_ipv4() { 32 } else { 128 };
        if self.prefix == widest { self.address.fmt(f) } else { write!(f, "{}/{}", self.address, self.prefix) }
    }
}

/// Whether an address may be reached only where a grant names it: loopback, link-local, private, shared, multicast,
/// unspecified, documentation and other ranges that are not the public internet. The addresses under which clouds serve
/// their metadata are among them.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_documentation()
                || a == 0 // "this network"; 0.0.0.0 reaches the machine itself
                || a >= 240 // reserved, broadcast
                || (a == 100 && (64..128).contains(&b)) // shared (carrier NAT), RFC 6598
                || (a == 192 && b == 0 && c == 0) // protocol assignments, RFC 6890
                || (a == 192 && b == 88 && c == 99) // 6to4 relays
                || (a == 198 && (18..20).contains(&b)) // benchmarking, RFC 2544
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            let global = segments[0] & 0xe000 == 0x2000; // 2000::/3 is all that is routed
            !global
                || segments[0] == 0x2002 // 6to4 carries any IPv4 address inside
                || (segments[0] == 0x2001 && segments[1] < 0x0200) // 2001::/23: Teredo and other special uses
                || (segments[0] == 0x2001 && segments[1] == 0x0db8)
        }
    }
}

/// What a run grants to its nodes, frozen when the run starts: patterns without expressions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Where requests may go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpPattern>,
    /// Names of the credentials that nodes may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<String>,
    /// Names of targets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub docker: Vec<String>,
    /// Mail servers, each with its port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub email: Vec<HttpPattern>,
    /// Whether values may be kept for later runs of the same workflow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub state: bool,
    /// Whether nodes may use the scratch folder of the run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub files: bool,
    /// Events that may be published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventPattern>,
    /// Whether nodes may read the time of the machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clock: bool,
    /// Whether nodes may draw random numbers of the machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub random: bool,
}

impl Grants {
    /// Whether nothing is granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a request to this origin is granted. The address that the name resolves to is checked apart, by
    /// [`Grants::covers_address`].
    #[must_use]
    pub fn covers(&self, origin: &Origin) -> bool {
        self.http.iter().any(|pattern| pattern.covers(origin))
    }

    /// The same keys as [`Grants::covers`] and [`Grants::covers_address`], for mail servers.
    #[must_use]
    pub fn for_email(&self) -> Self {
        Self { http: self.email.clone(), ..Self::default() }
    }

    /// Whether a granted request may be sent to this resolved address. Public addresses may; private ones only where a
    /// grant for that port names the address, its range, or `localhost` for loopback. Naming a host is not enough, since
    /// whoever owns the name decides where it points.
    #[must_use]
    pub fn covers_address(&self, address: IpAddr, port: u16) -> bool {
        !is_private(address) || self.http.iter().any(|pattern| pattern.covers_address(address, port))
    }
}

written_as_text!(HttpPattern, EventPattern);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_the_public_internet() {
        for private in [
            "127.0.0.1",
            "127.8.8.8",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "100.100.100.200",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn what_has_to_be_granted_is_known_by_its_word() {
        for capability in Capability::GRANTED {
            assert_eq!(capability.to_string().parse(), Ok(capability));
            let error = "x".parse::<Capability>().unwrap_err().to_string();
            assert!(error.contains(&capability.to_string()), "{error}");
        }
        for harmless in [Capability::RunContext, Capability::Cancellation] {
            assert!(harmless.to_string().parse::<Capability>().is_err(), "{harmless} needs no grant");
        }
    }

    #[test]
    fn ranges_contain_what_their_prefix_says() {
        for (range, address, inside) in [
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("127.0.0.1", "::ffff:127.0.0.1", true),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "10.0.0.1", false),
            ("::/0", "fd12::1", true),
        ] {
            let range: AddressRange = range.parse().unwrap();
            assert_eq!(range.contains(address.parse().unwrap()), inside, "{range} {address}");
        }
        for bad in ["10.0.0.0/33", "::/129", "10.0.0", "x", "10.0.0.0/-1", ""] {
            assert!(bad.parse::<AddressRange>().is_err(), "{bad}");
        }
    }
}
