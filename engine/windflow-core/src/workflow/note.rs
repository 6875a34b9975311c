//! Notes: what people write beside the nodes of a drawing. No part of the logic.

use indexmap::IndexMap;
use serde::Serialize;

use super::read::Reader;
use crate::id::NodeId;
use crate::problem::Problem;
use crate::yaml;

/// A text on the canvas.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Note {
    /// Markdown.
    pub text: String,
    /// Where its upper left corner stands.
    pub at: [f64; 2],
    /// Its width and height.
    pub size: [f64; 2],
    /// Its paper.
    pub color: NoteColor,
}

/// The colour of a note's paper. What it looks like is the theme's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteColor {
    /// As a note is where nobody chose.
    #[default]
    Yellow,
    /// Orange.
    Orange,
    /// Red.
    Red,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Purple.
    Purple,
    /// Grey.
    Grey,
}

impl NoteColor {
    /// All of them, as they are written.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("yellow", Self::Yellow),
        ("orange", Self::Orange),
        ("red", Self::Red),
        ("green", Self::Green),
        ("blue", Self::Blue),
        ("purple", Self::Purple),
        ("grey", Self::Grey),
    ];
}

/// A workflow has at most this many notes.
pub const MAX_NOTES: usize = 200;
/// A note's text has at most this many characters.
pub const MAX_NOTE_CHARS: usize = 10_000;
/// How large a note is where nobody said.
pub const NOTE_SIZE: [f64; 2] = [240.0, 160.0];
/// The least and the largest width and height of a note.
pub const NOTE_SIDE: std::ops::RangeInclusive<f64> = 80.0..=4000.0;
/// How far from the middle of the drawing a note may stand.
pub(crate) const FARTHEST: f64 = 1e6;

pub(super) fn notes(reader: &mut Reader, node: &yaml::Node) -> IndexMap<NodeId, Note> {
    let mut notes = IndexMap::new();
    let Some(fields) = reader.open_map(node, "`notes`") else { return notes };
    if fields.iter().count() > MAX_NOTES {
        let message = format!("a workflow has at most {MAX_NOTES} notes");
        reader.error_with("too_many_notes", &node.place, message, "write what is longer into a document of its own");
        return notes;
    }
    for (key, node) in fields.iter() {
        let id: Option<NodeId> = key.value.parse().ok();
        if id.is_none() {
            let remedy = "use a-z, 0-9 and _, 64 at most, beginning with a letter";
            reader.error_with("invalid_name", &key.place, format!("a note cannot be called `{}`", key.value), remedy);
        }
        if let (Some(note), Some(id)) = (one(reader, node), id) {
            notes.insert(id, note);
        }
    }
    notes
}

fn one(reader: &mut Reader, node: &yaml::Node) -> Option<Note> {
    let fields = reader.map(node, "a note", &["text", "at", "size", "color"])?;
    let text = reader.required(&fields, "text").and_then(|node| text(reader, node));
    let at = fields.get("at").map_or(Some([0.0, 0.0]), |node| {
        pair(reader, node, ["a note's place", "write it as [x, y]"], -FARTHEST..=FARTHEST)
    });
    let size = fields.get("size").map_or(Some(NOTE_SIZE), |node| {
        pair(reader, node, ["a note's size", "write it as [width, height]"], NOTE_SIDE)
    });
    let color = fields
        .get("color")
        .map_or(Some(NoteColor::default()), |node| reader.word(node, "the colour of a note", &NoteColor::WORDS));
    Some(Note { text: text?, at: at?, size: size?, color: color? })
}

fn text(reader: &mut Reader, node: &yaml::Node) -> Option<String> {
    let text = reader.text(node, "the text of a note")?;
    let length = text.chars().count();
    if length > MAX_NOTE_CHARS {
        let message = format!("a note has at most {MAX_NOTE_CHARS} characters, but this one has {length}");
        reader.problems.push(Problem::error("too_long", &node.place, message));
        return None;
    }
    Some(text.to_owned())
}

/// Two numbers within bounds.
fn pair(
    reader: &mut Reader,
    node: &yaml::Node,
    [what, remedy]: [&str; 2],
    bounds: std::ops::RangeInclusive<f64>,
) -> Option<[f64; 2]> {
    let items = reader.list(node, what);
    let [first, second] = items else {
        if matches!(node.kind, yaml::Kind::List(_)) {
            reader.error_with("wrong_type", &node.place, format!("{what} is two numbers"), remedy);
        }
        return None;
    };
    let (least, most) = (*bounds.start(), *bounds.end());
    let [first, second] = [first, second].map(|item| reader.number(item, what, least, most));
    Some([first?, second?])
}
