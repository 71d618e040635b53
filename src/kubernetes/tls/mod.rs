//! TLS as kubectl has it: which servers are trusted, and which certificate is shown to them.
//!
//! What Go takes is taken, also where the TLS library alone would not: client certificates of X.509 version 1, a server's own
//! certificate among the authorities, bundles with broken certificates. What Go refuses is refused, also where the library
//! alone would not: authorities that have expired, or that say they are none.

mod bundle;
mod certificate;
mod error;
mod identity;
mod pem;
mod verifier;

#[cfg(test)]
mod tests;

use std::fmt::{self, Debug, Formatter};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::ring;

pub use error::{Refusal, TlsError, refusal};
pub use identity::Identity;

/// A PEM text.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem {
    /// The text.
    pub bytes: Vec<u8>,
    /// Where it is from, for messages: `client-key-data of user "dev" in /home/dev/.kube/config`.
    pub origin: String,
}

/// What it holds may be a key.
impl Debug for Pem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pem").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// A certificate that is shown to the server, and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, and perhaps those between it and an authority.
    pub certificate: Pem,
    /// Its private key.
    pub key: Pem,
}

/// Which servers are trusted. Without anything said, those that the machine's authorities vouch for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// The authorities, and the servers themselves, that are trusted.
    pub authority: Option<Pem>,
    /// A file with such, if there are none above. It is read again as it changes, at most once a minute.
    pub authority_file: Option<PathBuf>,
    /// All are trusted, whatever is said above.
    pub insecure: bool,
}

/// What connections are made with. Not to be made for a server that is asked without TLS: it may read the authorities of the
/// whole machine.
///
/// # Errors
/// If there are no authorities to judge a server by.
pub fn client_config(trust: &Trust, identity: &Identity) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier::verifier(trust, &provider)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(identity.clone()));
    // A session that is taken up again is that of the certificate which was shown at its beginning. kubectl takes up none.
    config.resumption = Resumption::disabled();
    Ok(config)
}
