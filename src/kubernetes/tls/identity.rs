//! The certificate that is shown to the server.

use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};

use super::certificate::{Certificate, Validity, with_public_part};
use super::error::TlsError;
use super::pem::{self, Block};
use super::{ClientCertificate, Pem};

/// The certificate that is shown to the server, if any. It may be set, or replaced, after the TLS configuration is made:
/// an exec plugin gives one only when it has run. Connections that are open keep the one of their beginning.
#[derive(Clone, Default)]
pub struct Identity(Arc<RwLock<Option<Shown>>>);

struct Shown {
    key: Arc<CertifiedKey>,
    origin: String,
    validity: Validity,
}

impl Identity {
    /// Shows this certificate from now on.
    ///
    /// # Errors
    /// As kubectl, if there is no certificate, or no key of that certificate that can be used.
    pub fn show(&self, client: &ClientCertificate) -> Result<(), TlsError> {
        let shown = Shown::read(client)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        Ok(())
    }

    /// Shows none from now on.
    pub fn hide(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// That the certificate does not hold at this time, in words that name it and the date, if so. kubectl shows one that
    /// has expired all the same, and the server refuses it: to be said then.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Option<String> {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Shown { origin, validity, .. } = shown.as_ref()?;
        Some(format!("the client certificate in {origin} {}", validity.at(now)?))
    }
}

impl Debug for Identity {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl ResolvesClientCert for Identity {
    /// The server's list of authorities is not looked at, as by kubectl. If the server takes no signature that the key can
    /// make, none is shown.
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shown.as_ref().map(|shown| Arc::clone(&shown.key))
    }

    fn has_certs(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

impl Shown {
    fn read(client: &ClientCertificate) -> Result<Self, TlsError> {
        let chain = chain(&client.certificate)?;
        let origin = client.certificate.origin.clone();
        let Some(leaf) = chain.first().and_then(|leaf| Certificate::parse(leaf)) else {
            return Err(TlsError::BrokenCertificate(origin));
        };
        let key = key(&client.key, &leaf)?;
        if key.public_key().is_none_or(|public| public.as_ref() != leaf.public_key) {
            return Err(TlsError::ForeignKey { key: client.key.origin.clone(), certificate: origin });
        }
        let validity = leaf.validity;
        Ok(Self { key: Arc::new(CertifiedKey::new(chain, key)), origin, validity })
    }
}

fn chain(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let (certificates, others): (Vec<Block>, Vec<Block>) =
        pem::blocks(&pem.bytes).into_iter().partition(|block| block.label == "CERTIFICATE");
    if !certificates.is_empty() {
        return Ok(certificates.into_iter().map(|block| block.der.into()).collect());
    }
    let origin = pem.origin.clone();
    let is_swapped = others.iter().any(Block::is_private_key);
    Err(if is_swapped { TlsError::KeyForCertificate(origin) } else { TlsError::NoCertificate(origin) })
}

/// The first key of a text. What it is called is no matter, as in Go: what it holds says which of the three forms it is.
fn key(pem: &Pem, leaf: &Certificate) -> Result<Arc<dyn SigningKey>, TlsError> {
    let origin = pem.origin.clone();
    let mut blocks = pem::blocks(&pem.bytes);
    let Some(at) = blocks.iter().position(Block::is_private_key) else {
        let is_swapped = blocks.iter().any(|block| block.label == "CERTIFICATE");
        return Err(if is_swapped { TlsError::CertificateForKey(origin) } else { TlsError::NoKey(origin) });
    };
    let block = blocks.swap_remove(at);
    let der = block.der.as_slice();
    let forms: [PrivateKeyDer; 3] = [
        PrivatePkcs8KeyDer::from(der).into(),
        PrivatePkcs1KeyDer::from(der).into(),
        PrivateSec1KeyDer::from(der).into(),
    ];
    let read = forms.iter().find_map(|form| any_supported_type(form).ok());
    let read = read.or_else(|| {
        let whole = with_public_part(der, leaf.public_key)?;
        any_supported_type(&PrivatePkcs8KeyDer::from(whole).into()).ok()
    });
    read.ok_or_else(|| match leaf.key() {
        _ if block.is_encrypted() => TlsError::EncryptedKey(origin),
        key if key.can_sign() => TlsError::BrokenKey(origin),
        key => TlsError::StrangeKey(origin, key),
    })
}
