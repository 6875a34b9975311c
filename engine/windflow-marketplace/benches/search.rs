//! Searching a thousand templates: by a word, by its beginning, by a misspelt one, by three, and all of them with facets.
#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use windflow_marketplace::shelf::{Shelf, find};

#[path = "../tests/thousand/mod.rs"]
mod thousand;

fn search(criterion: &mut Criterion) {
    let shelf = thousand::thousand();
    let mut group = criterion.benchmark_group("search 1000 templates");
    for (how, wanted) in thousand::queries(&shelf) {
        group.bench_function(how, |bencher| bencher.iter(|| find(black_box(&[&shelf]), black_box(&wanted))));
    }
    group.finish();
    criterion.bench_function("build a shelf of 1000 templates", |bencher| {
        bencher.iter(|| Shelf::new(black_box(shelf.entries().to_vec())));
    });
}

criterion_group!(benches, search);
criterion_main!(benches);
