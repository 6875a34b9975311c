//! Connections that are kept for later requests.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use windflow_core::capability::Origin;

use super::connect::Connection;

/// Servers close idle connections after a minute or less.
const IDLE: Duration = Duration::from_secs(30);

/// Kept for one origin.
const PER_ORIGIN: usize = 16;

/// Kept in all.
const IN_ALL: usize = 128;

/// Idle connections by origin. Each knows the address that it was dialled to, so that a request can only take one whose
/// address was just checked for this very request.
#[derive(Default)]
pub(super) struct Pool(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    by_origin: HashMap<Origin, Vec<(Instant, Connection)>>,
    count: usize,
}

impl Pool {
    /// An open connection to one of these addresses.
    pub(super) fn take(&self, origin: &Origin, addresses: &[IpAddr]) -> Option<Connection> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle.by_origin.get_mut(origin)?;
        let before = connections.len();
        connections.retain(|(since, connection)| since.elapsed() < IDLE && !connection.sender.is_closed());
        let fits = connections.iter().rposition(|(_, connection)| addresses.contains(&connection.address));
        let taken = fits.map(|index| connections.swap_remove(index).1);
        let (now, empty) = (connections.len(), connections.is_empty());
        idle.count -= before - now;
        if empty {
            idle.by_origin.remove(origin);
        }
        taken
    }

    /// Keeps a connection whose last response was read to its end.
    pub(super) fn put(&self, origin: Origin, connection: Connection) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.count >= IN_ALL {
            idle.drop_old();
        }
        if idle.count >= IN_ALL {
            return;
        }
        let connections = idle.by_origin.entry(origin).or_default();
        if connections.len() < PER_ORIGIN {
            connections.push((Instant::now(), connection));
            idle.count += 1;
        }
    }
}

impl Idle {
    fn drop_old(&mut self) {
        self.by_origin.retain(|_, connections| {
            connections.retain(|(since, connection)| since.elapsed() < IDLE && !connection.sender.is_closed());
            !connections.is_empty()
        });
        self.count = self.by_origin.values().map(Vec::len).sum();
    }
}
