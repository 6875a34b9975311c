//! Bounds of memory, tables and instances of one attempt.

use wasmtime::ResourceLimiter;

use crate::limits::Limits;

/// A guest is told that it gets no more memory, and may cope. One that asks this often in vain does not cope.
const REFUSALS: u32 = 100;

/// Counts what an attempt has taken.
pub(crate) struct Meter {
    memory_left: usize,
    table_elements_left: usize,
    instances: usize,
    refused: u32,
}

/// The guest kept asking for memory that it was refused.
#[derive(Debug, thiserror::Error)]
#[error("the guest wants more memory than it may have")]
pub(crate) struct WantsMemory;

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory_left: limits.memory_bytes,
            table_elements_left: limits.table_elements,
            instances: limits.instances,
            refused: 0,
        }
    }

    /// Whether the guest was refused memory: then that is why it stopped, however it put it.
    pub(crate) fn refused_memory(&self) -> bool {
        self.refused > 0
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if more <= self.memory_left {
            self.memory_left -= more;
            return Ok(true);
        }
        self.refused += 1;
        if self.refused < REFUSALS { Ok(false) } else { Err(WantsMemory.into()) }
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let granted = more <= self.table_elements_left;
        if granted {
            self.table_elements_left -= more;
        } else {
            self.refused += 1;
        }
        Ok(granted)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.instances
    }
}
