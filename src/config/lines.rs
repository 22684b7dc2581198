//! The keys of `[[source]]` that say what a line is, and which lines belong together.

use chrono::TimeDelta;
use encoding_rs::Encoding;
use toml::de::DeValue;

use super::section::{Section, expected};
use super::source::JournalConfig;
use super::words::quoted;
use super::{file, value, words};
use crate::duration;
use crate::model::{Level, LevelRules, LevelWords, LinePattern, Multiline};

/// The values of `multiline` that are words.
const MULTILINE: [(&str, Multiline); 3] =
    [("auto", Multiline::Auto), ("none", Multiline::None), ("indent", Multiline::Indent)];

/// Labels to choose from in a message; those of the WHATWG's Encoding Standard are all known.
const ENCODINGS: [&str; 14] = [
    "utf-8",
    "utf-16",
    "utf-16be",
    "windows-1252",
    "latin1",
    "iso-8859-15",
    "windows-1250",
    "windows-1251",
    "koi8-r",
    "shift_jis",
    "euc-jp",
    "euc-kr",
    "gbk",
    "big5",
];

/// `encoding`: a label of the Encoding Standard.
pub(super) fn encoding(text: &str) -> Result<&'static Encoding, String> {
    let found = Encoding::for_label_no_replacement(text.as_bytes());
    found.ok_or_else(|| match words::nearest(text, ENCODINGS.into_iter()) {
        Some(near) => format!("{} is not known; did you mean {near:?}?", quoted(text)),
        None => format!(
            "{} is no encoding of the WHATWG's standard, such as \"utf-8\", \"utf-16\", \
             \"windows-1252\" or \"shift_jis\"",
            quoted(text)
        ),
    })
}

/// `levels`, `default_level` and `level_patterns`: what words mean, and the levels of lines that
/// name none.
pub(super) fn level_rules(section: &mut Section<'_, '_>) -> LevelRules {
    let level = |text: &str| value::choice(text, &Level::ALL, Level::as_str, &[]);
    let patterns = section.table("level_patterns", &file::LEVEL_PATTERNS, level_patterns);
    LevelRules {
        words: level_words(section).unwrap_or_default(),
        default: section.string("default_level", level).unwrap_or(LevelRules::default().default),
        patterns: patterns.unwrap_or_default(),
    }
}

/// The table of `levels`: a word of the log, and the level that it means.
fn level_words(section: &mut Section<'_, '_>) -> Option<LevelWords> {
    let words = section.pairs("levels", |word, level| {
        if word.trim() != word || word.is_empty() {
            return Err("must be a word as the log writes it, without blanks around it".to_owned());
        }
        value::choice(level, &Level::ALL, Level::as_str, &[])
    })?;
    Some(LevelWords::new(words.iter().map(|(word, level)| (word.as_str(), *level))))
}

/// The table of `level_patterns`: the worst level comes first, whatever the order in the file.
fn level_patterns(mut section: Section<'_, '_>) -> Vec<(Level, LinePattern)> {
    let levels = Level::ALL.into_iter().rev();
    let pattern = |level: Level| Some((level, section.string(level.as_str(), line_pattern)?));
    levels.filter_map(pattern).collect()
}

/// `multiline`: a word, or a table with one pattern.
pub(super) fn multiline(section: &mut Section<'_, '_>) -> Option<Multiline> {
    let is_text = section.value("multiline", |value| match value {
        DeValue::String(_) => Ok(true),
        DeValue::Table(_) => Ok(false),
        other => Err(expected("a word, such as \"auto\", or a table with a pattern", other)),
    })?;
    if is_text {
        return section.string("multiline", |text| {
            let word = MULTILINE.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
            word.map(|(_, multiline)| multiline.clone()).ok_or_else(|| {
                let hint = "a pattern is written { start = \"...\" } or { continue = \"...\" }";
                let known = MULTILINE.map(|(word, _)| word);
                format!("{}; {hint}", words::refusal(text, &known, &[]))
            })
        });
    }
    section.table("multiline", &file::MULTILINE, pattern).flatten()
}

/// The table of `multiline`, which has one of its two keys.
fn pattern(mut section: Section<'_, '_>) -> Option<Multiline> {
    if section.has("start") == section.has("continue") {
        // A key that is no word of the table was reported already.
        if section.is_right() {
            section.refuse("start", "or continue must be given, one of them");
        }
        return None;
    }
    let start = section.string("start", line_pattern).map(Multiline::Start);
    start.or_else(|| section.string("continue", line_pattern).map(Multiline::Continue))
}

/// `journal`: whose entries of the journal of systemd are read.
pub(super) fn journal(mut section: Section<'_, '_>) -> JournalConfig {
    let mut units = section.strings("units", value::name).unwrap_or_default();
    if units.is_empty() && section.has("units") && section.is_right() {
        section.refuse("units", "must name at least one unit; without it, all entries are read");
    }
    units.sort_unstable();
    units.dedup();
    JournalConfig { units }
}

/// `idle_flush`: a duration, or `never`.
pub(super) fn idle_flush(text: &str) -> Result<Option<TimeDelta>, String> {
    if text.eq_ignore_ascii_case("never") {
        return Ok(None);
    }
    duration::parse(text).map(Some).map_err(|_| {
        format!("{} is neither \"never\" nor a duration; {}", quoted(text), duration::NOTATION)
    })
}

pub(super) fn line_pattern(text: &str) -> Result<LinePattern, String> {
    let text = value::text(text)?;
    text.parse().map_err(|error| format!("is no regular expression: {error}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use expect_test::{Expect, expect};

    use super::super::Config;
    use super::*;

    fn parse(line: &str) -> Result<Config, String> {
        let text = format!("[[source]]\npaths=['/var/log/app.log']\n{line}\n");
        Config::parse(Path::new("x.toml"), text.as_bytes()).map_err(|error| error.to_string())
    }

    fn check(line: &str, expected: &Expect) {
        expected.assert_eq(&parse(line).unwrap_err());
    }

    #[test]
    fn what_belongs_to_an_entry_is_a_word_or_a_pattern() {
        let multiline = |line| parse(line).unwrap().sources[0].multiline.clone();
        let pattern = |pattern: &str| pattern.parse::<LinePattern>().unwrap();
        assert_eq!(multiline(""), Multiline::Auto);
        assert_eq!(multiline("multiline = 'none'"), Multiline::None);
        assert_eq!(multiline("multiline = 'Indent'"), Multiline::Indent);
        let start = Multiline::Start(pattern("^[0-9]"));
        assert_eq!(multiline("multiline = { start = '^[0-9]' }"), start);
        assert_eq!(multiline("[source.multiline]\nstart = '^[0-9]'"), start);
        let goes_on = Multiline::Continue(pattern("^ "));
        assert_eq!(multiline("multiline = { continue = '^ ' }"), goes_on);
        assert_ne!(start, Multiline::Start(pattern("^[0-8]")));
    }

    #[test]
    fn an_encoding_has_its_label() {
        let encoding = |line| parse(line).unwrap().sources[0].encoding.name();
        assert_eq!(encoding(""), "UTF-8");
        assert_eq!(encoding("encoding = 'UTF-16'"), "UTF-16LE");
        assert_eq!(encoding("encoding = 'latin1'"), "windows-1252");
        assert_eq!(encoding("encoding = 'sjis'"), "Shift_JIS");
        check(
            "encoding = 'shift-jsi'",
            &expect![[
                r#"x.toml:3:12: encoding "shift-jsi" is not known; did you mean "shift_jis"?"#
            ]],
        );
        check(
            "encoding = 'ebcdic'",
            &expect![[
                r#"x.toml:3:12: encoding "ebcdic" is no encoding of the WHATWG's standard, such as "utf-8", "utf-16", "windows-1252" or "shift_jis""#
            ]],
        );
        check(
            "encoding = 'hz-gb-2312'",
            &expect![[
                r#"x.toml:3:12: encoding "hz-gb-2312" is no encoding of the WHATWG's standard, such as "utf-8", "utf-16", "windows-1252" or "shift_jis""#
            ]],
        );
    }

    #[test]
    fn a_last_line_without_an_end_waits_for_a_while_or_for_ever() {
        let idle_flush = |line| parse(line).unwrap().sources[0].idle_flush;
        assert_eq!(idle_flush(""), Some(TimeDelta::seconds(60)));
        assert_eq!(idle_flush("idle_flush = '0s'"), Some(TimeDelta::zero()));
        assert_eq!(idle_flush("idle_flush = '5m'"), Some(TimeDelta::minutes(5)));
        assert_eq!(idle_flush("idle_flush = 'never'"), None);
        check(
            "idle_flush = '60'",
            &expect![[
                r#"x.toml:3:14: idle_flush "60" is neither "never" nor a duration; write it like "90s", "5m", "1h30m" or "2d""#
            ]],
        );
    }

    #[test]
    fn words_of_a_log_are_given_levels() {
        let config =
            parse("levels={NOTICE='WARNING', audit='info', '35'='ERROR', 'schlüssel'='FATAL'}")
                .unwrap();
        let words = &config.sources[0].level_rules.words;
        for (word, level) in [
            ("notice", Some(Level::Warning)),
            ("Audit", Some(Level::Info)),
            ("35", Some(Level::Error)),
            ("SCHLÜSSEL", Some(Level::Fatal)),
            ("INFO", None),
            ("", None),
        ] {
            assert_eq!(words.get(word.as_bytes()), level, "{word}");
        }
        check(
            "levels={A='WARNIGN', ''='INFO', ' b'='INFO', c=1, d='INFO', D='INFO', e='x'}",
            &expect![[r#"
                x.toml:3:11: "A" in levels "WARNIGN" is not known; did you mean "WARNING"?
                x.toml:3:25: "" in levels must be a word as the log writes it, without blanks around it
                x.toml:3:38: " b" in levels must be a word as the log writes it, without blanks around it
                x.toml:3:48: "c" in levels must be a string, found an integer
                x.toml:3:53: "d" in levels is there already, in capitals or in small letters
                x.toml:3:73: "e" in levels "x" is not known; this version knows: TRACE, DEBUG, INFO, WARNING, ERROR, FATAL"#]],
        );
        check(
            "levels='INFO'",
            &expect!["x.toml:3:8: levels must be a table, written [levels], found a string"],
        );
    }

    fn check_journal(lines: &str, expected: &Expect) {
        let text = format!("[[source]]\n{lines}\n");
        let error = Config::parse(Path::new("x.toml"), text.as_bytes()).unwrap_err();
        expected.assert_eq(&error.to_string());
    }

    #[test]
    fn a_journal_stands_in_place_of_files() {
        let journal = |line: &str| {
            let text = format!("[[source]]\n{line}\n");
            let config = Config::parse(Path::new("x.toml"), text.as_bytes()).unwrap();
            config.sources[0].journal.clone().unwrap().path()
        };
        let shop = "journal = { units = ['shop.service', 'db.service', 'shop.service'] }";
        assert_eq!(journal(shop), Path::new("journal:db.service+shop.service"));
        assert_eq!(journal("journal = {}"), Path::new("journal:"));
        check_journal(
            "journal = {}\npaths = ['/x']\nencoding = 'latin1'",
            &expect![[r#"
            x.toml:3:9: paths is for files and cannot stand beside journal
            x.toml:4:12: encoding is for files and cannot stand beside journal"#]],
        );
        check_journal(
            "journal = { units = [] }",
            &expect![
                "x.toml:2:21: units must name at least one unit; without it, all entries are read"
            ],
        );
        check_journal(
            "journal = { unit = 'shop' }",
            &expect![[r#"x.toml:2:13: unknown key "unit" in journal; did you mean "units"?"#]],
        );
        check_journal(
            "journal = true",
            &expect!["x.toml:2:11: journal must be a table, written [journal], found a boolean"],
        );
        check_journal("name = 'x'", &expect![[r#"x.toml:1:1: missing key "paths" in [[source]]"#]]);
    }

    #[test]
    fn a_wrong_pattern_has_its_place() {
        check(
            "multiline = { start = '^(\\d' }",
            &expect!["x.toml:3:23: start is no regular expression: unclosed group"],
        );
        check(
            "multiline = { continue = 'x{5,1}' }",
            &expect![
                "x.toml:3:26: continue is no regular expression: invalid repetition count range, the start must be <= the end"
            ],
        );
        check("multiline = { start = '' }", &expect!["x.toml:3:23: start must not be empty"]);
        check(
            "multiline = { start = 'a', continue = 'b' }",
            &expect!["x.toml:3:23: start or continue must be given, one of them"],
        );
        check(
            "multiline = {}",
            &expect!["x.toml:3:13: start or continue must be given, one of them"],
        );
        check(
            "multiline = { begin = 'a' }",
            &expect![[
                r#"x.toml:3:15: unknown key "begin" in multiline; this version knows: start, continue"#
            ]],
        );
        check(
            "multiline = 'of'",
            &expect![[
                r#"x.toml:3:13: multiline "of" is not known; this version knows: auto, none, indent; a pattern is written { start = "..." } or { continue = "..." }"#
            ]],
        );
        check(
            "multiline = 3",
            &expect![[
                r#"x.toml:3:13: multiline must be a word, such as "auto", or a table with a pattern, found an integer"#
            ]],
        );
    }
}
