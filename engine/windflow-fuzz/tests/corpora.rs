//! Everything that a fuzzer ever found, and the ways that it knows into the code.
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::path::Path;

#[test]
fn what_was_found_once_is_right_now() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in windflow_fuzz::TARGETS {
        let files: Vec<_> = std::fs::read_dir(corpus.join(name)).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty(), "the corpus of {name} is gone");
        for file in files {
            println!("{}", file.display());
            target(&std::fs::read(&file).unwrap());
        }
    }
}
