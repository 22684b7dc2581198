//! The conversation with a mail server: RFC 5321, STARTTLS (RFC 3207), AUTH (RFC 4954).
//!
//! Each recipient is named by itself, so that one that is refused is known by name and the mail
//! goes to the others. Who is refused for now is named once more, to which servers that take few
//! recipients at a time have a right (RFC 5321, section 4.5.3.1.10). Then it is over: the mail
//! counts as delivered as soon as anybody has got it, since to send it again would tell the
//! others twice. When all are refused, it is tried again later.

use std::fmt::Display;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::{Auth, Data, Ehlo, Mail, Quit, Rcpt, Rset, Starttls};
use lettre::transport::smtp::extension::{ClientId, Extension, ServerInfo};
use lettre::transport::smtp::response::Response;

use super::connection::{Connection, Trouble};
use crate::config::{Encryption, SmtpConfig};
use crate::notify::failure::Failure;
use crate::notify::redact::Redactor;
use crate::notify::send::no_answer;
use crate::notify::tls;
use crate::visible;

/// Characters of what a server has to say that are kept.
const ANSWER_CHARS: usize = 400;
/// How to log in: lettre has one more, which takes no password.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
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
    connection: Connection,
    place: Place,
}

/// Who is talked to, and how to speak of it.
struct Place {
    /// `mail.example.com:587`
    name: String,
    patience: Duration,
    /// The password, as it is and as it was sent: servers may say what they were told.
    secrets: Redactor,
}

impl Conversation {
    /// Connects, encrypts and logs in, as the config says.
    fn begin(server: &SmtpConfig, patience: Duration) -> Result<Self, Failure> {
        let until = Instant::now() + patience;
        let login = login(server)?;
        let secrets = login.as_ref().map(hiding).unwrap_or_default();
        let place = Place { name: format!("{}:{}", server.host, server.port), patience, secrets };
        let (connection, info) = open(server, &place, until)?;
        let mut conversation = Self { connection, place };
        if let Some(login) = login {
            conversation.log_in(&login, &info)?;
        }
        Ok(conversation)
    }

    fn log_in(&mut self, login: &Credentials, info: &ServerInfo) -> Result<(), Failure> {
        let Some(mechanism) = info.get_auth_mechanism(&MECHANISMS) else {
            return Err(self.place.failure("offers no login (AUTH PLAIN or LOGIN)"));
        };
        let nonsense = |_| self.place.refused("the login", &Trouble::Nonsense);
        let mut words = Auth::new(mechanism, login.clone(), None).map_err(nonsense)?;
        // Each mechanism is over after two questions.
        for _ in 0..3 {
            let reply = self.command("the login", words)?;
            if !reply.has_code(334) {
                return Ok(());
            }
            let nonsense = |_| self.place.refused("the login", &Trouble::Nonsense);
            words = Auth::new_from_response(mechanism, login.clone(), &reply).map_err(nonsense)?;
        }
        Err(self.place.refused("the login", &Trouble::Nonsense))
    }

    fn deliver(&mut self, from: &Address, to: &[Address], mail: &[u8]) -> Result<Taken, Failure> {
        let Round { answer, mut refused } = self.round(from, to, mail)?;
        let Some(answer) = answer else {
            return Err(self
                .place
                .failure(&format!("takes none of the recipients: {}", list(&refused))));
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
            let place = &self.place;
            place.shown(&format!("{} did not take it for {}", place.name, list(&refused)))
        });
        Ok(Taken { answer, remark })
    }

    /// Names the sender and the recipients, and sends the mail to those that are taken.
    fn round(&mut self, from: &Address, to: &[Address], mail: &[u8]) -> Result<Round, Failure> {
        let sender = self.connection.command(Mail::new(Some(from.clone()), Vec::new()));
        sender.map_err(|trouble| Failure {
            is_about_message: trouble.code() == Some(TOO_LARGE),
            ..self.place.refused(&format!("the sender {from}"), &trouble)
        })?;
        let mut refused = Vec::new();
        for recipient in to {
            match self.connection.command(Rcpt::new(recipient.clone(), Vec::new())) {
                Ok(_) => {}
                Err(Trouble::Refused(reply)) if !reply.has_code(CLOSING) => {
                    refused.push(Refusal::new(recipient, &reply));
                }
                Err(trouble) => {
                    return Err(self
                        .place
                        .refused(&format!("the recipient {recipient}"), &trouble));
                }
            }
        }
        if refused.len() == to.len() {
            // Whatever it says to that, the next one will show.
            let _ = self.connection.command(Rset);
            return Ok(Round { answer: None, refused });
        }
        self.command("the mail", Data)?;
        let answer = self.connection.data(mail).map_err(|trouble| Failure {
            // A server that is out of order says so for now, one that dislikes the mail for good.
            is_about_message: trouble.is_permanent(),
            ..self.place.refused("the mail", &trouble)
        })?;
        Ok(Round { answer: Some(self.place.shown(&words(&answer))), refused })
    }

    /// Says one thing; `what` is what it asks for.
    fn command(&mut self, what: &str, command: impl Display) -> Result<Response, Failure> {
        self.connection.command(command).map_err(|trouble| self.place.refused(what, &trouble))
    }

    fn end(mut self) {
        self.connection.end_within(GOODBYE);
        // It has the mail, or not, whatever it says now.
        let _ = self.connection.command(Quit);
    }
}

/// Connects and greets, and encrypts where the config says so.
fn open(
    server: &SmtpConfig,
    place: &Place,
    until: Instant,
) -> Result<(Connection, ServerInfo), Failure> {
    let broken = |trouble: Trouble| place.refused("the conversation", &trouble);
    let tls = match server.encryption {
        Encryption::None => None,
        Encryption::Tls | Encryption::StartTls => Some(Arc::new(tls::config(&server.tls)?)),
    };
    let mut connection = Connection::connect(&server.host, server.port, until).map_err(broken)?;
    if let (Encryption::Tls, Some(tls)) = (server.encryption, &tls) {
        connection = connection.encrypt(Arc::clone(tls), &server.host).map_err(broken)?;
    }
    connection.reply().map_err(broken)?;
    let mut info = greet(&mut connection).map_err(broken)?;
    if let (Encryption::StartTls, Some(tls)) = (server.encryption, tls) {
        if !info.supports_feature(Extension::StartTls) {
            return Err(place.failure(
                "offers no STARTTLS, so nothing was sent to it; is encryption = \"tls\" meant?",
            ));
        }
        connection.command(Starttls).map_err(|trouble| place.refused("STARTTLS", &trouble))?;
        connection = connection.encrypt(tls, &server.host).map_err(broken)?;
        // What it offered in clear, somebody else may have changed.
        info = greet(&mut connection).map_err(broken)?;
    }
    Ok((connection, info))
}

fn greet(connection: &mut Connection) -> Result<ServerInfo, Trouble> {
    let reply = connection.command(Ehlo::new(hello()))?;
    ServerInfo::from_response(&reply).map_err(|_| Trouble::Nonsense)
}

impl Place {
    /// What is wrong, for people, who asked it for `what`.
    fn refused(&self, what: &str, trouble: &Trouble) -> Failure {
        let name = &self.name;
        let reason = match trouble {
            Trouble::TooLate => format!("{name}: {}", no_answer(self.patience).reason),
            Trouble::Closed => format!("{name} closed the connection"),
            Trouble::Nonsense => format!("{name} answers what no mail server says"),
            Trouble::Refused(reply) => format!("{name} refused {what}: {}", words(reply)),
            Trouble::Broken(error) => format!("{name}: {}", tls::why_broken(error)),
        };
        Failure::of_channel(&self.secrets.redact(&reason))
    }

    fn failure(&self, what: &str) -> Failure {
        Failure::of_channel(&self.secrets.redact(&format!("{} {what}", self.name)))
    }

    /// What the server said, fit to be shown and without secrets.
    fn shown(&self, text: &str) -> String {
        visible::line(&self.secrets.redact(text), ANSWER_CHARS)
    }
}

impl Refusal {
    fn new(recipient: &Address, reply: &Response) -> Self {
        let is_for_now = u16::from(reply.code()) < 500;
        Self { recipient: recipient.clone(), reason: words(reply), is_for_now }
    }
}

/// The code and the words of a reply, on one line.
fn words(reply: &Response) -> String {
    let lines: Vec<&str> = reply.message().collect();
    format!("{} {}", reply.code(), lines.join(" "))
}

/// User and password, where the config has them.
fn login(server: &SmtpConfig) -> Result<Option<Credentials>, Failure> {
    let Some((user, password)) = &server.login else { return Ok(None) };
    let password = password.read().map_err(|error| Failure::of_channel(&error.to_string()))?;
    Ok(Some(Credentials::new(user.clone(), password)))
}

/// Hides a password as it may come back: as each mechanism sends it, and as it is.
fn hiding(login: &Credentials) -> Redactor {
    let mut forms = Vec::new();
    for (mechanism, question) in [(Mechanism::Plain, None), (Mechanism::Login, Some("Password"))] {
        let said = Auth::new(mechanism, login.clone(), question.map(str::to_owned));
        let said = said.map(|said| said.to_string()).unwrap_or_default();
        forms.extend(said.split_whitespace().last().map(str::to_owned));
    }
    forms.extend(Mechanism::Login.response(login, Some("Password")));
    let mut redactor = Redactor::default();
    for form in &forms {
        redactor.hide(form);
    }
    redactor
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
