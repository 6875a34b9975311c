//! What edits look like in the API's document. They are read by the type that they are made by, which knows nothing of OpenAPI; a test holds
//! the two together.
#![expect(dead_code, reason = "only the schemas of these are used")]

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One thing to do to a workflow.
#[derive(Serialize, ToSchema)]
#[schema(as = Edit)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EditSchema {
    /// Adds a node.
    AddNode(NewNode),
    /// Removes nodes, their edges, and their places in the layout. Expressions that read from them stay, and are told as
    /// problems.
    RemoveNodes(Ids),
    /// Renames a node wherever it is named, in expressions, too.
    RenameNode(Renamed),
    /// Draws an edge. Edges that expressions imply are written out where they were not.
    Connect(EdgeRef),
    /// Takes an edge away, drawn or implied.
    Disconnect(EdgeRef),
    /// Sets a value; maps above it are made where there are none.
    Set(NewValue),
    /// Takes a value and its key away.
    Unset(ValueAt),
    /// Moves nodes on the canvas.
    Move(NodePlaces),
    /// Adds a note beside the nodes.
    AddNote(NewNote),
    /// Removes notes.
    RemoveNotes(Ids),
    /// Moves notes, and makes them larger or smaller.
    PlaceNotes(NotePlaces),
    /// Adds nodes and notes that were copied from this or another workflow. Ids that are taken get a number.
    Paste(Pasted),
}

/// A node to add.
#[derive(Serialize, ToSchema)]
#[schema(as = EditNewNode)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNode {
    /// Its id; made from the node type where none is given or the given one is taken.
    id: Option<String>,
    /// The node type, as in `http@1`.
    #[schema(example = "http@1")]
    uses: String,
    /// Its title.
    title: Option<String>,
    /// Its configuration.
    with: Option<Value>,
    /// The edges that it starts on, as `a` or `a.false`.
    needs: Option<Vec<String>>,
    /// Where it stands on the canvas.
    at: Option<[f64; 2]>,
}

/// Some of them.
#[derive(Serialize, ToSchema)]
#[schema(as = EditIds)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ids {
    /// Which.
    ids: Vec<String>,
}

/// Another id.
#[derive(Serialize, ToSchema)]
#[schema(as = EditRenamed)]
#[serde(deny_unknown_fields)]
pub(crate) struct Renamed {
    /// Its id.
    id: String,
    /// What it is called from now on.
    to: String,
}

/// An edge.
#[derive(Serialize, ToSchema)]
#[schema(as = EditEdge)]
#[serde(deny_unknown_fields)]
pub(crate) struct EdgeRef {
    /// The node that it leaves.
    from: String,
    /// The port that it leaves from; none is success on whichever port.
    port: Option<String>,
    /// The node that it starts.
    to: String,
}

/// A step on the way to a value: into a list, from 0, whose length appends; or into a map.
#[derive(Serialize, ToSchema)]
#[schema(as = EditSegment)]
#[serde(untagged)]
pub(crate) enum Segment {
    Index(usize),
    Key(String),
}

/// A value and where it goes.
#[derive(Serialize, ToSchema)]
#[schema(as = EditNewValue)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewValue {
    /// The way to it, such as `["nodes", "fetch", "with", "url"]`.
    path: Vec<Segment>,
    /// What it becomes.
    value: Value,
}

/// Where a value stands.
#[derive(Serialize, ToSchema)]
#[schema(as = EditValueAt)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValueAt {
    /// The way to it.
    path: Vec<Segment>,
}

/// Where nodes go.
#[derive(Serialize, ToSchema)]
#[schema(as = EditNodePlaces)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodePlaces {
    /// Each by its id.
    positions: BTreeMap<String, [f64; 2]>,
}

/// A note to add.
#[derive(Serialize, ToSchema)]
#[schema(as = EditNewNote)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNote {
    /// Markdown.
    text: String,
    /// Where its upper left corner stands on the canvas.
    at: [f64; 2],
    /// Its width and height.
    size: Option<[f64; 2]>,
    /// The colour of its paper.
    color: Option<String>,
}

/// Where notes go.
#[derive(Serialize, ToSchema)]
#[schema(as = EditNotePlaces)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotePlaces {
    /// Each by its id.
    places: BTreeMap<String, NotePlace>,
}

/// Where a note goes.
#[derive(Serialize, ToSchema)]
#[schema(as = EditNotePlace)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotePlace {
    /// Its upper left corner.
    at: [f64; 2],
    /// Its width and height; they stay where none are given.
    size: Option<[f64; 2]>,
}

/// Nodes and notes as YAML.
#[derive(Serialize, ToSchema)]
#[schema(as = EditPasted)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pasted {
    /// Parts of a workflow, or a whole one.
    yaml: String,
    /// Where the upper left of them goes.
    at: Option<[f64; 2]>,
}
