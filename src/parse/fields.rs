//! What a line says besides time, level and message, as it goes into the column `fields`.
//!
//! Bounded: a log can hold anything, and each stored entry carries its fields. What is left out
//! is left out whole, save that a long text is cut; the line itself stays in the log.

use serde_json::{Map, Value};

use super::text;

/// How many fields an entry may have.
const MAX_FIELDS: usize = 50;
/// Bytes of a name; a longer one is no name.
const MAX_NAME_BYTES: usize = 100;
/// Bytes of one text.
const MAX_TEXT_BYTES: usize = 1024;
/// Bytes of all names and values, without punctuation.
const MAX_BYTES: usize = 8 * 1024;
/// How deep values may be nested.
const MAX_DEPTH: usize = 4;

/// Named values of one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    map: Map<String, Value>,
    bytes: usize,
}

impl Fields {
    /// The fields, in the order of the line.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.map
    }

    pub(super) fn clear(&mut self) {
        self.map.clear();
        self.bytes = 0;
    }

    /// Adds a text as it stands in the line; an empty one, or `-`, says nothing.
    pub(super) fn push(&mut self, name: &str, raw: &[u8]) {
        if raw.is_empty() || raw == b"-" {
            return;
        }
        let mut value = String::new();
        text::clean_into(raw, &mut value);
        self.push_value(name, Value::String(value));
    }

    /// Adds a number as it stands in the line, or the text if it is none.
    pub(super) fn push_number(&mut self, name: &str, raw: &[u8]) {
        let number = str::from_utf8(raw).ok().and_then(|raw| raw.parse::<i64>().ok());
        match number {
            Some(number) => self.push_value(name, number.into()),
            None => self.push(name, raw),
        }
    }

    /// Adds any value. The first of two with one name stays.
    pub(super) fn push_value(&mut self, name: &str, mut value: Value) {
        let fits = self.map.len() < MAX_FIELDS
            && !name.is_empty()
            && name.len() <= MAX_NAME_BYTES
            && depth(&value) <= MAX_DEPTH;
        if !fits {
            return;
        }
        cut_texts(&mut value);
        let bytes = name.len() + size(&value);
        if self.bytes + bytes > MAX_BYTES || self.map.contains_key(name) {
            return;
        }
        self.bytes += bytes;
        // PostgreSQL's text holds no NUL.
        self.map.insert(name.replace('\0', "\u{2400}"), value);
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or_default(),
        Value::Object(values) => 1 + values.values().map(depth).max().unwrap_or_default(),
        _ => 1,
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(size).sum(),
        Value::Object(values) => values.iter().map(|(name, value)| name.len() + size(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

/// Cuts what is too long, and replaces what PostgreSQL cannot hold.
fn cut_texts(value: &mut Value) {
    match value {
        Value::String(text) => {
            if text.len() > MAX_TEXT_BYTES {
                let end = (0..=MAX_TEXT_BYTES).rev().find(|end| text.is_char_boundary(*end));
                text.truncate(end.unwrap_or_default());
            }
            if text.contains('\0') {
                *text = text.replace('\0', "\u{2400}");
            }
        }
        Value::Array(values) => values.iter_mut().for_each(cut_texts),
        Value::Object(values) => {
            if values.keys().any(|name| name.contains('\0')) {
                values.clear();
            }
            values.values_mut().for_each(cut_texts);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_says_nothing_is_left_out() {
        let mut fields = Fields::default();
        fields.push("a", b"");
        fields.push("b", b"-");
        fields.push("c", b"x\0y\xff");
        fields.push_number("d", b"12");
        fields.push_number("e", b"12:7");
        fields.push("d", b"again");
        let expected = json!({"c": "x\u{2400}y\u{fffd}", "d": 12, "e": "12:7"});
        assert_eq!(Value::Object(fields.as_map().clone()), expected);
    }

    #[test]
    fn all_of_it_is_bounded() {
        let mut fields = Fields::default();
        fields.push("long", &vec![b'x'; 5000]);
        assert_eq!(fields.as_map()["long"].as_str().unwrap().len(), MAX_TEXT_BYTES);
        fields.push(&"n".repeat(101), b"x");
        fields.push_value("deep", json!([[[[1]]]]));
        assert_eq!(fields.as_map().len(), 1);
        for number in 0..200 {
            fields.push(&format!("field{number}"), &[b'x'; 200]);
        }
        assert!(fields.bytes <= MAX_BYTES && fields.as_map().len() <= MAX_FIELDS);
        fields.clear();
        for number in 0..200 {
            fields.push(&format!("field{number}"), b"x");
        }
        assert_eq!(fields.as_map().len(), MAX_FIELDS);
    }
}
