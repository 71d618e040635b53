//! What is wrong with a certificate or a key, in words for people. Never what they hold.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, OtherError};

use super::certificate::{Key, Untimely};

/// What the TLS library can do, for somebody who is to issue another certificate.
const ISSUE: &str = "issue one with RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519";

/// How many names of a certificate are said at most.
const MOST_NAMES: usize = 8;

/// Why there can be no connection with what a kubeconfig says.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Where a certificate belongs, there is none.
    #[error("{0} holds no certificate")]
    NoCertificate(String),
    /// Where a certificate belongs, there is a key.
    #[error("{0} holds a private key where a certificate belongs: have the two been swapped?")]
    KeyForCertificate(String),
    #[error("{0} holds no certificate that can be read")]
    BrokenCertificate(String),
    /// Where a key belongs, there is none.
    #[error("{0} holds no private key")]
    NoKey(String),
    /// Where a key belongs, there is a certificate.
    #[error("{0} holds a certificate where a private key belongs: have the two been swapped?")]
    CertificateForKey(String),
    /// Nobody is asked for a password, as kubectl asks nobody.
    #[error("{0} holds an encrypted key, which kubectl cannot use either: write a decrypted one with openssl pkey")]
    EncryptedKey(String),
    /// It is broken, or of a form that nobody writes.
    #[error("{0} holds no private key that this program can read: if it is whole, {ISSUE}")]
    BrokenKey(String),
    /// The key is that of another certificate.
    #[error("{key} holds the key of another certificate than {certificate}")]
    ForeignKey {
        /// Where the key is from.
        key: String,
        /// Where the certificate is from.
        certificate: String,
    },
    /// The TLS library cannot sign with such a key.
    #[error("{0} holds {1} that this program cannot use: {ISSUE}")]
    StrangeKey(String, Key),
    /// The file of the authorities, as a pod has it.
    #[error("could not read the authorities in {0}: {1}")]
    NoFile(PathBuf, #[source] io::Error),
    /// The kubeconfig names no authority, and the machine has none.
    #[error("no certificate authority is given, and this machine's own could not be read: {0}")]
    NoSystem(#[source] rustls::Error),
    /// The TLS library refuses to start.
    #[error("could not prepare TLS: {0}")]
    Library(#[from] rustls::Error),
}

/// Why a server's certificate is not trusted, to be read after "the server's certificate".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untrusted {
    /// It is none.
    Broken,
    /// It is out of date.
    Untimely(Untimely),
    /// It is for other servers.
    WrongName {
        /// Who was asked.
        asked: String,
        /// Whom it is for.
        names: Vec<String>,
    },
    /// It is not for servers at all.
    NotForServers,
    /// The TLS library cannot check what its key has signed.
    StrangeKey(Key),
    /// The TLS library cannot check what the key of the authority that signed it has signed.
    StrangeAuthority(Authority, Key),
    /// The authority that signed it is out of date.
    UntimelyAuthority(Authority, Untimely),
    /// It is signed by a certificate that may sign none.
    NoAuthority(Authority),
    /// An authority of the same name, but with another key, has signed it.
    Namesake(Authority),
    /// It is signed by nobody who is trusted.
    Unknown(Authority),
    /// It is signed by itself, and not trusted by itself. This is where it would have to be.
    SelfSigned(String),
    /// The server shows it without holding its key.
    KeyNotHeld,
    /// Something else, in words.
    Other(String),
}

/// An authority's name, and where it would have to be, or is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    pub name: String,
    /// Where authorities are from. Empty for what the server itself sends.
    pub origin: String,
}

impl Display for Authority {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name)?;
        if self.origin.is_empty() { Ok(()) } else { write!(f, " of {}", self.origin) }
    }
}

impl Display for Untrusted {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken => f.write_str("cannot be read"),
            Self::Untimely(untimely) => untimely.fmt(f),
            Self::WrongName { asked, names } if names.is_empty() => {
                write!(f, "is not for {asked}: it names no server (subject alternative name)")
            }
            Self::WrongName { asked, names } => {
                let first: Vec<&str> = names.iter().map(String::as_str).take(MOST_NAMES).collect();
                write!(f, "is not for {asked}, only for {}", first.join(", "))?;
                match names.len() - first.len() {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            Self::NotForServers => f.write_str("is not for servers (extended key usage)"),
            Self::StrangeKey(key) => write!(f, "has {key} that this program cannot check: {ISSUE}"),
            Self::StrangeAuthority(authority, key) => {
                write!(f, "is signed by the authority {authority}, with {key} that this program cannot check: {ISSUE}")
            }
            Self::UntimelyAuthority(authority, untimely) => {
                write!(f, "is signed by the authority {authority}, which {untimely}")
            }
            Self::NoAuthority(authority) => {
                write!(
                    f,
                    "is signed by {authority}, which is not an authority (CA:TRUE, and keyCertSign among its usages)"
                )
            }
            Self::Namesake(authority) => {
                write!(
                    f,
                    "is not signed by the authority {authority}, but by another one of that name: was the cluster created again?"
                )
            }
            Self::Unknown(Authority { name, origin }) => {
                write!(f, "is signed by {name:?}, which is not among {origin}")
            }
            Self::KeyNotHeld => f.write_str("is presented by a server that does not have its private key"),
            Self::SelfSigned(origin) => {
                write!(f, "is self-signed, and not among {origin}: does the server have a new certificate?")
            }
            Self::Other(words) => f.write_str(words),
        }
    }
}

impl Error for Untrusted {}

impl From<Untrusted> for rustls::Error {
    fn from(untrusted: Untrusted) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(untrusted))))
    }
}

impl From<&CertificateError> for Untrusted {
    fn from(error: &CertificateError) -> Self {
        match error {
            other @ CertificateError::Other(OtherError(error)) => match error.downcast_ref::<Self>() {
                Some(untrusted) => untrusted.clone(),
                None => Self::Other(words(other)),
            },
            CertificateError::BadEncoding => Self::Broken,
            CertificateError::ExpiredContext { not_after, .. } => Self::Untimely(Untimely::Expired(civil(*not_after))),
            CertificateError::NotValidYetContext { not_before, .. } => {
                Self::Untimely(Untimely::Early(civil(*not_before)))
            }
            CertificateError::NotValidForNameContext { expected, presented } => Self::WrongName {
                asked: expected.to_str().into_owned(),
                names: presented.iter().filter_map(|name| Some(name.split('"').nth(1)?.to_owned())).collect(),
            },
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => Self::NotForServers,
            error => Self::Other(words(error)),
        }
    }
}

/// What the library says only to programmers.
fn words(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => "is not signed by an authority that this machine trusts".to_owned(),
        CertificateError::BadSignature => "has a wrong signature, or is presented without its private key".to_owned(),
        CertificateError::Revoked => "has been revoked".to_owned(),
        CertificateError::UnhandledCriticalExtension => {
            "has a critical extension that this program does not support".to_owned()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            format!("is signed in a way that this program cannot check: {ISSUE}, with SHA-256")
        }
        CertificateError::Other(OtherError(other)) => match other.to_string().as_str() {
            "CaUsedAsEndEntity" => "is the certificate of an authority (CA:TRUE): issue one for a server".to_owned(),
            other => format!("is not accepted: {other}"),
        },
        error => format!("is not accepted: {error}"),
    }
}

impl From<rustls::Error> for Untrusted {
    fn from(error: rustls::Error) -> Self {
        match &error {
            rustls::Error::InvalidCertificate(error) => error.into(),
            error => Self::Other(format!("is not accepted: {error}")),
        }
    }
}

/// Who refused whom when a connection was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// This program does not trust the server's certificate: why.
    OfServer(Untrusted),
    /// The server does not take this program's certificate, or wants one: how it said so.
    OfClient(String),
}

/// What certificates have to do with an error of a connection, if they have.
#[must_use]
pub fn refusal(error: &(dyn Error + 'static)) -> Option<Refusal> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return match error {
            rustls::Error::InvalidCertificate(error) => Some(Refusal::OfServer(error.into())),
            rustls::Error::AlertReceived(alert) => of_client(*alert).map(Refusal::OfClient),
            _ => None,
        };
    }
    // An error of I/O gives the source of what it carries, but not that itself, as its source.
    let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match carried {
        Some(carried) => refusal(carried),
        None => refusal(error.source()?),
    }
}

fn of_client(alert: AlertDescription) -> Option<String> {
    let words = match alert {
        AlertDescription::CertificateExpired => "it has expired",
        AlertDescription::CertificateRevoked => "it has been revoked",
        AlertDescription::CertificateRequired => "there is none",
        AlertDescription::UnknownCA => "the server does not know who signed it",
        AlertDescription::UnsupportedCertificate => "the server does not support its kind",
        AlertDescription::BadCertificate | AlertDescription::CertificateUnknown | AlertDescription::AccessDenied => {
            "the server does not say why"
        }
        _ => return None,
    };
    Some(words.to_owned())
}

/// A time of the TLS library.
pub fn timestamp(at: UnixTime) -> Timestamp {
    i64::try_from(at.as_secs()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::MAX)
}

fn civil(at: UnixTime) -> jiff::civil::DateTime {
    super::certificate::utc(timestamp(at))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;

    use super::*;

    fn words(error: CertificateError) -> String {
        match refusal(&rustls::Error::InvalidCertificate(error)) {
            Some(Refusal::OfServer(untrusted)) => untrusted.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_refusal_is_found_however_deep_it_is_wrapped() {
        #[derive(Debug, thiserror::Error)]
        #[error("client error (Connect)")]
        struct Connect(#[source] io::Error);

        let untrusted = Untrusted::KeyNotHeld;
        let tls = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::from(untrusted.clone()));
        let error = Connect(io::Error::other(io::Error::other(Connect(io::Error::other(tls)))));
        assert_eq!(refusal(&error), Some(Refusal::OfServer(untrusted)));
        let reset = Connect(io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(refusal(&reset), None);
        assert_eq!(refusal(&rustls::Error::AlertReceived(AlertDescription::HandshakeFailure)), None);
    }

    #[test]
    fn what_the_machines_own_judge_says_is_put_in_words() {
        let time = |seconds| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let expired = CertificateError::ExpiredContext { time: time(u64::MAX), not_after: time(1_769_817_600) };
        assert_eq!(words(expired), "expired on 2026-01-31 at 00:00 UTC");
        let name = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("kubernetes").unwrap(),
            presented: vec!["DnsName(\"example.com\")".to_owned(), "IpAddress(0a000001)".to_owned()],
        };
        assert_eq!(words(name), "is not for kubernetes, only for example.com");
        assert_eq!(words(CertificateError::UnknownIssuer), "is not signed by an authority that this machine trusts");
        let other = OtherError(Arc::new(io::Error::other("something new")));
        assert_eq!(words(CertificateError::Other(other)), "is not accepted: something new");
    }

    #[test]
    fn of_many_names_some_are_said() {
        let names = (1..=30).map(|number| format!("{number}.example.com")).collect();
        let untrusted = Untrusted::WrongName { asked: "kubernetes".to_owned(), names }.to_string();
        assert!(untrusted.ends_with("7.example.com, 8.example.com and 22 more"), "{untrusted}");
    }
}
