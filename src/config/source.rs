//! Which logs are read, and how.

use std::fmt;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use chrono_tz::Tz;
use encoding_rs::Encoding;
use glob::{MatchOptions, Pattern, PatternError};

use crate::model::{Format, Level, LevelRules, LevelSet, LinePattern, Multiline, OwnFormat};

/// `[[source]]`: settings for the logs that its paths reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceConfig {
    /// A name to show instead of the path.
    pub name: Option<String>,
    /// Where the logs are; at least one.
    pub paths: Vec<SourcePath>,
    /// Paths that the globs reach and that are left out; see [`SourceConfig::excludes`].
    pub exclude: Vec<Pattern>,
    /// How the lines are written.
    pub format: LogFormat,
    /// The zone of timestamps that name none; the host's zone if absent.
    pub timezone: Option<Tz>,
    /// The levels that are kept as entries. All levels are always counted.
    pub store: LevelSet,
    /// Patterns of first lines: entries of any other level that match one are kept as well.
    pub keep: Vec<LinePattern>,
    /// Where reading starts in a log that was never seen before.
    pub start: Start,
    /// How many bytes of one line are kept; the rest is skipped and counted.
    pub max_line_bytes: usize,
    /// How many lines one entry may have.
    pub max_entry_lines: u32,
    /// How the bytes mean text; a byte order mark at the beginning of a log says more.
    pub encoding: &'static Encoding,
    /// Which level entries have whose lines name none.
    pub level_rules: LevelRules,
    /// Which lines belong to one entry.
    pub multiline: Multiline,
    /// How long a last line without an end stays as it is before it is stored; `None`: it never
    /// is.
    pub idle_flush: Option<TimeDelta>,
    /// Folders to which the logs are rotated, besides the one that they lie in; a relative one
    /// is below that.
    pub olddir: Vec<PathBuf>,
    /// The journal of systemd, in place of files.
    pub journal: Option<JournalConfig>,
}

/// What is read of the journal of systemd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// The units whose entries are read, in order and each once; none: all entries are read.
    pub units: Vec<String>,
}

impl JournalConfig {
    /// What stands in place of a path.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("journal:{}", self.units.join("+")))
    }
}

impl SourceConfig {
    /// The name of the format that the database has.
    pub fn format_name(&self) -> &'static str {
        match (&self.journal, &self.format) {
            (Some(_), _) => "journal",
            (None, LogFormat::Auto) => "auto",
            (None, LogFormat::Named(format)) => format.as_str(),
            (None, LogFormat::Own(_)) => "own",
        }
    }

    /// The default of `max_line_bytes`.
    pub const DEFAULT_LINE_BYTES: usize = 1 << 20;
    /// The default of `max_entry_lines`.
    pub const DEFAULT_ENTRY_LINES: u32 = 500;

    /// The default of `idle_flush`.
    pub const DEFAULT_IDLE_FLUSH: TimeDelta = TimeDelta::seconds(60);

    /// The default settings for the log at an absolute path.
    pub fn for_path(path: &Path) -> Self {
        Self {
            name: None,
            paths: vec![SourcePath::Literal(path.to_owned())],
            exclude: Vec::new(),
            format: LogFormat::Auto,
            timezone: None,
            store: LevelSet::from_iter([Level::Error, Level::Fatal]),
            keep: Vec::new(),
            start: Start::default(),
            max_line_bytes: Self::DEFAULT_LINE_BYTES,
            max_entry_lines: Self::DEFAULT_ENTRY_LINES,
            encoding: encoding_rs::UTF_8,
            level_rules: LevelRules::default(),
            multiline: Multiline::default(),
            idle_flush: Some(Self::DEFAULT_IDLE_FLUSH),
            olddir: Vec::new(),
            journal: None,
        }
    }

    /// Whether one of the source's paths reaches this log and none of `exclude` takes it out.
    pub fn reaches(&self, path: &Path) -> bool {
        self.paths.iter().any(|pattern| pattern.matches(path)) && !self.excludes(path)
    }

    /// Whether `exclude` takes this path out: a pattern without a slash is compared with the
    /// file name, one with a slash with the whole path.
    pub fn excludes(&self, path: &Path) -> bool {
        self.exclude.iter().any(|pattern| {
            let whole_path = pattern.as_str().contains('/');
            let compared = if whole_path { Some(path.as_os_str()) } else { path.file_name() };
            compared.is_some_and(|text| pattern.matches_path_with(Path::new(text), GLOB_MATCHING))
        })
    }
}

/// The way in which globs are expanded: `*` stays within one folder.
pub const GLOB_MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// One of the `paths` of a source.
///
/// The two differ in what it means when there is nothing: a missing log is an error, a glob that
/// matches nothing is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourcePath {
    /// One log.
    Literal(PathBuf),
    /// All logs that match.
    Glob(Pattern),
}

impl SourcePath {
    /// A path as the config writes it: a glob if it holds one of `*?[`.
    pub(super) fn from_config(text: &str) -> Result<Self, PatternError> {
        if text.contains(['*', '?', '[']) {
            Pattern::new(text).map(Self::Glob)
        } else {
            Ok(Self::Literal(PathBuf::from(text)))
        }
    }

    /// Whether this is the path, or a glob that matches it.
    pub fn matches(&self, path: &Path) -> bool {
        match self {
            Self::Literal(literal) => literal == path,
            Self::Glob(pattern) => pattern.matches_path_with(path, GLOB_MATCHING),
        }
    }
}

impl fmt::Display for SourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(path) => path.display().fmt(f),
            Self::Glob(pattern) => pattern.as_str().fmt(f),
        }
    }
}

/// Where reading starts in a log that was never seen before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// At its first line.
    #[default]
    Beginning,
    /// After its last line: only what is appended from now on.
    End,
}

impl Start {
    /// Both places.
    pub const ALL: [Self; 2] = [Self::Beginning, Self::End];

    /// The name that the config uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Beginning => "beginning",
            Self::End => "end",
        }
    }
}

/// How the lines of a log are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// As is found out from them.
    Auto,
    /// In this format.
    Named(Format),
    /// As the config describes it.
    Own(OwnFormat),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(paths: &[&str], exclude: &[&str]) -> SourceConfig {
        SourceConfig {
            paths: paths.iter().map(|path| SourcePath::from_config(path).unwrap()).collect(),
            exclude: exclude.iter().map(|glob| Pattern::new(glob).unwrap()).collect(),
            ..SourceConfig::for_path(Path::new("/replaced"))
        }
    }

    #[test]
    fn a_source_reaches_what_its_paths_match_and_exclude_leaves_in() {
        let source = source(
            &["/var/log/app.log", "/srv/*/log/*.log", "/opt/**/out"],
            &["*-old.log", "/srv/test/**"],
        );
        for (path, expected) in [
            ("/var/log/app.log", true),
            ("/var/log/app.log.1", false),
            ("/srv/shop/log/web.log", true),
            ("/srv/shop/log/.hidden.log", true),
            ("/srv/shop/log/deeper/web.log", false),
            ("/srv/shop/log/web-old.log", false),
            ("/srv/test/log/web.log", false),
            ("/opt/a/b/out", true),
        ] {
            assert_eq!(source.reaches(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn a_path_given_on_the_command_line_is_no_glob() {
        let source = SourceConfig::for_path(Path::new("/var/log/app[1].log"));
        assert!(source.reaches(Path::new("/var/log/app[1].log")));
        assert!(!source.reaches(Path::new("/var/log/app1.log")));
        assert_eq!(source.paths[0].to_string(), "/var/log/app[1].log");
    }
}
