use proptest::prelude::*;
use serde_json::json;

use super::*;

mod notes;

const SITE: &str = r#"windflow: 1
name: site-check   # the name

# What it wants to know.
inputs:
  url: { type: string, default: "https://example.org" }

nodes:
  # Asks the site.
  fetch:
    uses: http@1
    with: { method: GET, url: "${{ inputs.url }}" } # plainly
    timeout: 10s

  healthy:
    uses: condition@1
    with:
      # Below 400 is fine.
      if: ${{ nodes.fetch.output.status < 400 }}

  alert:
    uses: log@1
    needs: [healthy.false, fetch.error]
    join: any
    with: { message: "down: ${{ nodes.fetch.output.status }} ${{ input.healthy }}" }
outputs:
  status: "${{ nodes.fetch.output.status }}"
layout:
  fetch: [0, 0]
  healthy: [240, 0] # right of it
"#;

fn edit(value: Value) -> Edit {
    serde_json::from_value(value).unwrap()
}

/// Makes edits and says what the lines of the text became: `-` gone, `+` new.
fn lines(text: &str, edits: &[Value]) -> String {
    let edits: Vec<Edit> = edits.iter().cloned().map(edit).collect();
    let edited = apply(text, &edits).unwrap();
    let mut again = text.to_owned();
    for change in edited.changes.iter().rev() {
        again.replace_range(change.from..change.to, &change.insert);
    }
    assert_eq!(again, edited.text, "the changes give the text");
    diff(&text.lines().collect::<Vec<_>>(), &edited.text.lines().collect::<Vec<_>>())
}

/// What differs, with what lies in between.
fn diff(old: &[&str], new: &[&str]) -> String {
    let mut same = vec![vec![0usize; new.len() + 1]; old.len() + 1];
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            same[i][j] = if a == b { same[i + 1][j + 1] + 1 } else { same[i + 1][j].max(same[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut told) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            told.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || same[i + 1][j] >= same[i][j + 1]) {
            told.push(('-', old[i]));
            i += 1;
        } else {
            told.push(('+', new[j]));
            j += 1;
        }
    }
    let changed = |(sign, _): &(char, &str)| *sign != ' ';
    let (Some(first), Some(last)) = (told.iter().position(changed), told.iter().rposition(changed)) else {
        return String::new();
    };
    told[first..=last].iter().map(|(sign, line)| format!("{sign}{line}\n")).collect()
}

#[track_caller]
fn check(edits: &[Value], expected: &str) {
    assert_eq!(lines(SITE, edits), expected.strip_prefix('\n').unwrap_or(expected));
}

#[test]
fn a_value_changes_where_it_stands() {
    check(
        &[json!({ "set": { "path": ["nodes", "fetch", "timeout"], "value": "5s" } })],
        "
-    timeout: 10s
+    timeout: \"5s\"
",
    );
    check(
        &[json!({ "set": { "path": ["nodes", "fetch", "with", "method"], "value": "POST" } })],
        "
-    with: { method: GET, url: \"${{ inputs.url }}\" } # plainly
+    with: { method: POST, url: \"${{ inputs.url }}\" } # plainly
",
    );
    check(
        &[json!({ "set": { "path": ["name"], "value": "other" } })],
        "
-name: site-check   # the name
+name: other   # the name
",
    );
}

#[test]
fn a_new_key_goes_where_a_person_would_write_it() {
    check(
        &[json!({ "set": { "path": ["nodes", "fetch", "with", "headers"], "value": { "a": "b" } } })],
        "
-    with: { method: GET, url: \"${{ inputs.url }}\" } # plainly
+    with: { method: GET, url: \"${{ inputs.url }}\", headers: { a: b } } # plainly
",
    );
    check(
        &[json!({ "set": { "path": ["nodes", "healthy", "title"], "value": "Is it up?" } })],
        "
+    title: \"Is it up?\"
",
    );
    check(
        &[json!({ "set": { "path": ["description"], "value": "Says: hello" } })],
        "
+description: \"Says: hello\"
",
    );
    check(
        &[json!({ "set": { "path": ["permissions", "http"], "value": ["a.example"] } })],
        "
+permissions:
+  http: [a.example]
+
",
    );
    let long = "x".repeat(60);
    check(
        &[json!({ "set": { "path": ["nodes", "fetch", "with", "body"], "value": long } })],
        &format!(
            "
-    with: {{ method: GET, url: \"${{{{ inputs.url }}}}\" }} # plainly
+    with: # plainly
+      method: GET
+      url: \"${{{{ inputs.url }}}}\"
+      body: {long}
"
        ),
    );
}

#[test]
fn what_is_taken_away_takes_its_comment_along() {
    check(
        &[json!({ "unset": { "path": ["nodes", "fetch", "timeout"] } })],
        "
-    timeout: 10s
",
    );
    check(
        &[json!({ "unset": { "path": ["nodes", "healthy", "with", "if"] } })],
        "
-    with:
-      # Below 400 is fine.
-      if: ${{ nodes.fetch.output.status < 400 }}
+    with: {}
",
    );
    check(
        &[json!({ "remove_nodes": { "ids": ["healthy"] } })],
        "
-  healthy:
-    uses: condition@1
-    with:
-      # Below 400 is fine.
-      if: ${{ nodes.fetch.output.status < 400 }}
-
   alert:
     uses: log@1
-    needs: [healthy.false, fetch.error]
+    needs: [fetch.error]
     join: any
     with: { message: \"down: ${{ nodes.fetch.output.status }} ${{ input.healthy }}\" }
 outputs:
   status: \"${{ nodes.fetch.output.status }}\"
 layout:
   fetch: [0, 0]
-  healthy: [240, 0] # right of it
",
    );
}

#[test]
fn nodes_are_added_below_the_others() {
    check(
        &[
            json!({ "add_node": { "uses": "http@1", "with": { "url": "https://a.example" }, "needs": ["healthy.true"] } }),
        ],
        "
+
+  http:
+    uses: http@1
+    needs: [healthy.true]
+    with:
+      url: https://a.example
",
    );
    let edited =
        apply(SITE, &[edit(json!({ "add_node": { "id": "fetch", "uses": "http@1", "at": [480.4, 80] } }))]).unwrap();
    assert_eq!(edited.added, ["fetch_2"]);
    assert!(edited.text.ends_with("  healthy: [240, 0] # right of it\n  fetch_2: [480, 80]\n"), "{}", edited.text);
    let edited =
        apply("windflow: 1\nname: new\nnodes: {}\n", &[edit(json!({ "add_node": { "uses": "log@1", "at": [0, 0] } }))]);
    assert_eq!(
        edited.unwrap().text,
        "windflow: 1\nname: new\nnodes:\n  log:\n    uses: log@1\nlayout:\n  log: [0, 0]\n"
    );
}

#[test]
fn edges_are_drawn_and_taken_away() {
    check(
        &[json!({ "connect": { "from": "healthy", "port": "true", "to": "alert" } })],
        "
-    needs: [healthy.false, fetch.error]
+    needs: [healthy.false, fetch.error, healthy.true]
",
    );
    check(
        &[json!({ "disconnect": { "from": "fetch", "port": "error", "to": "alert" } })],
        "
-    needs: [healthy.false, fetch.error]
+    needs: [healthy.false]
",
    );
    // What an expression implied stays, written out.
    let added = json!({ "add_node": { "id": "first", "uses": "log@1" } });
    check(
        &[added, json!({ "connect": { "from": "first", "to": "healthy" } })],
        "
+    needs: [fetch, first]
     with:
       # Below 400 is fine.
       if: ${{ nodes.fetch.output.status < 400 }}
 
   alert:
     uses: log@1
     needs: [healthy.false, fetch.error]
     join: any
     with: { message: \"down: ${{ nodes.fetch.output.status }} ${{ input.healthy }}\" }
+
+  first:
+    uses: log@1
",
    );
    check(
        &[json!({ "disconnect": { "from": "fetch", "to": "healthy" } })],
        "
+    needs: []
",
    );
}

#[test]
fn circles_are_refused_by_their_path() {
    let refused = |value| apply(SITE, &[edit(value)]).unwrap_err();
    let error = refused(json!({ "connect": { "from": "alert", "to": "fetch" } }));
    assert_eq!(error.code, "cycle");
    assert!(error.message.contains('→'), "{}", error.message);
    assert_eq!(refused(json!({ "connect": { "from": "fetch", "to": "fetch" } })).code, "cycle");
    assert_eq!(refused(json!({ "connect": { "from": "fetch", "to": "healthy" } })).code, "already_connected");
    assert_eq!(refused(json!({ "connect": { "from": "nobody", "to": "healthy" } })).code, "no_such_node");
    assert_eq!(refused(json!({ "disconnect": { "from": "alert", "to": "healthy" } })).code, "not_connected");
}

#[test]
fn a_node_is_renamed_wherever_it_is_named() {
    check(
        &[json!({ "rename_node": { "id": "fetch", "to": "ask" } })],
        "
-  fetch:
+  ask:
     uses: http@1
     with: { method: GET, url: \"${{ inputs.url }}\" } # plainly
     timeout: 10s
 
   healthy:
     uses: condition@1
     with:
       # Below 400 is fine.
-      if: ${{ nodes.fetch.output.status < 400 }}
+      if: ${{ nodes.ask.output.status < 400 }}
 
   alert:
     uses: log@1
-    needs: [healthy.false, fetch.error]
+    needs: [healthy.false, ask.error]
     join: any
-    with: { message: \"down: ${{ nodes.fetch.output.status }} ${{ input.healthy }}\" }
+    with: { message: \"down: ${{ nodes.ask.output.status }} ${{ input.healthy }}\" }
 outputs:
-  status: \"${{ nodes.fetch.output.status }}\"
+  status: \"${{ nodes.ask.output.status }}\"
 layout:
-  fetch: [0, 0]
+  ask: [0, 0]
",
    );
    check(
        &[json!({ "rename_node": { "id": "healthy", "to": "up" } })],
        "
-  healthy:
+  up:
     uses: condition@1
     with:
       # Below 400 is fine.
       if: ${{ nodes.fetch.output.status < 400 }}
 
   alert:
     uses: log@1
-    needs: [healthy.false, fetch.error]
+    needs: [up.false, fetch.error]
     join: any
-    with: { message: \"down: ${{ nodes.fetch.output.status }} ${{ input.healthy }}\" }
+    with: { message: \"down: ${{ nodes.fetch.output.status }} ${{ input.up }}\" }
 outputs:
   status: \"${{ nodes.fetch.output.status }}\"
 layout:
   fetch: [0, 0]
-  healthy: [240, 0] # right of it
+  up: [240, 0] # right of it
",
    );
    let refused =
        |to: &str| apply(SITE, &[edit(json!({ "rename_node": { "id": "fetch", "to": to } }))]).unwrap_err().code;
    assert_eq!(refused("alert"), "name_taken");
    assert_eq!(refused("Not a name"), "invalid_name");
    assert_eq!(refused("in"), "invalid_name");
}

#[test]
fn moving_touches_the_layout_only() {
    check(
        &[json!({ "move": { "positions": { "fetch": [10, 20], "alert": [480, 0] } } })],
        "
-  fetch: [0, 0]
+  fetch: [10, 20]
   healthy: [240, 0] # right of it
+  alert: [480, 0]
",
    );
}

#[test]
fn nodes_are_copied_and_pasted_with_their_comments() {
    let copied = copy(SITE, &["healthy".into(), "fetch".into()], &[]).unwrap();
    assert!(copied.starts_with("nodes:\n  # Asks the site.\n  fetch:\n    uses: http@1\n"), "{copied}");
    check(
        &[json!({ "paste": { "yaml": copied, "at": [100, 100] } })],
        "
+
+  # Asks the site.
+  fetch_2:
+    uses: http@1
+    with: { method: GET, url: \"${{ inputs.url }}\" } # plainly
+    timeout: 10s
+
+  healthy_2:
+    uses: condition@1
+    with:
+      # Below 400 is fine.
+      if: ${{ nodes.fetch_2.output.status < 400 }}
 outputs:
   status: \"${{ nodes.fetch.output.status }}\"
 layout:
   fetch: [0, 0]
   healthy: [240, 0] # right of it
+  fetch_2: [100, 100]
+  healthy_2: [340, 100]
",
    );
    let empty = "windflow: 1\nname: other\nnodes: {}\n";
    let copied = copy(SITE, &["alert".into()], &[]).unwrap();
    let edited = apply(empty, &[edit(json!({ "paste": { "yaml": copied } }))]).unwrap();
    assert_eq!(edited.added, ["alert"]);
    // Nothing of what it needed is there.
    assert!(edited.text.contains("nodes:\n  alert:\n    uses: log@1\n    with:"), "{}", edited.text);
    assert_eq!(apply(empty, &[edit(json!({ "paste": { "yaml": "hello" } }))]).unwrap_err().code, "nothing_to_paste");
}

#[test]
fn edits_are_all_made_or_none() {
    let good = edit(json!({ "set": { "path": ["name"], "value": "other" } }));
    let bad = edit(json!({ "remove_nodes": { "ids": ["nobody"] } }));
    assert_eq!(apply(SITE, &[good, bad]).unwrap_err().code, "no_such_node");
    assert_eq!(apply("a: [", &[]).unwrap().text, "a: [");
    let set = edit(json!({ "set": { "path": ["a"], "value": 1 } }));
    let error = apply("a: [", &[set]).unwrap_err();
    assert_eq!(error.code, "unreadable");
    assert!(error.message.contains("line"), "{}", error.message);
}

#[test]
fn a_key_in_brackets_may_have_no_value() {
    let text = "a: { x, y: 1 } # colon: here\n\nb: 2\n";
    let said = |edits: Value| apply(text, &[edit(edits)]).unwrap().text;
    let set = |path: Value, value: Value| json!({ "set": { "path": path, "value": value } });
    assert_eq!(said(set(json!(["a", "x"]), json!(5))), "a: { x: 5, y: 1 } # colon: here\n\nb: 2\n");
    assert_eq!(said(set(json!(["c"]), json!({ "z": 3 }))), format!("{text}\nc:\n  z: 3\n"));
    assert_eq!(said(set(json!(["a", "z"]), json!(true))), "a: { x, y: 1, z: true } # colon: here\n\nb: 2\n");
}

/// Values for all places of a document: what they become is what the text then says.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        (-1000..1000i64).prop_map(|value| json!(value)),
        "[a-zé#:,' \n-]{0,12}".prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|value| json!(value)),
            prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|value| json!(value)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_document_becomes_whatever_is_wanted(values in prop::collection::vec(any_value(), 1..6)) {
        let mut text = "a: 1\nk: start # a comment\n\n# the last\nz:\n  - 1\n".to_owned();
        for value in values {
            let set = Edit::Set { path: vec!["k".into()], value: value.clone() };
            let edited = apply(&text, &[set]);
            let edited = edited.map_err(|error| TestCaseError::fail(format!("{text}\n→ {value}: {error}")))?;
            let read = Source::read(&edited.text).map_err(|error| TestCaseError::fail(error.to_string()))?.root.to_json();
            prop_assert_eq!(read, json!({ "a": 1, "k": value, "z": [1] }));
            prop_assert!(edited.text.contains("# a comment") && edited.text.ends_with("\n\n# the last\nz:\n  - 1\n"), "{}", edited.text);
            text = edited.text;
        }
    }
}
