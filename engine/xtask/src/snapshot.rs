//! A guest that begins where its initialisation ended: what it sets up is done once, when it is packed, and not in every call.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::{Config, Engine, ExternType, Func, Instance, Linker, Module, OptLevel, Store, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

/// Runs what the module exports as `wizer-initialize`, and gives the module as it is then.
pub(crate) fn take(module: &[u8]) -> Result<Vec<u8>, String> {
    let wizer = Wizer::new();
    let (context, instrumented) = wizer.instrument(module).map_err(|error| format!("{error:#}"))?;
    let (mut store, instance) = instantiate(&instrumented).map_err(|error| format!("{error:#}"))?;
    let initialise = instance
        .get_typed_func::<(), ()>(&mut store, wizer.get_init_func())
        .map_err(|error| format!("its initialisation: {error:#}"))?;
    initialise.call(&mut store, ()).map_err(|error| format!("its initialisation: {error:#}"))?;
    let mut state = Initialised { store, instance };
    let mut snapshot = pin!(wizer.snapshot(&context, &mut state));
    // Nothing in it waits.
    match snapshot.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(taken) => taken.map_err(|error| format!("{error:#}")),
        Poll::Pending => Err("the snapshot waits for something".to_owned()),
    }
}

/// An instance that may import what it likes, and may call nothing of it: a snapshot depends on nothing but the module.
fn instantiate(module: &[u8]) -> Result<(Store<()>, Instance), wasmtime::Error> {
    // It runs once.
    let engine = Engine::new(Config::new().cranelift_opt_level(OptLevel::None))?;
    let module = Module::new(&engine, module)?;
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    for import in module.imports() {
        if let ExternType::Func(kind) = import.ty() {
            let name = format!("{}#{}", import.module(), import.name());
            let refuse = Func::new(&mut store, kind, move |_, _, _| {
                Err(wasmtime::Error::msg(format!("it calls {name}, which depends on more than the guest")))
            });
            linker.define(&store, import.module(), import.name(), refuse)?;
        }
    }
    let instance = linker.instantiate(&mut store, &module)?;
    Ok((store, instance))
}

/// What the snapshot reads.
struct Initialised {
    store: Store<()>,
    instance: Instance,
}

impl InstanceState for Initialised {
    async fn global_get(&mut self, name: &str, _hint: ValType) -> SnapshotVal {
        let global = self.instance.get_global(&mut self.store, name);
        match global.map(|global| global.get(&mut self.store)) {
            Some(Val::I32(value)) => SnapshotVal::I32(value),
            Some(Val::I64(value)) => SnapshotVal::I64(value),
            Some(Val::F32(bits)) => SnapshotVal::F32(bits),
            Some(Val::F64(bits)) => SnapshotVal::F64(bits),
            _ => unreachable!("`instrument` exports every global of a number under its name"),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        if let Some(memory) = self.instance.get_memory(&mut self.store, name) {
            contents(memory.data(&self.store));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts in its memory and in a global; `tell` gives the sum of both.
    fn module(initialise: &str) -> Vec<u8> {
        let text = format!(
            r#"(module
                (import "host" "log" (func $log))
                (memory 1)
                (global $count (mut i32) (i32.const 0))
                (func (export "wizer-initialize") {initialise})
                (func (export "tell") (result i32) (i32.add (global.get $count) (i32.load (i32.const 64)))))"#
        );
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn a_guest_begins_where_its_initialisation_ended() {
        let taken =
            take(&module("(global.set $count (i32.const 40)) (i32.store (i32.const 64) (i32.const 2))")).unwrap();
        let (mut store, instance) = instantiate(&taken).unwrap();
        let tell = instance.get_typed_func::<(), i32>(&mut store, "tell").unwrap();
        assert_eq!(tell.call(&mut store, ()).unwrap(), 42);
        assert!(instance.get_func(&mut store, "wizer-initialize").is_none());
        assert_eq!(take(&module("nop")).unwrap(), take(&module("nop")).unwrap());
    }

    #[test]
    fn an_initialisation_that_needs_more_than_the_guest_is_refused() {
        let error = take(&module("(call $log)")).unwrap_err();
        assert!(error.contains("host#log"), "{error}");
        assert!(take(&module("unreachable")).is_err());
        assert!(take(b"no module").is_err());
    }
}
