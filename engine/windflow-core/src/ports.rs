//! What the engine needs from the world, as small traits. Adapters implement them; a shared test suite says what they promise.

pub mod credentials;
pub mod events;
pub mod fetch;
pub mod files;
pub mod host;
pub mod plugins;
pub mod records;
pub mod retention;
pub mod state;
pub mod store;
pub mod targets;
pub mod traces;
