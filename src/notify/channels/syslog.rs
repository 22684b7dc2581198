//! The system's log, by its local socket: RFC 5424, one message for each notification.
//!
//! ```text
//! <27>1 2026-01-01T12:00:00Z web1 tripline 4711 fired [tripline@32473 key="tripline-7"] FIRED: ...
//! ```
//!
//! Most sockets take datagrams; one that is a stream gets a line feed after each message (RFC
//! 6587, section 3.4.2), which none has within. What understands only the older RFC 3164 there
//! (systemd-journald, rsyslog by default) keeps all of it as the text of the message.

use std::io::{self, Write as _};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use rustix::io::Errno;

use crate::config::SyslogConfig;
use crate::notify::content::{Message, Notification};
use crate::notify::failure::Failure;
use crate::notify::send::{Channel, no_answer};
use crate::visible;

/// Bytes of a message that every receiver should take (RFC 5424, section 6.1).
const MOST_BYTES: usize = 2048;
/// Bytes that every receiver must take: no message gets shorter than that.
const LEAST_BYTES: usize = 480;
/// Bytes of the structured data; what does not fit is left out, and is in the text as well.
const DATA_BYTES: usize = 1000;
/// Characters of one value of the structured data.
const VALUE_CHARS: usize = 200;
/// What is cut off is replaced by this.
const MORE: &str = "...";
/// The number that RFC 5612 gives to who has none.
const DATA_ID: &str = "tripline@32473";
/// What stands for nothing (RFC 5424: NILVALUE).
const NIL: &str = "-";

/// The log of this system.
#[derive(Debug)]
pub(super) struct Syslog {
    config: SyslogConfig,
}

impl Syslog {
    pub(super) fn new(config: &SyslogConfig) -> Self {
        Self { config: config.clone() }
    }

    fn header(&self, message: &Message, notification: &Notification) -> String {
        format!(
            "<{}>1 {} {} tripline {} {} {}",
            u16::from(self.config.facility) * 8 + severity(notification),
            time(message.sent_at),
            name(&notification.host, 255),
            std::process::id(),
            name(&notification.kind, 32),
            data(message, notification),
        )
    }
}

impl Channel for Syslog {
    fn send(&self, message: &Message, patience: Duration) -> Result<Option<String>, Failure> {
        let path = &self.config.socket;
        let failure = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => no_answer(patience),
            _ => Failure::of_channel(&format!("cannot write to {}: {error}", path.display())),
        };
        let mut socket = Socket::connect(path, patience).map_err(failure)?;
        for notification in &message.notifications {
            let header = self.header(message, notification);
            let text = text(message, notification);
            send_what_fits(&header, text, |bytes| socket.send(bytes)).map_err(failure)?;
        }
        Ok(None)
    }

    fn preview(&self, message: &Message) -> Option<String> {
        let line = |one| whole(&self.header(message, one), text(message, one), MOST_BYTES) + "\n";
        Some(message.notifications.iter().map(line).collect())
    }
}

fn text<'a>(message: &'a Message, notification: &'a Notification) -> &'a str {
    if message.is_own_title { &message.title } else { &notification.line }
}

enum Socket {
    Datagram(UnixDatagram),
    Stream(UnixStream),
}

impl Socket {
    fn connect(path: &Path, patience: Duration) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(patience))?;
        match socket.connect(path) {
            Ok(()) => Ok(Self::Datagram(socket)),
            Err(error) if is(&error, Errno::PROTOTYPE) => {
                let socket = UnixStream::connect(path)?;
                socket.set_write_timeout(Some(patience))?;
                Ok(Self::Stream(socket))
            }
            Err(error) => Err(error),
        }
    }

    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Datagram(socket) => socket.send(message).map(drop),
            Self::Stream(socket) => socket.write_all(&[message, b"\n"].concat()),
        }
    }
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

/// Sends as much of a message as the socket takes.
fn send_what_fits(
    header: &str,
    text: &str,
    mut send: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut most = MOST_BYTES;
    loop {
        match send(whole(header, text, most).as_bytes()) {
            Err(error) if is(&error, Errno::MSGSIZE) && most > LEAST_BYTES => {
                most = (most / 2).max(LEAST_BYTES);
            }
            outcome => return outcome,
        }
    }
}

/// Header and text, the text cut so that both have no more than `most` bytes.
fn whole(header: &str, text: &str, most: usize) -> String {
    // UTF-8 says so itself, where it is not ASCII (RFC 5424, section 6.4).
    let mark = if text.is_ascii() { "" } else { "\u{feff}" };
    let whole = format!("{header} {mark}{text}");
    if whole.len() <= most {
        return whole;
    }
    let most = most.saturating_sub(MORE.len()).max(header.len());
    let ends = whole.char_indices().map(|(at, character)| at + character.len_utf8());
    let cut = ends.take_while(|end| *end <= most).last().unwrap_or_default();
    format!("{}{MORE}", &whole[..cut])
}

/// RFC 5424, table 2.
fn severity(notification: &Notification) -> u16 {
    match (notification.status, notification.severity.as_str()) {
        ("resolved", _) => 5,
        (_, "critical") => 2,
        (_, "warning") => 4,
        _ => 6,
    }
}

/// A fraction of a second has at most six digits (RFC 5424, section 6.2.3).
fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A name of the header: printable ASCII without spaces.
fn name(text: &str, most: usize) -> &str {
    let is_right = !text.is_empty() && text.len() <= most;
    if is_right && text.bytes().all(|byte| byte.is_ascii_graphic()) { text } else { NIL }
}

fn data(message: &Message, notification: &Notification) -> String {
    let since = time(notification.started_at);
    let alert = notification.alert_id.to_string();
    let mut data = format!("[{DATA_ID}");
    for (name, value) in [
        ("key", &*message.key),
        ("alert", &alert),
        ("rule", &notification.rule),
        ("severity", &notification.severity),
        ("status", notification.status),
        ("since", &since),
        ("source", &notification.source),
        ("group", &notification.group),
        ("path", &notification.path),
    ] {
        let parameter = format!(" {name}=\"{}\"", escaped(value));
        if !value.is_empty() && data.len() + parameter.len() < DATA_BYTES {
            data.push_str(&parameter);
        }
    }
    data + "]"
}

/// Three characters cannot stand in a value as they are (RFC 5424, section 6.3.3).
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in visible::line(value, VALUE_CHARS).chars() {
        if matches!(character, '"' | '\\' | ']') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_at_a_character() {
        assert_eq!(whole("head", "text", 9), "head text");
        assert_eq!(whole("head", "text more", 12), "head text...");
        // The mark of UTF-8 has three bytes, each of these letters two.
        assert_eq!(whole("head", "äöü", 14), "head \u{feff}äöü");
        assert_eq!(whole("head", "äöü", 13), "head \u{feff}ä...");
        assert_eq!(whole("head", "text", 3), "head...");
    }

    #[test]
    fn a_socket_that_takes_less_gets_less() {
        let text = "x".repeat(10_000);
        let mut tried = Vec::new();
        let sent = send_what_fits("head", &text, |bytes| {
            tried.push(bytes.len());
            if bytes.len() > 600 { Err(Errno::MSGSIZE.into()) } else { Ok(()) }
        });
        assert!(sent.is_ok());
        assert_eq!(tried, [2048, 1024, 512]);
        let never = send_what_fits("head", &text, |_| Err(Errno::MSGSIZE.into()));
        assert!(is(&never.unwrap_err(), Errno::MSGSIZE));
    }

    #[test]
    fn values_and_names_are_what_the_rfc_allows() {
        assert_eq!(escaped("a\"b\\c]d\r\ne"), r#"a\"b\\c\]d\\r\\ne"#);
        assert_eq!(name("web1.example.com", 255), "web1.example.com");
        for wrong in ["", "two words", "größe", &"x".repeat(256)] {
            assert_eq!(name(wrong, 255), NIL);
        }
    }
}
