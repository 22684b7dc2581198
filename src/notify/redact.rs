//! Takes secrets out of what the other side says: some repeat what they were sent.

/// What is shown in the place of a secret.
const HIDDEN: &str = "***";
/// A part of a URL that is shorter is no secret, and is a word that messages have too.
const SHORTEST_PART: usize = 6;

/// What must not be shown.
#[derive(Default)]
pub(super) struct Redactor {
    secrets: Vec<String>,
}

impl Redactor {
    /// From now on `secret` is not shown.
    pub(super) fn hide(&mut self, secret: &str) {
        if !secret.is_empty() {
            self.secrets.push(secret.to_owned());
            // A long one may hold a shorter one.
            self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    /// The same for a URL, and for each part of it that may be a secret by itself: user,
    /// password, path and query.
    pub(super) fn hide_url(&mut self, url: &str) {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let login = authority.rsplit_once('@').map(|(login, _)| login).unwrap_or_default();
        // The host alone is what messages call the other side.
        if !login.is_empty() || rest.len() > 1 {
            self.hide(url);
        }
        let parts = rest.split(['/', '?', '#', '&', '=']);
        for part in parts.chain(login.split(':')) {
            if part.len() >= SHORTEST_PART {
                self.hide(part);
            }
        }
    }

    pub(super) fn redact(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_url_is_hidden() {
        let mut redactor = Redactor::default();
        redactor.hide_url("https://ann:passw0rd@example.com/hooks/T0123456?key=abcdefgh&v=1");
        redactor.hide("token");
        assert_eq!(
            redactor.redact(
                "no hook T0123456 with abcdefgh at https://ann:passw0rd@example.com/hooks/\
                 T0123456?key=abcdefgh&v=1 (v=1) for ann:passw0rd and token"
            ),
            "no hook *** with *** at *** (v=1) for ann:*** and ***"
        );
        let mut redactor = Redactor::default();
        redactor.hide_url("https://example.com/");
        assert_eq!(redactor.redact("https://example.com/…: down"), "https://example.com/…: down");
    }
}
