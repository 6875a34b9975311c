//! Stacks and targets as they are kept: the same commands on a data folder of this machine and at a server.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::common::windflow;
use crate::remote::{Elsewhere, serve};

const ONE: &str = "name: shop\nx-windflow: { variables: { TAG: { type: image_tag } } }\nservices:\n  web: { image: \"web:${TAG}\" }\n  old: { image: old }\n";
const TWO: &str = "name: shop\nx-windflow: { variables: { TAG: { type: image_tag } } }\nservices:\n  web: { image: \"web:${TAG}\", user: \"7\" }\n  new: { image: new }\nvolumes: { data: {} }\n";

/// What a command prints as its result and beside it, once it has ended with this status.
type Run<'a> = &'a dyn Fn(&[&str], i32) -> (String, String);

/// Runs the same on both sides.
fn on_both(what: impl Fn(Run<'_>, &Elsewhere)) {
    let data = tempfile::tempdir().unwrap();
    let serving = serve(data.path(), "127.0.0.1:0");
    let scopes = "targets:read,targets:manage,stacks:read,stacks:write,stacks:deploy";
    let elsewhere = Elsewhere::with(&serving, data.path(), scopes);
    what(&|arguments, status| elsewhere.run(arguments, status), &elsewhere);
    let own = elsewhere.folder.path().join("own");
    let here = |arguments: &[&str], status: i32| {
        let output = windflow(&own).args(arguments).output().unwrap();
        let (out, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(status), "{arguments:?}\n{out}\n{said}");
        (out, said)
    };
    what(&here, &elsewhere);
}

#[test]
fn stacks_are_kept_compared_brought_back_and_copied() {
    on_both(|run, elsewhere| {
        let (one, two) = (elsewhere.file("one.yaml", ONE), elsewhere.file("two.yaml", TWO));
        // Nothing is deployed, so that variables need no values yet.
        assert!(run(&["stacks", "keep", &one, "--description", "The shop"], 0).1.contains("shop is kept as version 1"));
        assert!(run(&["stacks", "keep", &one], 0).1.contains("version 1"), "the same again is no version");
        assert!(run(&["stacks", "keep", &two], 0).1.contains("version 2"));
        let (_, said) = run(
            &["stacks", "keep", &elsewhere.file("bad.yaml", "name: bad\nservices: { a: { image: b, build: . } }\n")],
            2,
        );
        assert!(said.contains("`build` is not supported"), "{said}");
        let (listed, _) = run(&["stacks", "list"], 0);
        assert!(listed.contains("The shop") && listed.lines().count() == 2, "{listed}");

        let (versions, _) = run(&["stacks", "versions", "shop", "--json"], 0);
        let versions: Value = serde_json::from_str(&versions).unwrap();
        assert_eq!((&versions[0]["version"], &versions[1]["version"]), (&1.into(), &2.into()));
        assert_eq!(run(&["stacks", "versions", "shop"], 0).0.lines().count(), 3);

        let (diff, said) = run(&["stacks", "compare", "shop"], 0);
        for line in
            ["services added: new", "services removed: old", "services changed: web", "beside services: volumes"]
        {
            assert!(said.contains(line), "{line}: {said}");
        }
        assert!(
            diff.contains("--- version 1\n+++ version 2\n") && diff.contains("\n-  old: { image: old }\n"),
            "{diff}"
        );
        let (back, _) = run(&["stacks", "compare", "shop", "--since", "2", "--to", "1", "--json"], 0);
        let back: Value = serde_json::from_str(&back).unwrap();
        assert_eq!((&back["added"][0], &back["removed"][0], &back["since"]), (&"old".into(), &"new".into(), &2.into()));
        assert!(run(&["stacks", "compare", "shop", "--since", "1", "--to", "1"], 0).1.contains("say the same"));
        assert!(run(&["stacks", "compare", "shop", "--to", "9"], 2).1.contains("version 9 of stack shop"));

        assert!(run(&["stacks", "restore", "shop", "--version", "1"], 0).1.contains("version 3"));
        assert_eq!(run(&["stacks", "show", "shop"], 0).0.trim_end(), ONE.trim_end());
        assert!(run(&["stacks", "clone", "shop", "copy", "--version", "2"], 0).1.contains("copy is kept as version 1"));
        assert_eq!(run(&["stacks", "show", "copy"], 0).0.trim_end(), TWO.trim_end());
        assert!(run(&["stacks", "clone", "shop", "copy"], 2).1.contains("already"));
        assert!(run(&["stacks", "clone", "shop", "No Name"], 2).1.contains("no name of a stack"));
        run(&["stacks", "forget", "copy"], 0);
        assert!(run(&["stacks", "show", "copy"], 2).1.contains("no stack copy"));

        // Nothing of it is anywhere.
        for command in [
            &["stacks", "scale", "shop", "web=2", "--target", "x"][..],
            &["stacks", "rollback", "shop", "--target", "x"],
        ] {
            run(command, 2);
        }
    });
}

#[test]
fn targets_are_described_changed_and_found_again() {
    on_both(|run, elsewhere| {
        assert!(run(&["targets", "list"], 0).1.contains("windflow targets add"));
        let key = elsewhere.file("keys", "host ssh-ed25519 AAAA\n");
        let add = [
            "targets",
            "add",
            "edge",
            "ssh://me@host",
            "--environment",
            "staging",
            "--group",
            "eu",
            "--group",
            "web",
            "--tag",
            "lab",
        ];
        run(&[&add[..], &["--ssh-host-keys", &key, "--description", "The first"]].concat(), 0);
        run(&["targets", "add", "other", "tcp://127.0.0.1:1"], 0);
        assert!(run(&["targets", "add", "edge", "tcp://127.0.0.1:1"], 2).1.contains("already"));
        let (shown, _) = run(&["targets", "show", "edge"], 0);
        for line in
            ["address      ssh://me@host", "environment  staging", "groups       eu, web", "description  The first"]
        {
            assert!(shown.contains(line), "{line}: {shown}");
        }
        assert!(!run(&["targets", "show", "edge", "--json"], 0).0.contains("AAAA"), "credentials are told to nobody");
        for (filter, value, found) in [
            ("--group", "eu", true),
            ("--group", "us", false),
            ("--tag", "lab", true),
            ("--environment", "production", false),
            ("--search", "FIRST", true),
        ] {
            let (listed, said) = run(&["targets", "list", filter, value], 0);
            assert_eq!((listed.contains("edge"), said.contains("No target is like that")), (found, !found), "{filter}");
            assert!(!listed.contains("other"), "{filter}: {listed}");
        }
        run(
            &["targets", "change", "edge", "--address", "tcp://127.0.0.1:1", "--no-groups", "--tag", "a", "--tag", "b"],
            0,
        );
        let (shown, _) = run(&["targets", "show", "edge"], 0);
        assert!(
            shown.contains("tags         a, b") && !shown.contains("groups") && shown.contains("The first"),
            "{shown}"
        );
        assert!(run(&["targets", "change", "nosuch", "--tag", "a"], 2).1.contains("no target nosuch"));
        assert!(run(&["targets", "change", "edge", "--address", "ftp://x"], 2).1.contains("no address"));

        let csv =
            elsewhere.file("targets.csv", "name,address,groups\nlab-1,tcp://127.0.0.1:2,a;b\nBad Name,tcp://x,\n");
        let (report, _) = run(&["targets", "import", &csv], 1);
        assert!(report.starts_with("2: lab-1 is kept\n3: refused: "), "{report}");
        run(&["targets", "remove", "lab-1"], 0);
        assert!(run(&["targets", "show", "lab-1"], 2).1.contains("no target lab-1"));
    });
}

#[test]
fn logins_of_registries_are_kept_one_by_one() {
    let data = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], status: i32| {
        let mut command = windflow(data.path());
        let mut child = command.args(arguments).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"pass\n").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    run(&["targets", "add", "edge", "tcp://127.0.0.1:1"], 0);
    for host in ["one.example.org", "two.example.org"] {
        run(&["targets", "login", "edge", host, "--username", "me"], 0);
    }
    assert!(run(&["targets", "logout", "edge", "one.example.org"], 0).contains("no more"));
    assert!(run(&["targets", "logout", "edge", "one.example.org"], 2).contains("has no login"));
    run(&["targets", "logout", "edge", "two.example.org"], 0);
}

#[test]
fn what_is_mistyped_is_told_before_anything_is_reached() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("shop.yaml");
    std::fs::write(&file, ONE).unwrap();
    let run = |arguments: &[&str], status: i32| {
        let output = windflow(&data.path().join("data")).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let file = file.to_str().unwrap();
    let (_, said) = run(&["deploy", file, "--target", "nowhere", "--var", "TGA=2"], 2);
    assert!(said.contains("no variable TGA [unknown_variable]") && said.contains("did you mean `TAG`?"), "{said}");
    // So is a line of a file, and where it only is looked at.
    let values = data.path().join("values.env");
    std::fs::write(&values, "TAG=1\nTGA=2\n").unwrap();
    let from_file = ["deploy", file, "--target", "nowhere", "--var-file", values.to_str().unwrap()];
    assert!(run(&from_file, 2).1.contains("[unknown_variable]"));
    assert!(run(&["stacks", "validate", file, "--var", "TGA=2"], 2).1.contains("[unknown_variable]"));
    let (preview, _) = run(&["stacks", "validate", file, "--var", "TAG=2"], 0);
    assert!(preview.contains("SERVICE") && preview.contains("web:2"), "{preview}");
    assert!(run(&["deploy", "shop"], 2).1.contains("neither a file shop nor a stack"));
    assert!(run(&["deploy", file, "--version", "2"], 2).1.contains("--version is of a stack that is kept"));
}
