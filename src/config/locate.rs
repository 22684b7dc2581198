//! Where the config file is looked for.
//!
//! Never in the current folder: a config can name commands to run, and a job may be started
//! in a folder that somebody else can write to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What the search for the config file takes from the process environment.
///
/// It is an argument, so that nothing below `main` reads a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// The file that `$TRIPLINE_CONFIG` names; it must exist.
    pub named_file: Option<PathBuf>,
    /// The user's folder for configs: `$XDG_CONFIG_HOME`, else `$HOME/.config`.
    pub config_home: Option<PathBuf>,
    /// The host's own config.
    pub system_file: PathBuf,
}

impl Environment {
    /// Takes what is needed from `variable`, which is `std::env::var_os` in `main`.
    ///
    /// An empty variable counts as unset, and so does a relative base folder, as the XDG base
    /// directory specification asks for.
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = |name| path(name).filter(|folder| folder.is_absolute());
        Self {
            named_file: path("TRIPLINE_CONFIG"),
            config_home: folder("XDG_CONFIG_HOME")
                .or_else(|| folder("HOME").map(|home| home.join(".config"))),
            system_file: PathBuf::from("/etc/tripline/tripline.toml"),
        }
    }

    /// The file that was asked for by name: `--config` first, then `$TRIPLINE_CONFIG`.
    pub(super) fn asked_for(&self, option: Option<&Path>) -> Option<PathBuf> {
        option.map(Path::to_owned).or_else(|| self.named_file.clone())
    }

    /// The files that are tried when none was asked for; the first that exists is the config.
    pub(super) fn usual_places(&self) -> impl Iterator<Item = PathBuf> {
        let user_file = self.config_home.as_ref().map(|home| home.join("tripline/tripline.toml"));
        user_file.into_iter().chain([self.system_file.clone()])
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(option: Option<&str>, variables: &[(&str, &str)], expected: &Expect) {
        let environment = Environment::from_variables(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        });
        let places: Vec<_> = match environment.asked_for(option.map(Path::new)) {
            Some(path) => vec![path],
            None => environment.usual_places().collect(),
        };
        expected.assert_eq(&format!("{places:?}"));
    }

    #[test]
    fn the_option_wins_then_the_variable_then_the_usual_places() {
        let named = ("TRIPLINE_CONFIG", "named.toml");
        let xdg = ("XDG_CONFIG_HOME", "/home/ann/.xdg");
        let home = ("HOME", "/home/ann");
        check(Some("a.toml"), &[named, xdg, home], &expect![[r#"["a.toml"]"#]]);
        check(None, &[named, xdg, home], &expect![[r#"["named.toml"]"#]]);
        check(
            None,
            &[xdg, home],
            &expect![[
                r#"["/home/ann/.xdg/tripline/tripline.toml", "/etc/tripline/tripline.toml"]"#
            ]],
        );
        check(
            None,
            &[home],
            &expect![[
                r#"["/home/ann/.config/tripline/tripline.toml", "/etc/tripline/tripline.toml"]"#
            ]],
        );
        check(None, &[], &expect![[r#"["/etc/tripline/tripline.toml"]"#]]);
    }

    #[test]
    fn an_empty_variable_and_a_relative_base_folder_do_not_count() {
        let system = expect![[r#"["/etc/tripline/tripline.toml"]"#]];
        check(None, &[("TRIPLINE_CONFIG", ""), ("XDG_CONFIG_HOME", "."), ("HOME", "")], &system);
    }
}
