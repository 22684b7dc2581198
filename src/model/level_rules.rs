//! Which level an entry has whose line names none.

use super::{Level, LinePattern};

/// How a source wants entries to be judged whose lines name no level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelRules {
    /// The level of those whose message no pattern matches.
    pub default: Level,
    /// Patterns of messages, with the level that they mean, the worst first.
    pub patterns: Vec<(Level, LinePattern)>,
}

impl Default for LevelRules {
    fn default() -> Self {
        Self { default: Level::Info, patterns: Vec::new() }
    }
}

impl LevelRules {
    /// The level of an entry with this message.
    pub fn level(&self, message: &[u8]) -> Level {
        let found = self.patterns.iter().find(|(_, pattern)| pattern.is_in(message));
        found.map_or(self.default, |(level, _)| *level)
    }
}
