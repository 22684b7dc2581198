//! The conversation with a mail server: RFC 5321, STARTTLS (RFC 3207), AUTH (RFC 4954).
//!
//! Each recipient is named by itself, so that one that is refused is known by name and the mail
//! goes to the others. Who is refused for now is named once more, to which servers that take few
//! recipients at a time have a right (RFC 5321, section 4.5.3.1.10). Then it is over: the mail
//! counts as delivered as soon as anybody has got it, since to send it again would tell the
//! others twice. When all are refused, it is tried again later.

use std::error::Error as _;
use std::fmt::Display;
use std::io;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD as BASE64, Engine as _};
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::SmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;

use super::tls;
use crate::config::{Encryption, SmtpConfig};
use crate::notify::failure::Failure;
use crate::notify::send::no_answer;
use crate::visible;

/// Characters of what a server has to say that are kept.
const ANSWER_CHARS: usize = 400;
/// How long to wait for a server to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// "The service is not available and the connection will be closed."
const CLOSING: u16 = 421;
/// "Message exceeds the fixed maximum message size", already when the sender is named.
const TOO_LARGE: u16 = 552;

/// What became of a mail that somebody has got.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// What the server said when it took the mail.
    pub(super) answer: String,
    /// Who has not got it, and why.
    pub(super) remark: Option<String>,
}

/// Sends a mail to all recipients that the server takes.
pub(super) fn send(
    server: &SmtpConfig,
    from: &Address,
    to: &[Address],
    mail: &[u8],
    patience: Duration,
) -> Result<Taken, Failure> {
    let mut conversation = Conversation::begin(server, patience)?;
    let taken = conversation.deliver(from, to, mail);
    conversation.end();
    taken
}

/// Who was refused, and why.
struct Refusal {
    recipient: Address,
    reason: String,
    is_for_now: bool,
}

/// What became of one attempt within a conversation.
struct Round {
    /// What the server said; `None`: all were refused.
    answer: Option<String>,
    refused: Vec<Refusal>,
}

struct Conversation {
    connection: SmtpConnection,
    /// `mail.example.com:587`
    place: String,
    until: Instant,
    patience: Duration,
    /// The password, as it is and as it was sent: servers may say what they were told.
    secrets: Vec<String>,
}

impl Conversation {
    /// Connects, encrypts and logs in, as the config says.
    fn begin(server: &SmtpConfig, patience: Duration) -> Result<Self, Failure> {
        let until = Instant::now() + patience;
        let place = format!("{}:{}", server.host, server.port);
        let login = match &server.login {
            Some((user, password)) => {
                let password = password.read();
                let password = password.map_err(|error| Failure::of_channel(&error.to_string()))?;
                Some((user.clone(), password))
            }
            None => None,
        };
        let tls = match server.encryption {
            Encryption::None => None,
            Encryption::Tls | Encryption::StartTls => Some(tls::parameters(server)?),
        };
        let hello = hello();
        let at_once = tls.as_ref().filter(|_| server.encryption == Encryption::Tls);
        let address = (server.host.as_str(), server.port);
        let connection = SmtpConnection::connect(address, Some(patience), &hello, at_once, None)
            .map_err(|error| {
                Failure::of_channel(&said(&error, &place, "the conversation", patience))
            })?;
        let secrets = login.iter().flat_map(|(user, password)| forms(user, password)).collect();
        let mut conversation = Self { connection, place, until, patience, secrets };
        if let Some(tls) = tls.filter(|_| server.encryption == Encryption::StartTls) {
            conversation.be_in_time()?;
            if !conversation.connection.can_starttls() {
                return Err(conversation.failure(
                    "offers no STARTTLS, so nothing was sent to it; is encryption = \"tls\" meant?",
                ));
            }
            let upgraded = conversation.connection.starttls(&tls, &hello);
            upgraded.map_err(|error| conversation.refused("STARTTLS", &error))?;
        }
        if let Some((user, password)) = login {
            conversation.log_in(user, password)?;
        }
        Ok(conversation)
    }

    fn log_in(&mut self, user: String, password: String) -> Result<(), Failure> {
        self.be_in_time()?;
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        if !mechanisms.iter().any(|one| self.connection.server_info().supports_auth_mechanism(*one))
        {
            return Err(self.failure("offers no login (AUTH PLAIN or LOGIN)"));
        }
        let login = self.connection.auth(&mechanisms, &Credentials::new(user, password));
        login.map_err(|error| self.refused("the login", &error))?;
        Ok(())
    }

    fn deliver(&mut self, from: &Address, to: &[Address], mail: &[u8]) -> Result<Taken, Failure> {
        let Round { answer, mut refused } = self.round(from, to, mail)?;
        let Some(answer) = answer else {
            return Err(self.failure(&format!("takes none of the recipients: {}", list(&refused))));
        };
        loop {
            let for_now = refused.iter().filter(|one| one.is_for_now);
            let left: Vec<Address> = for_now.map(|one| one.recipient.clone()).collect();
            if left.is_empty() {
                break;
            }
            // Where that fails, what was said before stands: others have got the mail.
            let Ok(again) = self.round(from, &left, mail) else { break };
            refused.retain(|one| !one.is_for_now);
            refused.extend(again.refused);
            if again.answer.is_none() {
                break;
            }
        }
        let remark = (!refused.is_empty()).then(|| {
            let remark = format!("{} did not take it for {}", self.place, list(&refused));
            visible::line(&self.without_secrets(&remark), ANSWER_CHARS)
        });
        Ok(Taken { answer, remark })
    }

    /// Names the sender and the recipients, and sends the mail to those that are taken.
    fn round(&mut self, from: &Address, to: &[Address], mail: &[u8]) -> Result<Round, Failure> {
        let sender = self.command(Mail::new(Some(from.clone()), Vec::new()))?;
        sender.map_err(|error| Failure {
            is_about_message: error.status().is_some_and(|code| u16::from(code) == TOO_LARGE),
            ..self.refused(&format!("the sender {from}"), &error)
        })?;
        let mut refused = Vec::new();
        for recipient in to {
            let Err(error) = self.command(Rcpt::new(recipient.clone(), Vec::new()))? else {
                continue;
            };
            if error.status().is_none_or(|code| u16::from(code) == CLOSING) {
                return Err(self.refused(&format!("the recipient {recipient}"), &error));
            }
            let (reason, is_for_now) = (words(&error), error.is_transient());
            refused.push(Refusal { recipient: recipient.clone(), reason, is_for_now });
        }
        if refused.len() == to.len() {
            let _ = self.command(Rset)?;
            return Ok(Round { answer: None, refused });
        }
        self.command(Data)?.map_err(|error| self.refused("the mail", &error))?;
        self.be_in_time()?;
        let answer = self.connection.message(mail).map_err(|error| Failure {
            // A server that is out of order says so for now, one that dislikes the mail for good.
            is_about_message: error.is_permanent(),
            ..self.refused("the mail", &error)
        })?;
        Ok(Round { answer: Some(self.shown(&answer)), refused })
    }

    /// Says one thing and returns what the server says to it.
    fn command(&mut self, command: impl Display) -> Result<Result<Response, Error>, Failure> {
        self.be_in_time()?;
        Ok(self.connection.command(command))
    }

    /// Nothing more is said after the time is over: whoever waits has gone, and the mail will be
    /// sent again. Before, no answer is waited for beyond it.
    fn be_in_time(&mut self) -> Result<(), Failure> {
        let rest = self.until.saturating_duration_since(Instant::now());
        if rest.is_zero() || self.connection.set_timeout(Some(rest)).is_err() {
            let late = no_answer(self.patience);
            return Err(Failure { reason: format!("{}: {}", self.place, late.reason), ..late });
        }
        Ok(())
    }

    fn end(mut self) {
        let rest = self.until.saturating_duration_since(Instant::now()).min(GOODBYE);
        if !rest.is_zero() && self.connection.set_timeout(Some(rest)).is_ok() {
            // It has the mail, or not, whatever it says now.
            let _ = self.connection.command(Quit);
        }
    }

    fn refused(&self, what: &str, error: &Error) -> Failure {
        let reason = said(error, &self.place, what, self.patience);
        Failure::of_channel(&self.without_secrets(&reason))
    }

    fn failure(&self, what: &str) -> Failure {
        Failure::of_channel(&self.without_secrets(&format!("{} {what}", self.place)))
    }

    fn shown(&self, answer: &Response) -> String {
        let lines: Vec<&str> = answer.message().collect();
        let text = format!("{} {}", answer.code(), lines.join(" "));
        visible::line(&self.without_secrets(&text), ANSWER_CHARS)
    }

    fn without_secrets(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// How a password may come back, the longest first.
fn forms(user: &str, password: &str) -> [String; 3] {
    let plain = BASE64.encode(format!("\0{user}\0{password}"));
    [plain, BASE64.encode(password), password.to_owned()]
}

/// The name by which this host greets; an address where it has none that can be said.
fn hello() -> ClientId {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    if !name.is_empty() && name.chars().all(is_part) {
        ClientId::Domain(name)
    } else {
        ClientId::Ipv4(Ipv4Addr::LOCALHOST)
    }
}

fn list(refused: &[Refusal]) -> String {
    let each = refused.iter().map(|one| format!("{}: {}", one.recipient, one.reason));
    each.collect::<Vec<_>>().join("; ")
}

/// What is wrong, for people. `place` is who was asked for `what`.
fn said(error: &Error, place: &str, what: &str, patience: Duration) -> String {
    if error.status().is_some() {
        return format!("{place} refused {what}: {}", words(error));
    }
    let words = words(error);
    match kind(error) {
        // A read that takes too long ends as one that would block.
        Some(io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {
            format!("{place}: {}", no_answer(patience).reason)
        }
        Some(io::ErrorKind::UnexpectedEof) => format!("{place} closed the connection"),
        _ if words == "incomplete response" => format!("{place} closed the connection"),
        _ if words.contains("UnknownIssuer") => {
            format!("{place}: {words} (ca_file names certificates to trust besides the system's)")
        }
        _ => format!("{place}: {words}"),
    }
}

/// The answer with its code, or the reason alone.
fn words(error: &Error) -> String {
    let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    match error.status() {
        Some(code) => format!("{code} {reason}"),
        None => reason,
    }
}

fn kind(error: &Error) -> Option<io::ErrorKind> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        source = error.source();
    }
    None
}
