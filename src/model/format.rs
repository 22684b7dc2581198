//! The names of the log formats.

use std::fmt;
use std::str::FromStr;

/// How the lines of a source are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `2026-01-01 00:00:05 [ERROR] message`, with an optional fraction and zone.
    Plain,
    /// Docker's json-file, which holds lines of the others.
    Docker,
    /// The log of Kubernetes' container runtimes, which holds lines of the others.
    Cri,
    /// Batches of OpenTelemetry logs in JSON.
    Otlp,
    /// One JSON object a line.
    Json,
    /// Pairs of keys and values.
    Logfmt,
    /// The csvlog of PostgreSQL.
    PostgresqlCsv,
    /// The syslog protocol, RFC 5424.
    Rfc5424,
    /// The access logs of Apache and nginx.
    Access,
    /// The error log of Apache.
    ApacheError,
    /// The error log of nginx.
    NginxError,
    /// The server log of PostgreSQL.
    Postgresql,
    /// The error log of MySQL and MariaDB.
    Mysql,
    /// The log of Redis and Valkey.
    Redis,
    /// The traffic log of HAProxy, with a head of syslog or without.
    Haproxy,
    /// The event log of Windows, as Event Viewer exports it.
    Windows,
    /// The event log of Windows, as its own programs print it, over several lines an event.
    WindowsText,
    /// The lines of glog and klog.
    Glog,
    /// The syslog of BSD, RFC 3164.
    Syslog,
    /// Rust's `env_logger` and `tracing`.
    Rust,
    /// log4j, Logback, Spring Boot, Python's logging with a time.
    Log4j,
    /// Python's logging as it is set up by default.
    Python,
    /// Java's own logging, in pairs of lines.
    Java,
    /// Go's standard logger.
    Go,
    /// Any other line with a time near its start.
    Text,
}

impl Format {
    /// All formats, in the order in which they are tried: a line that two of them read is
    /// better read by the first.
    pub const ALL: [Self; 25] = [
        Self::Plain,
        Self::Docker,
        Self::Cri,
        Self::Otlp,
        Self::Json,
        Self::Logfmt,
        Self::PostgresqlCsv,
        Self::Rfc5424,
        Self::Access,
        Self::ApacheError,
        Self::NginxError,
        Self::Postgresql,
        Self::Mysql,
        Self::Redis,
        Self::Haproxy,
        Self::Windows,
        Self::WindowsText,
        Self::Glog,
        Self::Syslog,
        Self::Rust,
        Self::Log4j,
        Self::Python,
        Self::Java,
        Self::Go,
        Self::Text,
    ];

    /// The name that config and output use; also that of the format's fixture folder.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Docker => "docker",
            Self::Cri => "cri",
            Self::Otlp => "otlp",
            Self::Json => "json",
            Self::Logfmt => "logfmt",
            Self::PostgresqlCsv => "postgresql_csv",
            Self::Rfc5424 => "rfc5424",
            Self::Access => "access",
            Self::ApacheError => "apache_error",
            Self::NginxError => "nginx_error",
            Self::Postgresql => "postgresql",
            Self::Mysql => "mysql",
            Self::Redis => "redis",
            Self::Haproxy => "haproxy",
            Self::Windows => "windows",
            Self::WindowsText => "windows_text",
            Self::Glog => "glog",
            Self::Syslog => "syslog",
            Self::Rust => "rust",
            Self::Log4j => "log4j",
            Self::Python => "python",
            Self::Java => "java",
            Self::Go => "go",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is no format of tripline's.
#[derive(Debug, thiserror::Error)]
#[error("not a log format: {0}")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}
