use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn notes_stand_before_the_layout() {
    let add =
        json!({ "add_note": { "text": "## Why\nSlowly.", "at": [0, -200.4], "size": [10, 300], "color": "blue" } });
    let noted = "
+
+notes:
+  note:
+    text: |-
+      ## Why
+      Slowly.
+    at: [0, -200]
+    size: [80, 300]
+    color: blue
";
    check(std::slice::from_ref(&add), noted);
    let place = json!({ "place_notes": { "places": { "note": { "at": [8, 16] } } } });
    check(&[add.clone(), place], &noted.replace("[0, -200]", "[8, 16]"));
    let text = json!({ "set": { "path": ["notes", "note", "text"], "value": "Fast" } });
    check(&[add.clone(), text], &noted.replace("|-\n+      ## Why\n+      Slowly.", "Fast"));
    // The section goes with its last note.
    check(&[add.clone(), json!({ "remove_notes": { "ids": ["note"] } })], "\n+\n");
    let edited = apply(SITE, &[edit(add.clone()), edit(add)]).unwrap();
    assert_eq!(edited.added_notes, ["note", "note_2"]);
    for nobody in
        [json!({ "remove_notes": { "ids": ["x"] } }), json!({ "place_notes": { "places": { "x": { "at": [0, 0] } } } })]
    {
        assert_eq!(apply(SITE, &[edit(nobody)]).unwrap_err().code, "no_such_note");
    }
}

#[test]
fn notes_are_pasted_where_they_stood_beside_their_nodes() {
    let add = json!({ "add_note": { "text": "Asks", "at": [-20, -100] } });
    let noted = apply(SITE, &[edit(add)]).unwrap().text;
    let copied = copy(&noted, &["fetch".into()], &["note".into()]).unwrap();
    assert!(copied.contains("notes:\n  note:\n    text: Asks\n    at: [-20, -100]\nlayout:\n"), "{copied}");
    let paste = |yaml: &str| edit(json!({ "paste": { "yaml": yaml, "at": [1000, 1000] } }));
    let edited = apply(&noted, &[paste(&copied)]).unwrap();
    assert_eq!((edited.added, edited.added_notes), (vec!["fetch_2".to_owned()], vec!["note_2".to_owned()]));
    assert!(edited.text.contains("  note_2:\n    text: Asks\n    at: [1000, 1000]\n"), "{}", edited.text);
    assert!(edited.text.ends_with("  fetch_2: [1020, 1100]\n"), "{}", edited.text);

    let alone = copy(&noted, &[], &["note".into()]).unwrap();
    let edited = apply("windflow: 1\nname: other\nnodes: {}\n", &[paste(&alone)]).unwrap();
    assert_eq!(
        edited.text,
        "windflow: 1\nname: other\nnodes: {}\nnotes:\n  note:\n    text: Asks\n    at: [1000, 1000]\n"
    );
    assert_eq!(copy(&noted, &[], &["nobody".into()]).unwrap_err().code, "no_such_note");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn notes_are_what_was_drawn_and_nothing_else_changes(
        steps in prop::collection::vec((0..4usize, "\\PC{0,12}(\n[ #a-z|>-]{0,8}){0,3}", -2000..2000i32, 0..5000i32), 1..10),
    ) {
        let mut text = SITE.to_owned();
        let mut drawn: Vec<(String, String, [i32; 2])> = Vec::new();
        for (kind, written, x, side) in steps {
            let known = drawn.len();
            let edits = match kind {
                1 if known > 0 => {
                    let note = &mut drawn[side as usize % known];
                    note.1 = written.clone();
                    json!([{ "set": { "path": ["notes", note.0, "text"], "value": written } }])
                }
                2 if known > 0 => {
                    let note = &mut drawn[side as usize % known];
                    note.2 = [x, side];
                    json!([{ "place_notes": { "places": { note.0.clone(): { "at": [x, side], "size": [side, side] } } } }])
                }
                3 if known > 0 => {
                    let (id, ..) = drawn.remove(side as usize % known);
                    json!([{ "remove_notes": { "ids": [id] } }])
                }
                _ => json!([{ "add_note": { "text": written, "at": [x, side] } }]),
            };
            let edits: Vec<Edit> = serde_json::from_value(edits).unwrap();
            let edited = apply(&text, &edits).map_err(|error| TestCaseError::fail(format!("{text}\n{edits:?}: {error}")))?;
            drawn.extend(edited.added_notes.into_iter().map(|id| (id, written.clone(), [x, side])));
            text = edited.text;
            let (workflow, problems) = crate::workflow::Workflow::parse(&text);
            prop_assert!(problems.is_empty(), "{}\n{:?}", text, problems);
            let notes = workflow.unwrap().notes;
            let read: Vec<_> = notes.iter().map(|(id, note)| (id.to_string(), note.text.clone(), note.at.map(|at| at as i32))).collect();
            let mut expected = drawn.clone();
            expected.sort();
            let mut read = read;
            read.sort();
            prop_assert_eq!(read, expected);
        }
        let gone: Vec<String> = drawn.into_iter().map(|(id, ..)| id).collect();
        if !gone.is_empty() {
            text = apply(&text, &[Edit::RemoveNotes { ids: gone }]).unwrap().text;
        }
        let written = |text: &str| text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(written(&text), written(SITE));
    }
}
