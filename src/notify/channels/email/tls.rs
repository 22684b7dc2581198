//! How to know a mail server, and what to show it of us.

use std::fs;
use std::path::Path;

use lettre::transport::smtp::client::{Certificate, Identity, TlsParameters};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::config::SmtpConfig;
use crate::notify::failure::Failure;

/// The system's certificates, those of `ca_file` besides, and the certificate of the client.
pub(super) fn parameters(server: &SmtpConfig) -> Result<TlsParameters, Failure> {
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(path) = &server.tls.ca_file {
        let pem = read(path)?;
        // lettre takes a file without any certificate as well.
        certificate(path, &pem)?;
        let trusted = Certificate::from_pem(&pem).map_err(|error| unusable(path, &error))?;
        builder = builder.add_root_certificate(trusted);
    }
    if let Some((certificate_path, key_path)) = &server.tls.client {
        let shown = certificate(certificate_path, &read(certificate_path)?)?;
        // lettre 0.11 wants the certificate as DER and the key as PEM.
        let identity = Identity::from_pem(&shown, &read(key_path)?);
        builder = builder.identify_with(identity.map_err(|error| unusable(key_path, &error))?);
    }
    builder
        .build()
        .map_err(|error| Failure::of_channel(&format!("cannot use the certificates: {error}")))
}

/// The first certificate of a PEM file.
fn certificate(path: &Path, pem: &[u8]) -> Result<CertificateDer<'static>, Failure> {
    CertificateDer::from_pem_slice(pem).map_err(|error| unusable(path, &error))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path)
        .map_err(|error| Failure::of_channel(&format!("cannot read {}: {error}", path.display())))
}

/// What is wrong with a file; what stands in it is not shown.
fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::of_channel(&format!("cannot use {}: {error}", path.display()))
}
