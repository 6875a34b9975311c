//! A host whose mocked nodes do what a case says. Everything else runs for real, as far as that needs no network.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::id::{NodeId, NodeTypeRef};
use windflow_core::json::Json;
use windflow_core::ports::host::{Call, Emission, Host, InstalledNodeType, Registry};
use windflow_core::ports::store::BoxFuture;
use windflow_host::PluginHost;

use super::case::{Case, Mock, OneOrMore};

/// A call of a mocked node. Items run at the same time: their order is that of the list, not that of their calls.
struct Called {
    node: NodeId,
    item: Option<u32>,
    attempt: u32,
    config: Value,
}

pub(super) struct MockHost {
    real: Arc<PluginHost>,
    mocks: HashMap<NodeId, OneOrMore<Mock>>,
    calls: Mutex<Vec<Called>>,
}

impl MockHost {
    pub(super) fn new(real: Arc<PluginHost>, case: &Case) -> Self {
        Self { real, mocks: case.mocks.clone(), calls: Mutex::default() }
    }

    /// The configurations that mocked nodes were called with, by item and attempt.
    pub(super) fn calls(&self) -> Vec<(NodeId, Value)> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.sort_by_key(|call| (call.item, call.attempt));
        calls.iter().map(|call| (call.node.clone(), call.config.clone())).collect()
    }

    fn mocked(&self, mocks: &OneOrMore<Mock>, call: &Call) -> Result<Emission, Failure> {
        let config = serde_json::from_slice(&call.config).unwrap_or_default();
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(Called {
            node: call.node.clone(),
            item: call.item,
            attempt: call.attempt,
            config,
        });
        let index = call.item.unwrap_or(call.attempt - 1) as usize;
        let broken = |why: &str| Failure::new(FailureKind::InvalidOutput, format!("the mock of `{}` {why}", call.node));
        let Some(mock) = mocks.at(index) else { return Err(broken("says nothing")) };
        if let Some(error) = &mock.error {
            return Err(Failure {
                code: error.code.clone(),
                retry: if error.retry { RetryHint::MayHelp } else { RetryHint::Never },
                details: error.details.clone().map(Json::from),
                ..Failure::new(FailureKind::Node, error.message.clone())
            });
        }
        let port = match &mock.port {
            Some(port) => {
                port.parse().map_err(|_| broken(&format!("emits on `{port}`, which is no name of a port")))?
            }
            None => call.ports.first().cloned().ok_or_else(|| broken("has no port to emit on"))?,
        };
        if !call.ports.contains(&port) {
            return Err(broken(&format!("emits on `{port}`, a port that the node does not have")));
        }
        Ok(Emission { port, output: Json::from(mock.output.clone()) })
    }
}

impl Registry for MockHost {
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        self.real.get(uses)
    }

    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        self.real.list()
    }
}

impl Host for MockHost {
    fn execute(&self, call: Call) -> BoxFuture<'_, Result<Emission, Failure>> {
        if let Some(mocks) = self.mocks.get(&call.node) {
            return Box::pin(std::future::ready(self.mocked(mocks, &call)));
        }
        let reaches = self.real.get(&call.uses).is_some_and(|found| !found.manifest.capabilities.http.is_empty());
        if reaches {
            let message = format!("tests run offline: mock it, `mocks: {{ {}: {{ output: … }} }}`", call.node);
            return Box::pin(std::future::ready(Err(Failure::new(FailureKind::Denied, message))));
        }
        self.real.execute(call)
    }
}
