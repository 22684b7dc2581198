//! Guards over the source text: who may know whom, who reads the clock, how long a file is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tripline::parse::Format;

/// The modules in the order in which the data flows, each with those it may know.
///
/// A stage knows the shared words and, for rows, `store`; `ingest` puts three stages together;
/// only `commands` may know all. A new module needs a line here.
const MODULES: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("duration", &[]),
    ("visible", &[]),
    ("config", &["model", "duration"]),
    ("state_folder", &[]),
    ("lock", &["state_folder"]),
    ("cluster", &["state_folder"]),
    ("tail", &["model"]),
    ("parse", &["model"]),
    ("store", &["model"]),
    ("ingest", &["model", "config", "tail", "parse", "store"]),
    ("alerting", &["model", "config", "store"]),
    ("notify", &["model", "duration", "visible", "config", "store"]),
    ("pipeline", &["model", "visible", "config", "store", "ingest", "alerting", "notify"]),
    ("replay", &["model", "duration", "config", "cluster", "store", "ingest", "pipeline"]),
    ("proposal", &["model", "duration", "visible", "ingest"]),
    ("report", &["model", "duration", "visible", "store"]),
    ("cli", &[]),
    ("commands", &[]),
];

/// Lines that a file under `src/` may have; beyond that there are usually two things in it.
const MOST_LINES: usize = 450;

/// Calls that read the clock.
const CLOCKS: [&str; 3] = ["Utc::now", "Local::now", "SystemTime::now"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under `src/`, as its path below it and its text.
fn sources() -> Vec<(String, String)> {
    fn below(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
    }
    let folder = root().join("src");
    let rust =
        below(&folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs"));
    let mut sources: Vec<_> = rust
        .map(|path| {
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    sources.sort();
    assert!(sources.len() > 50, "found only {} files", sources.len());
    sources
}

/// The module that a file belongs to: `tail` for `tail/resume.rs` and for `tail.rs`.
fn module_of(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// The modules of this crate that a text names as `crate::module`, or in `use crate::{a, b}`.
fn known_by(text: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut modules = BTreeSet::new();
    for (at, path) in text.match_indices("crate::") {
        let rest = &text[at + path.len()..];
        match rest.strip_prefix('{') {
            None => modules.extend([word(rest)]),
            Some(list) => {
                let list = list.split("};").next().unwrap();
                modules.extend(list.split(',').map(|item| word(item.trim_start())));
            }
        }
    }
    modules.remove("");
    modules
}

#[test]
fn names_of_modules_are_found() {
    let text = "use crate::model::Tick;\nuse crate::{duration, visible};\ncrate::tail::x()";
    let found: Vec<_> = known_by(text).into_iter().collect();
    assert_eq!(found, ["duration", "model", "tail", "visible"]);
    assert_eq!(module_of("tail/resume.rs"), "tail");
    assert_eq!(module_of("lock.rs"), "lock");
}

#[test]
fn lib_names_the_modules_in_the_order_of_the_data() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let named: Vec<_> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(named, MODULES.iter().map(|(module, _)| *module).collect::<Vec<_>>());
    for (index, (module, may_know)) in MODULES.iter().enumerate() {
        let before: Vec<_> = MODULES[..index].iter().map(|(module, _)| *module).collect();
        for other in *may_know {
            assert!(before.contains(other), "{module} may not know {other}, which comes later");
        }
    }
}

#[test]
fn no_stage_knows_its_neighbour() {
    let mut checked = 0;
    for (file, text) in sources() {
        let own = module_of(&file);
        if ["main", "lib"].contains(&own) {
            continue;
        }
        let (_, may_know) =
            MODULES.iter().find(|(module, _)| *module == own).unwrap_or_else(|| {
                panic!("src/{file} belongs to no module of the list in tests/architecture.rs")
            });
        for other in known_by(&text) {
            assert!(
                other == own || own == "commands" || may_know.contains(&other.as_str()),
                "src/{file} knows {other}, which {own} must not; see ARCHITECTURE.md"
            );
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} names of modules were looked at");
}

#[test]
fn only_main_reads_the_clock() {
    let mut read_in = Vec::new();
    for (file, text) in sources() {
        if CLOCKS.iter().any(|clock| text.contains(clock)) {
            read_in.push(file);
        }
    }
    assert_eq!(read_in, ["main.rs"]);
}

#[test]
fn every_format_has_a_fixture() {
    assert!(!Format::ALL.is_empty());
    for format in Format::ALL {
        let folder = root().join("fixtures/formats").join(format.as_str());
        for name in ["input.log", "expected.jsonl"] {
            let bytes = fs::metadata(folder.join(name)).map_or(0, |file| file.len());
            assert!(bytes > 0, "{}/{name} is missing or empty", folder.display());
        }
    }
}

#[test]
fn no_file_is_too_long() {
    let mut longest = 0;
    for (file, text) in sources().iter().filter(|(file, _)| file != "store/schema.rs") {
        let lines = text.lines().count();
        assert!(lines <= MOST_LINES, "src/{file} has {lines} lines, more than {MOST_LINES}");
        longest = longest.max(lines);
    }
    assert!(longest > 0);
}
