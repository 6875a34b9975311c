//! What a server does not install, and what it says to that. Nothing is changed by any of it.

use super::support::Bench;
use crate::serving::Serving;

/// Each is refused by the preview and by the installation alike.
fn refused(serving: &Serving, package: &[u8], (status, code, says): (u16, &str, &str)) {
    let digest = windflow_core::id::Digest::of(package);
    for answer in [
        serving.preview(package, status),
        serving.install(package, &format!("digest={digest}&may_do_more=true"), status),
    ] {
        assert_eq!(answer["code"], code, "{answer}");
        assert!(answer["detail"].as_str().unwrap().contains(says), "{says} is not in {answer}");
    }
}

#[test]
fn strangers_packages_are_refused_with_the_reason() {
    let bench = Bench::new();
    let serving = bench.serve();
    let (good, digest) = bench.package(&bench.facts("1.0.0", |_| {}));
    refused(&serving, b"<html>not found</html>", (422, "bad_plugin", "no WebAssembly file"));
    refused(&serving, b"", (422, "bad_plugin", "no WebAssembly file"));
    refused(&serving, &good[..good.len() / 2], (422, "bad_plugin", "damaged"));
    let other = replaced(&good, b"windflow:node/run-context@1", b"windflow:node/run-context@2");
    refused(&serving, &other, (422, "plugin_contract", "another version of the plugin contract"));
    for (name, node, says) in [
        ("http", "fetch-it", "as a plugin that is part of windflow"),
        ("mine", "http", "offers a node type `http`, and so does windflow itself"),
        ("mine", "approval", "offers a node type `approval`, and so does windflow itself"),
    ] {
        let squatting = bench.facts("7.0.0", |manifest| {
            manifest.plugin.name = name.into();
            let (_, node_type) = manifest.nodes.pop().unwrap();
            manifest.nodes.insert(node.into(), node_type);
        });
        refused(&serving, &bench.package(&squatting).0, (409, "plugin_name_taken", says));
    }
    // Its manifest can be read, its code cannot be run: what does not run here is not installed.
    let broken = broken(&good);
    serving.preview(&broken, 200);
    let answer = serving.install(&broken, &format!("digest={}", windflow_core::id::Digest::of(&broken)), 422);
    assert_eq!(answer["code"], "bad_plugin", "{answer}");

    let request = serving.request("POST", "/api/v1/plugins/preview").header("content-type", "application/json");
    assert_eq!(serving.answer(request.body(good.clone()), 415)["code"], "unsupported_media_type");
    serving.install(&good, "digest=sha256:0", 400);
    serving.install(&good, &format!("digest={digest}&may_do_more=perhaps"), 400);
    // Larger than all else that is sent, and taken; larger than any package, and not.
    let (large, _) = bench.package(&bench.repacked("script", "mould", "1.0.0", |_| {}));
    assert!(large.len() > 2 << 20, "{} bytes", large.len());
    assert_eq!(serving.preview(&large, 200)["name"], "mould");
    serving.preview(&vec![0; (64 << 20) + 1], 413);

    assert!(!bench.data().join("plugins/installed.json").exists(), "something was installed");
    let listed = serving.answer(serving.request("GET", "/api/v1/plugins"), 200).to_string();
    assert!(!listed.contains("\"upload\""), "{listed}");
    let alike = serving.preview(&bench.package(&bench.repacked("condition", "slakc", "1.0.0", |_| {})).0, 200);
    assert_eq!((&alike["alike"][0]["name"], &alike["alike"][0]["own"]), (&"slakc".into(), &"slack".into()));
    assert_eq!(alike["pure"], true);
}

/// The bytes with one word in the place of another of the same length.
fn replaced(bytes: &[u8], word: &[u8], by: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut found = 0;
    for at in 0..bytes.len() - word.len() {
        if bytes[at..].starts_with(word) {
            bytes[at..at + word.len()].copy_from_slice(by);
            found += 1;
        }
    }
    assert!(found > 0, "it is not in there");
    bytes
}

/// The package with code that is no code: a block of the core module overwritten.
fn broken(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xff);
    bytes
}
