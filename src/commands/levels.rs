//! `tripline levels`: what the words of logs mean.

use std::io::Write;

use crate::cli::Json;
use crate::model::{Level, LevelWords};
use crate::parse::levels;
use crate::report::{self, levels::Meaning};

pub(super) fn run(output: &Json, stdout: &mut dyn Write) -> anyhow::Result<()> {
    let meanings: Vec<Meaning> = Level::ALL.into_iter().map(meaning).collect();
    if output.json {
        report::write_json(&meanings, stdout)?;
    } else {
        report::levels::write(&meanings, stdout)?;
    }
    Ok(())
}

fn meaning(level: Level) -> Meaning {
    let words = levels::WORDS.iter().filter(|(_, means)| *means == level);
    let severities =
        (0..8).filter(|severity| levels::of_severity(*severity, &LevelWords::NONE) == level);
    Meaning {
        level,
        words: words.map(|(word, _)| *word).collect(),
        syslog_severities: severities.collect(),
    }
}
