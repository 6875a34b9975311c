//! How much an attempt may use.

use std::time::Duration;

use crate::capability::http::BreakerSettings;

/// Bounds of every attempt. They protect the host and the other attempts; a node's own `timeout:` comes on top.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a component. Larger ones are refused at load.
    pub component_bytes: usize,
    /// Bytes of memory of one attempt, all its memories together.
    pub memory_bytes: usize,
    /// Elements of all tables of one attempt together.
    pub table_elements: usize,
    /// Things that one attempt may hold of the host at the same time: requests, lists of headers, bodies, streams, timers.
    pub handles: usize,
    /// Core instances of one attempt. Components of language runtimes consist of dozens.
    pub instances: usize,
    /// Bytes of native stack. Deeper recursion ends the attempt.
    pub stack_bytes: usize,
    /// The longest that any attempt may take, whatever its `timeout:` says.
    pub wall_time: Duration,
    /// How long a component that asked to be told of cancellation may go on after it was told.
    pub cancel_grace: Duration,
    /// Bytes of an emitted value or of the details of an error; also of one host call's arguments.
    pub output_bytes: usize,
    /// Lines of log of one attempt. Further ones are dropped and counted in one last line.
    pub log_lines: u32,
    /// Bytes of all lines of one attempt together.
    pub log_bytes: usize,
    /// Bytes of one line of log or of one progress message; the rest is cut off.
    pub line_bytes: usize,
    /// Shortest time between two reports of progress. Those in between are dropped, except that the last one is told.
    pub progress_interval: Duration,
    /// Attempts that run at the same time. Further ones wait.
    pub concurrent_attempts: usize,
    /// Bounds of outgoing requests.
    pub http: HttpLimits,
}

/// Bounds of the requests of one attempt.
#[derive(Debug, Clone)]
pub struct HttpLimits {
    /// Requests of one attempt that are under way at the same time.
    pub concurrent: usize,
    /// Requests of one attempt in all.
    pub requests: usize,
    /// Bytes of one list of headers that a guest makes.
    pub header_bytes: usize,
    /// Bytes of one request's body.
    pub request_bytes: u64,
    /// Bytes of one response's body.
    pub response_bytes: u64,
    /// Longest time to resolve a name, connect and shake hands.
    pub connect_time: Duration,
    /// Longest time until the headers of the response, and between two pieces of its body.
    pub idle_time: Duration,
    /// When a server that cannot be reached is left alone.
    pub breaker: BreakerSettings,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            component_bytes: 64 << 20,
            memory_bytes: 64 << 20,
            table_elements: 100_000,
            // With the largest lists of headers, as much as the guest's own memory.
            handles: 2_048,
            instances: 200,
            stack_bytes: 1 << 20,
            wall_time: Duration::from_hours(1),
            cancel_grace: Duration::from_secs(1),
            output_bytes: 16 << 20,
            log_lines: 2_000,
            log_bytes: 1 << 20,
            line_bytes: 8 << 10,
            progress_interval: Duration::from_millis(50),
            concurrent_attempts: 256,
            http: HttpLimits::default(),
        }
    }
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            concurrent: 16,
            requests: 10_000,
            header_bytes: 32 << 10,
            request_bytes: 16 << 20,
            response_bytes: 64 << 20,
            connect_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(60),
            breaker: BreakerSettings::default(),
        }
    }
}
