//! A document of the project and the fenced blocks in it.

use std::fs;
use std::path::Path;

/// What a document writes for the folder of its user and for the name of the host.
pub(crate) const HOME: &str = "/home/ann";
pub(crate) const HOST: &str = "web1";

/// The documents whose blocks are run.
pub(crate) const DOCUMENTS: [&str; 3] = ["README.md", "docs/operations.md", "docs/replay.md"];

/// A fenced block.
pub(crate) struct Block {
    /// The document that it stands in.
    pub(crate) document: &'static str,
    /// The last heading above it.
    pub(crate) section: String,
    pub(crate) language: String,
    /// The number of its first line.
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Block {
    /// The path that a block of a file names in its first line.
    pub(crate) fn path(&self) -> Option<&Path> {
        let path = Path::new(self.text.lines().next()?.strip_prefix("# ")?);
        path.extension().is_some_and(|extension| extension == "toml").then_some(path)
    }

    /// The commands of a console block, each with the output that is shown under it.
    pub(crate) fn commands(&self) -> Vec<(String, String)> {
        let mut commands: Vec<(String, String)> = Vec::new();
        for line in self.text.lines() {
            match (line.strip_prefix("$ "), line.strip_prefix("> "), commands.last_mut()) {
                (Some(command), _, _) => commands.push((command.to_owned(), String::new())),
                (None, Some(more), Some((command, _))) => command.extend(["\n", more]),
                (None, None, Some((_, output))) => output.extend([line, "\n"]),
                (None, _, None) => panic!("{}: begins without a command", self.place()),
            }
        }
        commands
    }

    /// Where it stands, for messages.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.document, self.line)
    }
}

/// All blocks of a document.
pub(crate) fn blocks(document: &'static str) -> Vec<Block> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document));
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    let mut section = String::new();
    for (number, line) in (1..).zip(text.unwrap().lines()) {
        match (line.strip_prefix("```"), inside) {
            (Some(language), false) => {
                blocks.push(Block {
                    document,
                    section: section.clone(),
                    language: language.to_owned(),
                    line: number + 1,
                    text: String::new(),
                });
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) => blocks.last_mut().unwrap().text.extend([line, "\n"]),
            (None, false) => {
                if let Some(heading) = line.strip_prefix("## ") {
                    heading.clone_into(&mut section);
                }
            }
        }
    }
    assert!(!inside, "a block of {document} has no end");
    blocks
}
