//! A connection to a mail server: commands out, replies in (RFC 5321, section 4.2).
//!
//! lettre has one too, but that one keeps in memory whatever a server sends in place of a line,
//! and takes what was said in clear after STARTTLS for an answer to what was said after it.
//! Here a reply has its limit, everything ends at one moment, and STARTTLS begins anew.

use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lettre::transport::smtp::response::{Response, Severity};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Bytes that a reply may have. RFC 5321, section 4.5.3.1.5: 512 a line.
const REPLY_BYTES: usize = 64 << 10;

/// Why there is no reply, or not the wanted one.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The time is over.
    TooLate,
    /// The other side has closed the connection.
    Closed,
    /// The system says that it does not work, or TLS does.
    Broken(io::Error),
    /// What has come is no reply.
    Nonsense,
    /// It is refused, for now or for good.
    Refused(Response),
}

impl Trouble {
    /// The code of a refusal.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Refused(reply) => Some(reply.code().into()),
            _ => None,
        }
    }

    /// Whether it is refused for good.
    pub(super) fn is_permanent(&self) -> bool {
        self.code().is_some_and(|code| code >= 500)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // A read that takes too long ends as one that would block.
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::TooLate,
            ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Broken(error),
        }
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A connection, which ends at a moment whatever the other side does.
pub(super) struct Connection {
    stream: Stream,
    /// What has come and was not looked at yet.
    read: Vec<u8>,
    until: Instant,
}

impl Connection {
    /// Connects to the first address that answers.
    pub(super) fn connect(host: &str, port: u16, until: Instant) -> Result<Self, Trouble> {
        let mut last = Trouble::Broken(io::Error::other("the name has no address"));
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, rest(until)?) {
                Ok(stream) => {
                    return Ok(Self { stream: Stream::Plain(stream), read: Vec::new(), until });
                }
                Err(error) => last = error.into(),
            }
        }
        Err(last)
    }

    /// Encrypts what is said from now on. What has come before counts for nothing: anybody may
    /// have sent it.
    pub(super) fn encrypt(self, config: Arc<ClientConfig>, host: &str) -> Result<Self, Trouble> {
        let Stream::Plain(stream) = self.stream else { return Ok(self) };
        let wrong = |error: &dyn Display| Trouble::Broken(io::Error::other(error.to_string()));
        let name = ServerName::try_from(host.to_owned()).map_err(|error| wrong(&error))?;
        let client = ClientConnection::new(config, name).map_err(|error| wrong(&error))?;
        let stream = Stream::Tls(Box::new(StreamOwned::new(client, stream)));
        Ok(Self { stream, read: Vec::new(), until: self.until })
    }

    /// Says something and returns the reply, which is positive.
    pub(super) fn command(&mut self, command: impl Display) -> Result<Response, Trouble> {
        self.write(command.to_string().as_bytes())?;
        self.reply()
    }

    /// Sends a mail and returns the reply.
    pub(super) fn data(&mut self, mail: &[u8]) -> Result<Response, Trouble> {
        self.write(&stuffed(mail))?;
        let reply = self.reply()?;
        if reply.code().severity == Severity::PositiveCompletion {
            Ok(reply)
        } else {
            Err(Trouble::Nonsense)
        }
    }

    /// The next reply, which is positive.
    pub(super) fn reply(&mut self) -> Result<Response, Trouble> {
        let mut buffer = [0; 4096];
        let length = loop {
            match length_of_reply(&self.read) {
                Some(Ok(length)) => break length,
                None if self.read.len() < REPLY_BYTES => {}
                _ => return Err(Trouble::Nonsense),
            }
            let rest = rest(self.until)?;
            let count = match &mut self.stream {
                Stream::Plain(stream) => {
                    stream.set_read_timeout(Some(rest))?;
                    stream.read(&mut buffer)?
                }
                Stream::Tls(stream) => {
                    stream.sock.set_read_timeout(Some(rest))?;
                    stream.sock.set_write_timeout(Some(rest))?;
                    stream.read(&mut buffer)?
                }
            };
            if count == 0 {
                return Err(Trouble::Closed);
            }
            self.read.extend_from_slice(&buffer[..count]);
        };
        let lines: Vec<u8> = self.read.drain(..length).collect();
        let reply = parse(&lines).ok_or(Trouble::Nonsense)?;
        if reply.is_positive() { Ok(reply) } else { Err(Trouble::Refused(reply)) }
    }

    /// From now on it ends after so long at the latest.
    pub(super) fn end_within(&mut self, patience: Duration) {
        self.until = self.until.min(Instant::now() + patience);
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let rest = rest(self.until)?;
        match &mut self.stream {
            Stream::Plain(stream) => {
                stream.set_write_timeout(Some(rest))?;
                stream.write_all(bytes)?;
            }
            Stream::Tls(stream) => {
                stream.sock.set_read_timeout(Some(rest))?;
                stream.sock.set_write_timeout(Some(rest))?;
                stream.write_all(bytes)?;
                stream.flush()?;
            }
        }
        Ok(())
    }
}

/// How long it is until then. Nothing more is said after that: whoever waits has gone, and the
/// mail will be sent again.
fn rest(until: Instant) -> Result<Duration, Trouble> {
    let rest = until.saturating_duration_since(Instant::now());
    if rest.is_zero() { Err(Trouble::TooLate) } else { Ok(rest) }
}

/// The bytes of the reply that stands first; an error where it is none, `None` where it is not
/// whole yet.
fn length_of_reply(read: &[u8]) -> Option<Result<usize, ()>> {
    let mut length = 0;
    for line in read.split_inclusive(|byte| *byte == b'\n') {
        length += line.len();
        let code = line.iter().take(3).all(u8::is_ascii_digit);
        match (code, line.get(3)) {
            (true, Some(b'-')) if line.ends_with(b"\n") => {}
            (true, Some(b' ' | b'\r' | b'\n')) if line.ends_with(b"\n") => return Some(Ok(length)),
            (true, None | Some(b'-' | b' ' | b'\r')) => return None,
            _ => return Some(Err(())),
        }
    }
    None
}

/// A reply from its lines, also where they are not as the RFC has them: without CR, or without
/// the space after the code.
fn parse(lines: &[u8]) -> Option<Response> {
    let text = String::from_utf8_lossy(lines);
    let line = |line: &str| match line.split_at_checked(3) {
        Some((code, "")) => format!("{code} \r\n"),
        _ => format!("{line}\r\n"),
    };
    text.lines().map(line).collect::<String>().parse().ok()
}

/// The mail with the mark of its end; a dot at the beginning of a line is doubled (RFC 5321,
/// section 4.5.2).
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(mail.len() + 64);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line);
    }
    if !stuffed.ends_with(b"\r\n") {
        stuffed.extend_from_slice(b"\r\n");
    }
    stuffed.extend_from_slice(b".\r\n");
    stuffed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(read: &str) -> Option<Result<String, ()>> {
        let length = length_of_reply(read.as_bytes())?;
        Some(length.map(|length| {
            let reply = parse(&read.as_bytes()[..length]).unwrap();
            format!("{} {}", reply.code(), reply.message().collect::<Vec<_>>().join("|"))
        }))
    }

    #[test]
    fn a_reply_has_lines_and_an_end() {
        for (read, reply) in [
            ("250 OK\r\n", "250 OK"),
            ("250-one\r\n250 two\r\n220 next", "250 one|two"),
            ("250\r\n", "250 "),
            ("250-\r\n250\r\n", "250 |"),
            ("354 go\n", "354 go"),
        ] {
            assert_eq!(words(read), Some(Ok(reply.to_owned())), "{read:?}");
        }
        for part in ["", "2", "250", "250 OK", "250-", "250-one\r\n", "250-one\r\n25", "250 OK\r"] {
            assert_eq!(words(part), None, "{part:?}");
        }
        for wrong in ["HTTP/1.1 400\r\n", "2x", "250_\r\n", "250-one\r\nx"] {
            assert_eq!(words(wrong), Some(Err(())), "{wrong:?}");
        }
    }

    #[test]
    fn a_dot_does_not_end_the_mail() {
        for (mail, sent) in [
            ("a\r\n.\r\n..b\r\nc.", "a\r\n..\r\n...b\r\nc.\r\n.\r\n"),
            (".", "..\r\n.\r\n"),
            ("a\r\n", "a\r\n.\r\n"),
        ] {
            assert_eq!(stuffed(mail.as_bytes()), sent.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_reply_or_none(read in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(Ok(length)) = length_of_reply(&read) {
                prop_assert!(length <= read.len());
                let _ = parse(&read[..length]);
            }
        }
    }
}
