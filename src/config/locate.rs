//! Where the config file is looked for, and reading it.
//!
//! Never in the current folder: a config can name commands to run, and a job may be started
//! in a folder that somebody else can write to.

use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Config, ConfigError, Transport, in_clear};

/// In bytes. A log that was given for the config would fill the memory, then the screen.
const LARGEST_FILE: u64 = 1 << 20;

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

    /// Where a new config belongs: where it was asked for, else in the user's own place.
    pub fn new_file(&self, option: Option<&Path>) -> Option<PathBuf> {
        self.asked_for(option).or_else(|| self.usual_places().next())
    }

    /// Whether `path` is where the config is looked for without being asked for.
    pub fn is_usual(&self, path: &Path) -> bool {
        self.usual_places().any(|usual| usual == path)
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

impl Config {
    /// Finds and reads the config: the file of `--config` if that is given, else that of
    /// `$TRIPLINE_CONFIG`, else the user's, else the host's, else the defaults.
    ///
    /// # Errors
    /// If the file that was asked for does not exist, or if the one that was found cannot be
    /// read or is wrong.
    pub fn load(option: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        if let Some(path) = environment.asked_for(option) {
            return Self::read(&path);
        }
        environment
            .usual_places()
            .map(|path| Self::read(&path))
            .find(|config| !config.as_ref().is_err_and(ConfigError::is_missing_file))
            .unwrap_or_else(|| Ok(Self::default()))
    }

    /// Reads the config at `path`.
    ///
    /// # Errors
    /// If the file cannot be read, or is wrong.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let (bytes, mode) = bytes_and_mode(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let mut config = Self::parse(path, &bytes)?;
        config.warnings.extend(config.exposed_secrets(path, mode));
        config.warnings.extend(config.secrets_in_clear());
        Ok(config)
    }

    /// One sentence for each channel that sends secrets over the network in clear.
    fn secrets_in_clear(&self) -> Vec<String> {
        let channels = self.channels.iter().filter_map(|channel| match &channel.transport {
            Transport::Http(http) => in_clear::of_channel(&channel.name, http),
            _ => None,
        });
        let heartbeat = self.heartbeat.as_ref();
        channels.chain(heartbeat.and_then(|one| in_clear::of_heartbeat(&one.endpoint))).collect()
    }

    /// One sentence for each secret that stands in a file that others can read.
    fn exposed_secrets(&self, path: &Path, mode: u32) -> Vec<String> {
        if mode & 0o004 == 0 {
            return Vec::new();
        }
        let (path, mode) = (path.display(), mode & 0o7777);
        let database = self.database.url.as_ref().filter(|url| url.has_password()).map(|_| {
            format!(
                "{path} has mode {mode:04o}, so every user of this host can read the password in \
                 database.url: move the URL to a file of mode 0600 and name that in \
                 database.url_file"
            )
        });
        let channels = self.channels.iter().flat_map(|channel| {
            let keys = channel.exposed().into_iter();
            keys.map(move |key| (&channel.name, key))
        });
        let channels = channels.map(|(name, key)| {
            format!(
                "{path} has mode {mode:04o}, so every user of this host can read the secret in \
                 {key} of channel {name:?}: move it to a file of mode 0600 and name that in \
                 {key}_file"
            )
        });
        database.into_iter().chain(channels).collect()
    }
}

fn bytes_and_mode(path: &Path) -> std::io::Result<(Vec<u8>, u32)> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= LARGEST_FILE) {
        Ok((bytes, mode))
    } else {
        Err(std::io::Error::new(ErrorKind::FileTooLarge, "larger than 1 MiB, it is no config"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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

    /// A folder as the user's config home, and no other place.
    fn environment(folder: &Path) -> Environment {
        Environment {
            named_file: None,
            config_home: Some(folder.join("home")),
            system_file: folder.join("system.toml"),
        }
    }

    #[test]
    fn without_a_file_the_defaults_apply() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Config::load(None, &environment(folder.path())).unwrap(), Config::default());
    }

    #[test]
    fn the_first_file_that_exists_is_the_config() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path());
        let user_file = folder.path().join("home/tripline/tripline.toml");
        fs::write(&environment.system_file, "host = 'system'").unwrap();
        let host = || Config::load(None, &environment).unwrap().host;
        assert_eq!(host().as_deref(), Some("system"));
        fs::create_dir_all(user_file.parent().unwrap()).unwrap();
        fs::write(&user_file, "host = 'user'").unwrap();
        assert_eq!(host().as_deref(), Some("user"));
        // A file that is there and wrong does not give way to the next one.
        fs::write(&user_file, "hots = 'user'").unwrap();
        assert!(Config::load(None, &environment).is_err());
    }

    #[test]
    fn a_file_that_was_asked_for_must_be_readable() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing.toml");
        let asked = Environment { named_file: Some(missing.clone()), ..environment(folder.path()) };
        let unnamed = environment(folder.path());
        for (option, environment) in
            [(Some(&*missing), &unnamed), (Some(folder.path()), &unnamed), (None, &asked)]
        {
            let error = Config::load(option, environment).unwrap_err();
            assert!(matches!(error, ConfigError::Read { .. }), "{error:?}");
            assert!(error.to_string().starts_with("cannot read config /"), "{error}");
        }
    }

    #[test]
    fn a_log_is_no_config() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        fs::write(&path, "#".repeat(1 << 20)).unwrap();
        assert!(Config::read(&path).is_ok());
        fs::write(&path, "#".repeat((1 << 20) + 1)).unwrap();
        assert!(matches!(Config::read(&path), Err(ConfigError::Read { .. })));
    }

    #[test]
    fn a_password_that_everybody_can_read_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tripline.toml");
        fs::write(&path, "[database]\nurl = 'postgresql://ann:secret@db/logs'\n").unwrap();
        let warnings = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let warnings = Config::read(&path).unwrap().warnings.join("\n");
            warnings.replace(&path.display().to_string(), "tripline.toml")
        };
        assert_eq!(warnings(0o640), "");
        expect!["tripline.toml has mode 0644, so every user of this host can read the password in database.url: move the URL to a file of mode 0600 and name that in database.url_file"].assert_eq(&warnings(0o644));
    }
}
