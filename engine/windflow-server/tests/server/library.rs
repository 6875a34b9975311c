//! Workflows as a library: found by label, drafted, compared, restored, taken out and brought in.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use windflow_server::Role;

use crate::support::{Client, PURE, scripted, serve};

fn labelled(name: &str, labels: &str) -> String {
    PURE.replace("name: pure\n", &format!("name: {name}\n{labels}"))
}

async fn names(client: &Client, query: &str) -> Vec<String> {
    let page = client.get(&format!("/api/v1/workflows{query}")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

async fn import(client: &Client, query: &str, files: &[(&str, &str)]) -> Value {
    let request = client.request("POST", &format!("/api/v1/import{query}"));
    let request = request.header("content-type", "application/gzip").body(archive(files));
    client.send(request).await.expect(200)["files"].clone()
}

fn outcomes(files: &Value) -> Vec<(&str, &str)> {
    let word = |file: &'_ Value, key: &str| file[key].as_str().unwrap_or("").to_owned();
    let files = files.as_array().unwrap();
    files.iter().map(|file| (file["file"].as_str().unwrap(), word(file, "outcome").leak() as &str)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn workflows_are_found_by_their_labels() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(&labelled("one", "folder: team/reports\ntags: [daily, core]\n")).await;
    editor.create(&labelled("two", "folder: team\ntags: [daily]\n")).await;
    editor.create(&labelled("three", "folder: teams\n")).await;
    assert_eq!(names(&editor, "?folder=team").await, ["one", "two"]);
    assert_eq!(names(&editor, "?folder=team/reports").await, ["one"]);
    assert_eq!(names(&editor, "?tag=daily&q=TWO").await, ["two"]);
    assert_eq!(names(&editor, "?tag=weekly").await, Vec::<String>::new());
    let labels = editor.get("/api/v1/labels").await.expect(200);
    assert_eq!(
        labels,
        json!({
            "tags": [{ "label": "core", "workflows": 1 }, { "label": "daily", "workflows": 2 }],
            "folders": [
                { "label": "team", "workflows": 2 },
                { "label": "team/reports", "workflows": 1 },
                { "label": "teams", "workflows": 1 },
            ],
        })
    );
    // A text that says something else about itself is found by that.
    editor.yaml("PUT", "/api/v1/workflows/two/document", &labelled("two", ""), Some("*")).await.expect(200);
    assert_eq!(names(&editor, "?tag=daily").await, ["one"]);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_may_be_wrong_and_lasts_until_its_text_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    let path = "/api/v1/drafts/pure";
    editor.get(path).await.problem(404, "not_found");
    let kept = editor.yaml("PUT", path, "windflow: 1\nname: [", None).await;
    let tag = kept.header("etag").to_owned();
    assert_eq!(kept.expect(200)["based_on"], json!(null));
    // Whoever has not seen it overwrites nothing.
    let problem = editor.yaml("PUT", path, "mine", None).await.problem(412, "changed_meanwhile");
    assert!(problem["detail"].as_str().unwrap().contains("editor@local.example"), "{problem}");
    editor.yaml("PUT", path, "second", Some(&tag)).await.expect(200);
    editor.yaml("PUT", path, "third", Some(&tag)).await.problem(412, "changed_meanwhile");
    assert_eq!(editor.get(path).await.expect(200)["text"], "second");
    assert_eq!(editor.get("/api/v1/drafts").await.expect(200)["items"][0]["name"], "pure");
    editor.yaml("PUT", path, &"x".repeat((1 << 20) + 1), Some("*")).await.problem(413, "too_large");
    // It is no workflow: nothing of that name can be run.
    editor.post("/api/v1/workflows/pure/runs", &json!({})).await.problem(404, "not_found");
    editor.create(PURE).await;
    editor.get(path).await.problem(404, "not_found");

    editor.yaml("PUT", path, "better", None).await.expect(200);
    let listed = editor.get("/api/v1/workflows").await.expect(200)["items"][0].clone();
    assert_eq!((&listed["draft"]["based_on"], &listed["version"]), (&json!(1), &json!(1)));
    editor.delete(path).await.expect(204);
    editor.delete(path).await.problem(404, "not_found");
    served.person("other", Role::Editor).await.get(path).await.problem(404, "not_found");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_tells_what_it_changed_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(PURE).await;
    let second = PURE.replace("outputs:", "  b: { uses: pure@1, with: { n: 2 } }\ntimeout: 1h\noutputs:");
    editor.yaml("PUT", "/api/v1/workflows/pure/document", &second, Some("*")).await.expect(200);
    let changes = editor.get("/api/v1/workflows/pure/versions/2/changes").await.expect(200);
    assert_eq!((&changes["added"], &changes["removed"], &changes["changed"]), (&json!(["b"]), &json!([]), &json!([])));
    assert_eq!((&changes["keys"], &changes["since"]), (&json!(["timeout"]), &json!(1)));
    assert!(changes["diff"].as_str().unwrap().contains("\n+timeout: 1h\n"), "{changes}");
    let back = editor.get("/api/v1/workflows/pure/versions/1/changes?since=2").await.expect(200);
    assert_eq!(back["removed"], json!(["b"]));
    assert_eq!(editor.get("/api/v1/workflows/pure/versions/1/changes").await.expect(200)["added"], json!(["a"]));
    editor.get("/api/v1/workflows/pure/versions/3/changes").await.problem(404, "not_found");

    let restore = |tag: Option<&'static str>| {
        let request = editor.request("POST", "/api/v1/workflows/pure/versions/1/restore");
        editor.send(match tag {
            Some(tag) => request.header("if-match", tag),
            None => request,
        })
    };
    restore(None).await.problem(428, "if_match_required");
    assert_eq!(restore(Some("*")).await.expect(200)["version"], 3);
    assert_eq!(editor.get("/api/v1/workflows/pure/document").await.body, json!(PURE));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_out_can_be_brought_in_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    // The parent comes first by name, and can be kept only after the child.
    let parent = "windflow: 1\nname: a-parent\nnodes:\n  run: { uses: workflow@1, with: { name: child } }\n";
    let child = labelled("child", "folder: parts\n");
    let files = [("a-parent.yaml", parent), ("parts/child.yml", &child), ("bad.yaml", "windflow: 1\nname: bad\n")];
    let told = import(&editor, "?dry_run=true", &files).await;
    let refused_parent = ("a-parent.yaml", "refused");
    assert_eq!(outcomes(&told), [refused_parent, ("bad.yaml", "refused"), ("parts/child.yml", "created")]);
    assert_eq!(names(&editor, "").await, Vec::<String>::new());
    let brought = import(&editor, "", &[&files[..], &[("notes.txt", "no workflow")]].concat()).await;
    let expected = [("a-parent.yaml", "created"), ("bad.yaml", "refused"), ("parts/child.yml", "created")];
    assert_eq!(outcomes(&brought), expected);
    assert_eq!(brought[1]["problems"][0]["code"], "missing_key");
    let again = import(&editor, "", &[files[0], ("c.yaml", &labelled("child", ""))]).await;
    assert_eq!(outcomes(&again), [("a-parent.yaml", "unchanged"), ("c.yaml", "updated")]);
    import(&editor, "", &files[1..2]).await;

    let out = editor.request("GET", "/api/v1/export?folder=parts").send().await.unwrap();
    assert_eq!(out.headers()["content-type"], "application/gzip");
    let bytes = out.bytes().await.unwrap();
    let other = served.person("other", Role::Editor).await;
    let request = other.request("POST", "/api/v1/import").header("content-type", "application/gzip").body(bytes);
    let brought = other.send(request).await.expect(200);
    assert_eq!(outcomes(&brought["files"]), [("parts/child.yaml", "created")]);
    assert_eq!(other.get("/api/v1/workflows/child/document").await.body, json!(child));

    for bytes in [b"no archive".to_vec(), archive(&[("a.yaml", PURE), ("a.yaml", PURE)])] {
        let request = editor.request("POST", "/api/v1/import").body(bytes);
        editor.send(request).await.problem(422, "bad_archive");
    }
    let request = editor.request("POST", "/api/v1/import").body(archive(&[("README.md", "# none")]));
    editor.send(request).await.problem(422, "nothing_to_import");
    served.stop().await;
}
