//! Makes a text as short as a service wants it, and says so by an ellipsis.

const ELLIPSIS: &str = "…";

/// The text with at most `most` characters.
pub(super) fn chars(text: &str, most: usize) -> String {
    pieces(text.chars().map(|c| (c.to_string(), 1)), most, 1)
}

/// The text with at most `most` bytes of UTF-8.
pub(super) fn bytes(text: &str, most: usize) -> String {
    pieces(text.chars().map(|c| (c.to_string(), c.len_utf8())), most, ELLIPSIS.len())
}

/// The text with each character as `escape` writes it, with at most `most` characters; none of
/// them is cut in two.
pub(super) fn escaped(text: &str, most: usize, escape: impl Fn(char) -> String) -> String {
    let pieces_of = text.chars().map(|c| {
        let piece = escape(c);
        let length = piece.chars().count();
        (piece, length)
    });
    pieces(pieces_of, most, 1)
}

/// As many pieces as fit, each with its length; with an ellipsis where not all of them do.
fn pieces(pieces: impl Iterator<Item = (String, usize)>, most: usize, ellipsis: usize) -> String {
    let mut text = String::new();
    let mut length = 0;
    // Where to cut, should there be more than fits.
    let mut cut = 0;
    for (piece, piece_length) in pieces {
        if length + piece_length > most {
            text.truncate(cut);
            text.push_str(ELLIPSIS);
            return text;
        }
        text.push_str(&piece);
        length += piece_length;
        if length + ellipsis <= most {
            cut = text.len();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_left_alone() {
        assert_eq!(chars("äöü", 3), "äöü");
        assert_eq!(bytes("äöü", 6), "äöü");
        assert_eq!(chars("", 3), "");
    }

    #[test]
    fn what_does_not_fit_is_cut_between_characters() {
        assert_eq!(chars("äöüß", 3), "äö…");
        assert_eq!(bytes("äöüß", 7), "äö…");
        assert_eq!(bytes("äöüß", 6), "ä…");
        let escape = |c: char| if c == '<' { "&lt;".to_owned() } else { c.to_string() };
        assert_eq!(escaped("a<b<", 9, escape), "a&lt;b…");
        assert_eq!(escaped("a<b<", 10, escape), "a&lt;b&lt;");
        assert_eq!(escaped("<<", 6, escape), "&lt;…");
        assert_eq!(escaped("<<", 4, escape), "…");
    }
}
