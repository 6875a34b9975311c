//! The WASI 0.2 that language runtimes expect, as an empty world: no file, no environment, no argument, no socket. Its
//! clock and its random source are virtual unless they are asked for and granted, so that a guest that only imports them
//! because its runtime does stays deterministic; what it prints goes to the node's log.

mod stdio;

use std::sync::Arc;

use rand::rngs::StdRng;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use windflow_core::failure::Failure;
use windflow_core::ports::host::{Call, LogLevel};

use self::stdio::Lines;
use crate::attempt::State;
use crate::capability::clock::Clock;
use crate::capability::credentials::Held;
use crate::capability::http::Hooks;
use crate::capability::log::Log;
use crate::capability::random;
use crate::host::Shared;
use crate::plugin::Plugin;

/// The WASI state of one attempt.
pub(crate) struct Wasi {
    table: ResourceTable,
    ctx: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    output: [Arc<Lines>; 2],
}

impl Wasi {
    pub(crate) fn new(
        call: &Call,
        shared: &Arc<Shared>,
        plugin: &Arc<Plugin>,
        log: &Arc<Log>,
        held: Option<&Arc<Held>>,
        generator: Option<Box<StdRng>>,
    ) -> Self {
        let output = [Lines::new(log, LogLevel::Info), Lines::new(log, LogLevel::Warn)];
        let [stdout, stderr] = &output;
        let clock = Clock::of(call, plugin);
        let mut ctx = WasiCtx::builder();
        ctx.stdout(stdio::Stream(Arc::clone(stdout)))
            .stderr(stdio::Stream(Arc::clone(stderr)))
            .wall_clock(clock.clone())
            .monotonic_clock(clock)
            .allow_ip_name_lookup(false)
            .allow_tcp(false)
            .allow_udp(false);
        random::link(&mut ctx, &call.key, generator);
        let mut table = ResourceTable::new();
        table.set_max_capacity(shared.limits.handles);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(shared.limits.http.header_bytes);
        Self {
            table,
            ctx: ctx.build(),
            http,
            hooks: Hooks::new(&shared.sender, &plugin.manifest, call, held, log),
            output,
        }
    }

    /// What the guest was refused, where it was, as people are told.
    pub(crate) fn refusal(&self) -> Option<Failure> {
        self.hooks.refusal()
    }

    /// Logs what the guest printed without ending the line.
    pub(crate) fn finish(&self) {
        self.output.iter().for_each(|lines| lines.finish());
    }
}

/// Gives guests the empty world.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi();
        WasiCtxView { ctx: &mut wasi.ctx, table: &mut wasi.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let wasi = self.wasi();
        WasiHttpCtxView { hooks: &mut wasi.hooks, table: &mut wasi.table, ctx: &mut wasi.http }
    }
}
