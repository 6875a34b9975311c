//! Stand-ins and generators for tests of the engine: a host whose nodes do what a script says, a clock that only moves when
//! everybody waits, and random workflows.
#![forbid(unsafe_code)]

pub mod clock;
pub mod docker;
pub mod documents;
pub mod host;

/// Chooses who encrypts: `reqwest` asks before it makes a client, also of one that never encrypts.
pub fn choose_tls() {
    // Another test of the process may have done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
