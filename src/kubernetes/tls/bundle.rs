//! The authorities that a kubeconfig names, and what Go makes of them.
//!
//! The TLS library knows authorities only. Go looks at the server's own certificate first: one that is in the bundle, byte
//! for byte, needs no authority, whether it says that it is one or not. And Go looks at the dates of authorities.

use jiff::Timestamp;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, RootCertStore};

use super::certificate::{self, Certificate};
use super::error::{Authority, TlsError, Untrusted, timestamp};
use super::{Pem, pem};

/// A bundle of certificates that a server is trusted by.
#[derive(Debug)]
pub struct Bundle {
    origin: String,
    trusted: Vec<(CertificateDer<'static>, TrustAnchor<'static>)>,
}

impl Bundle {
    /// The certificates of a text that can be read. Others are skipped, as by kubectl.
    ///
    /// # Errors
    /// If there are none.
    pub fn read(pem: &Pem) -> Result<Self, TlsError> {
        let blocks = pem::blocks(&pem.bytes);
        let origin = pem.origin.clone();
        let is_there = blocks.iter().any(|block| block.label == "CERTIFICATE");
        let plain = blocks.into_iter().filter(|block| block.label == "CERTIFICATE" && block.headers.is_empty());
        let trusted: Vec<_> = plain.filter_map(|block| read(block.der)).collect();
        match trusted.is_empty() {
            true if is_there => Err(TlsError::BrokenCertificate(origin)),
            true => Err(TlsError::NoCertificate(origin)),
            false => Ok(Self { origin, trusted }),
        }
    }

    /// Whether the certificate that a server shows, with others between it and an authority, is to be trusted. In the order in
    /// which kubectl judges: dates, name, authority.
    ///
    /// # Errors
    /// If it is not.
    pub fn judge(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        server: &ServerName<'_>,
        at: UnixTime,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Result<(), Untrusted> {
        let now = timestamp(at);
        let leaf = Certificate::parse(shown).ok_or(Untrusted::Broken)?;
        if let Some(untimely) = leaf.validity.at(now) {
            return Err(Untrusted::Untimely(untimely));
        }
        let wrong_name = || Untrusted::WrongName { asked: server.to_str().into_owned(), names: leaf.names() };
        // The library does not read these. They have no names, and so are for no server.
        if leaf.is_old() {
            return Err(wrong_name());
        }
        let parsed = ParsedCertificate::try_from(shown)?;
        verify_server_name(&parsed, server).map_err(|_| wrong_name())?;
        if !leaf.key().can_be_checked() {
            return Err(Untrusted::StrangeKey(leaf.key()));
        }
        if !leaf.is_for_servers() {
            return Err(Untrusted::NotForServers);
        }
        let is_trusted_itself = self.trusted.iter().any(|(trusted, _)| trusted == shown);
        if is_trusted_itself || self.vouches_for_authority(&leaf, now, algorithms) {
            return Ok(());
        }
        let roots = RootCertStore { roots: self.authorities(now).map(|(_, anchor)| anchor.clone()).collect() };
        let may_sign = |der: &&CertificateDer| Certificate::parse(der).is_some_and(|between| between.may_sign());
        let signers: Vec<CertificateDer> = between.iter().filter(may_sign).cloned().collect();
        verify_server_cert_signed_by_trust_anchor(&parsed, &roots, &signers, at, algorithms)
            .map_err(|error| self.why(error, &leaf, between, now))
    }

    /// Those that may vouch for others.
    fn authorities(&self, now: Timestamp) -> impl Iterator<Item = (Certificate<'_>, &TrustAnchor<'static>)> {
        let all = self.trusted.iter().filter_map(|(der, anchor)| Some((Certificate::parse(der)?, anchor)));
        all.filter(move |(certificate, _)| may_vouch(certificate) && certificate.validity.at(now).is_none())
    }

    /// Whether an authority of the bundle has signed a server's certificate that says that it is an authority itself. The
    /// library takes no such server; people make such certificates by mistake, and kubectl takes them.
    fn vouches_for_authority(
        &self,
        leaf: &Certificate,
        now: Timestamp,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> bool {
        // Only the library can tell whether names are within an authority's constraints.
        let mut issuers = self.authorities(now).filter(|(issuer, anchor)| {
            issuer.subject == leaf.issuer && issuer.key().can_be_checked() && anchor.name_constraints.is_none()
        });
        leaf.says_authority() && issuers.any(|(issuer, _)| leaf.is_signed_by(issuer.public_key, algorithms))
    }

    /// Why no authority of the bundle vouches for a certificate: what is wrong with those that have signed it, or what the
    /// library says.
    fn why(
        &self,
        error: rustls::Error,
        leaf: &Certificate,
        between: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Untrusted {
        if leaf.issuer == leaf.subject {
            return Untrusted::SelfSigned(self.origin.clone());
        }
        let between: Vec<Certificate> = between.iter().filter_map(|der| Certificate::parse(der)).collect();
        let mut path = [leaf].into_iter().chain(&between);
        let has_signed = |issuer: &Certificate| path.clone().any(|signed| signed.issuer == issuer.subject);
        let trusted = self.trusted.iter().filter_map(|(der, _)| Certificate::parse(der));
        let issuers: Vec<Certificate> = trusted.filter(has_signed).collect();
        let mut sent = between.iter().filter(|issuer| has_signed(issuer));
        if let Some(fault) = sent.find_map(|issuer| fault(issuer, "", now)) {
            return fault;
        }
        // Where one of them is without fault, it is not the others' that counts.
        let faults: Option<Vec<Untrusted>> = issuers.iter().map(|issuer| fault(issuer, &self.origin, now)).collect();
        if let Some(fault) = faults.and_then(|faults| faults.into_iter().next()) {
            return fault;
        }
        let is_unsigned = matches!(
            error,
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)
        );
        match (issuers.first(), path.next_back()) {
            (Some(issuer), _) if is_unsigned => Untrusted::Namesake(authority(issuer.subject, &self.origin)),
            (None, Some(last)) if is_unsigned => Untrusted::Unknown(authority(last.issuer, &self.origin)),
            _ => error.into(),
        }
    }
}

fn read(der: Vec<u8>) -> Option<(CertificateDer<'static>, TrustAnchor<'static>)> {
    let der = CertificateDer::from(der);
    Certificate::parse(&der)?;
    let mut anchors = RootCertStore::empty();
    anchors.add(der.clone()).ok()?;
    Some((der, anchors.roots.pop()?))
}

fn may_vouch(certificate: &Certificate) -> bool {
    certificate.may_sign() && certificate.is_for_servers()
}

fn authority(name: &[u8], origin: &str) -> Authority {
    Authority { name: certificate::name(name), origin: origin.to_owned() }
}

/// Why a certificate cannot vouch for others, if it cannot.
fn fault(certificate: &Certificate, origin: &str, now: Timestamp) -> Option<Untrusted> {
    let (authority, key) = (authority(certificate.subject, origin), certificate.key());
    match certificate.validity.at(now) {
        _ if !key.can_be_checked() => Some(Untrusted::StrangeAuthority(authority, key)),
        Some(untimely) => Some(Untrusted::UntimelyAuthority(authority, untimely)),
        None if !may_vouch(certificate) => Some(Untrusted::NoAuthority(authority)),
        None => None,
    }
}
