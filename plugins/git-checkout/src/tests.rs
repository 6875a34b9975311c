//! Servers that answer well, and servers that mean harm. Real ones are asked in `engine/windflow/tests/git.rs`.

use miniz_oxide::deflate::compress_to_vec_zlib;
use sha1::{Digest as _, Sha1};
use windflow_sdk::http::Request;
use windflow_sdk::serde_json::{Value, json};
use windflow_sdk::testing::http::{Answer, set_transport};
use windflow_sdk::{files, testing};

use super::*;

/// An object of a pack: its kind as a number, and what stands behind its head.
#[derive(Clone)]
struct Object {
    kind: u8,
    base: Vec<u8>,
    content: Vec<u8>,
}

fn object(kind: u8, content: impl Into<Vec<u8>>) -> Object {
    Object { kind, base: Vec::new(), content: content.into() }
}

fn id(kind: &str, content: &[u8]) -> [u8; 20] {
    let mut hash = Sha1::new();
    hash.update(format!("{kind} {}\0", content.len()));
    hash.update(content);
    hash.finalize().into()
}

fn packed(objects: &[Object]) -> Vec<u8> {
    let count = u32::try_from(objects.len()).unwrap();
    let mut pack = [&b"PACK\0\0\0\x02"[..], &count.to_be_bytes()].concat();
    for object in objects {
        let mut size = object.content.len();
        let mut byte = object.kind << 4 | u8::try_from(size & 15).unwrap();
        size >>= 4;
        while size > 0 {
            pack.push(byte | 0x80);
            byte = u8::try_from(size & 0x7f).unwrap();
            size >>= 7;
        }
        pack.push(byte);
        pack.extend(&object.base);
        pack.extend(compress_to_vec_zlib(&object.content, 6));
    }
    let checksum = Sha1::digest(&pack);
    pack.extend(checksum);
    pack
}

fn tree(entries: &[(&str, &str, [u8; 20])]) -> Vec<u8> {
    entries
        .iter()
        .flat_map(|(mode, name, id)| [format!("{mode} {name}\0").as_bytes(), id.as_slice()].concat())
        .collect()
}

/// A repository with one commit of this tree, and the commit.
fn repository(root: Vec<u8>, others: Vec<Object>) -> (Vec<Object>, String) {
    let commit = format!("tree {}\nauthor a <a> 0 +0000\n\nfirst\n", Id(id("tree", &root)).hex());
    let name = Id(id("commit", commit.as_bytes())).hex();
    let mut objects = vec![object(1, commit), object(2, root)];
    objects.extend(others);
    (objects, name)
}

fn text(line: &str) -> Vec<u8> {
    format!("{:04x}{line}\n", line.len() + 5).into_bytes()
}

fn in_pieces(pack: &[u8]) -> Vec<u8> {
    let piece = |data: &[u8]| [format!("{:04x}\x01", data.len() + 5).as_bytes(), data].concat();
    pack.chunks(60_000).flat_map(piece).collect()
}

const CAN: &[&str] =
    &["version 2", "agent=git/2", "ls-refs=unborn", "fetch=shallow wait-for-done", "object-format=sha1"];

/// A server with this pack, whose one branch stands for the commit.
fn serve(pack: Vec<u8>, commit: &str) {
    let refs = [
        text(&format!("{commit} refs/heads/maintenance")),
        text(&format!("{commit} HEAD symref-target:refs/heads/main")),
        text(&format!("{commit} refs/heads/main")),
    ];
    let refs = [refs.concat(), b"0000".to_vec()].concat();
    set_transport(move |request: &Request| {
        let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
        let greeting = CAN.iter().flat_map(|line| text(line)).chain(*b"0000").collect::<Vec<_>>();
        Ok(Answer::new(200).body(if request.method == "GET" {
            assert_eq!(request.url.path_and_query(), "/shop.git/info/refs?service=git-upload-pack");
            [text("# service=git-upload-pack"), b"0000".to_vec(), greeting].concat()
        } else if body.contains("command=ls-refs") {
            refs.clone()
        } else {
            let [shallow, end] = [text(&format!("shallow {}", "0".repeat(40))), b"0001".to_vec()];
            [text("shallow-info"), shallow, end, text("packfile"), in_pieces(&pack), b"0000".to_vec()].concat()
        }))
    });
}

#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
fn run(more: Value) -> Result<Value, NodeError> {
    let mut config = json!({ "repository": "https://git.example.org/shop.git" });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    testing::run(git_checkout::NODE, config).map(|emitted| emitted.value)
}

fn kept(path: &str) -> String {
    String::from_utf8(files::read(path, 1 << 20).unwrap()).unwrap()
}

fn small() -> (Vec<Object>, String) {
    let (hello, deep) = (b"hello".to_vec(), b"deep down".to_vec());
    let inner = tree(&[("100644", "deep.txt", id("blob", &deep))]);
    let root = tree(&[
        ("100755", "hello.sh", id("blob", &hello)),
        ("120000", "link", id("blob", b"/etc/passwd")),
        ("160000", "module", [7; 20]),
        ("40000", "src", id("tree", &inner)),
    ]);
    repository(root, vec![object(2, inner), object(3, hello), object(3, deep)])
}

#[test]
fn files_of_a_commit_are_written_and_links_are_named() {
    let (objects, commit) = small();
    serve(packed(&objects), &commit);
    files::write("shop/old.txt", b"of a former attempt").unwrap();
    let output = run(json!({})).unwrap();
    assert_eq!(
        output,
        json!({
            "repository": "https://git.example.org/shop.git", "ref": "refs/heads/main", "commit": commit, "path": "shop",
            "files": 2, "bytes": 14, "executable": ["hello.sh"],
            "left_out": [{ "path": "link", "kind": "symlink" }, { "path": "module", "kind": "submodule" }],
        })
    );
    assert_eq!((kept("shop/hello.sh"), kept("shop/src/deep.txt")), ("hello".into(), "deep down".into()));
    assert_eq!(files::list("").unwrap().len(), 2);
    let output = run(json!({ "ref": "main", "subfolder": "/src/", "path": "a/b" })).unwrap();
    assert_eq!((&output["ref"], &output["files"]), (&json!("refs/heads/main"), &json!(1)));
    assert_eq!(kept("a/b/deep.txt"), "deep down");
    assert_eq!(run(json!({ "ref": commit })).unwrap()["ref"], commit);
    for (more, code) in [
        (json!({ "ref": "mai" }), "ref_not_found"),
        (json!({ "ref": "a b" }), "invalid_config"),
        (json!({ "subfolder": "none" }), "invalid_repository"),
        (json!({ "subfolder": "hello.sh" }), "invalid_repository"),
        (json!({ "repository": "https://git.example.org/shop.git?x" }), "invalid_config"),
        (json!({ "path": "../out" }), "file_refused"),
    ] {
        assert_eq!(run(more.clone()).unwrap_err().code, code, "{more}");
    }
}

/// Copies all of the base, then adds.
fn longer(base: &[u8], more: &[u8]) -> Vec<u8> {
    let (from, to) = (u8::try_from(base.len()).unwrap(), u8::try_from(base.len() + more.len()).unwrap());
    [&[from, to, 0x90, from, u8::try_from(more.len()).unwrap()], more].concat()
}

#[test]
fn objects_that_are_made_of_others_are_put_together() {
    let (one, two, three) = (b"one".to_vec(), b"one two".to_vec(), b"one two three".to_vec());
    let root = tree(&[
        ("100644", "1", id("blob", &one)),
        ("100644", "2", id("blob", &two)),
        ("100644", "3", id("blob", &three)),
    ]);
    // The last first: what it is made of comes later.
    let third = Object { kind: 7, base: id("blob", &two).to_vec(), content: longer(&two, b" three") };
    let second = Object { kind: 6, base: Vec::new(), content: longer(&one, b" two") };
    let (mut objects, commit) = repository(root, vec![third, object(3, one.clone())]);
    let before = packed(&objects).len() - packed(&objects[..objects.len() - 1]).len();
    objects.push(Object { base: vec![u8::try_from(before).unwrap()], ..second });
    serve(packed(&objects), &commit);
    assert_eq!(run(json!({})).unwrap()["files"], 3);
    assert_eq!((kept("shop/2"), kept("shop/3")), ("one two".into(), "one two three".into()));
}

#[track_caller]
fn refused(objects: &[Object], commit: &str, says: &str) {
    serve(packed(objects), commit);
    let error = run(json!({})).unwrap_err();
    assert!(error.code == "invalid_repository" && error.message.contains(says), "{error:?} does not say {says:?}");
    assert_eq!(files::list("").unwrap(), [], "something was written");
}

#[test]
fn names_that_are_none_are_refused() {
    let content = b"x".to_vec();
    for name in ["..", ".", "", ".git", ".GIT", "a/b"] {
        let root = tree(&[("100644", name, id("blob", &content))]);
        let (objects, commit) = repository(root, vec![object(3, content.clone())]);
        refused(&objects, &commit, "is no name of a file");
    }
    let root = [b"100644 \xff\0".as_slice(), &id("blob", &content)].concat();
    let (objects, commit) = repository(root, vec![object(3, content)]);
    refused(&objects, &commit, "UTF-8");
}

#[test]
fn packs_that_mean_harm_are_refused() {
    let (objects, commit) = small();
    let with = |more: Object| [objects.clone(), vec![more]].concat();
    refused(&objects[1..], &commit, "lacks the object");
    refused(&with(object(5, "x")), &commit, "no known kind");
    refused(&with(object(3, vec![0; pack::OBJECT_BYTES + 1])), &commit, "at most 8 MiB");
    refused(&with(Object { kind: 6, base: vec![1], content: vec![] }), &commit, "none that is before it");
    refused(&with(Object { kind: 6, base: vec![0], content: vec![] }), &commit, "none that is before it");
    refused(&with(Object { kind: 6, base: vec![0xff; 30], content: vec![] }), &commit, "");
    // Made of itself, or of nothing.
    refused(&with(Object { kind: 7, base: vec![9; 20], content: vec![] }), &commit, "not there");
    let blob = id("blob", b"hello").to_vec();
    for delta in [
        &b""[..],
        b"\x05",
        b"\x04\x05\x90\x05",
        b"\x05\x05\x90\x06",
        b"\x05\x05\0",
        b"\x05\xff\xff\xff\xff\x7f\x90\x05",
        b"\x05\x02\x90\x05",
        b"\x05\x09\x90\x05",
    ] {
        refused(&with(Object { kind: 7, base: blob.clone(), content: delta.to_vec() }), &commit, "difference");
    }
    // Each of the one before it.
    let mut long = objects.clone();
    let mut before = b"hello".to_vec();
    for number in 0..301 {
        let next = format!("{number:05}").into_bytes();
        long.push(Object {
            kind: 7,
            base: id("blob", &before).to_vec(),
            content: [&b"\x05\x05\x05"[..], &next].concat(),
        });
        before = next;
    }
    refused(&long, &commit, "more than 300 others");
    // A folder in itself cannot be: its name would have to hold its own hash. One in another, very deep, can.
    let mut inner = tree(&[("100644", "f", id("blob", b"hello"))]);
    let mut trees = vec![object(3, "hello")];
    for _ in 0..20 {
        trees.push(object(2, inner.clone()));
        inner = tree(&[("40000", "d", id("tree", &inner))]);
    }
    let (objects, commit) = repository(inner, trees);
    refused(&objects, &commit, "deep");
    // The same folder thousands of times: small to send, large to write.
    let mut inner = tree(&[("100644", "f", id("blob", b"hello"))]);
    let mut trees = vec![object(3, "hello")];
    for _ in 0..6 {
        trees.push(object(2, inner.clone()));
        let names: Vec<String> = (0..20).map(|number| format!("{number:02}")).collect();
        let same: Vec<_> = names.iter().map(|name| ("40000", name.as_str(), id("tree", &inner))).collect();
        inner = tree(&same);
    }
    let (objects, commit) = repository(inner, trees);
    refused(&objects, &commit, "more than 20000");
}

#[test]
fn what_is_cut_off_or_damaged_is_refused() {
    let (objects, commit) = small();
    let pack = packed(&objects);
    for length in 0..pack.len() {
        serve(pack[..length].to_vec(), &commit);
        assert!(run(json!({})).is_err(), "{length} of {}", pack.len());
    }
    for place in 0..pack.len() {
        let mut damaged = pack.clone();
        damaged[place] ^= 0x55;
        let end = damaged.len() - 20;
        serve(damaged.clone(), &commit);
        assert!(run(json!({})).is_err(), "{place}");
        // With a checksum that fits, what is read is what its names say, or nothing; it never ends otherwise.
        let checksum = Sha1::digest(&damaged[..end]);
        damaged[end..].copy_from_slice(&checksum);
        serve(damaged, &commit);
        if run(json!({})).is_ok() {
            assert_eq!((kept("shop/hello.sh"), kept("shop/src/deep.txt")), ("hello".into(), "deep down".into()));
        }
    }
}

#[test]
fn servers_that_speak_otherwise_are_told() {
    for (answer, code) in [
        (Answer::new(200).body("<html>"), "no_git_server"),
        (Answer::new(200).body(""), "no_git_server"),
        (Answer::new(200).body(text("version 1")), "no_git_server"),
        (Answer::new(200).body([text("version 2"), text("fetch"), b"0000".to_vec()].concat()), "no_git_server"),
        (
            Answer::new(200).body([text("version 2"), text("fetch=shallow"), text("object-format=sha256")].concat()),
            "no_git_server",
        ),
        (Answer::new(200).body("ffff"), "no_git_server"),
        (Answer::new(200).body("0030# serv"), "connection"),
        (
            Answer::new(200).pieces([vec![text("version 2")], vec![text(&"x".repeat(60_000)); 100]].concat()),
            "too_large",
        ),
        (Answer::new(401), "http_status"),
        (Answer::new(404), "http_status"),
        (Answer::new(302).header("location", "https://git.example.org/login"), "no_git_server"),
        (
            Answer::new(301).header("location", "https://git.example.org/shop.git/info/refs?service=git-upload-pack"),
            "no_git_server",
        ),
    ] {
        let shown = format!("{answer:?}");
        set_transport(move |_: &Request| Ok(answer.clone()));
        assert_eq!(run(json!({})).unwrap_err().code, code, "{}", &shown[..shown.len().min(200)]);
    }
    // More than is taken, and an error in the middle.
    let (objects, commit) = small();
    serve([packed(&objects), vec![0; 17 << 20]].concat(), &commit);
    assert_eq!(run(json!({})).unwrap_err().code, "too_large");
}
