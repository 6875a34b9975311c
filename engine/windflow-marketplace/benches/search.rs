//! Searching a thousand templates: by a word, by its beginning, by a misspelt one, by three, and all of them with facets.
#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use windflow_marketplace::index::Entry;
use windflow_marketplace::shelf::{Shelf, Wanted, find};

/// A thousand entries with READMEs of 300 different words each, out of 20,000.
fn thousand() -> Shelf {
    let word = |n: usize| {
        let mut n = n % 20_000;
        let mut word = String::new();
        for _ in 0..4 {
            word.push(char::from(b"bcdfghklmnprstvw"[n % 16]));
            word.push(char::from(b"aeiou"[n / 3 % 5]));
            n /= 7;
        }
        word
    };
    let entry = |n: usize| -> Arc<Entry> {
        let words: Vec<String> = (0..300).map(|k| word(n * 131 + k * k * 7)).collect();
        let value = serde_json::json!({
            "template": 1, "name": format!("{}-{n}", word(n * 17)), "kind": if n.is_multiple_of(3) { "workflow" } else { "stack" },
            "version": "1.0.0", "category": if n.is_multiple_of(2) { "web" } else { "data" }, "tags": [word(n % 50), word(n % 40 + 100)],
            "title": { "en": format!("{} with {}", word(n * 17), word(n * 5)), "fr": format!("{} avec {}", word(n * 17), word(n * 5)) },
            "summary": { "en": words[..12].join(" "), "fr": words[12..24].join(" ") },
            "services": [word(n * 3), word(n * 11)], "images": [format!("{}:1.2.3", word(n * 3))], "words": words.join(" "),
            "digest": "sha256:0", "size": 1, "versions": [{ "version": "1.0.0", "digest": "sha256:0", "size": 1 }],
        });
        Arc::new(serde_json::from_value(value).unwrap())
    };
    Shelf::new((0..1000).map(entry).collect())
}

fn search(criterion: &mut Criterion) {
    let shelf = thousand();
    let name = shelf.entries()[500].name().split('-').next().unwrap().to_owned();
    let swapped: String = [1, 0, 2, 3, 4, 5, 6, 7].iter().map(|n| name.as_bytes()[*n] as char).collect();
    let queries = [
        ("word", name.clone()),
        ("beginning", name[..2].to_owned()),
        ("misspelt", format!("{swapped}q")),
        ("three misspelt words", format!("{swapped}q {swapped}x {swapped}z")),
        ("everything", String::new()),
    ];
    let mut group = criterion.benchmark_group("search 1000 templates");
    for (how, text) in queries {
        let wanted = Wanted { text, ..Wanted::default() };
        group.bench_function(how, |bencher| bencher.iter(|| find(black_box(&[&shelf]), black_box(&wanted))));
    }
    group.finish();
    criterion.bench_function("build a shelf of 1000 templates", |bencher| {
        bencher.iter(|| Shelf::new(black_box(shelf.entries().to_vec())));
    });
}

criterion_group!(benches, search);
criterion_main!(benches);
