//! Other workflows of the server, as far as the editor asked for them.

use std::collections::BTreeMap;

use windflow_core::workflow::{ChildName, Documents, FoundDocument};

/// Texts by the names of the workflows.
#[derive(Default)]
pub(crate) struct Workflows(pub(crate) BTreeMap<String, String>);

impl Documents for Workflows {
    fn find(&self, _: &str, name: &ChildName) -> Result<FoundDocument, String> {
        let ChildName::Name(name) = name else { return Err("a server knows no files".to_owned()) };
        let text = self.0.get(name).ok_or_else(|| format!("the workflow {name} was not asked for"))?;
        Ok(FoundDocument { location: name.clone(), text: text.clone() })
    }

    /// What was not asked for may well be there; the server tells what is not.
    fn is_complete(&self) -> bool {
        false
    }
}
