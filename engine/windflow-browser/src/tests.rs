use serde_json::{Value, json};

fn ask(request: &Value) -> Value {
    serde_json::from_slice(&super::handle(&serde_json::to_vec(request).unwrap())).unwrap()
}

const TEXT: &str = "windflow: 1\nname: é\nnodes:\n  a:\n    uses: wait@1\n    with: { for: 5s }\n  b:\n    uses: nothing@1\n    needs: [a]\nlayout:\n  a: [1, 2]\n";

#[test]
fn a_text_is_read_with_its_problems() {
    let read = ask(&json!({ "op": "read", "text": TEXT }));
    let problems = read["problems"].as_array().unwrap();
    let unknown = problems.iter().find(|problem| problem["code"] == "unknown_node_type").expect("it is told");
    assert_eq!(unknown["node"], "b");
    let from = usize::try_from(unknown["from"].as_u64().unwrap()).unwrap();
    let units: Vec<u16> = TEXT.encode_utf16().collect();
    assert_eq!(String::from_utf16_lossy(&units[from..from + 9]), "nothing@1");
    assert!(problems.iter().any(|problem| problem["code"] == "invalid_name" && problem["node"].is_null()));
    assert_eq!(read["workflow"]["nodes"][0]["with"], json!({ "for": "5s" }));
    assert_eq!(read["workflow"]["edges"], json!([{ "from": "a", "port": null, "to": "b", "kind": "needs" }]));
    assert_eq!(read["workflow"]["layout"], json!({ "a": [1.0, 2.0] }));
    assert_eq!(ask(&json!({ "op": "read", "text": "a: [" }))["workflow"], Value::Null);
}

#[test]
fn edits_are_told_in_units_of_javascript() {
    let edits = json!([{ "set": { "path": ["nodes", "a", "with", "for"], "value": "9s" } }]);
    let edited = ask(&json!({ "op": "edit", "text": TEXT, "edits": edits }));
    let at = TEXT.encode_utf16().collect::<Vec<_>>().len()
        - "5s }\n  b:\n    uses: nothing@1\n    needs: [a]\nlayout:\n  a: [1, 2]\n".len();
    assert_eq!(edited["changes"][0]["from"], json!(at), "{edited}");
    let refused = ask(&json!({ "op": "edit", "text": TEXT, "edits": [{ "remove_nodes": { "ids": ["z"] } }] }));
    assert_eq!(refused["error"]["code"], "no_such_node");
    assert_eq!(ask(&json!({ "op": "nonsense" }))["error"]["code"], "bad_request");
}

#[test]
fn notes_are_read_added_and_copied() {
    let edits = json!([{ "add_note": { "text": "é", "at": [1, 2], "color": "green" } }]);
    let edited = ask(&json!({ "op": "edit", "text": TEXT, "edits": edits }));
    assert_eq!(edited["added_notes"], json!(["note"]));
    let read = ask(&json!({ "op": "read", "text": edited["text"] }));
    let note = json!({ "text": "é", "at": [1.0, 2.0], "size": [240.0, 160.0], "color": "green" });
    assert_eq!(read["workflow"]["notes"], json!({ "note": note }));
    let copied = ask(&json!({ "op": "copy", "text": edited["text"], "ids": [], "notes": ["note"] }));
    assert!(copied["yaml"].as_str().unwrap().starts_with("notes:\n  note:\n"), "{copied}");
}

#[test]
fn values_are_previewed_on_the_data_of_a_run() {
    let scope = json!({ "inputs": { "n": 2 }, "nodes": { "a": { "output": [1, 2], "status": "succeeded" } }, "input": { "x": 1 } });
    let preview = |template: Value| ask(&json!({ "op": "preview", "template": template, "scope": scope }));
    assert_eq!(preview(json!("${{ nodes.a.output[0] + inputs.n }}")), json!({ "value": 3 }));
    assert_eq!(preview(json!({ "a": ["${{ input.x }}"] })), json!({ "value": { "a": [1] } }));
    let error = preview(json!("é ${{ inputs.m }}"));
    assert_eq!(error["error"]["from"], 6, "{error}");
    assert!(preview(json!("${{ 1 + }}"))["error"]["message"].is_string());
}

#[test]
fn what_a_text_runs_is_held_against_it_where_it_is_known() {
    let child = "windflow: 1\nname: child\ninputs: { n: { type: integer } }\nnodes:\n  a: { uses: wait@1, with: { for: 1s } }\noutputs: { total: { value: 3, type: number } }\n";
    let parent = "windflow: 1\nname: parent\nnodes:\n  a: { uses: workflow@1, with: { name: child, inputs: { n: many } } }\n  b: { uses: workflow@1, with: { name: other } }\noutputs: { sum: \"${{ nodes.a.output.totl }}\" }\n";
    let codes = || {
        let read = ask(&json!({ "op": "read", "text": parent }));
        let codes = read["problems"].as_array().unwrap().iter().map(|problem| problem["code"].clone());
        codes.collect::<Vec<_>>()
    };
    assert_eq!(codes(), Vec::<Value>::new(), "nothing is known of either");
    assert_eq!(ask(&json!({ "op": "workflows", "workflows": { "child": child } })), json!({}));
    assert_eq!(codes(), ["invalid_child_input", "unknown_output"]);
}
