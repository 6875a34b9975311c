//! `windflow templates …` as users and scripts meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::windflow;
use serde_json::Value;
use tempfile::TempDir;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn templates(&self, arguments: &[&str]) -> Output {
        let mut command = windflow(&self.path("data"));
        command.current_dir(self.0.path()).arg("templates").args(arguments).output().unwrap()
    }

    /// What it prints where it goes well.
    #[track_caller]
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.templates(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        format!("{}{}", text(&output.stdout), text(&output.stderr))
    }

    /// What it says where something is wrong with what was asked.
    #[track_caller]
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.templates(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stderr)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_slice(&self.templates(arguments).stdout).unwrap()
    }

    /// Changes a file of a folder.
    fn change(&self, file: &str, from: &str, to: &str) {
        let before = std::fs::read_to_string(self.path(file)).unwrap();
        assert!(before.contains(from), "{from} in {file}");
        std::fs::write(self.path(file), before.replace(from, to)).unwrap();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn built_in_templates_are_found_shown_and_installed() {
    let place = Place::new();
    let found = place.json(&["search", "wordpres", "--kind", "stack", "--json"]);
    assert_eq!(found[0]["name"], "wordpress-mysql", "{found}");
    let shown = place.good(&["show", "wordpress-mysql"]);
    assert!(shown.contains("service ") && shown.contains("variable ") && shown.contains("mysql:"), "{shown}");
    assert!(shown.contains("needs     1 core, 1 GB of memory, 3 GB on the disk"), "{shown}");
    assert!(place.good(&["show", "wordpress-mysql", "--text"]).contains("services:"));
    place.good(&["install", "wordpress-mysql", "--as", "blog"]);
    assert!(place.refused(&["install", "wordpress-mysql", "--as", "blog"]).contains("--as"));
    assert_eq!(place.json(&["installed", "--json"])[0]["template"], "wordpress-mysql");
    assert!(place.refused(&["install", "wordpress-mysq"]).contains("did you mean wordpress-mysql?"));
    assert!(place.refused(&["install", "wordpress-mysql", "--as", "../blog"]).contains("no name"));
    // Before anything is reached: a misspelt variable would be left out without a word.
    let misspelt = ["install", "wordpress-mysql", "--as", "b2", "--deploy", "--var", "HTTP_PRT=1"];
    assert!(place.refused(&misspelt).contains("did you mean `HTTP_PORT`?"));
}

#[test]
fn a_template_is_begun_checked_published_and_updated() {
    let place = Place::new();
    place.good(&["new", "ours"]);
    assert!(place.good(&["check", "ours"]).contains("ours 0.1.0"));
    place.good(&["publish", "ours"]);
    assert!(place.good(&["search", "ours"]).contains("stack"));
    place.good(&["install", "ours", "--as", "site"]);
    assert!(place.good(&["update", "site"]).contains("the latest version"));
    assert!(place.refused(&["publish", "ours"]).contains("give it a higher version"));
    place.change("ours/template.yaml", "0.1.0", "0.2.0");
    place.change("ours/CHANGELOG.md", "## 0.1.0", "## 0.2.0\n\nNewer.\n\n## 0.1.0");
    place.change("ours/compose.yaml", "1.29.3", "1.29.4");
    place.good(&["publish", "ours"]);
    let output = place.templates(&["update", "site"]);
    assert_eq!(output.status.code(), Some(2), "nobody said yes");
    assert!(
        text(&output.stdout).contains("-    image: nginx:1.29.3\n+    image: nginx:1.29.4"),
        "{}",
        text(&output.stdout)
    );
    place.good(&["update", "site", "--yes"]);
    assert_eq!(place.json(&["installed", "--json"])[0]["version"], "0.2.0");

    // An older version can still be had, and is brought up to date like any other.
    assert!(place.good(&["show", "ours@0.1.0", "--text"]).contains("nginx:1.29.3"));
    place.good(&["install", "ours@0.1.0", "--as", "old-site"]);
    let installed = place.json(&["installed", "--json"]);
    let old = installed.as_array().unwrap().iter().find(|one| one["as"] == "old-site").unwrap();
    assert_eq!((&old["version"], &old["latest"]), (&"0.1.0".into(), &"0.2.0".into()), "{old}");
    let refused = place.refused(&["install", "ours@3.0.0", "--as", "third"]);
    assert!(refused.contains("there is 0.2.0, 0.1.0"), "{refused}");
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_changes_nothing() {
    let place = Place::new();
    place.good(&["new", "ours"]);
    place.change("ours/compose.yaml", "nginx:1.29.3", "nginx");
    place.change("ours/template.yaml", "category: web", "category: wab");
    let said = place.refused(&["check", "ours"]);
    assert!(said.contains("ours/template.yaml:") && said.contains("error[invalid_template]"), "{said}");
    place.change("ours/template.yaml", "category: wab", "category: web");
    let said = place.refused(&["publish", "ours"]);
    assert!(said.contains("ours/compose.yaml:2:3: error[image_not_pinned]"), "{said}");
    let found = place.json(&["search", "ours", "--json"]);
    assert!(found.as_array().unwrap().iter().all(|it| it["name"] != "ours"), "{found}");
    // A folder that is not there, and one that is something else.
    assert!(place.refused(&["check", "nosuch"]).contains("nosuch: No such file or directory"));
    assert!(place.refused(&["check", "ours/compose.yaml"]).contains("ours/compose.yaml: this is no folder"));
    std::fs::create_dir(place.path("empty")).unwrap();
    assert!(place.refused(&["publish", "empty"]).contains("`windflow templates new NAME` begins one"));
}

#[test]
fn a_workflow_is_written_and_is_valid() {
    let place = Place::new();
    place.good(&["new", "hello", "--kind", "workflow"]);
    place.good(&["publish", "hello"]);
    place.good(&["install", "hello", "--as", "mine"]);
    let valid = windflow(&place.path("data")).arg("validate").arg(place.path("mine/workflow.yaml")).output().unwrap();
    assert_eq!(valid.status.code(), Some(0), "{}", text(&valid.stderr));
    assert!(place.refused(&["install", "hello", "--as", "mine"]).contains("is there already"));
}

#[test]
fn a_stack_and_a_workflow_become_templates_and_the_next_version_keeps_what_is_not_said() {
    let place = Place::new();
    place.good(&["install", "wordpress-mysql", "--as", "blog"]);
    let said = place.refused(&["publish", "--stack", "nosuch"]);
    assert!(said.contains("no stack nosuch"), "{said}");
    let texts = ["--title", "Our blog", "--title-fr", "Notre blog", "--category", "content", "--tag", "team"];
    place.good(&[&["publish", "--stack", "blog", "--as", "team-blog"], &texts[..]].concat());
    let shown = place.json(&["show", "team-blog", "--json"]);
    assert_eq!(
        (&shown["manifest"]["version"], &shown["manifest"]["title"]["fr"]),
        (&"1.0.0".into(), &"Notre blog".into())
    );
    assert!(shown["text"].as_str().unwrap().contains("wordpress:"), "{shown}");
    let said = place.refused(&["publish", "--stack", "blog", "--as", "team-blog@1.0.0"]);
    assert!(said.contains("give it a higher version"), "{said}");
    place.good(&["publish", "--stack", "blog", "--as", "team-blog@1.1.0", "--changes", "Faster."]);
    let shown = place.json(&["show", "team-blog", "--json"]);
    assert_eq!(
        (&shown["manifest"]["tags"][0], &shown["manifest"]["title"]["en"]),
        (&"team".into(), &"Our blog".into())
    );
    let changelog = shown["changelog"].as_str().unwrap();
    assert!(changelog.contains("## 1.1.0\n\nFaster.\n\n## 1.0.0\n"), "{changelog}");

    place.good(&["install", "site-check", "--as", "ours"]);
    place.good(&["publish", "--workflow", "ours/workflow.yaml"]);
    assert!(place.good(&["show", "ours"]).contains("ours 1.0.0 (workflow, private)\nChecks a site"));
    place.change("ours/workflow.yaml", "uses: log@1", "uses: lug@1");
    let said = place.refused(&["publish", "--workflow", "ours/workflow.yaml", "--as", "ours@1.1.0"]);
    assert!(said.contains("lug@1") && said.contains("not fit to publish"), "{said}");
    // A folder says all of itself.
    assert!(place.refused(&["publish", "ours", "--title", "x"]).contains("cannot be used with"));
}

/// One of a name that is taken is another template, however new it is.
#[test]
fn an_update_is_of_the_registry_that_it_was_installed_from() {
    let place = Place::new();
    place.good(&["install", "wordpress-mysql", "--as", "blog"]);
    place.good(&["publish", "--stack", "blog", "--as", "wordpress-mysql@9.0.0"]);
    assert!(place.good(&["show", "wordpress-mysql"]).starts_with("wordpress-mysql 9.0.0 (stack, private)"));
    let said = place.good(&["update", "blog"]);
    assert!(said.contains("the latest version"), "{said}");
    assert_ne!(place.json(&["installed", "--json"])[0]["latest"], "9.0.0");
}

#[test]
fn a_registry_is_made_of_folders_and_grows() {
    let place = Place::new();
    place.good(&["new", "ours"]);
    place.good(&["new", "theirs", "--kind", "workflow"]);
    let make = ["registry", "make", "site", "ours", "--key", "site.key"];
    let said = place.good(&make);
    assert!(said.contains("one template, index 1") && said.contains("--key ed25519:"), "{said}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(place.path("site.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "nobody else reads the key");
    }
    assert!(place.good(&make).contains("nothing is new"));
    place.change("ours/compose.yaml", "1.29.3", "1.29.4");
    assert!(place.refused(&make).contains("give it a higher version"));
    place.change("ours/template.yaml", "0.1.0", "0.2.0");
    place.change("ours/CHANGELOG.md", "## 0.1.0", "## 0.2.0\n\nNewer.\n\n## 0.1.0");
    let said = place.good(&["registry", "make", "site", "ours", "theirs", "--key", "site.key"]);
    assert!(said.contains("2 templates, index 2"), "{said}");
    let index: Value = serde_json::from_slice(&std::fs::read(place.path("site/index.json")).unwrap()).unwrap();
    let versions = index["templates"][0]["versions"].as_array().unwrap();
    assert_eq!((&versions[0]["version"], &versions[1]["version"]), (&"0.2.0".into(), &"0.1.0".into()));
    for package in ["ours-0.1.0", "ours-0.2.0", "theirs-0.1.0"] {
        assert!(place.path(&format!("site/packages/{package}.tar.gz")).is_file(), "{package}");
    }
    // What is there is believed under its key alone, and what is wrong changes nothing.
    assert!(place.refused(&["registry", "make", "site", "ours", "--key", "other.key"]).contains("no such key"));
    place.change("site/index.json", "theirs", "others");
    assert!(place.refused(&make).contains("not signed with the key"));
    place.change("ours/compose.yaml", "nginx:1.29.4", "nginx");
    assert!(place.refused(&["registry", "make", "new", "ours", "--key", "new.key"]).contains("image_not_pinned"));
    assert!(!place.path("new").exists() && !place.path("new.key").exists());
}

#[test]
fn compose_files_and_apps_of_others_are_imported() {
    let place = Place::new();
    std::fs::write(place.path("c.yaml"), "services:\n  web: { image: \"nginx:1.29.3\", ports: [\"80:80\"] }\n")
        .unwrap();
    place.good(&["import", "c.yaml"]);
    assert!(place.good(&["check", "web"]).contains("web 1.0.0"));
    assert!(place.good(&["publish", "web"]).contains("no_health_check"), "what could be better is told");
    let unsafe_one = r#"{"version":"2","templates":[{"type":1,"title":"A","image":"a:1","privileged":true}]}"#;
    std::fs::write(place.path("p.json"), unsafe_one).unwrap();
    assert!(place.refused(&["import", "p.json"]).contains("refused[unsafe]: A"));

    // What is no stack is told whole, and not written.
    std::fs::write(place.path("bad.yaml"), "services:\n  a:\n    imge: x\n    build: .\n").unwrap();
    let said = place.refused(&["import", "bad.yaml"]);
    assert!(
        said.contains("bad.yaml:3:5: error[unknown_key]") && said.contains("bad.yaml:4:5: error[unsupported]"),
        "{said}"
    );
    assert!(!said.contains("is written") && !place.path("a").exists(), "{said}");
    // Nor is anything written over.
    assert!(place.refused(&["import", "c.yaml"]).contains("web is there already; nothing was written"));
    // One's own may reach further, which is told.
    std::fs::write(place.path("h.yaml"), "services:\n  host: { image: \"a:1\", privileged: true }\n").unwrap();
    assert!(place.good(&["import", "h.yaml"]).contains("host runs privileged"));
}

/// Those who run WindFlow in containers begin with these files.
#[test]
fn the_compose_files_of_this_repository_are_sound() {
    let place = Place::new();
    let domain = ["--var", "WINDFLOW_DOMAIN=flows.example.org"];
    let files: [(_, _, &[&str]); 2] =
        [("compose.yaml", "1 services", &[]), ("compose.production.yaml", "2 services", &domain)];
    for (file, services, variables) in files {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains("    build: .\n"), "{file}");
        // Everything but that is what stacks have, too.
        std::fs::write(place.path(file), text.replace("    build: .\n", "")).unwrap();
        let mut command = windflow(&place.path("data"));
        let arguments = [&["stacks", "validate", file], variables].concat();
        let output = command.current_dir(place.0.path()).args(arguments).output().unwrap();
        let said = format!("{}{}", self::text(&output.stdout), self::text(&output.stderr));
        assert!(output.status.success() && said.contains(services), "{said}");
    }
}

/// Drawings show what their documents say now, also where the document is that of `workflows/`.
#[test]
fn previews_are_drawn_from_their_documents() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tools = root.join("target/previews");
    let mut install = Command::new(root.join("sdk/toolchain/install-python-tool.sh"));
    let installed = install.arg(&tools).args(["PyYAML", "PyYAML>=6,<7"]).output().unwrap();
    assert!(installed.status.success(), "{}", text(&installed.stderr));
    let mut check = Command::new(tools.join("venv/bin/python"));
    let checked = check.arg(root.join("marketplace/preview.py")).arg("--check").output().unwrap();
    assert!(checked.status.success(), "{}", text(&checked.stderr));
}
