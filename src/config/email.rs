//! A `[[channel]]` of type `email`.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use lettre::message::Mailbox;

use super::in_clear::is_this_host;
use super::secret::{Secret, one_line, secret};
use super::section::Section;
use super::tls::{Tls, tls};
use super::value;

/// The keys that it needs besides those of every channel.
pub(super) const REQUIRED: [&str; 2] = ["from", "to"];
/// The keys that it may have besides.
pub(super) const OPTIONAL: [&str; 11] = [
    "sendmail",
    "smtp_host",
    "smtp_port",
    "encryption",
    "username",
    "password",
    "password_file",
    "password_env",
    "ca_file",
    "client_cert_file",
    "client_key_file",
];
const SENDMAIL: &str = "/usr/sbin/sendmail";
const PORTS: RangeInclusive<u32> = 1..=65_535;

/// From whom a mail comes, to whom and by which way it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct EmailConfig {
    /// The sender.
    pub from: Mailbox,
    /// The recipients; at least one.
    pub to: Vec<Mailbox>,
    /// Who carries it.
    pub relay: Relay,
}

/// Who carries a mail.
#[derive(Clone, Debug, PartialEq)]
pub enum Relay {
    /// The system's own program, called as `PROGRAM -i -f SENDER -- RECIPIENT...`.
    Sendmail(PathBuf),
    /// A server.
    Smtp(SmtpConfig),
}

/// A mail server.
#[derive(Clone, Debug, PartialEq)]
pub struct SmtpConfig {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// When the connection is encrypted.
    pub encryption: Encryption,
    /// User and password.
    pub login: Option<(String, Secret)>,
    /// How to know the server.
    pub tls: Tls,
}

/// When a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte (port 465).
    Tls,
    /// After a word in clear (port 587); without it nothing is sent.
    StartTls,
    /// Never. Only fit for a server on the same host.
    None,
}

impl EmailConfig {
    /// The keys of secrets that stand in the config itself.
    pub(super) fn exposed(&self) -> Vec<&'static str> {
        match self.password() {
            Some(Secret::Plain(_)) => vec!["password"],
            _ => Vec::new(),
        }
    }

    pub(super) fn password(&self) -> Option<&Secret> {
        match &self.relay {
            Relay::Smtp(SmtpConfig { login: Some((_, password)), .. }) => Some(password),
            Relay::Smtp(_) | Relay::Sendmail(_) => None,
        }
    }
}

impl Encryption {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Tls, Self::StartTls, Self::None];

    /// The name that the config uses.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::StartTls => "starttls",
            Self::None => "none",
        }
    }

    /// The port that is usual for it.
    const fn port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

pub(super) fn email(section: &mut Section<'_, '_>) -> Option<EmailConfig> {
    let from = section.string("from", mailbox);
    let to = section.string_or_strings("to", mailbox);
    if to.as_ref().is_some_and(Vec::is_empty) {
        section.refuse("to", "must name at least one recipient");
    }
    let relay = if section.has("smtp_host") { smtp(section) } else { Some(sendmail(section)) };
    Some(EmailConfig { from: from?, to: to?, relay: relay? })
}

fn sendmail(section: &mut Section<'_, '_>) -> Relay {
    for key in OPTIONAL.iter().filter(|key| **key != "sendmail") {
        if section.has(key) {
            section.refuse(key, "means nothing without smtp_host");
        }
    }
    let program = section.string("sendmail", value::absolute_path);
    Relay::Sendmail(program.unwrap_or_else(|| PathBuf::from(SENDMAIL)))
}

fn smtp(section: &mut Section<'_, '_>) -> Option<Relay> {
    if section.has("sendmail") {
        section.refuse("sendmail", "cannot stand beside smtp_host; keep one of them");
    }
    let encryption = section.string("encryption", |text| {
        value::choice(text, &Encryption::ALL, Encryption::as_str, &[])
    });
    let encryption = encryption.unwrap_or(Encryption::StartTls);
    let port = section.integer("smtp_port", PORTS).and_then(|port| u16::try_from(port).ok());
    let host = section.string("smtp_host", host);
    let login = login(section);
    let is_near = host.as_deref().is_none_or(is_this_host);
    if encryption == Encryption::None {
        if login.is_some() && !is_near {
            section.refuse("encryption", "\"none\" would send the password in clear");
        }
        for key in super::tls::KEYS {
            if section.has(key) {
                section.refuse(key, "means nothing with encryption = \"none\"");
            }
        }
    }
    let port = port.unwrap_or(encryption.port());
    let tls = tls(section);
    Some(Relay::Smtp(SmtpConfig { host: host?, port, encryption, login, tls }))
}

fn login(section: &mut Section<'_, '_>) -> Option<(String, Secret)> {
    let username = section.string("username", one_line);
    let password =
        ["password", "password_file", "password_env"].into_iter().find(|key| section.has(key));
    match password {
        None if section.has("username") => {
            section
                .refuse("username", "needs a password (password, password_file or password_env)");
        }
        Some(key) if !section.has("username") => section.refuse(key, "needs username"),
        _ => {}
    }
    username.zip(secret(section, "password"))
}

/// A name or an address, as certificates have it.
fn host(text: &str) -> Result<String, String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    if !text.is_empty() && text.chars().all(is_part) {
        Ok(text.to_owned())
    } else {
        Err("must be the name of a host, such as \"mail.example.com\"".to_owned())
    }
}

/// An address, with or without a name before it: `Tripline <tripline@example.com>`.
///
/// Not one beyond ASCII, which many servers refuse (RFC 6531).
fn mailbox(text: &str) -> Result<Mailbox, String> {
    let mailbox = text.parse::<Mailbox>().ok();
    let is_plain = |one: &Mailbox| {
        let address: &str = one.email.as_ref();
        address.is_ascii() && !text.contains(char::is_control)
    };
    mailbox.filter(is_plain).ok_or_else(|| {
        "must be an address such as \"ops@example.com\" or \"Ops <ops@example.com>\"".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use expect_test::expect;

    use super::*;
    use crate::config::{Config, Transport};

    const MAIL: &str =
        "[[channel]]\nname = 'm'\ntype = 'email'\nfrom = 'a@example.com'\nto = 'b@example.com'\n";

    fn relay(keys: &str) -> Relay {
        let config = Config::parse(Path::new("x"), [MAIL, keys].concat().as_bytes()).unwrap();
        let Transport::Email(email) = &config.channels[0].transport else { panic!("a mail") };
        email.relay.clone()
    }

    fn problems(keys: &[&str]) -> String {
        let each = keys.iter().map(|keys| {
            let error = Config::parse(Path::new("x"), [MAIL, keys].concat().as_bytes());
            let error = error.expect_err(keys).to_string();
            let problem = error.lines().find(|line| line.contains(':')).unwrap_or_default();
            format!("{keys} -> {}\n", problem.trim())
        });
        each.collect()
    }

    #[test]
    fn the_system_carries_it_unless_there_is_a_server() {
        assert_eq!(relay(""), Relay::Sendmail("/usr/sbin/sendmail".into()));
        assert_eq!(relay("sendmail = '/bin/mta'"), Relay::Sendmail("/bin/mta".into()));
        for (keys, encryption, port) in [
            ("", Encryption::StartTls, 587),
            ("encryption = 'tls'", Encryption::Tls, 465),
            ("encryption = 'none'", Encryption::None, 25),
            ("encryption = 'tls'\nsmtp_port = 2465", Encryption::Tls, 2465),
        ] {
            let Relay::Smtp(server) = relay(&format!("smtp_host = 'mail'\n{keys}")) else {
                panic!("a server")
            };
            assert_eq!((server.encryption, server.port, server.login), (encryption, port, None));
        }
    }

    #[test]
    fn a_password_goes_to_nobody_in_clear_but_to_this_host() {
        let keys = "encryption = 'none'\nusername = 'ann'\npassword = 's3cret'";
        let Relay::Smtp(server) = relay(&format!("smtp_host = '127.0.0.1'\n{keys}")) else {
            panic!("a server")
        };
        assert!(server.login.is_some());
        assert!(!format!("{server:?}").contains("s3cret"));
        expect![[r#"
            smtp_host = 'mail.example.com'
            encryption = 'none'
            username = 'ann'
            password = 's3cret' -> x:7:14: encryption "none" would send the password in clear
        "#]]
        .assert_eq(&problems(&[&format!("smtp_host = 'mail.example.com'\n{keys}")]));
    }

    #[test]
    fn a_password_in_the_config_is_known_to_be_one() {
        let exposed = |password: &str| {
            let keys = format!("smtp_host = 'mail'\nusername = 'ann'\n{password}");
            let config = Config::parse(Path::new("x"), [MAIL, &keys].concat().as_bytes()).unwrap();
            config.channels[0].exposed()
        };
        assert_eq!(exposed("password = 's3cret'"), ["password"]);
        assert_eq!(exposed("password_file = '/etc/x'"), [""; 0]);
        assert_eq!(exposed("password_env = 'X'"), [""; 0]);
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        expect![[r#"
            smtp_port = 25 -> x:6:13: smtp_port means nothing without smtp_host
            smtp_host = 'mail'
            sendmail = '/bin/mta' -> x:7:12: sendmail cannot stand beside smtp_host; keep one of them
            smtp_host = 'mail'
            username = 'ann' -> x:7:12: username needs a password (password, password_file or password_env)
            smtp_host = 'mail'
            password_env = 'SECRET' -> x:7:16: password_env needs username
            smtp_host = 'mail'
            username = 'ann'
            password = 'x'
            password_file = '/x' -> x:9:17: password_file cannot stand beside password; keep one of them
            smtp_host = 'mail'
            encryption = 'none'
            ca_file = '/x' -> x:8:11: ca_file means nothing with encryption = "none"
            smtp_host = 'mail'
            client_key_file = '/x' -> x:7:19: client_key_file needs both client_cert_file and client_key_file
            smtp_host = 'smtp://mail' -> x:6:13: smtp_host must be the name of a host, such as "mail.example.com"
            facility = 'user' -> x:6:12: facility means nothing for a channel of type email
        "#]].assert_eq(&problems(&[
            "smtp_port = 25",
            "smtp_host = 'mail'\nsendmail = '/bin/mta'",
            "smtp_host = 'mail'\nusername = 'ann'",
            "smtp_host = 'mail'\npassword_env = 'SECRET'",
            "smtp_host = 'mail'\nusername = 'ann'\npassword = 'x'\npassword_file = '/x'",
            "smtp_host = 'mail'\nencryption = 'none'\nca_file = '/x'",
            "smtp_host = 'mail'\nclient_key_file = '/x'",
            "smtp_host = 'smtp://mail'",
            "facility = 'user'",
        ]));
    }

    #[test]
    fn an_address_may_have_a_name() {
        for (text, shown) in [
            ("ops@example.com", "ops@example.com"),
            ("Ops <ops@example.com>", "Ops <ops@example.com>"),
            ("Größe <ops@example.com>", "Größe <ops@example.com>"),
            ("\"Ops, all\" <ops@example.com>", "\"Ops, all\" <ops@example.com>"),
        ] {
            assert_eq!(mailbox(text).map(|one| one.to_string()), Ok(shown.to_owned()), "{text}");
        }
        for wrong in [
            "",
            "ops",
            "ops@",
            "@example.com",
            "ops@example.com\r\nBcc: eve@example.com",
            "O\nps <ops@example.com>",
            "ops@example.com, dev@example.com",
            "größe@example.com",
            "ops@größe.example",
            "ops@example.com> <eve@example.com",
        ] {
            assert!(mailbox(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for right in ["mail.example.com", "192.0.2.1", "2001:db8::1", "localhost"] {
            assert!(host(right).is_ok(), "{right}");
        }
        for wrong in ["", "smtp://mail", "mail example", "mail\n", "ma/il"] {
            assert!(host(wrong).is_err(), "{wrong:?}");
        }
        assert!(is_this_host("127.0.0.1") && is_this_host("::1") && !is_this_host("192.0.2.1"));
    }
}
