//! What the operator allows: the third key, after the manifest and the run's grants.

use std::net::IpAddr;

use windflow_core::capability::{HttpPattern, Origin, is_private};

/// The operator's say about outgoing requests. An error is told to people, after "the operator of this engine"; it should
/// say how to change it.
pub trait HttpPolicy: Send + Sync {
    /// Whether requests may go to this origin at all.
    ///
    /// # Errors
    /// Where they may not, with the reason.
    fn origin(&self, origin: &Origin) -> Result<(), String>;

    /// Whether they may go to this address of it.
    ///
    /// # Errors
    /// Where they may not, with the reason.
    fn address(&self, origin: &Origin, address: IpAddr) -> Result<(), String>;
}

/// Whatever the workflow grants: for the owner of the machine, who is the operator.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllowAll;

impl HttpPolicy for AllowAll {
    fn origin(&self, _: &Origin) -> Result<(), String> {
        Ok(())
    }

    fn address(&self, _: &Origin, _: IpAddr) -> Result<(), String> {
        Ok(())
    }
}

/// Public hosts by their names, and what the operator adds: the default of a server, whose workflows others may write.
#[derive(Debug, Clone, Default)]
pub struct PublicHosts {
    /// Origins and addresses that are allowed although they are not public, or are written as an address.
    pub also: Vec<HttpPattern>,
}

impl HttpPolicy for PublicHosts {
    fn origin(&self, origin: &Origin) -> Result<(), String> {
        let by_name = origin.host.parse::<IpAddr>().is_err() && origin.host != "localhost";
        if by_name || self.also.iter().any(|pattern| pattern.covers(origin)) {
            return Ok(());
        }
        Err(format!("allows public hosts by their names only, and {origin} is none"))
    }

    fn address(&self, origin: &Origin, address: IpAddr) -> Result<(), String> {
        let allowed =
            !is_private(address) || self.also.iter().any(|pattern| pattern.covers_address(address, origin.port));
        if allowed {
            Ok(())
        } else {
            Err(format!("does not allow the private address {address}, to which {origin} leads"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_reach_public_names_and_what_the_operator_adds() {
        let policy = PublicHosts { also: vec!["10.0.0.0/8".parse().unwrap()] };
        for (url, address, expect) in [
            ("https://example.org", "93.184.216.34", true),
            ("https://example.org", "127.0.0.1", false),
            ("https://example.org", "10.1.2.3", true),
            ("https://10.1.2.3", "10.1.2.3", true),
            ("https://93.184.216.34", "93.184.216.34", false),
            ("http://localhost", "127.0.0.1", false),
        ] {
            let origin = Origin::from_url(url).unwrap();
            let allowed = policy.origin(&origin).and_then(|()| policy.address(&origin, address.parse().unwrap()));
            assert_eq!(allowed.is_ok(), expect, "{url} {address} {allowed:?}");
        }
    }
}
