//! A host whose nodes do what a script says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::id::{Digest, NodeId, NodeTypeRef};
use windflow_core::json::Json;
use windflow_core::manifest::Manifest;
use windflow_core::ports::host::{Call, Emission, Host, InstalledNodeType, Registry};
use windflow_core::ports::store::BoxFuture;

/// What an attempt does.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It emits its configuration on this port.
    Emit(String),
    /// It fails, and a retry may help.
    Fail,
    /// It fails, and no retry can help.
    FailForGood,
    /// It runs until it is cancelled or its time is over.
    Hang,
}

/// An attempt that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The node.
    pub node: NodeId,
    /// The item.
    pub item: Option<u32>,
    /// From 1.
    pub attempt: u32,
    /// Its idempotency key.
    pub key: String,
}

/// A host with the node types `pure@1`, `effect@1` (port `out`), `pure_branch@1` and `effect_branch@1` (ports `yes` and
/// `no`). What a node does is scripted by its name, one outcome for each attempt, the last for all further ones; without a
/// script it emits its configuration on its first port. A configuration with `fail: true` fails, whatever the script says, and
/// with `fail: first` it does so in the first attempt.
#[derive(Debug, Default)]
pub struct ScriptedHost {
    script: HashMap<String, Vec<Outcome>>,
    made: Mutex<Vec<Made>>,
    takes: Duration,
}

impl ScriptedHost {
    /// A host with a script by node name.
    #[must_use]
    pub fn new(script: HashMap<String, Vec<Outcome>>) -> Self {
        Self { script, ..Self::default() }
    }

    /// Makes each attempt take so long.
    #[must_use]
    pub fn taking(mut self, time: Duration) -> Self {
        self.takes = time;
        self
    }

    /// The attempts that were made, in the order of their beginning.
    #[must_use]
    pub fn made(&self) -> Vec<Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn outcome(&self, call: &Call) -> Outcome {
        let config: Value = serde_json::from_slice(&call.config).unwrap_or_default();
        match config.get("fail") {
            Some(Value::Bool(true)) => return Outcome::FailForGood,
            Some(Value::String(when)) if when == "first" && call.attempt == 1 => return Outcome::Fail,
            _ => {}
        }
        let scripted = self.script.get(call.node.as_str());
        let index = call.attempt.saturating_sub(1) as usize;
        scripted
            .and_then(|outcomes| outcomes.get(index).or(outcomes.last()))
            .cloned()
            .unwrap_or_else(|| Outcome::Emit(call.ports.first().map(ToString::to_string).unwrap_or_default()))
    }
}

/// The node types of the scripted host.
#[must_use]
pub fn installed(uses: &NodeTypeRef) -> Option<InstalledNodeType> {
    let (pure, branch) = match &*uses.name {
        "pure" => (true, false),
        "effect" => (false, false),
        "pure_branch" => (true, true),
        "effect_branch" => (false, true),
        _ => return None,
    };
    let ports = if branch { json!([{ "name": "yes" }, { "name": "no" }]) } else { json!([]) };
    let manifest = json!({
        "plugin": { "name": "scripted", "version": "1.0.0", "description": { "en": "Does what a script says" } },
        "node": { &*uses.name: {
            "title": { "en": "Scripted" }, "description": { "en": "Does what a script says" },
            "category": "other", "icon": "lucide:box", "ports": ports, "config": { "type": "object" },
        } },
    });
    let manifest: Manifest = serde_json::from_value(manifest).ok()?;
    let component = Digest::of(uses.to_string().as_bytes());
    (uses.major == 1).then(|| InstalledNodeType {
        manifest: Arc::new(manifest),
        name: uses.name.clone(),
        component,
        pure,
    })
}

impl Registry for ScriptedHost {
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        installed(uses)
    }

    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        let names = ["effect", "effect_branch", "pure", "pure_branch"];
        let all = names.map(|name| NodeTypeRef { name: name.into(), major: 1 });
        all.into_iter().filter_map(|uses| installed(&uses).map(|found| (uses, found))).collect()
    }
}

impl Host for ScriptedHost {
    fn execute(&self, call: Call) -> BoxFuture<'_, Result<Emission, Failure>> {
        let made = Made { node: call.node.clone(), item: call.item, attempt: call.attempt, key: call.key.to_string() };
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(made);
        Box::pin(async move {
            if !self.takes.is_zero() {
                tokio::time::sleep(self.takes).await;
            }
            let failed = |retry| Failure { retry, ..Failure::new(FailureKind::Node, "as the script says") };
            match self.outcome(&call) {
                Outcome::Emit(port) => {
                    let config: Value = serde_json::from_slice(&call.config).unwrap_or_default();
                    let port = port.parse().map_err(|_| Failure::new(FailureKind::InvalidOutput, "no such port"))?;
                    Ok(Emission { port, output: Json::from(config) })
                }
                Outcome::Fail => Err(failed(RetryHint::MayHelp)),
                Outcome::FailForGood => Err(failed(RetryHint::Never)),
                Outcome::Hang => tokio::select! {
                    () = call.cancel.cancelled() => Err(Failure::new(FailureKind::Cancelled, "cancelled")),
                    () = tokio::time::sleep(call.timeout) => Err(Failure::new(FailureKind::Timeout, "too late")),
                },
            }
        })
    }
}
