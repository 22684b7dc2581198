//! The documents are true: their commands print what they show, their configs are configs.
//!
//! Every ```` ```console ```` block is run, one after the other, in a folder that stands for
//! the home of a user, with a private PostgreSQL of its own; every ```` ```toml ```` block is
//! read as a config. One that begins with a comment which is a path is written there first; a
//! `case.toml` is read by the replay that the document runs. Blocks of other languages are not
//! run. Compared without regard to the width of columns, since this host's name and the folder
//! are not those in the text.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod block;
mod operations;
#[path = "../support/scratch.rs"]
mod scratch;
#[path = "../support/mod.rs"]
mod support;
mod user;

use std::path::Path;

use block::{Block, DOCUMENTS, blocks};
use tripline::config::Config;
use user::User;

fn follow(document: &'static str) -> usize {
    let blocks = blocks(document);
    let user = User::new();
    user.write_files(&blocks);
    user.follow(&blocks)
}

#[test]
fn readme_shows_what_is_printed() {
    let compared = follow("README.md");
    assert!(compared > 3, "only {compared} outputs were compared");
}

#[test]
fn replay_shows_what_is_printed() {
    assert!(follow("docs/replay.md") > 0);
}

#[test]
fn configs_are_right() {
    let is_config = |block: &Block| {
        block.language == "toml" && block.path().is_none_or(|path| !path.ends_with("case.toml"))
    };
    for block in DOCUMENTS.into_iter().flat_map(blocks).filter(is_config) {
        if let Err(error) = Config::parse(Path::new("tripline.toml"), block.text.as_bytes()) {
            panic!("{}:\n{error}", block.place());
        }
    }
}

#[test]
fn blocks_are_of_known_languages() {
    for block in DOCUMENTS.into_iter().flat_map(blocks) {
        let known = ["console", "cron", "sh", "text", "toml"];
        assert!(
            known.contains(&block.language.as_str()),
            "{}: {:?}",
            block.place(),
            block.language
        );
    }
}
