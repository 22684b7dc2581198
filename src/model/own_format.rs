//! A log format that the config describes.
//!
//! ```text
//! {timestamp:%d.%m.%Y %H:%M:%S%.3f} {level} [{thread}] {logger}: {message}
//! ^(?<level>\w+) (?<timestamp>\S+ \S+) (?<message>.*)
//! ```
//!
//! A placeholder is a name in braces: `timestamp`, `level`, `message`, and any other for a field.
//! It stands for what there is up to the text behind it, or up to the end of the line. `timestamp`
//! alone takes a time of any usual shape, and with a colon one of the shape that follows, written
//! as strftime(3) does and chrono reads it. A blank stands for any number of blanks, one at
//! least; braces are doubled to stand for themselves.
//!
//! A text with `(?<` or `(?P<` in it is a regular expression, whose groups have these names.

use std::fmt;
use std::str::FromStr;

use chrono::format::{Item, StrftimeItems};
use regex::bytes::Regex;

/// A format of the config's own, compiled.
#[derive(Clone)]
pub struct OwnFormat {
    text: String,
    /// How a line is taken apart.
    pub grammar: Grammar,
}

/// How a line is taken apart.
#[derive(Clone, Debug)]
pub enum Grammar {
    /// One after the other.
    Steps(Vec<Step>),
    /// By the names of groups.
    Regex(Regex),
}

/// What stands next in a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// This text.
    Text(String),
    /// One blank or several.
    Blanks,
    /// A time of this shape, or of any usual one.
    Timestamp(Option<Vec<Item<'static>>>),
    /// The word for a level.
    Level,
    /// The message.
    Message,
    /// The value of a field.
    Field(String),
}

/// What is wrong with a format, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct OwnFormatError {
    /// Where, in characters, from 1 on.
    pub column: usize,
    /// What.
    pub message: String,
}

impl OwnFormat {
    /// Whether a text can be a format of the config's own, and not the name of one.
    pub fn is_meant(text: &str) -> bool {
        text.contains(['{', '%', '(', '^', ' '])
    }
}

impl FromStr for OwnFormat {
    type Err = OwnFormatError;

    fn from_str(text: &str) -> Result<Self, OwnFormatError> {
        let is_regex = text.contains("(?<") || text.contains("(?P<");
        let grammar = if is_regex { regex(text)? } else { Grammar::Steps(steps(text)?) };
        Ok(Self { text: text.to_owned(), grammar })
    }
}

fn regex(text: &str) -> Result<Grammar, OwnFormatError> {
    let refused = |message: String| OwnFormatError { column: 1, message };
    let regex = Regex::new(text).map_err(|error| {
        // The library shows the pattern over several lines, then says what is wrong.
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        refused(last.strip_prefix("error: ").unwrap_or(last).to_owned())
    })?;
    let has = |name: &str| regex.capture_names().flatten().any(|known| known == name);
    if !has("timestamp") && !has("level") {
        return Err(refused("no group is named timestamp or level".to_owned()));
    }
    Ok(Grammar::Regex(regex))
}

fn steps(text: &str) -> Result<Vec<Step>, OwnFormatError> {
    let mut steps: Vec<Step> = Vec::new();
    let mut chars = text.chars().zip(1..).peekable();
    while let Some((char, column)) = chars.next() {
        let refuse = |message: &str| Err(OwnFormatError { column, message: message.to_owned() });
        let is_doubled = chars.peek().is_some_and(|(next, _)| *next == char);
        match char {
            '{' if !is_doubled => {
                let mut inner = String::new();
                loop {
                    match chars.next() {
                        Some(('}', _)) => break,
                        Some((char, _)) => inner.push(char),
                        None => return refuse("the placeholder has no closing brace"),
                    }
                }
                let step = placeholder(&inner, column)?;
                if steps.last().is_some_and(is_open) {
                    return refuse("text must stand between this placeholder and the one before");
                }
                if steps.contains(&step) {
                    return refuse("this placeholder stands here twice");
                }
                steps.push(step);
                continue;
            }
            '}' if !is_doubled => return refuse("a brace that stands for itself is doubled: }}"),
            '{' | '}' => {
                chars.next();
            }
            _ => {}
        }
        match steps.last_mut() {
            Some(Step::Blanks) if char == ' ' => {}
            _ if char == ' ' => steps.push(Step::Blanks),
            Some(Step::Text(text)) => text.push(char),
            _ => steps.push(Step::Text(char.to_string())),
        }
    }
    let shows = |step: &Step| matches!(step, Step::Timestamp(_) | Step::Level);
    if steps.iter().any(shows) {
        return Ok(steps);
    }
    let message = "neither {timestamp} nor {level} stands in it".to_owned();
    Err(OwnFormatError { column: 1, message })
}

/// Whether a step ends only where the text behind it begins.
fn is_open(step: &Step) -> bool {
    matches!(step, Step::Message | Step::Field(_))
}

fn placeholder(inner: &str, column: usize) -> Result<Step, OwnFormatError> {
    let refuse = |message: String| Err(OwnFormatError { column, message });
    let (name, shape) = match inner.split_once(':') {
        Some((name, shape)) => (name, Some(shape)),
        None => (inner, None),
    };
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    match (name, shape) {
        ("timestamp", None) => Ok(Step::Timestamp(None)),
        ("timestamp", Some(shape)) => match StrftimeItems::new(shape).parse_to_owned() {
            Ok(items) if !items.is_empty() => Ok(Step::Timestamp(Some(items))),
            _ => refuse(format!("{shape:?} is no time as strftime writes it")),
        },
        (_, Some(_)) => refuse("only timestamp has a shape behind a colon".to_owned()),
        ("level", None) => Ok(Step::Level),
        ("message", None) => Ok(Step::Message),
        (name, None) if is_name(name) => Ok(Step::Field(name.to_owned())),
        (name, None) => refuse(format!(
            "{name:?} is no name of a field: small letters, digits and _, a letter first"
        )),
    }
}

/// The same text means the same.
impl PartialEq for OwnFormat {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for OwnFormat {}

impl fmt::Debug for OwnFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check_refused(formats: &[&str], expected: &Expect) {
        let refused = formats.iter().map(|text| match text.parse::<OwnFormat>() {
            Ok(_) => format!("{text}: accepted\n"),
            Err(error) => format!("{text}: {error}\n"),
        });
        expected.assert_eq(&refused.collect::<String>());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_column() {
        check_refused(
            &[
                "{timestamp:%d.%m.%Y %H:%M:%S%.3f} {level} [{thread}] {logger}: {message}",
                "{level}{message}",
                "{{{level}}} {message}",
                "message",
                "{message}",
                "{level} {a}{b}",
                "{level} {a} {a}",
                "{level} {message",
                "{level} message}",
                "{level} {Thread}",
                "{level:%d} {message}",
                "é {timestamp:%Q} {message}",
                "(?<level>x",
                "(?<a>x)",
                "^(?<level>\\\\w+) (?<message>.*)",
            ],
            &expect![[r#"
                {timestamp:%d.%m.%Y %H:%M:%S%.3f} {level} [{thread}] {logger}: {message}: accepted
                {level}{message}: accepted
                {{{level}}} {message}: accepted
                message: column 1: neither {timestamp} nor {level} stands in it
                {message}: column 1: neither {timestamp} nor {level} stands in it
                {level} {a}{b}: column 12: text must stand between this placeholder and the one before
                {level} {a} {a}: column 13: this placeholder stands here twice
                {level} {message: column 9: the placeholder has no closing brace
                {level} message}: column 16: a brace that stands for itself is doubled: }}
                {level} {Thread}: column 9: "Thread" is no name of a field: small letters, digits and _, a letter first
                {level:%d} {message}: column 1: only timestamp has a shape behind a colon
                é {timestamp:%Q} {message}: column 3: "%Q" is no time as strftime writes it
                (?<level>x: column 1: unclosed group
                (?<a>x): column 1: no group is named timestamp or level
                ^(?<level>\\w+) (?<message>.*): accepted
            "#]],
        );
    }
}
