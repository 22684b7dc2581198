//! What a text must have in it for a pattern to match, as far as that is easily seen.
//!
//! Looking for a word takes a tenth of the time that PostgreSQL's regular expressions take, and
//! most entries lack the word. What is not understood here is no error: the pattern decides
//! anyway.

/// The longest run of plain characters that every text has in it that the pattern matches.
///
/// The pattern is an advanced regular expression of PostgreSQL (manual, "POSIX Regular
/// Expressions"), which PostgreSQL can read. `None` where there is no such run, or none is seen:
/// groups, brackets and escapes are not looked into, nor behind.
pub(super) fn required_literal(pattern: &str) -> Option<&str> {
    // Any of the branches may match; and a director changes what the rest means.
    if pattern.contains('|') || pattern.starts_with("***") {
        return None;
    }
    let mut longest = "";
    let mut run = 0;
    for (at, character) in pattern.char_indices() {
        let end = match character {
            '.' | '^' | '$' | '+' | '[' | '(' | ')' | '\\' => at,
            // There may be none of the character before it.
            '*' | '?' | '{' => at - pattern[run..at].chars().next_back().map_or(0, char::len_utf8),
            _ => continue,
        };
        longest = longer(longest, &pattern[run..end]);
        run = at + character.len_utf8();
        if matches!(character, '[' | '(' | ')' | '\\' | '{') {
            run = pattern.len();
            break;
        }
    }
    longest = longer(longest, &pattern[run..]);
    (!longest.is_empty()).then_some(longest)
}

fn longer<'a>(one: &'a str, other: &'a str) -> &'a str {
    if other.len() > one.len() { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::required_literal;

    #[test]
    fn the_longest_run_outside_of_groups_is_required() {
        for (pattern, literal) in [
            ("disk full", Some("disk full")),
            ("^disk.*full of it$", Some("full of it")),
            ("took 1..9 ms", Some("took 1")),
            ("colou?r", Some("colo")),
            ("a+bc", Some("bc")),
            ("naïveté*", Some("naïvet")),
            ("x{2,3}yz", None),
            ("ab{2,3}", Some("a")),
            ("user=(\\S+) failed", Some("user=")),
            ("Failed\\spassword", Some("Failed")),
            ("[a-z]+ failed", None),
            ("(?i)disk", None),
            ("***=a.b", None),
            ("disk|full", None),
            ("(disk|full) error", None),
            ("a*?b", Some("b")),
            ("", None),
            ("^$", None),
        ] {
            assert_eq!(required_literal(pattern), literal, "{pattern}");
        }
    }
}
