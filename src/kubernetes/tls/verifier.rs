//! Who judges a server's certificate when a connection is made.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier as System;

use super::bundle::Bundle;
use super::error::{TlsError, Untrusted};
use super::{Pem, Trust};

/// Who judges, for this kind of trust.
///
/// # Errors
/// If there are no authorities to judge by.
pub fn verifier(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let algorithms = provider.signature_verification_algorithms;
    let authorities = match (trust.insecure, &trust.authority, &trust.authority_file) {
        (true, ..) => return Ok(Arc::new(Nobody)),
        (_, Some(pem), _) => Authorities::Given(Arc::new(Bundle::read(pem)?)),
        (_, None, Some(path)) => Authorities::File(Reread::new(path)?),
        (_, None, None) => {
            return Ok(Arc::new(System::new(Arc::clone(provider)).map_err(TlsError::NoSystem)?));
        }
    };
    Ok(Arc::new(Own { authorities, algorithms }))
}

/// The authorities of a kubeconfig, or of a pod.
#[derive(Debug)]
struct Own {
    authorities: Authorities,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
enum Authorities {
    Given(Arc<Bundle>),
    File(Reread),
}

impl Authorities {
    fn now(&self) -> Arc<Bundle> {
        match self {
            Self::Given(bundle) => Arc::clone(bundle),
            Self::File(file) => file.now(),
        }
    }
}

impl ServerCertVerifier for Own {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        server: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.authorities.now().judge(shown, between, server, now, self.algorithms.all)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms).map_err(key_not_held)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms).map_err(key_not_held)
    }

    /// One more than can be checked: a server whose key is on that curve is to show its certificate, so that it can be said
    /// what is wrong with it. Otherwise it breaks off and does not say why.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.algorithms.supported_schemes();
        schemes.push(SignatureScheme::ECDSA_NISTP521_SHA512);
        schemes
    }
}

fn key_not_held(error: rustls::Error) -> rustls::Error {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::BadSignature) => Untrusted::KeyNotHeld.into(),
        error => error,
    }
}

/// A bundle in a file that is replaced while the program runs, as in a pod.
#[derive(Debug)]
struct Reread {
    path: PathBuf,
    last: RwLock<(Arc<Bundle>, Instant)>,
}

impl Reread {
    /// How long what was read serves.
    const EVERY: Duration = Duration::from_mins(1);

    fn new(path: &Path) -> Result<Self, TlsError> {
        let first = Arc::new(Self::read(path)?);
        Ok(Self { path: path.to_owned(), last: RwLock::new((first, Instant::now())) })
    }

    fn read(path: &Path) -> Result<Bundle, TlsError> {
        let bytes = std::fs::read(path).map_err(|error| TlsError::NoFile(path.to_owned(), error))?;
        Bundle::read(&Pem { bytes, origin: path.display().to_string() })
    }

    fn now(&self) -> Arc<Bundle> {
        self.at(Instant::now())
    }

    /// The bundle as the file has it. One that cannot be read changes nothing: it may be half written.
    fn at(&self, now: Instant) -> Arc<Bundle> {
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(last.1) >= Self::EVERY {
            let bundle = Self::read(&self.path).map_or_else(|_| Arc::clone(&last.0), Arc::new);
            *last = (bundle, now);
        }
        Arc::clone(&last.0)
    }
}

/// Nobody judges: `--insecure-skip-tls-verify`. Whoever is in between may have any key, and so no signature says anything.
#[derive(Debug)]
struct Nobody;

impl ServerCertVerifier for Nobody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    /// All that Go takes.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ED25519,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::RSA_PKCS1_SHA1,
            SignatureScheme::ECDSA_SHA1_Legacy,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::certificates::Authority;
    use super::*;

    #[test]
    fn a_file_of_authorities_is_read_again_after_a_minute_and_kept_where_it_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.crt");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("");
        let error = Reread::new(&path).unwrap_err().to_string();
        assert_eq!(error, format!("{} holds no certificate", path.display()));
        write(&Authority::new("one").certificate().pem());
        let file = Reread::new(&path).unwrap();
        let (first, start) = (file.now(), Instant::now());
        write(&Authority::new("other").certificate().pem());
        assert!(Arc::ptr_eq(&file.at(start + Duration::from_secs(50)), &first));
        let second = file.at(start + Duration::from_secs(61));
        assert!(!Arc::ptr_eq(&second, &first));
        std::fs::remove_file(&path).unwrap();
        assert!(Arc::ptr_eq(&file.at(start + Duration::from_secs(200)), &second));
        let error = Reread::new(&path).unwrap_err().to_string();
        assert!(error.starts_with(&format!("could not read the authorities in {}", path.display())), "{error}");
    }
}
