//! Lines for the log of the node run. The host bounds their size and number.

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the author of the node type.
    Debug,
    /// What the node did.
    Info,
    /// It went well, but somebody should look.
    Warn,
    /// It did not go well.
    Error,
}

/// Writes a line.
pub fn log(level: Level, message: &str) {
    #[cfg(target_arch = "wasm32")]
    {
        use crate::bindings::windflow::node::log as host;
        let level = match level {
            Level::Debug => host::Level::Debug,
            Level::Info => host::Level::Info,
            Level::Warn => host::Level::Warn,
            Level::Error => host::Level::Error,
        };
        host::log(level, message);
    }
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::record_log(level, message);
}

/// Writes a line for the author of the node type.
pub fn debug(message: &str) {
    log(Level::Debug, message);
}

/// Says what the node did.
pub fn info(message: &str) {
    log(Level::Info, message);
}

/// Says that somebody should look.
pub fn warn(message: &str) {
    log(Level::Warn, message);
}

/// Says that something did not go well.
pub fn error(message: &str) {
    log(Level::Error, message);
}
