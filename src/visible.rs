//! Text from a log, made fit to be shown on one line of a terminal.
//!
//! Log text is hostile: it may hold escape sequences that repaint the screen, line feeds that
//! fake a line of output, and marks that reverse the direction of writing.

/// The text on one line, with what could do anything but be read written as an escape, cut
/// to `max_chars` characters.
pub fn line(text: &str, max_chars: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max_chars * 4));
    for (count, character) in text.chars().enumerate() {
        if count >= max_chars {
            shown.push('…');
            break;
        }
        if is_harmless(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

/// Whether a character only shows itself.
///
/// The others are the control characters (C0, C1, DEL), line and paragraph separators, and the
/// marks that set the direction of writing (Unicode Standard Annex 9) or are not seen at all.
fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_act_on_the_terminal_is_written_out() {
        assert_eq!(line("a\x1b[2Jb\r\nc\u{9b}d", 99), r"a\u{1b}[2Jb\r\nc\u{9b}d");
        assert_eq!(line("\u{202e}gnp.exe", 99), r"\u{202e}gnp.exe");
        assert_eq!(line("Grüße, 世界 🎉", 99), "Grüße, 世界 🎉");
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(line("äöü", 2), "äö…");
        assert_eq!(line("äöü", 3), "äöü");
    }
}
