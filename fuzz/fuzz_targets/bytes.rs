//! Any bytes as a log.

#![no_main]

#[path = "../property.rs"]
mod property;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| property::check(bytes));
