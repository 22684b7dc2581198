//! Servers whose certificates are trusted, or not, and that want one of ours.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::server::Server;
use super::{channel, configure, quiet_run_at, run_at, setup};
use crate::support::program::{Setup, ran};

/// Whoever says who is who.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, as PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn certificate(&self) -> String {
        self.0.pem()
    }

    fn identity(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Identity {
    /// A server that shows it, and that lets in only whom `clients` knows.
    fn serve(&self, clients: Option<&Authority>) -> Server {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.0.der().clone()).unwrap();
                builder.with_client_cert_verifier(
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                        .build()
                        .unwrap(),
                )
            }
        };
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        Server::with_tls(builder.with_single_cert(vec![certificate], key).unwrap())
    }

    fn write(&self, setup: &Setup, name: &str) {
        setup.write(&format!("{name}.pem"), &self.certificate);
        setup.write(&format!("{name}.key"), &self.key);
    }
}

/// Why the run at noon could not deliver.
fn reason(setup: &mut Setup, server: &Server) -> String {
    let ran = run_at(setup, "12:00:00");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(server.take().len(), 0, "nothing is sent");
    ran.stderr.replace(&server.port().to_string(), "PORT")
}

#[test]
fn a_server_that_nobody_knows_is_sent_nothing_until_it_is_known() {
    let authority = Authority::new("ours");
    let server = authority.identity("localhost").serve(None);
    let url = server.url("/s3cret");
    let mut setup = setup("");
    setup.write("ca.pem", authority.certificate());
    setup.write("others.pem", Authority::new("others").certificate());
    for keys in ["", "ca_file = 'LOGS/others.pem'"] {
        configure(&setup, &channel("slack", &url, keys));
        let reason = reason(&mut setup, &server);
        // Where the system has no certificates at all, that is what is wrong.
        assert!(
            reason.contains("its certificate is from nobody whom this host trusts")
                || keys.is_empty() && reason.contains("this host trusts no certificate"),
            "{reason}"
        );
        setup = super::setup("");
        setup.write("ca.pem", authority.certificate());
        setup.write("others.pem", Authority::new("others").certificate());
    }
    configure(&setup, &channel("slack", &url, "ca_file = 'LOGS/ca.pem'"));
    quiet_run_at(&mut setup, "12:00:00");
    assert_eq!(server.take()[0].path, "/s3cret");
}

#[test]
fn the_certificates_of_the_system_count() {
    let authority = Authority::new("ours");
    let server = authority.identity("localhost").serve(None);
    let setup = setup(&channel("slack", &server.url("/"), ""));
    setup.write("system.pem", authority.certificate());
    let mut command = setup.command(["run"]);
    ran(command.env("SSL_CERT_FILE", setup.path("system.pem"))).expect_silence();
    assert_eq!(server.take().len(), 1);
}

#[test]
fn a_certificate_of_another_host_is_none() {
    let authority = Authority::new("ours");
    let server = authority.identity("example.com").serve(None);
    let mut setup = setup(&channel("slack", &server.url("/s3cret"), "ca_file = 'LOGS/ca.pem'"));
    setup.write("ca.pem", authority.certificate());
    let reason = reason(&mut setup, &server);
    assert!(reason.contains("https://localhost:PORT/…: invalid peer certificate"), "{reason}");
}

#[test]
fn a_server_may_want_to_know_who_we_are() {
    let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
    let server = servers.identity("localhost").serve(Some(&clients));
    let url = server.url("/");
    let with = |certificate: &str, key: &str| {
        let keys = format!(
            "ca_file = 'LOGS/ca.pem'\nclient_cert_file = 'LOGS/{certificate}'\n\
             client_key_file = 'LOGS/{key}'"
        );
        let setup = setup(&channel("slack", &url, &keys));
        setup.write("ca.pem", servers.certificate());
        clients.identity("tripline").write(&setup, "us");
        clients.identity("tripline").write(&setup, "other");
        setup
    };
    quiet_run_at(&mut with("us.pem", "us.key"), "12:00:00");
    assert_eq!(server.take().len(), 1);
    for (certificate, key, why) in [
        ("us.pem", "other.key", "LOGS/us.pem and LOGS/other.key do not belong together"),
        ("us.pem", "ca.pem", "LOGS/ca.pem holds no private key"),
        ("us.key", "us.key", "LOGS/us.key holds no certificates as PEM"),
        ("none.pem", "us.key", "cannot read LOGS/none.pem: No such file"),
    ] {
        let reason = reason(&mut with(certificate, key), &server);
        assert!(reason.contains(why), "{reason}");
    }
    let mut setup = setup(&channel("slack", &url, "ca_file = 'LOGS/ca.pem'"));
    setup.write("ca.pem", servers.certificate());
    let ran = run_at(&mut setup, "12:00:00");
    assert_eq!(ran.code, Some(1), "{ran:?}");
}
