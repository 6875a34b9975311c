//! Patterns of the hosts that requests may go to.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{AddressRange, is_private};

/// `http` or `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain text, port 80 by default.
    Http,
    /// TLS, port 443 by default.
    Https,
}

impl Scheme {
    /// The port that a URL of this scheme means when it names none.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Http) { "http" } else { "https" })
    }
}

/// Where one request goes: scheme, host and port, as the sender is about to use them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The scheme.
    pub scheme: Scheme,
    /// Lower-case name without a trailing dot, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Origin {
    /// Takes an authority apart (`host`, `host:port`, `[::1]:port`); nothing where it is malformed or has user information.
    #[must_use]
    pub fn from_authority(scheme: Scheme, authority: &str) -> Option<Self> {
        let (host, port) = split_port(authority)?;
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0)?,
            None => scheme.default_port(),
        };
        let host = normal_host(host)?;
        Some(Self { scheme, host, port })
    }

    /// The origin of an absolute URL.
    #[must_use]
    pub fn from_url(url: &str) -> Option<Self> {
        let (scheme, rest) = split_scheme(url)?;
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        Self::from_authority(scheme, &rest[..end])
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]")?;
        } else {
            write!(f, "{scheme}://{host}")?;
        }
        if *port == scheme.default_port() { Ok(()) } else { write!(f, ":{port}") }
    }
}

fn split_scheme(text: &str) -> Option<(Scheme, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    if scheme.eq_ignore_ascii_case("https") {
        Some((Scheme::Https, rest))
    } else if scheme.eq_ignore_ascii_case("http") {
        Some((Scheme::Http, rest))
    } else {
        None
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None if after.is_empty() => Some((host, None)),
            None => None,
        };
    }
    match authority.split_once(':') {
        Some((host, port)) if !port.contains(':') => Some((host, Some(port))),
        Some(_) => None,
        None => Some((authority, None)),
    }
}

/// Lower case, no trailing dot, addresses in their one canonical form. Forms of addresses that only some resolvers take
/// (decimal, octal, shortened) are refused, so that nothing private hides behind them.
fn normal_host(host: &str) -> Option<String> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(address.to_canonical().to_string());
    }
    let labels_fit = host.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    });
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") || last.starts_with("0X");
    (labels_fit && !numeric && host.len() <= 253).then(|| host.to_ascii_lowercase())
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Host {
    Any,
    Exact(String),
    /// `*.example.org`: every name below, not the name itself. Kept with its leading dot.
    Below(String),
    Range(AddressRange),
}

/// A pattern of origins: `[scheme://]host[:port]`, where the host is a name, `*.name`, an address, a range of addresses in
/// CIDR form, or `*`, and the port is a number or `*`. Without a scheme both fit; without a port the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HttpPattern {
    scheme: Option<Scheme>,
    host: Host,
    port: PortPattern,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum PortPattern {
    Default,
    Any,
    Exact(u16),
}

/// A text that is no pattern of hosts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no host: write a name (api.example.org), names below one (*.example.org), an address or range (10.0.0.0/8), with scheme and port where they matter (https://api.example.org:8443)"
)]
pub struct InvalidPattern(pub String);

impl HttpPattern {
    /// The pattern that covers exactly one origin.
    #[must_use]
    pub fn exactly(origin: &Origin) -> Self {
        let host = origin
            .host
            .parse()
            .map_or_else(|_| Host::Exact(origin.host.clone()), |ip| Host::Range(AddressRange::one(ip)));
        Self { scheme: Some(origin.scheme), host, port: PortPattern::Exact(origin.port) }
    }

    /// Whether requests to the origin fit the pattern. A range covers origins that are written as an address only.
    #[must_use]
    pub fn covers(&self, origin: &Origin) -> bool {
        let host = match &self.host {
            Host::Any => true,
            Host::Exact(name) => *name == origin.host,
            Host::Below(suffix) => origin.host.len() > suffix.len() && origin.host.ends_with(suffix.as_str()),
            Host::Range(range) => origin.host.parse().is_ok_and(|address| range.contains(address)),
        };
        host && self.scheme.is_none_or(|scheme| scheme == origin.scheme)
            && match self.port {
                PortPattern::Default => origin.port == origin.scheme.default_port(),
                PortPattern::Any => true,
                PortPattern::Exact(port) => port == origin.port,
            }
    }

    /// Whether the pattern names this private address by itself, its range, or `localhost`.
    #[must_use]
    pub fn covers_address(&self, address: IpAddr, port: u16) -> bool {
        let address = address.to_canonical();
        let named = match &self.host {
            Host::Range(range) => range.contains(address),
            Host::Exact(name) => name == "localhost" && address.is_loopback(),
            Host::Any | Host::Below(_) => false,
        };
        named
            && match self.port {
                PortPattern::Default => {
                    self.scheme.map_or(port == 80 || port == 443, |scheme| port == scheme.default_port())
                }
                PortPattern::Any => true,
                PortPattern::Exact(exact) => exact == port,
            }
    }

    /// Whether every origin that `other` covers is covered by this pattern too: how one key is held against another.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        let host = match (&self.host, &other.host) {
            (Host::Any, _) => true,
            (Host::Exact(a), Host::Exact(b)) => a == b,
            (Host::Below(suffix), Host::Exact(name) | Host::Below(name)) => {
                name.len() >= suffix.len() && name.ends_with(suffix.as_str())
            }
            (Host::Range(a), Host::Range(b)) => a.prefix <= b.prefix && a.contains(b.address),
            _ => false,
        };
        let port = match (self.port, other.port) {
            (PortPattern::Any, _) => true,
            (a, b) => a == b,
        };
        host && port && (self.scheme.is_none() || self.scheme == other.scheme)
    }

    /// The scheme, where the pattern names one.
    #[must_use]
    pub fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// Whether it covers every host.
    #[must_use]
    pub fn is_anything(&self) -> bool {
        self.host == Host::Any
    }

    /// Whether it can reach an address that is not public by naming it.
    #[must_use]
    pub fn names_private(&self) -> bool {
        match &self.host {
            Host::Range(range) => is_private(range.address),
            Host::Exact(name) => name == "localhost",
            Host::Any | Host::Below(_) => false,
        }
    }

    /// Whether it covers more than one host.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        match &self.host {
            Host::Any | Host::Below(_) => true,
            Host::Range(range) => *range != AddressRange::one(range.address),
            Host::Exact(_) => false,
        }
    }
}

impl FromStr for HttpPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let invalid = || InvalidPattern(text.chars().take(120).collect());
        let (scheme, rest) = match split_scheme(text) {
            Some((scheme, rest)) => (Some(scheme), rest.strip_suffix('/').unwrap_or(rest)),
            None => (None, text),
        };
        // An IPv6 range without brackets has colons that separate no port.
        if let Ok(range) = rest.parse::<AddressRange>() {
            return Ok(Self { scheme, host: Host::Range(range), port: PortPattern::Default });
        }
        let (host, port) = split_port(rest).ok_or_else(invalid)?;
        let port = match port {
            None => PortPattern::Default,
            Some("*") => PortPattern::Any,
            Some(port) => PortPattern::Exact(port.parse().ok().filter(|port| *port != 0).ok_or_else(invalid)?),
        };
        let host = if host == "*" {
            Host::Any
        } else if let Some(parent) = host.strip_prefix("*.") {
            let parent = normal_host(parent).filter(|name| name.parse::<IpAddr>().is_err()).ok_or_else(invalid)?;
            Host::Below(format!(".{parent}"))
        } else if let Ok(range) = host.parse() {
            Host::Range(range)
        } else {
            Host::Exact(normal_host(host).ok_or_else(invalid)?)
        };
        Ok(Self { scheme, host, port })
    }
}

impl fmt::Display for HttpPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.scheme {
            write!(f, "{scheme}://")?;
        }
        match &self.host {
            Host::Any => f.write_str("*")?,
            Host::Exact(name) => f.write_str(name)?,
            Host::Below(suffix) => write!(f, "*{suffix}")?,
            Host::Range(range) if range.address.is_ipv6() && self.port != PortPattern::Default => {
                write!(f, "[{range}]")?;
            }
            Host::Range(range) => range.fmt(f)?,
        }
        match self.port {
            PortPattern::Default => Ok(()),
            PortPattern::Any => f.write_str(":*"),
            PortPattern::Exact(port) => write!(f, ":{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, url: &str, expect: bool) {
        let parsed: HttpPattern = pattern.parse().unwrap();
        assert_eq!(parsed.to_string().parse::<HttpPattern>().unwrap(), parsed, "{pattern} does not read back");
        let covered = Origin::from_url(url).is_some_and(|origin| parsed.covers(&origin));
        assert_eq!(covered, expect, "{pattern} covers {url}");
    }

    #[test]
    fn patterns_cover_what_they_say_and_no_more() {
        check("example.org", "https://example.org/a", true);
        check("example.org", "http://EXAMPLE.org./a", true);
        check("example.org", "https://example.org:8443/", false);
        check("example.org", "https://a.example.org/", false);
        check("example.org", "https://example.org.evil.test/", false);
        check("example.org", "https://example.org@evil.test/", false);
        check("example.org", "https://evil.test#example.org", false);
        check("example.org", "https://evil.test\\@example.org", false);
        check("https://example.org", "http://example.org/", false);
        check("https://example.org:8443", "https://example.org:8443/", true);
        check("*.example.org", "https://a.b.example.org/", true);
        check("*.example.org", "https://example.org/", false);
        check("*.example.org", "https://evilexample.org/", false);
        check("*", "https://anything.test/", true);
        check("*", "https://anything.test:81/", false);
        check("*:*", "https://anything.test:81/", true);
        check("127.0.0.1:*", "http://127.0.0.1:8080/", true);
        check("127.0.0.1:*", "http://[::ffff:127.0.0.1]:8080/", true);
        check("127.0.0.1:*", "http://2130706433/", false);
        check("127.0.0.1:*", "http://0x7f.1/", false);
        check("127.0.0.1:*", "http://127.1/", false);
        check("10.0.0.0/8", "http://10.2.3.4/", true);
        check("[fd00::/8]:8080", "http://[fd00::1]:8080/", true);
        check("::1", "http://[::1]/", true);
    }

    #[test]
    fn private_addresses_are_reached_only_where_they_are_named() {
        for (pattern, address, expect) in [
            ("*", "127.0.0.1", false),
            ("internal.test", "10.0.0.1", false),
            ("localhost", "127.0.0.1", true),
            ("localhost", "10.0.0.1", false),
            ("10.0.0.0/8", "10.0.0.1", true),
            ("169.254.169.254", "169.254.169.254", true),
            ("10.0.0.0/8", "192.168.0.1", false),
        ] {
            let pattern: HttpPattern = pattern.parse().unwrap();
            assert_eq!(pattern.covers_address(address.parse().unwrap(), 80), expect, "{pattern} {address}");
        }
    }

    #[test]
    fn one_key_is_held_against_another() {
        for (wide, narrow, expect) in [
            ("*", "example.org", true),
            ("*", "example.org:81", false),
            ("*:*", "https://example.org:81", true),
            ("*.example.org", "a.example.org", true),
            ("*.example.org", "*.b.example.org", true),
            ("*.example.org", "example.org", false),
            ("https://example.org", "example.org", false),
            ("10.0.0.0/8", "10.1.0.0/16", true),
            ("10.1.0.0/16", "10.0.0.0/8", false),
        ] {
            let (wide, narrow): (HttpPattern, HttpPattern) = (wide.parse().unwrap(), narrow.parse().unwrap());
            assert_eq!(wide.includes(&narrow), expect, "{wide} includes {narrow}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            "",
            "*.",
            "a b",
            "http://",
            "example.org:0",
            "example.org:99999",
            "ex*mple.org",
            "ftp://a.b",
            "a/b",
            "*.1.2.3.4",
            "user@host",
            "999.1.1.1",
        ] {
            assert!(bad.parse::<HttpPattern>().is_err(), "{bad}");
        }
    }
}
