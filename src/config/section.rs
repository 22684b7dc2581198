//! Typed access to one table of the file, which reports what is wrong where it stands.

use std::ops::RangeInclusive;

use toml::de::{DeInteger, DeTable, DeValue};

use super::file::Table;
use super::problem::Problems;
use super::words::{self, quoted};

/// One table of the file, with the keys it may have.
///
/// Every reading method gives `None` both for an absent key and for one whose value is wrong;
/// what is wrong has been reported by then. A converter returns what follows the key's name
/// in the message: `must be absolute`.
pub(super) struct Section<'d, 'p> {
    words: &'static Table,
    table: &'d DeTable<'d>,
    byte_offset: usize,
    problems: &'p mut Problems<'d>,
    is_right: bool,
    /// Keys that a misspelt one was probably meant to be: they are not missing as well.
    meant: Vec<&'static str>,
}

impl<'d, 'p> Section<'d, 'p> {
    /// Opens a table that starts at `byte_offset` and reports the keys it may not have.
    pub(super) fn new(
        words: &'static Table,
        table: &'d DeTable<'d>,
        byte_offset: usize,
        problems: &'p mut Problems<'d>,
    ) -> Self {
        let mut section =
            Self { words, table, byte_offset, problems, is_right: true, meant: Vec::new() };
        for key in table.keys() {
            section.check_key(key.span().start, key.get_ref());
        }
        section
    }

    /// Whether the key is there, with whatever value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Reports each of the keys that is not there.
    pub(super) fn require(&mut self, keys: &[&str]) {
        for key in keys {
            let is_there = self.has(key) || self.meant.contains(key);
            if !is_there && self.problems.is_complete() {
                let message = format!("missing key {key:?} {}", self.words.place);
                self.report(self.byte_offset, message);
            }
        }
    }

    /// Reports a problem with the value of `key`, or with the table if the key is absent.
    pub(super) fn refuse(&mut self, key: &str, message: &str) {
        let byte_offset = self.table.get(key).map_or(self.byte_offset, |value| value.span().start);
        self.report(byte_offset, format!("{key} {message}"));
    }

    /// Whether all of the table that was read so far is right, and nothing of it can be hidden
    /// behind a syntax error.
    pub(super) fn is_right(&self) -> bool {
        self.is_right && self.problems.is_complete()
    }

    /// A string, converted.
    pub(super) fn string<T>(
        &mut self,
        key: &str,
        convert: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.value(key, |value| match value {
            DeValue::String(text) => without_nul(text).and_then(convert),
            other => Err(expected("a string", other)),
        })
    }

    /// An array of strings, each converted. Every wrong one is reported.
    pub(super) fn strings<T>(
        &mut self,
        key: &str,
        convert: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let values = self.value(key, |value| {
            value.as_array().ok_or_else(|| expected("an array of strings", value))
        })?;
        let mut converted = Vec::with_capacity(values.len());
        for value in values {
            let element = match value.get_ref() {
                DeValue::String(text) => without_nul(text).and_then(&convert),
                other => Err(format!("must hold only strings, found {}", name_of(other))),
            };
            match element {
                Ok(element) => converted.push(element),
                Err(message) => {
                    self.report(value.span().start, format!("{key} {message}"));
                }
            }
        }
        (converted.len() == values.len()).then_some(converted)
    }

    /// A string, or an array of them, each converted.
    pub(super) fn string_or_strings<T>(
        &mut self,
        key: &str,
        convert: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        match self.table.get(key)?.get_ref() {
            DeValue::String(_) => self.string(key, convert).map(|value| vec![value]),
            _ => self.strings(key, convert),
        }
    }

    /// A whole number within bounds.
    pub(super) fn integer(&mut self, key: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
        self.value(key, |value| {
            let wanted = format!("an integer from {} to {}", bounds.start(), bounds.end());
            let DeValue::Integer(written) = value else { return Err(expected(&wanted, value)) };
            whole_number(written)
                .and_then(|number| u32::try_from(number).ok())
                .filter(|number| bounds.contains(number))
                .ok_or_else(|| format!("must be {wanted}, found {written}"))
        })
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, key: &str) -> Option<bool> {
        self.value(key, |value| value.as_bool().ok_or_else(|| expected("true or false", value)))
    }

    /// A value of any type, converted.
    pub(super) fn value<T>(
        &mut self,
        key: &str,
        convert: impl FnOnce(&'d DeValue<'d>) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.table.get(key)?;
        convert(value.get_ref()).map_err(|message| self.refuse(key, &message)).ok()
    }

    /// A table that may be there once: `[key]`.
    pub(super) fn table<T>(
        &mut self,
        key: &str,
        words: &'static Table,
        read: impl FnOnce(Section<'d, '_>) -> T,
    ) -> Option<T> {
        let byte_offset = self.table.get(key)?.span().start;
        let table = self.value(key, |value| {
            value.as_table().ok_or_else(|| expected(&format!("a table, written [{key}]"), value))
        })?;
        Some(read(Section::new(words, table, byte_offset, self.problems)))
    }

    /// A table whose keys the user chooses, each with a string: both are converted together. Every
    /// wrong one is reported, and one that is there twice in another case.
    pub(super) fn pairs<T>(
        &mut self,
        key: &str,
        convert: impl Fn(&str, &str) -> Result<T, String>,
    ) -> Option<Vec<(String, T)>> {
        let table = self.value(key, |value| {
            value.as_table().ok_or_else(|| expected(&format!("a table, written [{key}]"), value))
        })?;
        let mut pairs: Vec<(String, T)> = Vec::with_capacity(table.len());
        for (name, value) in table {
            let (name, byte_offset) = (name.get_ref().as_ref(), value.span().start);
            let is_known = |(known, _): &(String, T)| known.to_lowercase() == name.to_lowercase();
            let found = match value.get_ref() {
                _ if pairs.iter().any(is_known) => {
                    Err("is there already, in capitals or in small letters".to_owned())
                }
                DeValue::String(text) => without_nul(name)
                    .and_then(|_| without_nul(text))
                    .and_then(|text| convert(name, text)),
                other => Err(expected("a string", other)),
            };
            match found {
                Ok(found) => pairs.push((name.to_owned(), found)),
                Err(message) => {
                    self.report(byte_offset, format!("{} in {key} {message}", quoted(name)));
                }
            }
        }
        (pairs.len() == table.len()).then_some(pairs)
    }

    /// Tables that may be there many times: `[[key]]`.
    pub(super) fn tables<T>(
        &mut self,
        key: &str,
        words: &'static Table,
        mut read: impl FnMut(Section<'d, '_>) -> T,
    ) -> Vec<T> {
        let wanted = format!("a list of tables, each written [[{key}]]");
        let values =
            self.value(key, |value| value.as_array().ok_or_else(|| expected(&wanted, value)));
        let mut results = Vec::new();
        for value in values.into_iter().flatten() {
            let byte_offset = value.span().start;
            if let Some(table) = value.get_ref().as_table() {
                results.push(read(Section::new(words, table, byte_offset, self.problems)));
            } else {
                let message = format!("{key} {}", expected(&wanted, value.get_ref()));
                self.report(byte_offset, message);
            }
        }
        results
    }

    fn report(&mut self, byte_offset: usize, message: String) {
        self.is_right = false;
        self.problems.report(byte_offset, message);
    }

    fn check_key(&mut self, byte_offset: usize, key: &str) {
        let Table { place, keys, later } = *self.words;
        if keys.contains(&key) {
            return;
        }
        let message = if later.contains(&key) {
            format!("key {key:?} {place} is not supported yet")
        } else {
            self.meant.extend(words::nearest(key, keys.iter().copied()));
            format!("unknown key {} {place}; {}", quoted(key), words::advice(key, keys))
        };
        self.report(byte_offset, message);
    }
}

/// What to say about a value of another type than the one that is wanted.
pub(super) fn expected(wanted: &str, found: &DeValue<'_>) -> String {
    format!("must be {wanted}, found {}", name_of(found))
}

/// The number that an integer of the file stands for, if it is small enough to be meant.
pub(super) fn whole_number(written: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(written.as_str(), written.radix()).ok()
}

/// PostgreSQL cannot store NUL, and no path can hold one.
fn without_nul(text: &str) -> Result<&str, String> {
    if text.contains('\0') { Err("must not hold a NUL character".to_owned()) } else { Ok(text) }
}

fn name_of(value: &DeValue<'_>) -> String {
    let name = value.type_str();
    let article = if name.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {name}")
}
