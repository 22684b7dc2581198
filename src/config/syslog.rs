//! A `[[channel]]` of type `syslog`.

use std::path::PathBuf;

use super::section::Section;
use super::value;

/// The keys that it may have besides those of every channel.
pub(super) const KEYS: [&str; 2] = ["socket", "facility"];
const SOCKET: &str = "/dev/log";
/// RFC 5424, table 1, by the names of syslog(3). Not `kern`, which only the kernel may say.
const FACILITIES: [(&str, u8); 18] = [
    ("user", 1),
    ("mail", 2),
    ("daemon", 3),
    ("auth", 4),
    ("lpr", 6),
    ("news", 7),
    ("uucp", 8),
    ("cron", 9),
    ("authpriv", 10),
    ("ftp", 11),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];
const DAEMON: u8 = 3;

/// The system's log, by its local socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogConfig {
    /// The socket.
    pub socket: PathBuf,
    /// The number of the facility, 0 to 23 (RFC 5424, table 1).
    pub facility: u8,
}

pub(super) fn syslog(section: &mut Section<'_, '_>) -> SyslogConfig {
    let socket = section.string("socket", value::absolute_path);
    let choices = FACILITIES;
    let facility =
        section.string("facility", |text| value::choice(text, &choices, |(name, _)| name, &[]));
    SyslogConfig {
        socket: socket.unwrap_or_else(|| PathBuf::from(SOCKET)),
        facility: facility.map_or(DAEMON, |(_, number)| number),
    }
}
