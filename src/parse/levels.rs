//! The words that logs use for levels, and the level that each of them means.

use crate::model::Level;

/// Every word, in upper case, with its level; from the least level to the worst.
///
/// Gathered from RFC 5424 (syslog severities), Apache, log4j, `java.util.logging`, PostgreSQL,
/// Python, Go (zap, zerolog, logrus), Rust, Serilog and .NET. PostgreSQL's `LOG` ranks above
/// its errors only for what reaches the server log; what it says is information.
pub const WORDS: &[(&str, Level)] = &[
    ("TRACE", Level::Trace),
    ("TRACE1", Level::Trace),
    ("TRACE2", Level::Trace),
    ("TRACE3", Level::Trace),
    ("TRACE4", Level::Trace),
    ("TRACE5", Level::Trace),
    ("TRACE6", Level::Trace),
    ("TRACE7", Level::Trace),
    ("TRACE8", Level::Trace),
    ("TRC", Level::Trace),
    ("TRCE", Level::Trace),
    ("VERBOSE", Level::Trace),
    ("VRB", Level::Trace),
    ("FINER", Level::Trace),
    ("FINEST", Level::Trace),
    ("DEBUG", Level::Debug),
    ("DBG", Level::Debug),
    ("DBUG", Level::Debug),
    ("FINE", Level::Debug),
    ("DEBUG1", Level::Debug),
    ("DEBUG2", Level::Debug),
    ("DEBUG3", Level::Debug),
    ("DEBUG4", Level::Debug),
    ("DEBUG5", Level::Debug),
    ("INFO", Level::Info),
    ("INF", Level::Info),
    ("INFORMATION", Level::Info),
    ("INFORMATIONAL", Level::Info),
    ("NOTICE", Level::Info),
    ("CONFIG", Level::Info),
    ("LOG", Level::Info),
    ("WARNING", Level::Warning),
    ("WARN", Level::Warning),
    ("WRN", Level::Warning),
    ("ERROR", Level::Error),
    ("ERR", Level::Error),
    ("EROR", Level::Error),
    ("SEVERE", Level::Error),
    ("FAIL", Level::Error),
    ("FAILURE", Level::Error),
    ("FATAL", Level::Fatal),
    ("FTL", Level::Fatal),
    ("CRITICAL", Level::Fatal),
    ("CRIT", Level::Fatal),
    ("ALERT", Level::Fatal),
    ("EMERG", Level::Fatal),
    ("EMERGENCY", Level::Fatal),
    ("PANIC", Level::Fatal),
    ("DPANIC", Level::Fatal),
];

/// The level of a severity of syslog (RFC 5424, table 2), 0 (emergency) to 7 (debug).
pub const fn of_severity(severity: u16) -> Level {
    match severity {
        0..=2 => Level::Fatal,
        3 => Level::Error,
        4 => Level::Warning,
        5 | 6 => Level::Info,
        _ => Level::Debug,
    }
}

/// The level of a severity as the journal of systemd writes it; that of what has none.
pub fn of_priority(priority: &[u8]) -> Level {
    match priority {
        [digit @ b'0'..=b'7'] => of_severity(u16::from(*digit - b'0')),
        _ => Level::Info,
    }
}

/// The level that a word means, in any case; `None` if it is none of [`WORDS`].
pub fn level(word: &[u8]) -> Option<Level> {
    // The names that most logs use come first: this stands in the way of every line.
    match word {
        b"INFO" | b"info" => Some(Level::Info),
        b"ERROR" | b"error" => Some(Level::Error),
        b"WARNING" | b"WARN" | b"warning" | b"warn" => Some(Level::Warning),
        b"DEBUG" | b"debug" => Some(Level::Debug),
        b"TRACE" | b"trace" => Some(Level::Trace),
        b"FATAL" | b"fatal" => Some(Level::Fatal),
        // None begins otherwise, and numbers are what is asked for most besides.
        [first, ..] if !first.is_ascii_alphabetic() => None,
        _ => WORDS
            .iter()
            .find(|(known, _)| word.eq_ignore_ascii_case(known.as_bytes()))
            .map(|&(_, level)| level),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_known_in_any_case() {
        for (word, expected) in WORDS {
            assert_eq!(level(word.as_bytes()), Some(*expected), "{word}");
            assert_eq!(level(word.to_lowercase().as_bytes()), Some(*expected), "{word}");
        }
    }

    #[test]
    fn the_words_are_upper_case_sorted_by_level_and_unique() {
        assert!(WORDS.is_sorted_by_key(|(_, level)| *level));
        for (index, (word, _)) in WORDS.iter().enumerate() {
            assert_eq!(*word, word.to_uppercase());
            assert!(WORDS[..index].iter().all(|(earlier, _)| earlier != word), "{word}");
        }
    }

    #[test]
    fn every_level_is_known_by_its_own_name() {
        for expected in Level::ALL {
            assert_eq!(level(expected.as_str().as_bytes()), Some(expected));
        }
    }

    #[test]
    fn priorities_are_those_of_syslog() {
        let names = ["EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG"];
        for (priority, name) in names.iter().enumerate() {
            let expected = level(name.as_bytes()).unwrap();
            assert_eq!(of_priority(priority.to_string().as_bytes()), expected, "{name}");
        }
        assert_eq!(of_priority(b""), Level::Info);
    }

    #[test]
    fn other_words_are_no_level() {
        for word in ["", "E", "ERRORS", "INFO ", "MAIN", "\u{df}", "NONE"] {
            assert_eq!(level(word.as_bytes()), None, "{word:?}");
        }
    }
}
