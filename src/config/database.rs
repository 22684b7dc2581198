//! Where the database is, and how its tables are cut.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use super::problem::ConfigError;
use crate::model::PartitionInterval;

/// `[database]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// The URL, written in the config itself.
    pub url: Option<DatabaseUrl>,
    /// An absolute path of a file that holds the URL; never set together with `url`.
    pub url_file: Option<PathBuf>,
    /// How much time one partition of the entries spans.
    pub partition: PartitionInterval,
}

impl DatabaseConfig {
    /// The URL of the configured database, read from `url_file` if that is set.
    ///
    /// `None` if the config names no database.
    ///
    /// # Errors
    /// If `url_file` cannot be read, is empty, or holds more than one line. The message names
    /// the file and nothing that stands in it.
    pub fn resolve(&self) -> Result<Option<DatabaseUrl>, ConfigError> {
        let Some(path) = &self.url_file else { return Ok(self.url.clone()) };
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::ReadUrlFile { path: path.clone(), source })?;
        DatabaseUrl::from_config(text.trim())
            .map(Some)
            .map_err(|reason| ConfigError::InvalidUrlFile { path: path.clone(), reason })
    }
}

/// The URL of a database, which may hold a password: it shows itself to nobody.
///
/// Either form that `libpq` accepts: `postgresql://...` or `host=... dbname=...`.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Keeps a URL from the command line or the environment.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The URL itself. Give it to the database driver and to nothing that writes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A URL from a file; the error says what is wrong without showing the text.
    pub(super) fn from_config(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("is empty");
        }
        if text.contains(char::is_control) {
            return Err("must hold one line with the database URL");
        }
        Ok(Self::new(text))
    }

    /// Whether a password seems to be part of the URL.
    pub(super) fn has_password(&self) -> bool {
        let Some((_, rest)) = self.0.split_once("://") else {
            return self.0.contains("password");
        };
        let (authority, parameters) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        user.contains(':') || parameters.contains("password=")
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(***)")
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_wherever_libpq_takes_one() {
        for (url, expected) in [
            ("postgresql://ann:secret@db/logs", true),
            ("postgresql://ann:se/cret@db/logs", false),
            ("postgresql://ann@db:5432/logs", false),
            ("postgresql:///logs?user=ann&password=secret", true),
            ("postgresql:///logs?passfile=/etc/pgpass", false),
            ("host=db user=ann password = secret", true),
            ("host=db user=ann", false),
        ] {
            assert_eq!(DatabaseUrl::new(url).has_password(), expected, "{url}");
        }
    }

    #[test]
    fn a_url_shows_itself_to_nobody() {
        let config = DatabaseConfig {
            url: Some(DatabaseUrl::new("postgresql://ann:secret@db/logs")),
            ..DatabaseConfig::default()
        };
        let shown = format!("{config:?} {}", config.url.as_ref().unwrap());
        assert!(!shown.contains("secret") && !shown.contains("ann"), "{shown}");
    }

    fn resolve_file(contents: &[u8]) -> Result<Option<DatabaseUrl>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        fs::write(&path, contents).unwrap();
        let config = DatabaseConfig { url_file: Some(path), ..DatabaseConfig::default() };
        config.resolve().map_err(|error| {
            error.to_string().replace(&folder.path().display().to_string(), "FOLDER")
        })
    }

    #[test]
    fn the_file_holds_one_url_and_white_space_around_it() {
        let url = DatabaseUrl::new("postgresql://db/logs");
        assert_eq!(resolve_file(b" postgresql://db/logs\r\n\n"), Ok(Some(url)));
    }

    #[test]
    fn a_bad_file_is_named_and_never_shown() {
        for (contents, message) in [
            (&b" \n"[..], "database.url_file FOLDER/url is empty"),
            (b"a\nb", "database.url_file FOLDER/url must hold one line with the database URL"),
            (b"secret\xff", "cannot read database.url_file FOLDER/url"),
        ] {
            assert_eq!(resolve_file(contents), Err(message.to_owned()));
        }
    }

    #[test]
    fn without_a_configured_database_there_is_no_url() {
        assert!(matches!(DatabaseConfig::default().resolve(), Ok(None)));
    }
}
