//! The items of a node with `for_each:`.

use super::NodeState;
use crate::failure::Failure;
use crate::json::Json;

/// A list is at most this long.
pub const MAX_ITEMS: usize = 1_000_000;

/// How the items of one node stand. A window of them is open at a time, as wide as the node's `concurrency:`.
#[derive(Debug, Clone, PartialEq)]
pub struct Items {
    list: Json,
    states: Vec<NodeState>,
    /// Items before this one have been taken up.
    begun: u32,
    /// Items that are ready, running or waiting for a retry.
    open: u32,
    /// The failure that ends the node, as `on_item_error: fail` has it.
    fatal: Option<Failure>,
    /// Whether any was kept from ending as it would have: the outputs are not those of all.
    cut: bool,
}

impl Items {
    /// The items of a list; nothing where it is none, or too long.
    pub(super) fn new(list: &Json) -> Option<Self> {
        let length = list.value().as_array().map(Vec::len).filter(|length| *length <= MAX_ITEMS)?;
        let states = vec![NodeState::Pending; length];
        Some(Self { list: list.clone(), states, begun: 0, open: 0, fatal: None, cut: false })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// How one stands.
    #[must_use]
    pub fn get(&self, item: u32) -> Option<&NodeState> {
        self.states.get(item as usize)
    }

    /// The value of one.
    #[must_use]
    pub fn value(&self, item: u32) -> Option<&serde_json::Value> {
        self.list.value().get(item as usize)
    }

    /// How all stand, in order.
    pub fn states(&self) -> impl ExactSizeIterator<Item = &NodeState> {
        self.states.iter()
    }

    /// How many have settled.
    #[must_use]
    pub fn settled(&self) -> usize {
        (self.begun - self.open) as usize
    }

    /// The failures of those that failed for good, by their place in the list.
    pub fn failures(&self) -> impl Iterator<Item = (usize, &Failure)> {
        self.states.iter().enumerate().filter_map(|(item, state)| match state {
            NodeState::Failed(failure) => Some((item, failure)),
            _ => None,
        })
    }

    /// What they emitted, in order; null for those that did not.
    #[must_use]
    pub fn outputs(&self) -> Json {
        let null = Json::null();
        Json::list(self.states.iter().map(|state| match state {
            NodeState::Succeeded { output, .. } => output,
            _ => &null,
        }))
    }

    /// Those that are taken up and not settled.
    pub(super) fn open(&self) -> impl Iterator<Item = u32> {
        let states = self.states.iter().zip(0_u32..).take(self.begun as usize);
        states.filter(|(state, _)| !state.is_settled()).map(|(_, item)| item)
    }

    pub(super) fn fatal(&self) -> Option<&Failure> {
        self.fatal.as_ref()
    }

    /// Whether nothing is left to do.
    pub(super) fn is_over(&self) -> bool {
        self.open == 0 && (self.fatal.is_some() || self.begun as usize == self.states.len())
    }

    /// Whether any was told to end before it had.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether nothing is going on.
    pub(super) fn is_quiet(&self) -> bool {
        self.open == 0
    }

    /// Takes up the next item, if the window has room for it.
    pub(super) fn take_up(&mut self, window: u32) -> Option<u32> {
        if self.open >= window || self.fatal.is_some() {
            return None;
        }
        let item = self.begun;
        *self.states.get_mut(item as usize)? = NodeState::Ready;
        self.begun += 1;
        self.open += 1;
        Some(item)
    }

    /// Puts an open item into another state.
    pub(super) fn set(&mut self, item: u32, state: NodeState) {
        if state.is_settled() {
            self.open -= 1;
        }
        self.cut |= state == NodeState::Cancelled;
        if let Some(slot) = self.states.get_mut(item as usize) {
            *slot = state;
        }
    }

    /// Notes the failure of an item that ends the node.
    pub(super) fn give_up(&mut self, item: u32, failure: &Failure) {
        if self.fatal.is_none() {
            let message = format!("item {item}: {}", failure.message);
            self.fatal = Some(Failure { message, ..failure.clone() });
        }
    }

    /// Nothing begins any more: what waits for a retry has failed, and what has not begun never will. Gives the items
    /// whose attempts are under way.
    pub(super) fn stop(&mut self) -> Vec<u32> {
        let mut running = Vec::new();
        let mut open = 0;
        let mut cut = false;
        for (state, item) in self.states.iter_mut().zip(0_u32..).take(self.begun as usize) {
            match state {
                NodeState::Ready => {
                    cut = true;
                    *state = NodeState::Cancelled;
                }
                NodeState::Retrying { failure, .. } => {
                    cut = true;
                    *state = NodeState::Failed(failure.clone());
                }
                NodeState::Running { .. } => {
                    open += 1;
                    running.push(item);
                }
                _ => {}
            }
        }
        self.open = open;
        self.cut |= cut;
        running
    }
}
