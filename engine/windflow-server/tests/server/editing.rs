//! Edits over the API: the same as the browser's, with nobody's change lost.

use serde_json::{Value, json};
use windflow_core::edit::{self, Edit};
use windflow_server::Role;

use crate::openapi::document;
use crate::support::{Answer, Client, PURE, scripted, serve};

const EDITS: &str = "/api/v1/workflows/pure/edits";

async fn edited(client: &Client, query: &str, tag: &str, edits: Value) -> Answer {
    let request = client.request("POST", &format!("{EDITS}{query}")).header("if-match", tag);
    client.send(request.json(&json!({ "edits": edits }))).await
}

/// One of each kind. A kind that is not here does not compile, so that the document cannot fall behind.
fn one_of_each() -> Vec<Edit> {
    let all: Vec<Edit> = serde_json::from_value(json!([
        { "add_node": { "uses": "pure@1", "id": "b", "title": "B", "with": { "n": 1 }, "needs": ["a"], "at": [1, 2.5] } },
        { "add_node": { "uses": "pure@1" } },
        { "rename_node": { "id": "b", "to": "c" } },
        { "disconnect": { "from": "a", "to": "c" } },
        { "connect": { "from": "a", "port": "out", "to": "c" } },
        { "set": { "path": ["nodes", "c", "with", "list"], "value": [1] } },
        { "set": { "path": ["nodes", "c", "with", "list", 1], "value": { "any": ["thing"] } } },
        { "unset": { "path": ["nodes", "c", "with", "list"] } },
        { "move": { "positions": { "a": [10, 20] } } },
        { "add_note": { "text": "hello", "at": [0, 0], "size": [200, 100], "color": "blue" } },
        { "place_notes": { "places": { "note": { "at": [5, 5] } } } },
        { "remove_notes": { "ids": ["note"] } },
        { "paste": { "yaml": "nodes:\n  a: { uses: pure@1 }\n", "at": [50, 50] } },
        { "remove_nodes": { "ids": ["c"] } },
    ]))
    .unwrap();
    for edit in &all {
        match edit {
            Edit::AddNode(_)
            | Edit::RemoveNodes { .. }
            | Edit::RenameNode { .. }
            | Edit::Connect(_)
            | Edit::Disconnect(_)
            | Edit::Set { .. }
            | Edit::Unset { .. }
            | Edit::Move { .. }
            | Edit::AddNote(_)
            | Edit::RemoveNotes { .. }
            | Edit::PlaceNotes { .. }
            | Edit::Paste { .. } => {}
        }
    }
    all
}

#[test]
fn the_document_takes_every_edit_that_there_is_and_no_other() {
    let document = document();
    let schema = json!({ "$ref": "#/components/schemas/Edit", "components": document["components"] });
    let schema = jsonschema::validator_for(&schema).unwrap();
    for edit in one_of_each() {
        let value = serde_json::to_value(&edit).unwrap();
        let wrong: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{value}: {wrong:?}");
        let (kind, mut fields) = value.as_object().unwrap().clone().into_iter().next().unwrap();
        fields["unknown"] = json!(1);
        assert!(!schema.is_valid(&json!({ kind.clone(): fields.clone() })), "{kind} takes what there is not");
        assert!(serde_json::from_value::<Edit>(json!({ kind: fields })).is_err());
    }
    assert!(!schema.is_valid(&json!({ "delete_everything": {} })));
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_become_a_version_that_is_what_the_browser_would_make() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    let text = format!("# kept as it is\n{PURE}");
    let tag = editor.yaml("POST", "/api/v1/workflows", &text, None).await.header("etag").to_owned();
    let edits = one_of_each();
    let expected = edit::apply(&text, &edits).unwrap();
    let edits = serde_json::to_value(&edits).unwrap();

    let tried = edited(&editor, "?dry_run=true", &tag, edits.clone()).await;
    assert_eq!(tried.header("etag"), tag);
    let tried = tried.expect(200);
    assert_eq!((&tried["kept"], &tried["workflow"]["version"]), (&json!(false), &json!(1)));
    assert_eq!(editor.get("/api/v1/workflows/pure/document").await.body, json!(text));

    let answer = edited(&editor, "", &tag, edits).await;
    let new_tag = answer.header("etag").to_owned();
    let made = answer.expect(200);
    assert_eq!((&made["text"], &tried["text"]), (&json!(expected.text), &json!(expected.text)));
    assert_eq!((&made["added"], &made["added_notes"]), (&json!(expected.added), &json!(expected.added_notes)));
    assert_eq!((&made["kept"], &made["workflow"]["version"]), (&json!(true), &json!(2)));
    assert!(expected.text.starts_with("# kept as it is\n"));
    let kept = editor.get("/api/v1/workflows/pure/document").await;
    assert_eq!((kept.header("etag"), &kept.body), (new_tag.as_str(), &json!(expected.text)));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_that_cannot_be_made_or_kept_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    let tag = editor.yaml("POST", "/api/v1/workflows", PURE, None).await.header("etag").to_owned();
    let add = json!({ "add_node": { "uses": "pure@1" } });

    editor.post(EDITS, &json!({ "edits": [add] })).await.problem(428, "if_match_required");
    edited(&editor, "", "\"77\"", json!([add])).await.problem(412, "changed_meanwhile");
    edited(&editor, "?dry_run=true", "\"77\"", json!([add])).await.problem(412, "changed_meanwhile");
    edited(&editor, "", &tag, json!([{ "explode": {} }])).await.problem(422, "invalid_body");
    let gone = json!([add, { "rename_node": { "id": "nobody", "to": "b" } }]);
    let problem = edited(&editor, "", &tag, gone).await.problem(422, "no_such_node");
    assert!(problem["detail"].as_str().unwrap().starts_with("edit 1"), "{problem}");
    let renamed = json!([{ "set": { "path": ["name"], "value": "other" } }]);
    edited(&editor, "", &tag, renamed.clone()).await.problem(422, "name_differs");
    edited(&editor, "?dry_run=true", &tag, renamed).await.problem(422, "name_differs");

    let broken = json!([{ "set": { "path": ["nodes", "a", "uses"], "value": "puer@1" } }]);
    let problem = edited(&editor, "", &tag, broken.clone()).await.problem(422, "invalid_workflow");
    assert_eq!(problem["problems"][0]["code"], "unknown_node_type");
    let tried = edited(&editor, "?dry_run=true", &tag, broken).await.expect(200);
    assert_eq!(tried["problems"], problem["problems"]);

    let many: Vec<_> = std::iter::repeat_n(&add, 1001).collect();
    edited(&editor, "", &tag, json!(many)).await.problem(413, "too_many_edits");
    // Few edits of a long text are as much work as many of a short one.
    let long = json!([{ "set": { "path": ["description"], "value": "x".repeat(900 << 10) } }]);
    let long: Vec<_> = long.as_array().unwrap().iter().cloned().chain(std::iter::repeat_n(add.clone(), 100)).collect();
    edited(&editor, "", &tag, json!(long)).await.problem(413, "too_many_edits");

    let after = editor.get("/api/v1/workflows/pure/document").await;
    assert_eq!((after.header("etag"), &after.body), (tag.as_str(), &json!(PURE)));
    edited(&editor, "", "*", json!([add])).await.expect(200);
    served.stop().await;
}
