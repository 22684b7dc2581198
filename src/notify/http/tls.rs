//! Whom to trust, and who we are: PEM files (RFC 7468) and the certificates of the system.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::config::Tls;
use crate::notify::failure::Failure;

/// # Errors
/// When a file cannot be read, or there is nobody to trust.
pub(super) fn config(tls: &Tls) -> Result<TlsConfig, Failure> {
    let provider = Arc::new(ring::default_provider());
    let client = match &tls.client {
        Some((certificate, key)) => Some(client(certificate, key, &provider)?),
        None => None,
    };
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::from(trusted(tls)?))
        .client_cert(client)
        .build())
}

/// The system's certificates, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, and our own.
fn trusted(tls: &Tls) -> Result<Vec<Certificate<'static>>, Failure> {
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
    Ok(certificates.iter().map(|one| Certificate::from_der(one).to_owned()).collect())
}

fn client(
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<ClientCert, Failure> {
    let certificates = read_certificates(certificate)?;
    let text = read(key)?;
    let no_key = || Failure::of_channel(&format!("{} holds no private key", key.display()));
    let private_key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| no_key())?;
    let chain = certificates.iter().map(|one| Certificate::from_der(one).to_owned());
    let chain: Vec<Certificate<'static>> = chain.collect();
    // ureq would panic.
    CertifiedKey::from_der(certificates, private_key, provider).map_err(|error| {
        Failure::of_channel(&format!(
            "{} and {} do not belong together: {error}",
            certificate.display(),
            key.display()
        ))
    })?;
    let private_key = PrivateKey::from_pem(&text).map_err(|_| no_key())?;
    Ok(ClientCert::new_with_certs(&chain, private_key))
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
