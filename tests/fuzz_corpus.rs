//! What the fuzzer has found worth keeping stays true: `fuzz/corpus/bytes`, with every fixture of
//! a format, through the same property (`fuzz/property.rs`).

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

#[path = "../fuzz/property.rs"]
mod property;

use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect()
}

#[test]
fn what_must_be_true_of_any_bytes_is_true_of_the_corpus() {
    let corpus = files("fuzz/corpus/bytes");
    assert!(corpus.len() > 20, "found only {}", corpus.len());
    let fixtures = files("fixtures/formats").into_iter().map(|folder| folder.join("input.log"));
    for path in corpus.into_iter().chain(fixtures) {
        // What fails says with which bytes.
        println!("{}", path.display());
        property::check(&fs::read(&path).unwrap());
    }
}
