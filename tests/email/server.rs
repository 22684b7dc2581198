//! A real mail server, and certificates for it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value;

use crate::support::program::Setup;

/// The program, in a process of its own that ends with this value.
pub(crate) struct MailServer {
    child: Child,
    pub(crate) port: u16,
    mails: PathBuf,
}

impl MailServer {
    /// Starts it with the options of `server.py`. `LOGS` in them stands for the folder of the
    /// test.
    pub(crate) fn start(setup: &Setup, options: &[&str]) -> Self {
        let mails = setup.path("mails.jsonl");
        let folder = setup.folder.path().to_str().unwrap();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/email/server.py");
        // The system's own, which has the packages of the system.
        let mut command = Command::new("/usr/bin/python3");
        command.arg(program).arg(&mails);
        command.args(options.iter().map(|option| option.replace("LOGS", folder)));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("python3-aiosmtpd is missing: run scripts/test");
        Self { child, port, mails }
    }

    /// The mails that were taken.
    pub(crate) fn mails(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.mails).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// A header of a mail, decoded.
pub(crate) fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    let mut found = mail["headers"].as_array().unwrap().iter().filter(|header| header[0] == name);
    let value = found.next().unwrap_or_else(|| panic!("no {name} in {mail:#}"));
    assert!(found.next().is_none(), "{name} twice in {mail:#}");
    value[1].as_str().unwrap()
}

/// Writes `ca.pem`, and for each name `NAME.pem` and `NAME.key`, signed by it; the server's is
/// for 127.0.0.1 alone.
pub(crate) fn write_certificates(setup: &Setup) {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    setup.write("ca.pem", params.self_signed(&key).unwrap().pem());
    let issuer = Issuer::new(params, key);
    for (name, subject) in [("server", "127.0.0.1"), ("client", "web1.example.com")] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([subject.to_owned()]).unwrap();
        // OpenSSL takes one of the same name as its issuer for self-signed.
        params.distinguished_name.push(DnType::CommonName, subject);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        setup.write(&format!("{name}.pem"), certificate.pem());
        setup.write(&format!("{name}.key"), key.serialize_pem());
    }
}
