//! Adding, removing and moving notes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::nodes::{free_id, pixels};
use super::{Draft, EditError, NewNote, NotePlace, map, root};
use crate::workflow::NOTE_SIDE;

impl Draft {
    pub(super) fn add_note(&mut self, note: &NewNote) -> Result<(), EditError> {
        let mut id = String::new();
        self.change(|document| {
            let notes = map(root(document)?, "notes")?;
            id = free_id(notes, "note")?;
            let mut fields = Map::new();
            fields.insert("text".into(), json!(note.text));
            fields.insert("at".into(), pixels(note.at));
            if let Some(size) = note.size {
                fields.insert("size".into(), self::size(size));
            }
            if let Some(color) = &note.color {
                fields.insert("color".into(), json!(color));
            }
            notes.insert(id.clone(), Value::Object(fields));
            Ok(())
        })?;
        self.added_notes.push(id);
        Ok(())
    }
}

/// With the last note its section goes, too.
pub(super) fn remove(document: &mut Value, ids: &[String]) -> Result<(), EditError> {
    let fields = root(document)?;
    let notes = map(fields, "notes")?;
    for id in ids {
        notes.shift_remove(id).ok_or_else(|| no_such_note(id))?;
    }
    if notes.is_empty() {
        fields.shift_remove("notes");
    }
    Ok(())
}

pub(super) fn place(document: &mut Value, places: &BTreeMap<String, NotePlace>) -> Result<(), EditError> {
    let notes = map(root(document)?, "notes")?;
    for (id, place) in places {
        let note = notes.get_mut(id).and_then(Value::as_object_mut).ok_or_else(|| no_such_note(id))?;
        note.insert("at".into(), pixels(place.at));
        if let Some(size) = place.size {
            note.insert("size".into(), self::size(size));
        }
    }
    Ok(())
}

fn size(sides: [f64; 2]) -> Value {
    pixels(sides.map(|side| side.clamp(*NOTE_SIDE.start(), *NOTE_SIDE.end())))
}

/// Where a note of a document stands.
pub(super) fn place_of(note: &Value) -> [f64; 2] {
    let number = |index: usize| note.get("at").and_then(|at| at.get(index)).and_then(Value::as_f64).unwrap_or_default();
    [number(0), number(1)]
}

pub(super) fn no_such_note(id: &str) -> EditError {
    EditError::new("no_such_note", format!("there is no note `{id}`"))
}
