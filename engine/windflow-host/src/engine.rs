//! The one engine of wasmtime that all components share, and what it is tuned for.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::limits::Limits;

/// What stays resident of a guest's memory is zeroed by the host instead of being given back to the kernel and faulted in
/// again, which would cost more than the call itself, the more so while other threads of the process are busy: each of them
/// is interrupted to forget the pages. Where the kernel says which pages were written, only these are zeroed.
const KEEP_RESIDENT: usize = 4 << 20;

/// Where it does not, all of it is: guests built by our SDK fit their whole memory into this.
const KEEP_RESIDENT_BLINDLY: usize = 256 << 10;

/// Slots that keep their resident part for a later attempt of the same component. Bounds idle memory.
const WARM_SLOTS: u32 = 32;

/// Makes the engine. The pool reserves address space for every slot; where the machine does not allow that much (a limit
/// on virtual memory, a restricted container), a smaller pool is tried, then memory on demand, then on demand without
/// reserving ahead. All behave alike; only the speed differs.
pub(crate) fn build(limits: &Limits) -> wasmtime::Result<Engine> {
    let slots = u32::try_from(limits.concurrent_attempts).unwrap_or(u32::MAX);
    for slots in [slots, slots.min(32)] {
        let mut config = base(limits);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits, slots)));
        match Engine::new(&config) {
            Ok(engine) => return Ok(engine),
            Err(error) => tracing::debug!(slots, %error, "no pool of sandboxes of this size"),
        }
    }
    let on_demand = Engine::new(&base(limits))?;
    if reserves(&on_demand) {
        return Ok(on_demand);
    }
    tracing::warn!("address space is scarce: sandboxes get memory without reserving ahead, calls are slower");
    let mut config = base(limits);
    config.memory_reservation(0).memory_guard_size(64 << 10).memory_reservation_for_growth(1 << 20);
    Engine::new(&config)
}

/// Everything that decides how guests behave. It is the same for every way of allocating.
fn base(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack_bytes)
        .async_stack_size(limits.stack_bytes + (1 << 20))
        .memory_init_cow(true)
        // The same configuration gives the same outcome on every machine.
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .relaxed_simd_deterministic(true)
        // Guests are called one at a time per store; the bookkeeping for more is not needed.
        .concurrency_support(false)
        // Traps are told by kind and by what the guest logged; walking its stack would cost and say little.
        .wasm_backtrace_max_frames(None);
    config
}

/// Every slot reserves the 4 GiB of addresses that a guest could name, so that bounds need no checks; how much of them it may
/// use is counted for each attempt.
fn pool(limits: &Limits, slots: u32) -> PoolingAllocationConfig {
    let scans = PoolingAllocationConfig::is_pagemap_scan_available();
    let mut pool = PoolingAllocationConfig::new();
    // Components of language runtimes consist of many core modules; a few of them at a time must fit beside ours.
    let core_instances = slots.saturating_mul(8);
    pool.total_component_instances(slots)
        .total_core_instances(core_instances)
        .total_stacks(slots)
        .total_memories(slots.saturating_add(slots / 2))
        .total_tables(slots.saturating_mul(3))
        .max_memories_per_module(1)
        .max_tables_per_module(8)
        .max_core_instances_per_component(u32::try_from(limits.instances).unwrap_or(u32::MAX))
        .table_elements(limits.table_elements)
        .max_unused_warm_slots(WARM_SLOTS.min(slots))
        .linear_memory_keep_resident(if scans { KEEP_RESIDENT } else { KEEP_RESIDENT_BLINDLY })
        .table_keep_resident(16 << 10)
        .pagemap_scan(if scans { Enabled::Yes } else { Enabled::No });
    pool
}

/// Whether one memory with the engine's usual reservation can be had.
fn reserves(engine: &Engine) -> bool {
    let mut store = wasmtime::Store::new(engine, ());
    wasmtime::Memory::new(&mut store, wasmtime::MemoryType::new(1, None)).is_ok()
}

/// How many attempts fit into the engine at the same time.
pub(crate) fn slots(engine: &Engine, limits: &Limits) -> usize {
    let pooled = engine.get_pooling_config().map(PoolingAllocationConfig::get_total_component_instances);
    pooled.map_or(limits.concurrent_attempts, |slots| usize::try_from(slots).unwrap_or(usize::MAX)).max(1)
}
