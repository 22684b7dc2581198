//! Which level an entry has, where a source says so.

use super::{Level, LinePattern};

/// How a source wants entries to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelRules {
    /// What words of the log mean another level than elsewhere, or any.
    pub words: LevelWords,
    /// The level of those whose line names none, and whose message no pattern matches.
    pub default: Level,
    /// Patterns of messages, with the level that they mean, the worst first.
    pub patterns: Vec<(Level, LinePattern)>,
}

impl Default for LevelRules {
    fn default() -> Self {
        Self { words: LevelWords::NONE, default: Level::Info, patterns: Vec::new() }
    }
}

impl LevelRules {
    /// The level of an entry whose line names none, with this message.
    pub fn level(&self, message: &[u8]) -> Level {
        let found = self.patterns.iter().find(|(_, pattern)| pattern.is_in(message));
        found.map_or(self.default, |(level, _)| *level)
    }
}

/// Words that a source gives a level of its own: they decide before the table of all words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LevelWords(Vec<(Box<[u8]>, Level)>);

impl LevelWords {
    /// No words, as most sources have it.
    pub const NONE: Self = Self(Vec::new());

    /// These words, none of which is empty.
    ///
    /// A word that is not ASCII is known as it is written, in capitals and in small letters.
    pub fn new<'a>(words: impl IntoIterator<Item = (&'a str, Level)>) -> Self {
        let mut known: Vec<(Box<[u8]>, Level)> = Vec::new();
        for (word, level) in words {
            for form in [word.to_owned(), word.to_uppercase(), word.to_lowercase()] {
                let form = form.into_bytes().into_boxed_slice();
                if !known.iter().any(|(word, _)| word.eq_ignore_ascii_case(&form)) {
                    known.push((form, level));
                }
            }
        }
        Self(known)
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The level of a word, in any case; `None` if it is none of these.
    #[inline]
    pub fn get(&self, word: &[u8]) -> Option<Level> {
        let found = self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(word));
        found.map(|(_, level)| *level)
    }

    /// The level of the word that stands at the start, with `end` behind it, and what follows.
    pub fn at_start<'a>(&self, text: &'a [u8], end: &[u8]) -> Option<(&'a [u8], Level)> {
        self.0.iter().find_map(|(own, level)| {
            let (word, rest) = text.split_at_checked(own.len())?;
            let rest = rest.strip_prefix(end)?;
            own.eq_ignore_ascii_case(word).then_some((rest, *level))
        })
    }
}
