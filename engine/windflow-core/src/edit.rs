//! Edits: what the editor's canvas and forms do to a workflow, as the smallest change of its text.
//!
//! The text is the document. An edit is worked out on what the text says; then the text is made to say that, while
//! comments, order, quotes and blank lines stay as they were. The editor and the command line share this code.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::clipboard::copy;
use self::pieces::Pieces;
use self::source::Source;

mod clipboard;
mod edges;
mod nodes;
mod notes;
mod pieces;
mod rename;
mod render;
mod set;
mod source;

/// One thing to do to a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// Adds a node.
    AddNode(NewNode),
    /// Removes nodes, their edges, and their places in the layout. Expressions that read from them stay, and are told as
    /// problems.
    RemoveNodes {
        /// Which.
        ids: Vec<String>,
    },
    /// Renames a node wherever it is named, in expressions, too.
    RenameNode {
        /// Its id.
        id: String,
        /// What it is called from now on.
        to: String,
    },
    /// Draws an edge. Edges that expressions imply are written out where they were not.
    Connect(EdgeRef),
    /// Takes an edge away, drawn or implied.
    Disconnect(EdgeRef),
    /// Sets a value; maps above it are made where there are none.
    Set {
        /// The way to it, such as `["nodes", "fetch", "with", "url"]`.
        path: Vec<Segment>,
        /// What it becomes.
        value: Value,
    },
    /// Takes a value and its key away.
    Unset {
        /// The way to it.
        path: Vec<Segment>,
    },
    /// Moves nodes on the canvas.
    Move {
        /// Where each goes.
        positions: BTreeMap<String, [f64; 2]>,
    },
    /// Adds a note beside the nodes.
    AddNote(NewNote),
    /// Removes notes.
    RemoveNotes {
        /// Which.
        ids: Vec<String>,
    },
    /// Moves notes, and makes them larger or smaller.
    PlaceNotes {
        /// Where each goes.
        places: BTreeMap<String, NotePlace>,
    },
    /// Adds nodes and notes that were copied from this or another workflow. Ids that are taken get a number.
    Paste {
        /// What [`copy`] gave, or a whole workflow.
        yaml: String,
        /// Where the upper left of them goes.
        #[serde(default)]
        at: Option<[f64; 2]>,
    },
}

/// A node to add.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewNode {
    /// Its id; made from the node type where none is given or the given one is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The node type, as in `http@1`.
    pub uses: String,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Value>,
    /// The edges that it starts on, as `a` or `a.false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Vec<String>>,
    /// Where it stands on the canvas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<[f64; 2]>,
}

/// A note to add.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// Markdown.
    pub text: String,
    /// Where its upper left corner stands on the canvas.
    pub at: [f64; 2],
    /// Its width and height.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<[f64; 2]>,
    /// The colour of its paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}

/// Where a note goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotePlace {
    /// Its upper left corner.
    pub at: [f64; 2],
    /// Its width and height; they stay where none are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<[f64; 2]>,
}

/// An edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeRef {
    /// The node that it leaves.
    pub from: String,
    /// The port that it leaves from; none is success on whichever port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// The node that it starts.
    pub to: String,
}

/// A step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Segment {
    /// Into a list, from 0; its length appends.
    Index(usize),
    /// Into a map.
    Key(String),
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Key(key) => f.write_str(key),
        }
    }
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

/// A stretch of the text that becomes another. In bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where it begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// What stands there afterwards.
    pub insert: String,
}

/// What came of edits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edited {
    /// The text.
    pub text: String,
    /// How it differs from the one before: in order, without overlaps, as places of the text before.
    pub changes: Vec<Change>,
    /// The ids of nodes that were added.
    pub added: Vec<String>,
    /// The ids of notes that were added.
    pub added_notes: Vec<String>,
}

/// Why an edit cannot be made. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{message}")]
pub struct EditError {
    /// Stable, in snake case.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl EditError {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn no_such_node(id: &str) -> Self {
        Self::new("no_such_node", format!("there is no node `{id}`"))
    }
}

/// Edits are made all or none: at most this many at once.
pub const MAX_EDITS: usize = 10_000;

/// Makes edits, one after the other, all or none. The text must be YAML; it need not be a workflow without problems.
///
/// # Errors
/// The first edit that cannot be made.
pub fn apply(text: &str, edits: &[Edit]) -> Result<Edited, EditError> {
    if edits.len() > MAX_EDITS {
        return Err(EditError::new("too_many_edits", format!("at most {MAX_EDITS} edits are made at once")));
    }
    let mut draft = Draft::new(text);
    for edit in edits {
        draft.edit(edit)?;
    }
    let (text, changes) = draft.pieces.finish();
    Ok(Edited { text, changes, added: draft.added, added_notes: draft.added_notes })
}

/// A document under way.
struct Draft {
    pieces: Pieces,
    added: Vec<String>,
    added_notes: Vec<String>,
}

impl Draft {
    fn new(text: &str) -> Self {
        Self { pieces: Pieces::new(text), added: Vec::new(), added_notes: Vec::new() }
    }

    fn edit(&mut self, edit: &Edit) -> Result<(), EditError> {
        match edit {
            Edit::AddNode(node) => self.add_node(node),
            Edit::RemoveNodes { ids } => self.change(|document| nodes::remove(document, ids)),
            Edit::RenameNode { id, to } => {
                rename::rename(&mut self.pieces, &BTreeMap::from([(id.clone(), to.clone())]))
            }
            Edit::Connect(edge) => self.connect(edge),
            Edit::Disconnect(edge) => self.disconnect(edge),
            Edit::Set { path, value } => self.change(|document| {
                *source::json_at(document, path)? = value.clone();
                Ok(())
            }),
            Edit::Unset { path } => self.change(|document| unset(document, path)),
            Edit::Move { positions } => self.change(|document| nodes::place(document, positions)),
            Edit::AddNote(note) => self.add_note(note),
            Edit::RemoveNotes { ids } => self.change(|document| notes::remove(document, ids)),
            Edit::PlaceNotes { places } => self.change(|document| notes::place(document, places)),
            Edit::Paste { yaml, at } => self.paste(yaml, *at),
        }
    }

    /// Makes the text say what it says now, changed.
    fn change(&mut self, how: impl FnOnce(&mut Value) -> Result<(), EditError>) -> Result<(), EditError> {
        let mut document = Source::read(self.pieces.text())?.root.to_json();
        how(&mut document)?;
        set::whole(&mut self.pieces, &document)
    }
}

fn unset(document: &mut Value, path: &[Segment]) -> Result<(), EditError> {
    let Some((last, above)) = path.split_last() else {
        return Err(EditError::new("no_such_place", "the document itself cannot be taken away"));
    };
    match (source::json_at(document, above)?, last) {
        (Value::Object(fields), Segment::Key(key)) => {
            fields.shift_remove(key);
        }
        (Value::Array(items), Segment::Index(index)) if *index < items.len() => {
            items.remove(*index);
        }
        _ => {}
    }
    Ok(())
}

/// A map within a map; it is made where there is none.
fn map<'v>(fields: &'v mut Map<String, Value>, key: &str) -> Result<&'v mut Map<String, Value>, EditError> {
    let value = fields.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().ok_or_else(|| EditError::new("no_map", format!("`{key}` is no map: write it as one first")))
}

/// The document as a map.
fn root(document: &mut Value) -> Result<&mut Map<String, Value>, EditError> {
    document.as_object_mut().ok_or_else(|| EditError::new("no_map", "the document is no map: begin with `windflow: 1`"))
}

#[cfg(test)]
mod tests;
