//! The same certificates as for mail, as ureq wants them.

use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::config::Tls;
use crate::notify::failure::Failure;
use crate::notify::tls::{Client, client, provider, trusted};

/// # Errors
/// When a file cannot be read, or there is nobody to trust.
pub(super) fn config(tls: &Tls) -> Result<TlsConfig, Failure> {
    let provider = provider();
    let client = match client(tls, &provider)? {
        Some(client) => Some(shown(&client)?),
        None => None,
    };
    let trusted = trusted(tls)?;
    let roots = trusted.iter().map(|one| Certificate::from_der(one).to_owned());
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::from(roots.collect::<Vec<_>>()))
        .client_cert(client)
        .build())
}

fn shown(client: &Client) -> Result<ClientCert, Failure> {
    let chain = client.chain.iter().map(|one| Certificate::from_der(one).to_owned());
    let chain: Vec<Certificate<'static>> = chain.collect();
    let key = PrivateKey::from_pem(&client.key_pem)
        .map_err(|error| Failure::of_channel(&format!("the client's key: {error}")))?;
    Ok(ClientCert::new_with_certs(&chain, key))
}
