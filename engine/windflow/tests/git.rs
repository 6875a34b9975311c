//! `git-checkout` against git's own server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use common::git::{GitServer, git};
use common::{Place, windflow};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Bytes that cannot be packed much, the same each time.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(step).collect()
}

/// Two commits with files of many kinds.
fn repository() -> TempDir {
    let work = tempfile::tempdir().unwrap();
    let write = |path: &str, content: &[u8]| {
        let path = work.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    git(work.path(), &["init", "--quiet"]);
    write("old.txt", b"only in the first commit");
    git(work.path(), &["add", "."]);
    git(work.path(), &["commit", "--quiet", "-m", "first"]);
    git(work.path(), &["tag", "-a", "v1", "-m", "the first"]);
    std::fs::remove_file(work.path().join("old.txt")).unwrap();
    write("README.md", "# Größe\n".as_bytes());
    write("empty", b"");
    write("bin/noise", &noise(700_000, 7));
    // Of these, one is made of another.
    let long: String = (0..20_000).map(|line| format!("{line}: a line like others\n")).collect();
    for number in 0..5 {
        write(
            &format!("src/deep/er/long-{number}.txt"),
            format!("{long}and {number}\n{}", &long[number * 1000..90_000]).as_bytes(),
        );
    }
    for number in 0..300 {
        write(&format!("many/{number:03} file.txt"), format!("file {number}\n").as_bytes());
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", work.path().join("link")).unwrap();
    git(work.path(), &["add", "."]);
    git(work.path(), &["commit", "--quiet", "-m", "second"]);
    git(work.path(), &["branch", "feature/one"]);
    work
}

fn document(with: &Value) -> String {
    json!({
        "windflow": 1, "name": "source",
        "permissions": { "files": true, "http": ["127.0.0.1:*"], "credentials": ["reader"] },
        "nodes": {
            "source": { "uses": "git-checkout@1", "with": with },
            "all": { "uses": "file@1", "needs": ["source"], "with": { "action": "list" } },
            "read": {
                "uses": "file@1", "needs": ["all"], "for_each": "${{ nodes.all.output.files.filter(it, !it.path.contains('/many/')) }}",
                "with": { "path": "${{ item.path }}", "as": "base64" },
            },
        },
        "outputs": {
            "source": "${{ nodes.source.output }}", "files": "${{ nodes.all.output.files }}",
            "contents": "${{ nodes.read.output }}",
        },
    })
    .to_string()
}

fn run(server: &GitServer, with: &Value) -> Value {
    let place = Place::new(&document(with));
    let origin = with["repository"].as_str().unwrap().splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let origin = if origin.starts_with("http") { &origin } else { "git.example.org" };
    let credential = json!({ "bind": { "basic": { "username": "reader" } }, "hosts": [origin], "value": "s3cret" });
    let output = windflow(&server.folder.path().join("data"))
        .env("WINDFLOW_CREDENTIAL_READER", credential.to_string())
        .args(["run", place.path(), "--json"])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn failure(server: &GitServer, with: &Value) -> (String, String) {
    let report = run(server, with);
    let text = |key: &str| report["error"]["failure"][key].as_str().unwrap_or_default().to_owned();
    (text("code"), text("message"))
}

/// The files of a folder, and what they hold.
fn expected(work: &Path, folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_symlink() || path.file_name().is_some_and(|name| name == ".git") {
            continue;
        }
        if path.is_dir() {
            expected(work, &path, found);
        } else {
            found.push((path.strip_prefix(work).unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
}

#[test]
fn what_a_branch_holds_is_what_the_run_has() {
    let (server, work) = (GitServer::start(), repository());
    server.publish(work.path(), "shop.git");
    let report = run(&server, &json!({ "repository": format!("{}/shop.git", server.url) }));
    assert_eq!(report["status"], "succeeded", "{:#}", report["error"]);
    let source = &report["outputs"]["source"];
    assert_eq!(source["commit"], git(work.path(), &["rev-parse", "main"]));
    assert_eq!((&source["ref"], &source["path"]), (&json!("refs/heads/main"), &json!("shop")));
    assert_eq!(source["left_out"], json!([{ "path": "link", "kind": "symlink" }]));
    let mut files = Vec::new();
    expected(work.path(), work.path(), &mut files);
    let listed: Vec<Value> =
        files.iter().map(|(path, content)| json!({ "path": format!("shop/{path}"), "bytes": content.len() })).collect();
    assert_eq!(report["outputs"]["files"], Value::from(listed));
    assert_eq!(source["files"], files.len());
    assert_eq!(source["bytes"], files.iter().map(|(_, content)| content.len()).sum::<usize>());
    let contents = report["outputs"]["contents"].as_array().unwrap();
    assert_eq!(contents.len(), 8);
    for read in contents {
        let path = read["path"].as_str().unwrap().strip_prefix("shop/").unwrap();
        let content = &files.iter().find(|(known, _)| known == path).unwrap().1;
        assert!(read["content"] == encoded(content), "{path} is another");
    }
}

fn encoded(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn branches_tags_commits_and_folders_are_found() {
    let (server, work) = (GitServer::start(), repository());
    server.publish(work.path(), "private/shop.git");
    let (first, second) = (git(work.path(), &["rev-parse", "v1^{commit}"]), git(work.path(), &["rev-parse", "main"]));
    let private = format!("{}/private/shop.git", server.url);
    let check = |more: Value, commit: &str, files: usize| {
        let mut with = json!({ "repository": private, "credential": "reader" });
        with.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let report = run(&server, &with);
        let source = &report["outputs"]["source"];
        assert_eq!(
            (&source["commit"], &source["files"]),
            (&json!(commit), &json!(files)),
            "{more} {:#}",
            report["error"]
        );
        report["outputs"]["files"].clone()
    };
    assert_eq!(check(json!({ "ref": "v1" }), &first, 1), json!([{ "path": "shop/old.txt", "bytes": 24 }]));
    check(json!({ "ref": "feature/one", "subfolder": "many" }), &second, 300);
    let files = check(json!({ "ref": first, "path": "a/b" }), &first, 1);
    assert_eq!(files, json!([{ "path": "a/b/old.txt", "bytes": 24 }]));
    let moved = json!({ "repository": format!("{}/moved/private/shop.git", server.url), "subfolder": "src/deep/er" });
    check(moved, &second, 5);
}

/// Names that some systems could not hold are left out and named; which files are programs is told.
#[test]
fn what_a_run_cannot_keep_is_told() {
    let (server, work) = (GitServer::start(), repository());
    let deep = format!("{}deep", "d/".repeat(15));
    std::fs::create_dir_all(work.path().join(&deep).parent().unwrap()).unwrap();
    for name in ["a:b", "what is this?", &deep, &"long".repeat(50), "bin/run", "bin/also"] {
        std::fs::write(work.path().join(name), "#!/bin/sh\n").unwrap();
    }
    for name in ["bin/run", "bin/also", "a:b"] {
        std::fs::set_permissions(work.path().join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    git(work.path(), &["add", "."]);
    git(work.path(), &["commit", "--quiet", "-m", "odd"]);
    server.publish(work.path(), "shop.git");
    let report = run(&server, &json!({ "repository": format!("{}/shop.git", server.url) }));
    let source = &report["outputs"]["source"];
    assert_eq!(source["executable"], json!(["bin/also", "bin/run"]), "{:#}", report["error"]);
    let left_out = |path: &str, kind: &str| json!({ "path": path, "kind": kind });
    let expected = json!([
        left_out("a:b", "name"),
        left_out(&deep, "name"),
        left_out("link", "symlink"),
        left_out(&"long".repeat(50), "name"),
        left_out("what is this?", "name"),
    ]);
    assert_eq!(source["left_out"], expected);
}

#[test]
fn what_is_nearly_too_large_fits_into_the_sandbox() {
    let (server, work) = (GitServer::start(), repository());
    for number in 0..2 {
        std::fs::write(work.path().join(format!("many/large-{number}")), noise(7 << 20, number)).unwrap();
    }
    git(work.path(), &["add", "."]);
    git(work.path(), &["commit", "--quiet", "-m", "large"]);
    server.publish(work.path(), "shop.git");
    let report = run(&server, &json!({ "repository": format!("{}/shop.git", server.url) }));
    assert_eq!(report["outputs"]["source"]["files"], 310, "{:#}", report["error"]);
}

#[test]
fn what_cannot_be_checked_out_says_why() {
    let (server, work) = (GitServer::start(), repository());
    server.publish(work.path(), "shop.git");
    server.publish(work.path(), "private/shop.git");
    let at = |path: &str| format!("{}/{path}", server.url);
    for (with, code, says) in [
        (json!({ "repository": at("shop.git"), "ref": "mian" }), "ref_not_found", "no branch and no tag `mian`"),
        (json!({ "repository": at("shop.git"), "ref": "0".repeat(40) }), "git_refused", "the git server says"),
        (json!({ "repository": at("shop.git"), "subfolder": "none" }), "invalid_repository", "no folder none"),
        (json!({ "repository": at("none.git") }), "http_status", "no such repository"),
        (json!({ "repository": at("private/shop.git") }), "http_status", "name a `credential`"),
        (json!({ "repository": "git@example.org:shop.git" }), "invalid_config", "repository"),
        (json!({ "repository": "http://example.org/shop.git" }), "denied", "permissions"),
    ] {
        let (found, message) = failure(&server, &with);
        assert!(found == code && message.contains(says), "{with}: {found}: {message}");
    }
    // Large files, and more than a run may have.
    std::fs::write(work.path().join("large"), noise(9 << 20, 1)).unwrap();
    git(work.path(), &["add", "."]);
    git(work.path(), &["commit", "--quiet", "-m", "large"]);
    server.publish(work.path(), "large.git");
    let (code, message) = failure(&server, &json!({ "repository": at("large.git") }));
    assert!(code == "invalid_repository" && message.contains("8 MiB"), "{code}: {message}");
    for number in 0..4 {
        std::fs::write(work.path().join("large"), noise(5 << 20, number)).unwrap();
        std::fs::rename(work.path().join("large"), work.path().join(format!("large-{number}"))).unwrap();
    }
    git(work.path(), &["add", "."]);
    git(work.path(), &["commit", "--quiet", "-m", "larger"]);
    server.publish(work.path(), "larger.git");
    let (code, message) = failure(&server, &json!({ "repository": at("larger.git") }));
    assert!(code == "too_large" && message.contains("16 MiB"), "{code}: {message}");
}
