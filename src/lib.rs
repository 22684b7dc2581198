//! tripline: log alerting for people with cron and PostgreSQL.
//!
//! The modules stand in the order in which the data flows. A stage imports [`model`] and,
//! where it needs rows, [`store`]; never a neighbour. Only [`commands`] knows all stages.

pub mod model;
pub mod duration;
pub mod visible;
pub mod config;
pub mod state_folder;
pub mod lock;
pub mod cluster;
pub mod tail;
pub mod parse;
pub mod store;
pub mod ingest;
pub mod alerting;
pub mod notify;
pub mod pipeline;
pub mod replay;
pub mod proposal;
pub mod report;
#[allow(missing_docs, clippy::doc_markdown, reason = "its doc comments are the help texts")]
pub mod cli;
pub mod commands;
