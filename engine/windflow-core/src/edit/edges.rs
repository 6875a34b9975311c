//! Drawing edges and taking them away.

use serde_json::{Value, json};

use super::{Draft, EdgeRef, EditError, map, root};
use crate::plan::{find_cycle, references};
use crate::workflow::{Need, Workflow};

impl Draft {
    pub(super) fn connect(&mut self, edge: &EdgeRef) -> Result<(), EditError> {
        let (needs, _) = self.needs(edge)?;
        if edge.from == edge.to {
            return Err(EditError::new("cycle", "a node cannot wait for itself"));
        }
        let wanted = need(edge);
        if needs.contains(&wanted) {
            return Err(EditError::new("already_connected", format!("`{}` already starts on `{wanted}`", edge.to)));
        }
        let mut draft = Self::new(self.pieces.text());
        draft.set_needs(&edge.to, needs.into_iter().chain([wanted]).collect())?;
        if let Some(path) = Workflow::parse(draft.pieces.text()).0.as_ref().and_then(find_cycle) {
            let path: Vec<&str> = path.iter().map(crate::id::NodeId::as_str).collect();
            return Err(EditError::new("cycle", format!("this edge would close a circle: {}", path.join(" → "))));
        }
        let (_, changes) = draft.pieces.finish();
        self.pieces.apply(changes);
        Ok(())
    }

    pub(super) fn disconnect(&mut self, edge: &EdgeRef) -> Result<(), EditError> {
        let (needs, reads_others) = self.needs(edge)?;
        let gone = need(edge);
        let rest: Vec<String> = needs.iter().filter(|need| **need != gone).cloned().collect();
        if rest.len() == needs.len() {
            return Err(EditError::new("not_connected", format!("`{}` does not start on `{gone}`", edge.to)));
        }
        if rest.is_empty() && !reads_others {
            let to = edge.to.clone();
            return self.change(|document| {
                let node = map(map(root(document)?, "nodes")?, &to)?;
                node.shift_remove("needs");
                node.shift_remove("join");
                Ok(())
            });
        }
        // Without `needs`, what its expressions read would start it again.
        self.set_needs(&edge.to, rest)
    }

    /// What the edge's target starts on now, written or implied, and whether its expressions read from other nodes.
    fn needs(&self, edge: &EdgeRef) -> Result<(Vec<String>, bool), EditError> {
        let (workflow, _) = Workflow::parse(self.pieces.text());
        let nodes = workflow.map(|workflow| workflow.nodes).unwrap_or_default();
        let find = |id: &str| nodes.iter().find(|(found, _)| found.as_str() == id).map(|(_, node)| node);
        find(&edge.from).ok_or_else(|| EditError::no_such_node(&edge.from))?;
        let target = find(&edge.to).ok_or_else(|| EditError::no_such_node(&edge.to))?;
        let mut read: Vec<String> = Vec::new();
        for id in references(target).filter_map(crate::expression::Reference::node) {
            if nodes.contains_key(id) && !read.iter().any(|known| known == id.as_str()) {
                read.push(id.to_string());
            }
        }
        let reads_others = !read.is_empty();
        let needs = match &target.needs {
            Some(needs) => needs.iter().map(|need| text(need)).collect(),
            None => read,
        };
        Ok((needs, reads_others))
    }

    fn set_needs(&mut self, id: &str, needs: Vec<String>) -> Result<(), EditError> {
        self.change(|document| {
            let node = map(map(root(document)?, "nodes")?, id)?;
            node.insert("needs".into(), Value::Array(needs.into_iter().map(|need| json!(need)).collect()));
            Ok(())
        })
    }
}

fn need(edge: &EdgeRef) -> String {
    edge.port.as_ref().map_or_else(|| edge.from.clone(), |port| format!("{}.{port}", edge.from))
}

fn text(need: &Need) -> String {
    need.port.as_ref().map_or_else(|| need.node.to_string(), |port| format!("{}.{port}", need.node))
}
