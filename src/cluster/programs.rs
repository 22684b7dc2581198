//! Which PostgreSQL programs run the private cluster?
//!
//! In: where to look, and the major version that an existing data folder needs. Out: a folder
//! that holds all four programs. Nothing is installed here.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::ClusterError;

/// What a folder must hold to be of use: Debian's `/usr/bin`, for example, has only `psql`.
const NEEDED: [&str; 4] = ["postgres", "initdb", "pg_ctl", "psql"];

/// Where packages put the programs, one folder a major version.
const INSTALLED: [&str; 2] = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"];

/// For an environment without PATH, which cron may have.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Where to look for programs.
pub(super) struct Search {
    /// `TRIPLINE_PG_BIN`; if it is set, nothing else is looked at.
    pub(super) chosen: Option<PathBuf>,
    /// Glob patterns of folders, of which the newest major version wins.
    pub(super) installed: Vec<String>,
    /// `PATH`, for `pg_config` and then for the programs themselves.
    pub(super) path: OsString,
}

impl Search {
    /// The search that the environment of this process asks for.
    pub(super) fn of_this_process() -> Self {
        Self {
            chosen: env::var_os("TRIPLINE_PG_BIN").filter(|v| !v.is_empty()).map(PathBuf::from),
            installed: INSTALLED.map(String::from).to_vec(),
            path: env::var_os("PATH").unwrap_or_else(|| OsString::from(USUAL_PATH)),
        }
    }

    fn description(&self) -> String {
        match &self.chosen {
            Some(folder) => format!("TRIPLINE_PG_BIN={}", folder.display()),
            None => format!("{}, pg_config --bindir, PATH", self.installed.join(", ")),
        }
    }
}

/// A folder of PostgreSQL programs of one version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Programs {
    folder: PathBuf,
    major: u32,
}

impl Programs {
    /// The programs for an existing data folder, which only its own major version can read.
    pub(super) fn for_data(search: &Search, data: &Path, major: u32) -> Result<Self, ClusterError> {
        candidates(search)?.find(|programs| programs.major == major).ok_or_else(|| {
            ClusterError::NoProgramsOfMajor {
                data: data.to_path_buf(),
                major,
                searched: search.description(),
            }
        })
    }

    /// The programs for a new data folder: the newest that are installed.
    pub(super) fn newest(search: &Search) -> Result<Self, ClusterError> {
        candidates(search)?
            .next()
            .ok_or_else(|| ClusterError::NoPrograms { searched: search.description() })
    }

    /// The path of one of the programs.
    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// Looks into one folder; the name of the first missing program if it does not serve.
    fn in_folder(folder: &Path) -> Result<Self, &'static str> {
        if let Some(missing) = NEEDED.into_iter().find(|name| !folder.join(name).is_file()) {
            return Err(missing);
        }
        let major = printed_by(&folder.join("postgres"), "--version")
            .and_then(|version| major_in(&version))
            .ok_or(NEEDED[0])?;
        Ok(Self { folder: folder.to_path_buf(), major })
    }
}

/// All usable folders, in the order in which they are to be preferred; looked at as needed.
fn candidates(search: &Search) -> Result<Box<dyn Iterator<Item = Programs> + '_>, ClusterError> {
    if let Some(folder) = &search.chosen {
        let programs = Programs::in_folder(folder).map_err(|missing| {
            ClusterError::IncompletePrograms { folder: folder.clone(), missing }
        })?;
        return Ok(Box::new(std::iter::once(programs)));
    }
    let on_path = || env::split_paths(&search.path).filter(|folder| folder.is_absolute());
    let named_by_pg_config = on_path()
        .filter_map(|folder| printed_by(&folder.join("pg_config"), "--bindir"))
        .map(PathBuf::from);
    let others =
        named_by_pg_config.chain(on_path()).filter_map(|folder| Programs::in_folder(&folder).ok());
    Ok(Box::new(installed(&search.installed).into_iter().chain(others)))
}

/// The usable folders that match the patterns, newest major version first.
fn installed(patterns: &[String]) -> Vec<Programs> {
    let mut found: Vec<Programs> = patterns
        .iter()
        .filter_map(|pattern| glob::glob(pattern).ok())
        .flat_map(|paths| paths.filter_map(Result::ok))
        .filter_map(|folder| Programs::in_folder(&folder).ok())
        .collect();
    found.sort_by_key(|programs| std::cmp::Reverse(programs.major));
    found
}

/// What a program prints for one argument, or nothing if there is no such program.
fn printed_by(program: &Path, argument: impl AsRef<OsStr>) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let printed = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| printed.trim().to_owned())
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major_in(version: &str) -> Option<u32> {
    let number = version.strip_prefix("postgres (PostgreSQL) ")?;
    let digits = number.find(|c: char| !c.is_ascii_digit()).map_or(number, |end| &number[..end]);
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn script(path: &Path, prints: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("#!/bin/sh\necho '{prints}'\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn pretend_to_install(folder: &Path, version: &str) {
        for name in NEEDED {
            script(&folder.join(name), &format!("{name} (PostgreSQL) {version}"));
        }
    }

    fn search(root: &Path) -> Search {
        Search {
            chosen: None,
            installed: vec![format!("{}/lib/*/bin", root.display())],
            path: root.join("path").into_os_string(),
        }
    }

    #[test]
    fn newest_installed_is_chosen_by_number_not_by_name() {
        let root = tempfile::tempdir().unwrap();
        pretend_to_install(&root.path().join("lib/9.6/bin"), "9.6.24");
        pretend_to_install(&root.path().join("lib/15/bin"), "15.18 (Debian 15.18-0+deb12u1)");
        let search = search(root.path());
        assert_eq!(Programs::newest(&search).unwrap().folder, root.path().join("lib/15/bin"));
        let data = Path::new("/data");
        assert_eq!(Programs::for_data(&search, data, 9).unwrap().major, 9);
        let error = Programs::for_data(&search, data, 16).unwrap_err();
        assert!(error.to_string().contains("install PostgreSQL 16 again"), "{error}");
    }

    #[test]
    fn folder_without_server_programs_does_not_count() {
        let root = tempfile::tempdir().unwrap();
        script(&root.path().join("path/psql"), "psql (PostgreSQL) 15.18");
        let error = Programs::newest(&search(root.path())).unwrap_err();
        assert!(error.to_string().contains("apt-get install postgresql"), "{error}");
    }

    #[test]
    fn pg_config_then_path_are_asked_where_no_package_is() {
        let root = tempfile::tempdir().unwrap();
        let (path, opt) = (root.path().join("path"), root.path().join("opt"));
        pretend_to_install(&path, "14.1");
        assert_eq!(Programs::newest(&search(root.path())).unwrap().folder, path);
        pretend_to_install(&opt, "18beta1");
        script(&path.join("pg_config"), &opt.display().to_string());
        let newest = Programs::newest(&search(root.path())).unwrap();
        assert_eq!(newest, Programs { folder: opt, major: 18 });
    }

    #[test]
    fn folder_named_by_the_user_wins_or_fails() {
        let root = tempfile::tempdir().unwrap();
        let chosen = root.path().join("chosen");
        pretend_to_install(&root.path().join("lib/16/bin"), "16.2");
        pretend_to_install(&chosen, "13.4");
        let search = Search { chosen: Some(chosen.clone()), ..search(root.path()) };
        assert_eq!(Programs::newest(&search).unwrap().major, 13);
        assert!(Programs::for_data(&search, Path::new("/data"), 16).is_err());
        fs::remove_file(chosen.join("initdb")).unwrap();
        let error = Programs::newest(&search).unwrap_err();
        assert!(error.to_string().contains("no working initdb"), "{error}");
    }
}
