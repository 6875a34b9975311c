//! Stand-ins and generators for tests of the engine: a host whose nodes do what a script says, a clock that only moves when
//! everybody waits, and random workflows.
#![forbid(unsafe_code)]

pub mod clock;
pub mod docker;
pub mod documents;
pub mod host;
