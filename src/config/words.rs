//! Words that the config does not know, and the known ones that are nearest to them.

/// What to say about a word that is not among the `known` ones, to be read after its name:
/// `kind "ratoi" is not known; ...`.
///
/// `later` are words of the documented format that this version has not built yet.
pub(super) fn refusal(word: &str, known: &[&str], later: &[&str]) -> String {
    if contains(later, word) {
        return format!("{} is not supported yet; {}", quoted(word), this_version_knows(known));
    }
    format!("{} is not known; {}", quoted(word), advice(word, known))
}

/// A text of the file as a message shows it: shortened, and not at all if it looks like a
/// database URL, which may have got under the wrong key.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    if text.contains("://") || (text.contains("password") && text.contains('=')) {
        return "\"***\"".to_owned();
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// The known word that was probably meant, or all of them.
pub(super) fn advice(word: &str, known: &[&str]) -> String {
    nearest(word, known.iter().copied())
        .map_or_else(|| this_version_knows(known), |near| format!("did you mean {near:?}?"))
}

/// The candidate that `word` is most likely a slip of, if one is near enough.
///
/// Near is one edit for each three characters of the word, or a shortened form of at least
/// three characters (`WARN`); case does not count.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    let distance = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let shortened = length >= 3 && candidate.starts_with(&word);
        let edits = strsim::osa_distance(&word, &candidate);
        if shortened { edits.min(1) } else { edits }
    };
    candidates
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, _)| *distance <= (length / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn this_version_knows(known: &[&str]) -> String {
    format!("this version knows: {}", known.join(", "))
}

fn contains(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_is_short_and_holds_no_secret() {
        assert_eq!(quoted("a\nb"), "\"a\\nb\"");
        assert_eq!(quoted("postgresql://ann:secret@db"), "\"***\"");
        assert_eq!(quoted("host=db password = secret"), "\"***\"");
        assert_eq!(quoted(&"ü".repeat(81)), format!("\"{}\"...", "ü".repeat(80)));
    }

    #[test]
    fn the_nearest_word_is_found_if_it_is_near_enough() {
        let words = ["name", "paths", "timezone", "store", "start", "ERROR", "WARNING"];
        for (word, expected) in [
            ("pahts", Some("paths")),
            ("path", Some("paths")),
            ("time_zone", Some("timezone")),
            ("Store", Some("store")),
            ("EROR", Some("ERROR")),
            ("WARN", Some("WARNING")),
            ("warning", Some("WARNING")),
            ("st", None),
            ("frequency", None),
            ("START", Some("start")),
            ("", None),
        ] {
            assert_eq!(nearest(word, words.into_iter()), expected, "{word:?}");
        }
    }
}
