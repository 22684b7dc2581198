//! What the heads of text formats are made of, besides times.

use memchr::memchr;
use nom::Parser;
use nom::bytes::complete::take_while1;
use nom::combinator::verify;

use crate::model::{Level, LevelWords};
use crate::parse::levels;
use crate::parse::timestamp::{Parsed, is_blank, is_digit, is_word};

/// How long a group in brackets may be before it is no part of a head.
const MAX_GROUP_BYTES: usize = 512;
/// How long a name may be.
const MAX_NAME_BYTES: usize = 200;

/// The word at the start.
pub(super) fn word(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(is_word).parse(input)
}

/// A level in capitals, as a head shows it: `ERROR`.
pub(super) fn capital_level<'a>(input: &'a [u8], words: &LevelWords) -> Parsed<'a, Level> {
    let (rest, word) =
        verify(word, |word: &[u8]| word.iter().all(u8::is_ascii_uppercase)).parse(input)?;
    levels::level(word, words).map(|level| (rest, level)).ok_or(nom::Err::Error(()))
}

/// A level as it stands where nothing but a level can stand: in any case.
pub(super) fn any_level<'a>(input: &'a [u8], words: &LevelWords) -> Parsed<'a, Level> {
    let (rest, word) = word(input)?;
    levels::level(word, words).map(|level| (rest, level)).ok_or(nom::Err::Error(()))
}

/// What stands between a bracket and the one that closes it; others may be nested in it.
pub(super) fn group(input: &[u8]) -> Parsed<'_, &[u8]> {
    let mut depth = 0_usize;
    for (at, byte) in input.iter().enumerate().take(MAX_GROUP_BYTES) {
        match byte {
            b'[' => depth += 1,
            _ if depth == 0 => break,
            b']' if depth == 1 => return Ok((&input[at + 1..], &input[1..at])),
            b']' => depth -= 1,
            _ => {}
        }
    }
    Err(nom::Err::Error(()))
}

/// A decimal number, as text.
pub(super) fn number(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(is_digit).parse(input)
}

/// The name of a logger, of a module or of a class: parts with dots, dollars, colons, slashes or
/// dashes between them. A colon at its end does not belong to it.
pub(super) fn name(input: &[u8]) -> Parsed<'_, &[u8]> {
    let is_part = |byte: u8| is_word(byte) || b".$:/@-<>".contains(&byte);
    let (_, name) = take_while1(is_part).parse(input)?;
    let length = name.len() - name.iter().rev().take_while(|byte| **byte == b':').count();
    let starts = name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    if length == 0 || length > MAX_NAME_BYTES || !starts {
        return Err(nom::Err::Error(()));
    }
    Ok((&input[length..], &name[..length]))
}

/// Whether a name has parts, which no word of a sentence has.
pub(super) fn is_qualified(name: &[u8]) -> bool {
    let inner = name.get(1..name.len().saturating_sub(1)).unwrap_or_default();
    inner.iter().any(|byte| b".$/".contains(byte)) || inner.windows(2).any(|two| two == b"::")
}

/// What follows blanks.
pub(super) fn skip_blanks(input: &[u8]) -> &[u8] {
    let blanks = input.iter().take_while(|byte| is_blank(**byte)).count();
    &input[blanks..]
}

/// The level that a message names at its start where its format has none: `error: ...`,
/// `WARNING: ...`, `[error] ...`, `<Warning> ...`, `ALERT - ...`.
pub(super) fn leading_level(message: &[u8], words: &LevelWords) -> Option<Level> {
    let message = skip_blanks(message);
    let (inner, closing) = match message.first()? {
        b'[' => (message.get(1..)?, Some(b']')),
        b'<' => (message.get(1..)?, Some(b'>')),
        b'(' => (message.get(1..)?, Some(b')')),
        _ => (message, None),
    };
    let (rest, word) = word(skip_blanks(inner)).ok()?;
    let is_marked = match closing {
        Some(closing) => skip_blanks(rest).first() == Some(&closing),
        None => {
            rest.first() == Some(&b':')
                || skip_blanks(rest).starts_with(b"- ") && rest.first() == Some(&b' ')
        }
    };
    if is_marked { levels::level(word, words) } else { None }
}

/// The bytes of `line` before `rest`, which is its end.
pub(super) fn before<'a>(line: &'a [u8], rest: &[u8]) -> &'a [u8] {
    &line[..line.len().saturating_sub(rest.len())]
}

/// What follows the next blank, without blanks; `None` if there is none within `limit` bytes.
pub(super) fn after_word(input: &[u8], limit: usize) -> Option<&[u8]> {
    let end = memchr(b' ', &input[..input.len().min(limit)])?;
    Some(skip_blanks(&input[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_closed_by_their_own_bracket() {
        assert_eq!(group(b"[a] b"), Ok((&b" b"[..], &b"a"[..])));
        assert_eq!(group(b"[a[b]c]d"), Ok((&b"d"[..], &b"a[b]c"[..])));
        assert_eq!(group(b"[]"), Ok((&b""[..], &b""[..])));
        for none in ["", "a", "[a", "[a[b]", "]"] {
            assert!(group(none.as_bytes()).is_err(), "{none}");
        }
    }

    #[test]
    fn names_have_parts() {
        assert_eq!(name(b"a.b.C$D: x"), Ok((&b": x"[..], &b"a.b.C$D"[..])));
        assert_eq!(name(b"app::db:: x"), Ok((&b":: x"[..], &b"app::db"[..])));
        assert!(name(b"1a").is_err() && name(b":").is_err());
        for qualified in ["a.b", "a::b", "a/b", "a$b"] {
            assert!(is_qualified(qualified.as_bytes()), "{qualified}");
        }
        for plain in ["a", "a.", "a-b", "a:b", ""] {
            assert!(!is_qualified(plain.as_bytes()), "{plain}");
        }
    }

    #[test]
    fn a_message_may_begin_with_its_level() {
        for (message, expected) in [
            ("error: PAM: x", Some(Level::Error)),
            ("WARNING: x", Some(Level::Warning)),
            ("[error] [horde] x", Some(Level::Error)),
            ("<Info> x", Some(Level::Info)),
            ("ALERT - x", Some(Level::Fatal)),
            (" error: x", Some(Level::Error)),
            ("error x", None),
            ("error", None),
            ("errors: x", None),
            ("[error x", None),
            ("", None),
        ] {
            assert_eq!(leading_level(message.as_bytes(), &LevelWords::NONE), expected, "{message}");
        }
    }
}
