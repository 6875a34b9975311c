//! How often one caller may ask: a key, a person, or, of those who show neither, an address.
//!
//! Guessing passwords has a narrower limit of its own, by person (`people/throttle.rs`). What starts runs from outside (webhooks, callbacks)
//! is bounded by how many runs there may be.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;

use crate::api::identify;
use crate::people::{Caller, Who};
use crate::problem::Problem;
use crate::state::App;

/// The address that a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Who is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counted {
    Key(String),
    Person(String),
    Address(IpAddr),
}

impl Counted {
    fn of(caller: &Caller) -> Self {
        match &caller.who {
            Who::Key(key) => Self::Key(key.id.clone()),
            Who::Person => Self::Person(caller.user.id.clone()),
        }
    }
}

/// After so many requests those are forgotten who have not asked for a while.
const TIDY_EVERY: u32 = 4096;

/// Counts requests by caller.
pub(crate) struct Limits {
    /// None: nothing is limited.
    limiter: Option<DefaultKeyedRateLimiter<Counted>>,
    clock: DefaultClock,
    charged: AtomicU32,
}

impl Limits {
    /// So many requests a minute for each caller, all at once if they like; zero: as many as they like.
    pub(crate) fn new(a_minute: u32) -> Self {
        let limiter = NonZeroU32::new(a_minute).map(|number| RateLimiter::keyed(Quota::per_minute(number)));
        Self { limiter, clock: DefaultClock::default(), charged: AtomicU32::new(0) }
    }

    /// Counts a request, or says in how many seconds the next one may come.
    fn charge(&self, who: &Counted) -> Result<(), u32> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.charged.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        limiter.check_key(who).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
        })
    }
}

/// Whether requests of a route are counted. Streams are held for long and have a bound of their own; health and the editor's files are for
/// everybody.
fn is_counted(route: &str) -> bool {
    route.starts_with("/api/v1/") && !route.ends_with("/live") && !route.ends_with("/ws")
}

/// Refuses callers who ask too often.
pub(crate) async fn limited(State(app): State<App>, request: Request, next: Next) -> Response {
    let counted = request.extensions().get::<MatchedPath>().is_some_and(|route| is_counted(route.as_str()));
    if !counted || app.limits.limiter.is_none() {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let identified = identify(&parts, &app);
    let who = match &identified.0 {
        Ok(caller) => Some(Counted::of(caller)),
        // Who has a token that is none counts as who has none. Without an address there is nothing to tell callers apart by.
        Err(_) => address(&parts, &app.settings.trusted_proxies).map(|address| Counted::Address(together(address))),
    };
    if let Some(seconds) = who.and_then(|who| app.limits.charge(&who).err()) {
        let detail = format!("this server takes {} requests a minute from one caller", app.settings.rate_limit);
        return Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail)
            .remedy("wait as long as `Retry-After` says")
            .retry_after(seconds)
            .into_response();
    }
    // So that it is found out once.
    parts.extensions.insert(identified);
    next.run(Request::from_parts(parts, body)).await
}

/// Where a request comes from: who speaks to us, or for whom a proxy that is trusted says that it speaks.
fn address(parts: &Parts, trusted: &[IpNet]) -> Option<IpAddr> {
    let Peer(peer) = parts.extensions.get::<Peer>()?;
    Some(behind(peer.to_canonical(), &parts.headers, trusted))
}

fn behind(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut client = peer;
    let values: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    // Each proxy adds whom it heard at the end; what stands before the first that is not ours, anybody may have made up.
    for named in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        if !is_trusted(&client) {
            break;
        }
        let Ok(named) = named.trim().parse::<IpAddr>() else { break };
        client = named.to_canonical();
    }
    client
}

/// Addresses that one caller has many of count as one.
fn together(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        behind(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_proxies_that_are_trusted_say_for_whom_they_speak() {
        assert_eq!(from("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &["198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        // What a client wrote into it stands before what the proxy added.
        assert_eq!(from("10.0.0.1", &["1.1.1.1, 198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["1.1.1.1", "198.51.100.7, 10.0.0.2"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["nonsense"], &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn a_network_of_one_household_counts_as_one_caller() {
        let counted = |address: &str| together(address.parse().unwrap());
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), counted("2001:db8:1:2:ffff::1"));
        assert_ne!(counted("2001:db8:1:2::1"), counted("2001:db8:1:3::1"));
        assert_ne!(counted("192.0.2.1"), counted("192.0.2.2"));
    }

    #[test]
    fn callers_are_counted_apart_and_told_how_long_to_wait() {
        let limits = Limits::new(60);
        let (key, person) = (Counted::Key("a".to_owned()), Counted::Person("a".to_owned()));
        for _ in 0..60 {
            limits.charge(&key).unwrap();
        }
        assert_eq!(limits.charge(&key), Err(1));
        limits.charge(&person).unwrap();
        assert!((0..10_000).all(|_| Limits::new(0).charge(&key).is_ok()));
    }
}
