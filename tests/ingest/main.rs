//! What `tripline ingest` stores: exactly the complete lines of the logs, each once.
//!
//! Every run but those in the middle of a step is made twice, and the second one must change
//! no row at all.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod archives;
mod containers;
mod journal;
mod last_line;
mod detecting;
mod limits;
mod lines;
mod memory;
mod odd_bytes;
mod progress;
mod rotation;
mod sources;
mod splits;
#[path = "../support/mod.rs"]
mod support;
mod time;
