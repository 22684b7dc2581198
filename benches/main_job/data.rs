//! Logs that are always the same.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};

/// The two sorts of logs that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The exercise's: a short line every second, half of them ERROR or FATAL.
    Plain,
    /// What an application writes: longer lines, 20 a second, 3 % of them ERROR or FATAL.
    Production,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Plain, Self::Production];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Production => "production-like",
        }
    }

    fn milliseconds_between_lines(self) -> i64 {
        match self {
            Self::Plain => 1_000,
            Self::Production => 50,
        }
    }

    fn write_line(self, random: &mut Random, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Plain => {
                let level = ["INFO", "WARNING", "ERROR", "FATAL"][random.below(4)];
                writeln!(out, "[{level}] This is a {level} message")
            }
            Self::Production => {
                let level = match random.below(1_000) {
                    0 => "FATAL",
                    1..30 => "ERROR",
                    30..100 => "WARNING",
                    100..300 => "DEBUG",
                    _ => "INFO",
                };
                let path = PATHS[random.below(PATHS.len())];
                writeln!(
                    out,
                    "[{level}] request {:08x} of user {} to {path} took {} ms, status 200, \
                     upstream 10.0.0.{}",
                    random.below(1 << 32),
                    random.below(100_000),
                    random.below(2_000),
                    random.below(256),
                )
            }
        }
    }
}

const PATHS: [&str; 5] = [
    "/api/v1/orders",
    "/api/v1/users/42/cart",
    "/health",
    "/api/v2/search?q=shoes&page=3",
    "/static/app.js",
];

/// The logs of this benchmark, made when they are asked for.
pub(crate) struct Logs {
    folder: PathBuf,
    pub(crate) lines: u64,
}

impl Logs {
    pub(crate) fn new(folder: &Path, lines: u64) -> Self {
        Self { folder: folder.to_owned(), lines }
    }

    /// The path of a log, in the page cache.
    pub(crate) fn path(&self, kind: Kind) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(format!("{}.log", kind.name()));
        if !path.exists() {
            write(&path, kind, self.lines)?;
        }
        Ok(path)
    }
}

/// Writes a log of so many lines that ends a day before [`crate::NOW`].
pub(crate) fn write(path: &Path, kind: Kind, lines: u64) -> anyhow::Result<()> {
    let length = kind.milliseconds_between_lines() * i64::try_from(lines)?;
    let end = crate::NOW.parse::<DateTime<Utc>>()? - TimeDelta::days(1);
    File::create(path)?;
    Ok(Writer::new(path, kind, end - TimeDelta::milliseconds(length)).append(lines)?)
}

/// Appends to a log.
pub(crate) struct Writer {
    path: PathBuf,
    kind: Kind,
    random: Random,
    time: DateTime<Utc>,
}

impl Writer {
    /// The first line is to have this time.
    pub(crate) fn new(path: &Path, kind: Kind, time: DateTime<Utc>) -> Self {
        Self { path: path.to_owned(), kind, random: Random(1), time }
    }

    pub(crate) fn append(&mut self, lines: u64) -> io::Result<()> {
        let file = File::options().append(true).create(true).open(&self.path)?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let mut second = i64::MIN;
        let mut written = String::new();
        for _ in 0..lines {
            if self.time.timestamp() != second {
                second = self.time.timestamp();
                written = self.time.format("%F %T ").to_string();
            }
            out.write_all(written.as_bytes())?;
            self.kind.write_line(&mut self.random, &mut out)?;
            self.time += TimeDelta::milliseconds(self.kind.milliseconds_between_lines());
        }
        out.flush()
    }
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap_or_default()
    }
}
