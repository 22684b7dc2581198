//! Random sequences of what may happen to a log, read by the program and by a model.
//!
//! The model knows every complete line that was ever written, and which of them still lie in
//! some file. After each run that went well, the database must hold all of those, each exactly
//! once and in the order of writing; what is missing must be a line that was destroyed before
//! it could be read, and then a gap must say so. Where nothing was lost, there is no gap.
//!
//! A sequence that fails is made as short as possible and printed as Rust: it belongs into
//! `cases.rs`, as a test with a name that says what happened.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but not in what they share"
)]

mod archive;
mod cases;
mod check;
mod disk;
mod lines;
mod operation;
mod rotating;
mod runner;
mod sequence;
#[path = "../support/mod.rs"]
mod support;
mod world;
mod writer;

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};

use crate::operation::{Operation, disturbed, quiet};
use crate::sequence::Bench;
use crate::world::Settings;

/// Sequences of each of the two tests, unless `TRIPLINE_TEST_CASES` says how many.
const CASES: usize = 1000;

/// After so many sequences a new database is taken, which is small and fast again.
const CASES_OF_A_DATABASE: usize = 500;

#[test]
fn runs_that_nobody_disturbs() {
    try_sequences(1, quiet());
}

#[test]
fn runs_that_are_disturbed() {
    try_sequences(2, disturbed());
}

/// The same sequences every time, so that a test that passed passes again; more of them go on
/// where these end.
fn try_sequences(seed: u8, operation: impl Strategy<Value = Operation>) {
    let cases = u32::try_from(support::cases(CASES)).unwrap();
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..ProptestConfig::default()
    };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let sequences = (Settings::any(), prop::collection::vec(operation, 4..20));
    let bench = RefCell::new((Bench::new(), 0));
    let result =
        TestRunner::new_with_rng(config, random).run(&sequences, |(settings, operations)| {
            let (bench, count) = &mut *bench.borrow_mut();
            *count += 1;
            if *count % CASES_OF_A_DATABASE == 0 {
                *bench = Bench::new();
            }
            bench.check(&settings, &operations).map_err(TestCaseError::fail)
        });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, (settings, operations))) => {
            panic!("{reason}\n\ncheck(&{settings:?}, &{operations:?});\n")
        }
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}
