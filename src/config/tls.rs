//! How the two sides of a TLS connection know each other.

use std::path::PathBuf;

use super::section::Section;
use super::value;

/// The keys of a channel that say how the two sides know each other.
pub(super) const KEYS: [&str; 3] = ["ca_file", "client_cert_file", "client_key_file"];

/// How the two sides of a TLS connection know each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates to trust besides the system's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and its key, as PEM.
    pub client: Option<(PathBuf, PathBuf)>,
}

pub(super) fn tls(section: &mut Section<'_, '_>) -> Tls {
    let ca_file = section.string("ca_file", value::absolute_path);
    let cert = section.string("client_cert_file", value::absolute_path);
    let key = section.string("client_key_file", value::absolute_path);
    if section.has("client_cert_file") != section.has("client_key_file") {
        let there =
            if section.has("client_key_file") { "client_key_file" } else { "client_cert_file" };
        section.refuse(there, "needs both client_cert_file and client_key_file");
    }
    Tls { ca_file, client: cert.zip(key) }
}
