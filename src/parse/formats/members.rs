//! The members of a JSON object, as they stand in a line.
//!
//! `serde_json` would refuse a whole line for one byte that is not UTF-8, for a raw tab in a text
//! and for an end that was cut off, and it copies what it hands over. Here a line is only taken
//! apart: texts keep their escapes, what is nested stays as it is, and nothing is allocated.
//! What is nested is not checked, save that its brackets and quotes are closed.
//!
//! Source: RFC 8259. Beyond it, `NaN` and `Infinity` are numbers, as Python writes them.

use memchr::memchr2;

/// A value as it stands in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Json<'a> {
    /// What stands between the quotes, with its escapes.
    Text(&'a [u8]),
    /// An object with its braces.
    Object(&'a [u8]),
    /// An array with its brackets.
    Array(&'a [u8]),
    /// A number, `true`, `false` or `null`.
    Bare(&'a [u8]),
}

impl<'a> Json<'a> {
    /// As it stands in the line, without the quotes of a text.
    pub(super) fn raw(self) -> &'a [u8] {
        match self {
            Self::Text(raw) | Self::Object(raw) | Self::Array(raw) | Self::Bare(raw) => raw,
        }
    }
}

/// How the members of an object end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End<'a> {
    /// With their brace; this follows it.
    Closed(&'a [u8]),
    /// The line ends before.
    Cut,
    /// With something that is no JSON.
    Malformed,
}

/// The members of an object one after the other: the name with its escapes, and the value.
#[derive(Clone, Debug)]
pub(super) struct Members<'a> {
    rest: &'a [u8],
    is_first: bool,
    end: Option<End<'a>>,
}

impl<'a> Members<'a> {
    /// The members of the object that the input starts with; `None` if it starts with none.
    pub(super) fn of(input: &'a [u8]) -> Option<Self> {
        let rest = input.strip_prefix(b"{")?;
        Some(Self { rest, is_first: true, end: None })
    }

    /// How they ended, once all of them were taken.
    pub(super) fn end(&self) -> End<'a> {
        self.end.unwrap_or(End::Malformed)
    }

    fn member(&mut self) -> Result<(&'a [u8], Json<'a>), End<'a>> {
        let mut rest = skip_space(self.rest);
        match rest.first() {
            Some(b'}') => return Err(End::Closed(&rest[1..])),
            Some(b',') if !self.is_first => rest = skip_space(&rest[1..]),
            Some(_) if self.is_first => {}
            Some(_) => return Err(End::Malformed),
            None => return Err(End::Cut),
        }
        self.is_first = false;
        let (key, rest) = match rest.split_first() {
            Some((b'"', rest)) => text(rest),
            Some(_) => return Err(End::Malformed),
            None => return Err(End::Cut),
        };
        let value = match skip_space(rest).split_first() {
            Some((b':', rest)) => skip_space(rest),
            Some(_) => return Err(End::Malformed),
            None => return Err(End::Cut),
        };
        let (value, rest) = self::value(value)?;
        self.rest = rest;
        Ok((key, value))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.end.is_some() {
            return None;
        }
        self.member().map_err(|end| self.end = Some(end)).ok()
    }
}

/// The values in an array, up to its end or to what is no JSON.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    /// The values in the array that the input starts with; none if it starts with none.
    pub(super) fn of(input: &'a [u8]) -> Self {
        Self { rest: input.strip_prefix(b"[").unwrap_or_default() }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (element, rest) = value(skip_space(self.rest)).unwrap_or((Json::Bare(b""), b""));
        let rest = skip_space(rest);
        self.rest = rest.strip_prefix(b",").unwrap_or_default();
        (!element.raw().is_empty() || matches!(element, Json::Text(_))).then_some(element)
    }
}

/// The value at the start, as much as there is of it, and what follows.
fn value(input: &[u8]) -> Result<(Json<'_>, &[u8]), End<'_>> {
    match input.first() {
        Some(b'"') => {
            let (text, rest) = text(&input[1..]);
            Ok((Json::Text(text), rest))
        }
        Some(bracket @ (b'{' | b'[')) => {
            let (nested, rest) = input.split_at(nested_length(input));
            let value = if *bracket == b'{' { Json::Object(nested) } else { Json::Array(nested) };
            Ok((value, rest))
        }
        Some(first) => {
            let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
            let length = input.iter().take_while(|byte| is_part(byte)).count();
            let (bare, rest) = input.split_at(length);
            let is_number = first.is_ascii_digit() || *first == b'-';
            let is_word = [&b"true"[..], b"false", b"null", b"NaN", b"Infinity"].contains(&bare);
            if is_number || is_word {
                Ok((Json::Bare(bare), rest))
            } else {
                Err(if rest.is_empty() { End::Cut } else { End::Malformed })
            }
        }
        None => Err(End::Cut),
    }
}

/// A text behind its opening quote, and what follows the closing one.
pub(super) fn text(input: &[u8]) -> (&[u8], &[u8]) {
    let length = text_length(input);
    (&input[..length], input.get(length + 1..).unwrap_or_default())
}

/// How many bytes stand before the quote that closes a text, or before the end of the line.
fn text_length(input: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = input.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if input[at] == b'"' {
            return at;
        }
        at += 2;
    }
    input.len()
}

/// The length of what stands between the bracket at the start and the one that closes it.
fn nested_length(input: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = input.get(at) {
        at += 1;
        match byte {
            b'"' => at += text_length(&input[at..]) + 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return at,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    input.len()
}

/// What follows the space that JSON allows between its parts.
pub(super) fn skip_space(input: &[u8]) -> &[u8] {
    let space = input.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    &input[space.count()..]
}

/// Appends a text to `out` with its escapes resolved; of one that is cut short, nothing.
pub(super) fn unescape_into(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let Some(escaped) = rest.get(at + 1) else { return };
        rest = &rest[at + 2..];
        match escaped {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' => out.push(0x08),
            b'f' => out.push(0x0C),
            b'u' => rest = unescape_unicode(rest, out),
            // Go and Python write this.
            b'x' => rest = unescape_byte(rest, out),
            // Of these, JSON knows the quote, the slash and the backslash.
            other => out.push(*other),
        }
    }
    out.extend_from_slice(rest);
}

/// Appends the character of which the hexadecimal digits, and perhaps those of the other half of
/// it, stand at the start of `input`; gives what follows.
fn unescape_unicode<'a>(input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let Some((first, rest)) = hexadecimal(input) else { return input };
    let other_half = || {
        let (second, rest) = hexadecimal(rest.strip_prefix(b"\\u")?)?;
        let both = char::decode_utf16([first, second]).next()?.ok()?;
        Some((both, rest))
    };
    let (character, rest) = match char::from_u32(u32::from(first)) {
        Some(character) => (character, rest),
        None => other_half().unwrap_or((char::REPLACEMENT_CHARACTER, rest)),
    };
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    rest
}

/// Appends the byte of which the hexadecimal digits stand at the start; gives what follows.
fn unescape_byte<'a>(input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let byte = input.split_at_checked(2).and_then(|(digits, rest)| {
        let digits = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)?;
        Some((u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?, rest))
    });
    let (byte, rest) = byte.unwrap_or((b'x', input));
    out.push(byte);
    rest
}

fn hexadecimal(input: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = input.split_at_checked(4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    Some((u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &Expect) {
        let mut members = Members::of(line.as_bytes()).unwrap();
        let mut read = String::new();
        for (key, value) in members.by_ref() {
            let line = [key.escape_ascii().to_string(), kind(value).to_owned(), shown(value.raw())];
            read += &(line.join(" ") + "\n");
        }
        expected.assert_eq(&format!(
            "{read}{}",
            match members.end() {
                End::Closed(rest) => format!("closed {}", shown(rest)),
                End::Cut => "cut".to_owned(),
                End::Malformed => "malformed".to_owned(),
            }
        ));
    }

    fn kind(value: Json<'_>) -> &'static str {
        match value {
            Json::Text(_) => "text",
            Json::Object(_) => "object",
            Json::Array(_) => "array",
            Json::Bare(_) => "bare",
        }
    }

    fn shown(raw: &[u8]) -> String {
        String::from_utf8_lossy(raw).into_owned()
    }

    #[test]
    fn members_of_all_kinds() {
        check(
            r#"{"a":"x \"y\\" , "b":-1.5e3,"c" : {"d":["}",{}],"e":"]"},"f":[],"g":null} z"#,
            &expect![[r#"
                a text x \"y\\
                b bare -1.5e3
                c object {"d":["}",{}],"e":"]"}
                f array []
                g bare null
                closed  z"#]],
        );
        check("{}", &expect![[r#"closed "#]]);
    }

    #[test]
    fn what_is_cut_gives_what_is_there() {
        check(
            r#"{"a":"x\"#,
            &expect![[r#"
            a text x\
            cut"#]],
        );
        check(
            r#"{"a":{"b":"x"#,
            &expect![[r#"
            a object {"b":"x
            cut"#]],
        );
        check(
            r#"{"a":12"#,
            &expect![[r#"
            a bare 12
            cut"#]],
        );
        for cut in ["{", r#"{"a"#, r#"{"a""#, r#"{"a":"#, r#"{"a":tru"#] {
            check(cut, &expect![[r#"cut"#]]);
        }
    }

    #[test]
    fn what_is_no_json_ends_the_members() {
        for malformed in ["{a:1}", r#"{"a" 1}"#, r#"{"a":x}"#, r#"{,"a":1}"#, "{%F} x"] {
            check(malformed, &expect![[r#"malformed"#]]);
        }
        check(
            r#"{"a":1 "b":2}"#,
            &expect![[r#"
            a bare 1
            malformed"#]],
        );
        assert!(Members::of(b"[]").is_none());
    }

    #[test]
    fn escapes() {
        for (raw, expected) in [
            (r"a\n\t\r\b\f\/\\\x\x41", "a\n\t\r\u{8}\u{c}/\\xA"),
            (r"\u00e9\ud83d\ude00.", "\u{e9}\u{1f600}."),
            (r"\ud83d.\ud83d\u0041\udc00", "\u{fffd}.\u{fffd}A\u{fffd}"),
            (r"\u12", "12"),
            (r"cut\", "cut"),
        ] {
            let mut out = Vec::new();
            unescape_into(raw.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(line in r#"\{["\\a:,{}\[\]u0d8 ]{0,40}"#) {
            let mut members = Members::of(line.as_bytes()).unwrap();
            let mut out = Vec::new();
            members.by_ref().for_each(|(_, value)| unescape_into(value.raw(), &mut out));
            members.end();
        }

        #[test]
        fn texts_come_back(text: String) {
            let quoted = serde_json::to_string(&text).unwrap();
            let line = format!("{{\"a\":{quoted}}}");
            let (_, value) = Members::of(line.as_bytes()).unwrap().next().unwrap();
            let mut out = Vec::new();
            unescape_into(value.raw(), &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
