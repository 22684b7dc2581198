//! Whom to trust, and who we are: PEM files (RFC 7468) and the certificates of the system.

use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};

use super::failure::Failure;
use crate::config::Tls;

/// Our own certificates, the first of them ours and the others those of who vouches for it.
pub(super) struct Client {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    /// The key as it stands in its file.
    pub(super) key_pem: Vec<u8>,
}

/// What does the arithmetic.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// # Errors
/// When a file cannot be read, or there is nobody to trust.
pub(super) fn config(tls: &Tls) -> Result<ClientConfig, Failure> {
    let unusable = |error: Error| Failure::of_channel(&format!("TLS: {error}"));
    let provider = provider();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted(tls)?);
    let client = client(tls, &provider)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_root_certificates(roots);
    match client {
        Some(Client { chain, key, .. }) => {
            config.with_client_auth_cert(chain, key).map_err(unusable)
        }
        None => Ok(config.with_no_client_auth()),
    }
}

/// The system's certificates, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, and our own.
pub(super) fn trusted(tls: &Tls) -> Result<Vec<CertificateDer<'static>>, Failure> {
    // One that cannot be read is no reason not to use the others.
    let mut certificates = rustls_native_certs::load_native_certs().certs;
    if let Some(path) = &tls.ca_file {
        certificates.extend(read_certificates(path)?);
    }
    if certificates.is_empty() {
        return Err(Failure::of_channel(
            "this host trusts no certificate: install ca-certificates, or name some in ca_file",
        ));
    }
    Ok(certificates)
}

pub(super) fn client(tls: &Tls, provider: &CryptoProvider) -> Result<Option<Client>, Failure> {
    let Some((certificate, key)) = &tls.client else { return Ok(None) };
    let chain = read_certificates(certificate)?;
    let key_pem = read(key)?;
    let private_key = PrivateKeyDer::from_pem_slice(&key_pem)
        .map_err(|_| Failure::of_channel(&format!("{} holds no private key", key.display())))?;
    // Those who use it say less of what is wrong, or panic.
    CertifiedKey::from_der(chain.clone(), private_key.clone_key(), provider).map_err(|error| {
        Failure::of_channel(&format!(
            "{} and {} do not belong together: {error}",
            certificate.display(),
            key.display()
        ))
    })?;
    Ok(Some(Client { chain, key: private_key, key_pem }))
}

/// Why a connection does not work, where it may be TLS that says so.
pub(super) fn why_broken(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    inner.map_or_else(|| error.to_string(), with_advice)
}

/// What is wrong, and what to do about it.
pub(super) fn with_advice(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate is from nobody whom this host trusts; if it is yours, name it in \
             ca_file"
                .to_owned()
        }
        other => other.to_string(),
    }
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    certificates.ok().filter(|certificates| !certificates.is_empty()).ok_or_else(|| {
        Failure::of_channel(&format!("{} holds no certificates as PEM", path.display()))
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path)
        .map_err(|error| Failure::of_channel(&format!("cannot read {}: {error}", path.display())))
}
