//! What nobody may see: passwords, tokens, and addresses that hold one.

use std::fmt;
use std::path::PathBuf;
use std::{env, fs};

use super::section::Section;
use super::value;

/// Where a secret is. It is read when it is needed, so that a config can be checked without it.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// In the config itself.
    Plain(String),
    /// In the only line of a file, by its absolute path.
    File(PathBuf),
    /// In a variable of the environment.
    Env(String),
}

/// Why a secret cannot be had. It names the place and nothing that stands there.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read the secret in {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The variable is not there.
    #[error("the variable {0} is not set, which the config names for a secret")]
    Unset(String),
    /// There is nothing, or more than one line.
    #[error("{0} must hold one line with the secret")]
    NotOneLine(String),
}

impl Secret {
    /// The secret itself. Give it to who needs it and to nothing that writes.
    ///
    /// # Errors
    /// When it is not where the config says.
    pub fn read(&self) -> Result<String, SecretError> {
        let (text, place) = match self {
            Self::Plain(text) => return Ok(text.clone()),
            Self::File(path) => {
                let text = fs::read_to_string(path)
                    .map_err(|source| SecretError::Unreadable { path: path.clone(), source })?;
                (text, path.display().to_string())
            }
            Self::Env(name) => {
                let text = env::var(name).map_err(|_| SecretError::Unset(name.clone()))?;
                (text, format!("the variable {name}"))
            }
        };
        let line = text.trim();
        if line.is_empty() || line.contains(char::is_control) {
            return Err(SecretError::NotOneLine(place));
        }
        Ok(line.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("Plain(***)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Env(name) => f.debug_tuple("Env").field(name).finish(),
        }
    }
}

/// Whether a secret is there, in one of its three ways.
pub(super) fn has_secret(section: &Section<'_, '_>, key: &str) -> bool {
    ["", "_file", "_env"].iter().any(|way| section.has(&format!("{key}{way}")))
}

/// A secret that has to be there, in one of its three ways.
pub(super) fn required(section: &mut Section<'_, '_>, key: &'static str) -> Option<Secret> {
    if !has_secret(section, key) {
        section.require(&[key]);
    }
    secret(section, key)
}

/// A secret in one of its three ways: `key`, `key_file` or `key_env`.
pub(super) fn secret(section: &mut Section<'_, '_>, key: &str) -> Option<Secret> {
    let (file, variable) = (format!("{key}_file"), format!("{key}_env"));
    let there: Vec<&str> =
        [key, &file, &variable].into_iter().filter(|key| section.has(key)).collect();
    if let [first, second, ..] = there[..] {
        section.refuse(second, &format!("cannot stand beside {first}; keep one of them"));
    }
    let plain = section.string(key, one_line).map(Secret::Plain);
    let in_file = section.string(&file, value::absolute_path).map(Secret::File);
    let in_variable = section.string(&variable, one_line).map(Secret::Env);
    plain.or(in_file).or(in_variable)
}

/// Text that fits on one line.
pub(super) fn one_line(text: &str) -> Result<String, String> {
    let text = value::text(text)?;
    if text.contains(char::is_control) { Err("must be one line".to_owned()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn in_file(text: &str) -> Result<String, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let place = file.path().display().to_string();
        let read = Secret::File(file.path().to_owned()).read();
        read.map_err(|error| error.to_string().replace(&place, "FILE"))
    }

    #[test]
    fn a_file_holds_one_line() {
        assert_eq!(in_file("s3cret\n"), Ok("s3cret".to_owned()));
        for wrong in ["", "\n", "two\nlines\n"] {
            assert_eq!(in_file(wrong), Err("FILE must hold one line with the secret".to_owned()));
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = Secret::Env("TRIPLINE_NO_SUCH_VARIABLE".to_owned()).read().unwrap_err();
        assert!(error.to_string().starts_with("the variable TRIPLINE_NO_SUCH_VARIABLE is not set"));
        let error = Secret::File("/no/such/file".into()).read().unwrap_err();
        assert!(error.to_string().starts_with("cannot read the secret in /no/such/file: No such"));
    }

    #[test]
    fn a_secret_shows_itself_to_nobody() {
        assert_eq!(format!("{:?}", Secret::Plain("s3cret".to_owned())), "Plain(***)");
    }
}
