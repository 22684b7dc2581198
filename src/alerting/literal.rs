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
    // Of several that are as long, the first one.
    runs(pattern).into_iter().rev().max_by_key(|run| run.len())
}

/// What every text is like that the pattern matches, as a pattern of LIKE (manual, "Pattern
/// Matching"): one such run after the other. `None` where that says no more than the longest one.
pub(super) fn likeness(pattern: &str) -> Option<String> {
    let runs = runs(pattern);
    if runs.len() < 2 {
        return None;
    }
    let mut likeness = "%".to_owned();
    for run in runs {
        for character in run.chars() {
            if matches!(character, '%' | '_' | '\\') {
                likeness.push('\\');
            }
            likeness.push(character);
        }
        likeness.push('%');
    }
    Some(likeness)
}

/// The runs of plain characters that every text has in it that the pattern matches, in the order
/// in which it has them; as far as they are seen.
fn runs(pattern: &str) -> Vec<&str> {
    // Any of the branches may match; and a director changes what the rest means.
    if pattern.contains('|') || pattern.starts_with("***") {
        return Vec::new();
    }
    let mut runs = Vec::new();
    let mut begin = 0;
    for (at, character) in pattern.char_indices() {
        let end = match character {
            '.' | '^' | '$' | '+' | '[' | '(' | ')' | '\\' => at,
            // There may be none of the character before it.
            '*' | '?' | '{' => {
                at - pattern[begin..at].chars().next_back().map_or(0, char::len_utf8)
            }
            _ => continue,
        };
        runs.push(&pattern[begin..end]);
        begin = at + character.len_utf8();
        if matches!(character, '[' | '(' | ')' | '\\' | '{') {
            begin = pattern.len();
            break;
        }
    }
    runs.push(&pattern[begin..]);
    runs.retain(|run| !run.is_empty());
    runs
}

#[cfg(test)]
mod tests {
    use super::{likeness, required_literal};

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

    #[test]
    fn all_runs_are_looked_for_in_their_order() {
        for (pattern, like) in [
            ("disk full", None),
            ("took 1..9 ms", Some("%took 1%9 ms%")),
            ("100%.*c_d", Some("%100\\%%c\\_d%")),
            ("colou?r (of|in) it", None),
            ("colou?r [a-z] it", Some("%colo%r %")),
            ("a+ab", Some("%a%ab%")),
            ("", None),
        ] {
            assert_eq!(likeness(pattern).as_deref(), like, "{pattern}");
        }
    }
}
