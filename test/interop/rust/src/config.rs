//! The crate's configurations, made from the command line.

use std::error::Error;
use std::fs;

use tokio_aws_lc::{
    cipher_suite, CipherSuite, ClientAuthMode, ClientConfig, ProtocolVersion, ServerConfig,
};

use crate::options::Options;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// `--cert`, `--key`; optional `--client-ca` (then a certificate of the client is required).
pub fn server(options: &Options) -> Result<ServerConfig> {
    let mut builder = ServerConfig::builder()
        .alpn_protocols(&alpn(options))
        .cipher_suites(&suites(options)?);
    if let Some(version) = version(options)? {
        builder = builder
            .min_protocol_version(version)
            .max_protocol_version(version);
    }
    if let Some(file) = options.get("client-ca") {
        builder = builder.client_auth(ClientAuthMode::Required, &fs::read(file)?);
    }
    if kernel_is_off(options) {
        builder = builder.disable_ktls();
    }
    let (cert, key) = (options.required("cert")?, options.required("key")?);
    Ok(builder.with_pem_files(cert.as_ref(), key.as_ref())?)
}

/// `--ca`; optional `--cert` and `--key`.
pub fn client(options: &Options) -> Result<ClientConfig> {
    let mut builder = ClientConfig::builder()
        .with_root_certs_pem_bytes(&fs::read(options.required("ca")?)?)
        .alpn_protocols(&alpn(options))
        .cipher_suites(&suites(options)?);
    if let Some(version) = version(options)? {
        builder = builder
            .min_protocol_version(version)
            .max_protocol_version(version);
    }
    if let Some(cert) = options.get("cert") {
        let key = options.required("key")?;
        builder = builder.with_client_auth_pem_bytes(&fs::read(cert)?, &fs::read(key)?);
    }
    if kernel_is_off(options) {
        builder = builder.disable_ktls();
    }
    Ok(builder.build()?)
}

fn alpn(options: &Options) -> Vec<&[u8]> {
    let names = options.list("alpn");
    names.into_iter().map(str::as_bytes).collect()
}

fn suites(options: &Options) -> Result<Vec<&'static CipherSuite>> {
    let named = |name: &str| {
        let known = cipher_suite::ALL_CIPHER_SUITES.iter();
        known.copied().find(|suite| suite.name() == name)
    };
    let names = options.list("suites");
    let found = names.iter().map(|name| named(name).ok_or(*name));
    let found: std::result::Result<Vec<_>, &str> = found.collect();
    Ok(found.map_err(|name| format!("no suite is called {name}"))?)
}

fn version(options: &Options) -> Result<Option<ProtocolVersion>> {
    match options.get("version") {
        None => Ok(None),
        Some("TLSv1.2") => Ok(Some(ProtocolVersion::Tls12)),
        Some("TLSv1.3") => Ok(Some(ProtocolVersion::Tls13)),
        Some(other) => Err(format!("no version is called {other}").into()),
    }
}

fn kernel_is_off(options: &Options) -> bool {
    options.get("ktls") == Some("off")
}
