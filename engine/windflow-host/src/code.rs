//! Machine code of components: compiled, or read from the cache, and linked once.

use std::sync::Arc;

use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Engine, Store};

use crate::attempt::State;
use crate::attempt::outcome::Returned;
use crate::cache::Cache;
use crate::contract::{Contract, v1};
use crate::imports::{Imports, World};
use crate::plugin::Plugin;

/// A component that cannot be run. It is told to people, and does not change.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unloadable(Arc<str>);

/// A component that is ready to be instantiated.
pub(crate) enum Code {
    V1(v1::NodePre<State>),
}

impl Code {
    pub(crate) async fn execute(
        &self,
        store: &mut Store<State>,
        node_type: &str,
        config: &Vec<u8>,
    ) -> wasmtime::Result<Returned> {
        match self {
            Self::V1(pre) => v1::execute(pre, store, node_type, config).await,
        }
    }
}

/// Makes code. Takes as long as compiling does where the cache does not have it: call it on a thread that may block.
pub(crate) fn load(engine: &Engine, cache: Option<&Cache>, plugin: &Plugin) -> Result<Arc<Code>, Unloadable> {
    let unloadable = |what: &str, error: &wasmtime::Error| {
        let name = &plugin.manifest.plugin.name;
        Unloadable(format!("the component of the plugin {name} {what}: {error:#}").into())
    };
    let component = match cache.and_then(|cache| cache.get(engine, &plugin.digest)) {
        Some(component) => component,
        None => {
            let component = Component::from_binary(engine, &plugin.bytes)
                .map_err(|error| unloadable("cannot be compiled", &error))?;
            if let Some(cache) = cache {
                cache.put(&plugin.digest, &component);
            }
            component
        }
    };
    let linked = link(engine, &plugin.imports).and_then(|linker| linker.instantiate_pre(&component));
    linked
        .and_then(|pre| ready(pre, plugin.imports.contract))
        .map(Arc::new)
        .map_err(|error| unloadable("does not fit the contract", &error))
}

fn ready(pre: InstancePre<State>, contract: Contract) -> wasmtime::Result<Code> {
    match contract {
        Contract::V1 => v1::NodePre::new(pre).map(Code::V1),
    }
}

/// Links exactly the world that the component's imports need; what is not linked cannot be called.
fn link(engine: &Engine, imports: &Imports) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    match imports.contract {
        Contract::V1 => v1::link(&mut linker)?,
    }
    if imports.world >= World::Wasi {
        crate::wasi::link(&mut linker)?;
    }
    if imports.world >= World::Http {
        crate::capability::http::link(&mut linker)?;
    }
    Ok(linker)
}

impl Unloadable {
    /// Loading panicked, which is a mistake of ours or of the compiler; it must not take the host down.
    pub(crate) fn panicked(error: &tokio::task::JoinError) -> Self {
        Self(format!("loading the component failed: {error}").into())
    }
}
