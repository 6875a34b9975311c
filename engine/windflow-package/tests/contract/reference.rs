//! `docs/plugins/contract.md` is written from the contract itself.

use std::fmt::Write as _;
use std::path::Path;

use wit_parser::{Docs, Interface, TypeDefKind, WorldItem, WorldKey};

use super::signature::Contract;

const HEAD: &str = "\
# The plugin contract

Written from `sdk/wit/v1/node.wit` by `UPDATE_DOCS=1 cargo test -p windflow-package --test contract`; change that file, not this one.

A plugin is a WebAssembly component that exports `execute` and imports what it needs of what follows, and of `wasi:http` where it sends
requests. What it imports has to be asked for in its `plugin.toml`, granted by the workflow and allowed by the operator;
[security.md](security.md) says how that is kept. With the Rust SDK you never meet this: it is for authors of other SDKs, and for the curious.

`wasi:clocks` and `wasi:random` may be imported by anybody, since runtimes of languages do. They give the time of the machine and its random numbers where the
manifest says `clock = true` and `random = true` and the workflow grants it; else the time at which the run began, and numbers that follow from the node run.

Within a major version the contract only grows: interfaces gain functions, worlds gain imports, and what is there stays as it is. A test
holds it against every released version, and components of each of them run in the tests.
";

#[test]
fn the_reference_is_that_of_the_contract() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = reference(&Contract::read(&root.join("sdk/wit/v1/node.wit")));
    let path = root.join("docs/plugins/contract.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == text,
        "docs/plugins/contract.md is not that of the contract: UPDATE_DOCS=1 cargo test -p windflow-package --test contract"
    );
}

fn reference(contract: &Contract) -> String {
    let mut text = HEAD.to_owned();
    let _ = writeln!(text, "\nThis is version {}.", contract.version());
    let (_, world) = contract.resolve.worlds.iter().next().unwrap();
    text.push_str("\n## What a component exports\n");
    for item in world.exports.values() {
        if let WorldItem::Function(function) = item {
            let _ = write!(
                text,
                "\n```wit\n{}: {};\n```\n\n{}",
                function.name,
                contract.function(function),
                paragraph(&function.docs)
            );
        }
    }
    text.push_str("\n## What it may import\n");
    let imported = world.imports.keys().filter_map(|key| match key {
        WorldKey::Interface(id) => Some(*id),
        WorldKey::Name(_) => None,
    });
    for id in imported {
        section(&mut text, contract, &contract.resolve.interfaces[id]);
    }
    text
}

fn section(text: &mut String, contract: &Contract, interface: &Interface) {
    let name = interface.name.as_deref().unwrap_or_default();
    let _ = write!(text, "\n### `{name}`\n\n{}", paragraph(&interface.docs));
    for (name, id) in &interface.types {
        let defined = &contract.resolve.types[*id];
        // `use`: it is explained where it comes from.
        if let TypeDefKind::Type(wit_parser::Type::Id(of)) = &defined.kind
            && contract.resolve.types[*of].owner != defined.owner
        {
            continue;
        }
        let _ = write!(text, "\n```wit\n{name} = {}\n```\n", contract.definition(*id));
        if defined.docs.contents.is_some() {
            let _ = write!(text, "\n{}", paragraph(&defined.docs));
        }
        let parts: Vec<(&String, &Docs)> = match &defined.kind {
            TypeDefKind::Record(record) => record.fields.iter().map(|field| (&field.name, &field.docs)).collect(),
            TypeDefKind::Variant(variant) => variant.cases.iter().map(|case| (&case.name, &case.docs)).collect(),
            _ => Vec::new(),
        };
        let explained: Vec<_> = parts.into_iter().filter(|(_, docs)| docs.contents.is_some()).collect();
        if !explained.is_empty() {
            text.push('\n');
        }
        for (name, docs) in explained {
            let _ = writeln!(text, "- `{name}`: {}", line(docs));
        }
    }
    for (name, function) in &interface.functions {
        let _ = write!(text, "\n```wit\n{name}: {};\n```\n", contract.function(function));
        if function.docs.contents.is_some() {
            let _ = write!(text, "\n{}", paragraph(&function.docs));
        }
    }
}

fn paragraph(docs: &Docs) -> String {
    docs.contents.as_ref().map(|text| format!("{}\n", text.trim())).unwrap_or_default()
}

fn line(docs: &Docs) -> String {
    docs.contents.as_deref().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}
