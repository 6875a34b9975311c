//! Documents that are meant to hurt: found out in bounded time and memory, every place inside the text, never a panic.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use windflow_core::problem::{self, Problem};
use windflow_core::workflow::{self, Workflow};

#[path = "support/registry.rs"]
mod support;

const VALID: &str = include_str!("documents/valid.yaml");
const MORE: &str = include_str!("documents/valid_more.yaml");

/// Reads and validates, and holds what comes of it against what is always true. The bound is wide: debug builds on busy
/// machines are slow.
fn check(text: &str) -> Vec<Problem> {
    let began = Instant::now();
    let (workflow, mut problems) = Workflow::parse(text);
    if let Some(workflow) = &workflow {
        problems.extend(workflow::validate(workflow, &support::registry()));
    }
    problem::sort(&mut problems);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "{} bytes took {took:?}", text.len());
    assert!(workflow.is_some() || problems.iter().any(Problem::is_error), "neither a workflow nor an error");
    let lines = text.matches(['\n', '\r']).count() + 2;
    for problem in &problems {
        assert!(text.get(problem.place.bytes.clone()).is_some(), "{problem:?} stands outside the text");
        assert!(problem.place.line as usize <= lines, "{problem:?} is beyond line {lines}");
    }
    if text.len() < 10_000 {
        assert!(!problem::render("f", text, &problems).contains('\u{1b}'), "an escape reaches the terminal");
    }
    problems
}

fn codes(text: &str) -> Vec<&'static str> {
    check(text).into_iter().map(|problem| problem.code).collect()
}

#[test]
fn a_hundred_megabytes_are_refused_unread() {
    let text = "a: b\n".repeat(20 << 20);
    let began = Instant::now();
    let (_, problems) = Workflow::parse(&text);
    assert_eq!(problems[0].code, "too_long");
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[test]
fn depth_is_bounded() {
    let block: String = (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let flow =
        ["[", "{a: ", "[{a: ", "{? ", "? ", "- ", "a: [", "{[", "\"a\": {", "- - "].map(|open| open.repeat(10_000));
    for text in flow.iter().chain([&block]) {
        let found = codes(text);
        assert!(found.contains(&"too_deep") || found.contains(&"yaml_syntax"), "{}: {found:?}", &text[..20]);
    }
    assert_eq!(codes(&"[".repeat(10_000)), ["too_deep"]);
    assert_eq!(codes(&format!("{}x{}", "[".repeat(10_000), "]".repeat(10_000))), ["too_deep"]);
    assert_eq!(codes(&block), ["too_deep"]);
}

#[test]
fn a_megabyte_of_anything_ends_soon() {
    let long = 1_000_000;
    for text in [
        "a",
        " ",
        "\n",
        "\t",
        ":",
        "-",
        "? ",
        "a: ",
        "- ",
        "[]",
        "'",
        "\"",
        "\"\\",
        "#",
        "|\n",
        "&a ",
        "*a ",
        "!t ",
        "%",
        "é",
        "\u{feff}",
        "\0",
        "a:\n",
        "x: 1\n",
        "{}\n",
        "---\n",
        "...\n",
        "${{ ",
        "a: ${{ 1 }}\n",
        ",",
        "[,",
        "{,",
        "<<: ",
        "\r",
        "\u{2028}",
    ] {
        check(&text.repeat(long / text.len()));
        check(&format!("windflow: 1\nname: a\nnodes: {}", text.repeat(long / text.len())));
        check(&format!("windflow: 1\nname: a\nnodes: [{}", text.repeat(long / 4 / text.len())));
    }
    let scalar = format!(
        "windflow: 1\nname: a\nnodes:\n  a: {{ uses: log@1, with: {{ message: \"{}\" }} }}\n",
        "${{ inputs.x }} ".repeat(50_000)
    );
    assert!(codes(&scalar).contains(&"unknown_input"));
}

#[test]
fn many_nodes_that_need_each_other_are_read_in_linear_time() {
    let mut text = "windflow: 1\nname: wide\nnodes:\n  start: { uses: log@1, with: { message: hi } }\n".to_owned();
    for n in 0..5_000 {
        text.push_str(&format!(
            "  n{n}: {{ uses: log@1, needs: start, with: {{ message: \"${{{{ inputs.nope }}}}\" }} }}\n"
        ));
    }
    let all: Vec<_> = (0..5_000).map(|n| format!("n{n}")).collect();
    text.push_str(&format!("  end: {{ uses: log@1, needs: [{}], with: {{ message: hi }} }}\n", all.join(", ")));
    assert_eq!(check(&text).len(), 201);
}

#[test]
fn nearest_spellings_are_not_searched_for_ever() {
    let nodes: String = (0..4_000)
        .map(|n| format!("  node{n}: {{ uses: log@1, needs: nodx{n}, with: {{ message: hi }} }}\n"))
        .collect();
    let needs: Vec<_> = (0..20_000).map(|n| format!("nade{n}")).collect();
    check(&format!("windflow: 1\nname: wide\nnodes:\n{nodes}"));
    check(&format!("windflow: 1\nname: wide\nnodes:\n  z: {{ uses: log@1, needs: [{}] }}\n{nodes}", needs.join(", ")));
}

#[test]
fn bombs_do_not_expand() {
    let mut laughs = "a0: &a0 [lol, lol]\n".to_owned();
    for n in 1..50 {
        laughs.push_str(&format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1));
    }
    assert!(check(&laughs).iter().any(|problem| problem.code == "alias"));
}

fn mutated(base: &'static str) -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "", " ", "\n", "\t", ":", ": ", "- ", "[", "]", "{", "}", "'", "\"", "#", "&a", "*a", "!x", "|", ">", "?", ",",
        "${{", "}}", "${{ ", "\\", "\0", "é", "\r\n", "---\n", "...", "<<", "~", "1", "nodes", "inputs.", "if: ",
        "\u{202e}", "\u{feff}",
    ]);
    let edit = (0..base.len(), 0..12_usize, prop_oneof![piece.prop_map(str::to_owned), "\\PC{0,6}"]);
    prop::collection::vec(edit, 1..6).prop_map(move |edits| {
        let mut text = base.to_owned();
        for (at, remove, insert) in edits {
            let clamp = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (start, end) = (clamp(at), clamp(at + remove));
            text.replace_range(start..end.max(start), &insert);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_valid_document_with_damage_is_no_panic(one in mutated(VALID), other in mutated(MORE)) {
        check(&one);
        check(&other);
    }

    #[test]
    fn arbitrary_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn arbitrary_text_is_no_panic(text in "[ \\n\\ta-c0-1:{}\\[\\],'\"#&*!|>?%@`<~$\\-.é]{0,200}") {
        check(&text);
        check(&format!("windflow: 1\nname: a\nnodes:\n{text}"));
    }
}
