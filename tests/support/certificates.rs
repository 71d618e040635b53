//! Certificates for tests, made as they are needed, and changed where no tool makes such.
//!
//! Used by path: `#[path = "../support/certificates.rs"] mod certificates;`.

#![allow(dead_code)] // Each who uses it uses a part.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SigningKey as _};

pub const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

/// An RSA key: the library that makes the others makes none. It opens nothing.
pub const RSA: &str = include_str!("rsa.pem");

/// A certificate and its key.
pub struct Certificate {
    pub der: Vec<u8>,
    pub key: KeyPair,
}

impl Certificate {
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// The same in version 1, which has no extensions.
    pub fn in_version_1(self, signer: &KeyPair) -> Self {
        let der = changed(&self.der, signer, |mut parts| {
            parts.truncate(7);
            parts.split_off(1)
        });
        Self { der, key: self.key }
    }

    /// The same for another public key, whose private one nobody has.
    pub fn for_key(self, public_key: &[u8], signer: &KeyPair) -> Self {
        let der = changed(&self.der, signer, |mut parts| {
            parts[6] = public_key.to_owned();
            parts
        });
        Self { der, key: self.key }
    }
}

/// Who signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new(name: &str) -> Self {
        Self::with(params(name))
    }

    pub fn with(params: CertificateParams) -> Self {
        Self(CertifiedIssuer::self_signed(authority(params), KeyPair::generate().unwrap()).unwrap())
    }

    /// One that this one vouches for.
    pub fn between(&self, params: CertificateParams) -> Self {
        let params = authority(params);
        Self(CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.0).unwrap())
    }

    pub fn sign(&self, params: &CertificateParams) -> Certificate {
        self.sign_for(params, KeyPair::generate().unwrap())
    }

    pub fn sign_for(&self, params: &CertificateParams, key: KeyPair) -> Certificate {
        Certificate { der: params.signed_by(&key, &*self.0).unwrap().der().to_vec(), key }
    }

    /// Its own certificate, with a copy of its key.
    pub fn certificate(&self) -> Certificate {
        let key = KeyPair::try_from(self.key().serialize_der()).unwrap();
        Certificate { der: self.0.der().to_vec(), key }
    }

    pub fn key(&self) -> &KeyPair {
        self.0.key()
    }
}

fn authority(mut params: CertificateParams) -> CertificateParams {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// A certificate that nobody else has signed.
pub fn self_signed(params: &CertificateParams) -> Certificate {
    let key = KeyPair::generate().unwrap();
    Certificate { der: params.self_signed(&key).unwrap().der().to_vec(), key }
}

/// What is to be in the certificate of somebody of this name.
pub fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// What is to be in that of a server with these names or addresses.
pub fn server(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, "server");
    params
}

/// A public key of RSA: so many bytes, all ones.
pub fn rsa_public_key(bytes: usize) -> Vec<u8> {
    let modulus = value(2, &[&[0][..], &vec![0xff; bytes]].concat());
    let key = value(SEQUENCE, &[modulus, vec![2, 3, 1, 0, 1]].concat());
    let algorithm = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    value(SEQUENCE, &[value(SEQUENCE, algorithm), value(BIT_STRING, &[&[0][..], &key].concat())].concat())
}

/// A public key on the curve P-521.
pub fn p521_public_key() -> Vec<u8> {
    let algorithm = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23";
    let point = [&[0, 4][..], &[1; 132]].concat();
    value(SEQUENCE, &[value(SEQUENCE, algorithm), value(BIT_STRING, &point)].concat())
}

pub fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A certificate with other parts (version, serial, signature, issuer, validity, subject, key, extensions), signed again.
fn changed(der: &[u8], signer: &KeyPair, change: impl FnOnce(Vec<Vec<u8>>) -> Vec<Vec<u8>>) -> Vec<u8> {
    let whole = parts(&parts(der)[0][header(der)..]);
    let body = value(SEQUENCE, &change(parts(&whole[0][header(&whole[0])..])).concat());
    let signature = [vec![0], signer.sign(&body).unwrap()].concat();
    value(SEQUENCE, &[body, whole[1].clone(), value(BIT_STRING, &signature)].concat())
}

/// The values of DER that follow one another.
pub fn parts(mut der: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    while !der.is_empty() {
        let (part, rest) = der.split_at(header(der) + length(der));
        parts.push(part.to_owned());
        der = rest;
    }
    parts
}

/// How many bytes tag and length take.
pub fn header(der: &[u8]) -> usize {
    2 + if der[1] < 0x80 { 0 } else { usize::from(der[1] & 0x7f) }
}

fn length(der: &[u8]) -> usize {
    if der[1] < 0x80 {
        return der[1].into();
    }
    der[2..header(der)].iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
}

/// A value of DER.
pub fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match u16::try_from(content.len()).unwrap().to_be_bytes() {
        [0, length @ ..=0x7f] => vec![length],
        [0, length] => vec![0x81, length],
        [high, low] => vec![0x82, high, low],
    };
    [vec![tag], length, content.to_owned()].concat()
}
