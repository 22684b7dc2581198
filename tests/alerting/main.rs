//! The rules, on a real PostgreSQL, against their definition.
//!
//! `oracle` is the definition, `property` compares what is stored with it over random
//! histories, `announcing` and `syncing` say by example what people are told and how rules change;
//! `at_once` evaluates twice at the same time, `concerned`, `counting` and `plans` look at what is
//! read.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but not in what tests share"
)]

#[path = "../support/mod.rs"]
mod support;

mod oracle;
mod own_view;
mod bench;
mod concerned;
mod counting;
mod failing;
mod history;
mod property;
mod scene;
mod announcing;
mod at_once;
mod literals;
mod many_groups;
mod plans;
mod syncing;
