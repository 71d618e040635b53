//! What must be known of a certificate that the TLS library does not tell, or of one that it does not read (X.509 v1).

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use rustls::pki_types::SignatureVerificationAlgorithm;

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const PUBLIC_PART: u8 = 0xa1;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];
const KEY_USAGE: &[u8] = &[0x55, 29, 15];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 29, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 29, 19];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 29, 37];
const ANY_USAGE: &[u8] = &[0x55, 29, 37, 0];
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const ELLIPTIC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P224: &[u8] = &[0x2b, 0x81, 4, 0, 33];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x2b, 0x81, 4, 0, 34];
const P521: &[u8] = &[0x2b, 0x81, 4, 0, 35];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// A certificate of any version.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    version: u8,
    /// Who signed it, as DER.
    pub issuer: &'a [u8],
    /// Whom it is for, as DER.
    pub subject: &'a [u8],
    /// When it holds.
    pub validity: Validity,
    /// Its public key with its kind (`SubjectPublicKeyInfo`), as DER.
    pub public_key: &'a [u8],
    extensions: &'a [u8],
    signed: &'a [u8],
    signature: Signature<'a>,
}

/// How a certificate is signed.
#[derive(Clone, Copy, Debug)]
struct Signature<'a> {
    algorithm: &'a [u8],
    bits: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// What the DER of a certificate says, if it is that of one.
    pub fn parse(der: &'a [u8]) -> Option<Self> {
        let mut whole = Values(der);
        let mut parts = whole.tagged(SEQUENCE)?.values();
        let signed = parts.tagged(SEQUENCE)?;
        let signature =
            Signature { algorithm: parts.tagged(SEQUENCE)?.content, bits: bits(parts.tagged(BIT_STRING)?)? };
        (parts.0.is_empty() && whole.0.is_empty()).then_some(())?;
        let mut body = signed.values();
        let version = match body.tagged(VERSION) {
            Some(version) => version.values().tagged(INTEGER)?.content.last()?.saturating_add(1),
            None => 1,
        };
        let (_serial, _signature) = (body.tagged(INTEGER)?, body.tagged(SEQUENCE)?);
        let issuer = body.tagged(SEQUENCE)?.whole;
        let mut dates = body.tagged(SEQUENCE)?.values();
        let validity = Validity { from: date(dates.next()?)?, until: date(dates.next()?)? };
        let subject = body.tagged(SEQUENCE)?.whole;
        let public_key = body.tagged(SEQUENCE)?.whole;
        let extensions = match body.find(|value| value.tag == EXTENSIONS) {
            Some(extensions) => extensions.values().tagged(SEQUENCE)?.content,
            None => &[],
        };
        Some(Self { version, issuer, subject, validity, public_key, extensions, signed: signed.whole, signature })
    }

    /// What an extension holds.
    fn extension(&self, id: &[u8]) -> Option<Value<'a>> {
        Values(self.extensions).find_map(|extension| {
            let mut parts = extension.values();
            let is_it = parts.tagged(OBJECT_ID)?.content == id;
            let _critical = parts.tagged(BOOLEAN);
            parts.tagged(OCTET_STRING).filter(|_| is_it)?.values().next()
        })
    }

    /// Whether it is of a version that has no extensions.
    pub fn is_old(&self) -> bool {
        self.version < 3
    }

    /// Whether it says that it is an authority, if it says anything of it.
    fn is_authority(&self) -> Option<bool> {
        let constraints = self.extension(BASIC_CONSTRAINTS)?;
        Some(constraints.values().tagged(BOOLEAN).is_some_and(|is| is.content != [0]))
    }

    /// Whether it says that it is one.
    pub fn says_authority(&self) -> bool {
        self.is_authority() == Some(true)
    }

    /// Whether it may sign others, as Go judges: one of version 3 must say that it is an authority.
    pub fn may_sign(&self) -> bool {
        let is_authority = self.is_authority().unwrap_or(self.is_old());
        let signs = |usage: Value| match usage.content {
            [_, bits @ ..] if bits.iter().any(|byte| *byte != 0) => bits[0] & 0b100 != 0,
            _ => true,
        };
        is_authority && self.extension(KEY_USAGE).is_none_or(signs)
    }

    /// Whether it may be that of a server, or sign one that is.
    pub fn is_for_servers(&self) -> bool {
        self.extension(EXTENDED_KEY_USAGE)
            .is_none_or(|usages| usages.values().any(|usage| [ANY_USAGE, SERVER_AUTH].contains(&usage.content)))
    }

    /// Whether the holder of a public key (`SubjectPublicKeyInfo`) has signed it.
    pub fn is_signed_by(&self, public_key: &[u8], algorithms: &[&dyn SignatureVerificationAlgorithm]) -> bool {
        let Some((kind, key)) = public_key_parts(public_key) else { return false };
        let mut algorithms = algorithms.iter().filter(|algorithm| {
            algorithm.public_key_alg_id().as_ref() == kind.content
                && algorithm.signature_alg_id().as_ref() == self.signature.algorithm
        });
        algorithms.any(|algorithm| algorithm.verify_signature(key, self.signed, self.signature.bits).is_ok())
    }

    /// The names and addresses of the servers that it is for. The common name is none of them.
    pub fn names(&self) -> Vec<String> {
        let names = self.extension(SUBJECT_ALT_NAME).into_iter().flat_map(Value::values);
        names.filter_map(|name| server(name.tag, name.content)).collect()
    }

    /// The kind of its key.
    pub fn key(&self) -> Key {
        Key::of(self.public_key).unwrap_or(Key::Other)
    }
}

fn server(tag: u8, content: &[u8]) -> Option<String> {
    match (tag, content.len()) {
        (DNS_NAME, _) => Some(String::from_utf8_lossy(content).into_owned()),
        (IP_ADDRESS, 4) => Some(IpAddr::from(<[u8; 4]>::try_from(content).ok()?).to_string()),
        (IP_ADDRESS, 16) => Some(IpAddr::from(<[u8; 16]>::try_from(content).ok()?).to_string()),
        _ => None,
    }
}

/// What to call whom a subject or an issuer is.
pub fn name(der: &[u8]) -> String {
    let parts = || Values(der).flat_map(Value::values).filter(|part| part.tag == SET).flat_map(Value::values);
    let part = |id| {
        parts().find_map(|part| {
            let mut pair = part.values();
            let is_it = pair.tagged(OBJECT_ID)?.content == id;
            is_it.then(|| String::from_utf8_lossy(pair.next().map_or(&[], |text| text.content)).into_owned())
        })
    };
    part(COMMON_NAME).or_else(|| part(ORGANIZATION)).unwrap_or_default()
}

/// When a certificate holds, both ends included. In UTC: some have no end but that of the calendar, which no time zone reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Not before.
    pub from: DateTime,
    /// Not after.
    pub until: DateTime,
}

/// Why a certificate does not hold now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untimely {
    /// It no longer does.
    Expired(DateTime),
    /// It does not yet.
    Early(DateTime),
}

impl Validity {
    /// Why it does not hold at a time, if it does not.
    pub fn at(&self, now: Timestamp) -> Option<Untimely> {
        let now = utc(now);
        match now {
            _ if now < self.from => Some(Untimely::Early(self.from)),
            _ if now > self.until => Some(Untimely::Expired(self.until)),
            _ => None,
        }
    }
}

impl Display for Untimely {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired(at) => write!(f, "expired on {}", minute(*at)),
            Self::Early(at) => write!(f, "is not valid before {}: is this machine's clock right?", minute(*at)),
        }
    }
}

/// A time in UTC.
pub fn utc(at: Timestamp) -> DateTime {
    TimeZone::UTC.to_datetime(at)
}

fn minute(at: DateTime) -> String {
    format!("{} at {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}

/// `260131120000Z`, of this century or the last, or `20260131120000Z`.
fn date(value: Value) -> Option<DateTime> {
    let text = str::from_utf8(value.content).ok()?;
    let text = match value.tag {
        UTC_TIME if text >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let digits = text.strip_suffix('Z').filter(|digits| digits.len() == 14)?;
    let number = |at: usize| digits.get(at..at + 2)?.parse::<i8>().ok();
    let year = digits.get(..4)?.parse().ok()?;
    civil::DateTime::new(year, number(4)?, number(6)?, number(8)?, number(10)?, number(12)?, 0).ok()
}

/// The kind of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// RSA, with so many bits.
    Rsa(usize),
    /// A curve that this program's TLS library has.
    Curve,
    /// One that it does not have.
    StrangeCurve(&'static str),
    /// Something else.
    Other,
}

impl Key {
    fn of(public_key: &[u8]) -> Option<Self> {
        let (kind, key) = public_key_parts(public_key)?;
        let mut kind = kind.values();
        let (id, parameters) = (kind.tagged(OBJECT_ID)?.content, kind.next());
        Some(match (id, parameters.map(|curve| curve.content)) {
            (RSA, _) => Self::Rsa(modulus_bits(key)?),
            (ED25519, _) | (ELLIPTIC, Some(P256 | P384)) => Self::Curve,
            (ELLIPTIC, Some(P224)) => Self::StrangeCurve("P-224"),
            (ELLIPTIC, Some(P521)) => Self::StrangeCurve("P-521"),
            _ => Self::Other,
        })
    }

    /// Whether the TLS library can check what is signed with it.
    #[must_use]
    pub fn can_be_checked(self) -> bool {
        matches!(self, Self::Rsa(2048..=8192) | Self::Curve)
    }

    /// Whether the TLS library can sign with it.
    #[must_use]
    pub fn can_sign(self) -> bool {
        matches!(self, Self::Rsa(2048..=4096) | Self::Curve)
    }
}

impl Display for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "an RSA key of {bits} bits"),
            Self::StrangeCurve(curve) => write!(f, "a key on the curve {curve}"),
            Self::Curve | Self::Other => f.write_str("a key of a kind"),
        }
    }
}

/// The kind of a public key, and its bits.
fn public_key_parts(public_key: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let mut parts = Values(public_key).tagged(SEQUENCE)?.values();
    Some((parts.tagged(SEQUENCE)?, bits(parts.tagged(BIT_STRING)?)?))
}

/// A private key on a curve with its public part, as PKCS#8. Some programs leave that part out, and the TLS library does not
/// work it out; but it looks whether the two belong together.
pub fn with_public_part(private: &[u8], public_key: &[u8]) -> Option<Vec<u8>> {
    let (kind, public) = public_key_parts(public_key)?;
    let mut outer = Values(private).tagged(SEQUENCE)?.values();
    outer.tagged(INTEGER)?;
    let secret = match outer.tagged(SEQUENCE) {
        Some(_kind) => {
            let mut inner = outer.tagged(OCTET_STRING)?.values().tagged(SEQUENCE)?.values();
            inner.tagged(INTEGER)?;
            inner.tagged(OCTET_STRING)?
        }
        None => outer.tagged(OCTET_STRING)?,
    };
    let public = value(PUBLIC_PART, &[&value(BIT_STRING, &[&[0], public])?])?;
    let inner = value(SEQUENCE, &[&[INTEGER, 1, 1], secret.whole, &public])?;
    value(SEQUENCE, &[&[INTEGER, 1, 0], kind.whole, &value(OCTET_STRING, &[&inner])?])
}

/// A value as DER. None of more than 255 bytes is needed.
fn value(tag: u8, parts: &[&[u8]]) -> Option<Vec<u8>> {
    let content = parts.concat();
    let length = u8::try_from(content.len()).ok()?;
    let head: &[u8] = if length < 0x80 { &[tag, length] } else { &[tag, 0x81, length] };
    Some([head, &content].concat())
}

/// The bits of a string that are whole bytes.
fn bits(string: Value<'_>) -> Option<&[u8]> {
    string.content.strip_prefix(&[0])
}

fn modulus_bits(key: &[u8]) -> Option<usize> {
    let modulus = Values(key).tagged(SEQUENCE)?.values().tagged(INTEGER)?.content;
    let leading = modulus.iter().take_while(|byte| **byte == 0).count();
    let first = modulus.get(leading)?;
    Some((modulus.len() - leading) * 8 - first.leading_zeros() as usize)
}

/// A value of DER: its tag, what it holds, and both with the length between.
#[derive(Clone, Copy, Debug)]
struct Value<'a> {
    tag: u8,
    content: &'a [u8],
    whole: &'a [u8],
}

impl<'a> Value<'a> {
    fn values(self) -> Values<'a> {
        Values(self.content)
    }
}

/// Values of DER, one after the other. It ends at what is none.
struct Values<'a>(&'a [u8]);

impl<'a> Values<'a> {
    /// The next value if it has this tag; else it is left where it is.
    fn tagged(&mut self, tag: u8) -> Option<Value<'a>> {
        if *self.0.first()? == tag { self.next() } else { None }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let [tag, first, rest @ ..] = self.0 else { return None };
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x83 => {
                let (length, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
                (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let (whole, rest) = self.0.split_at_checked(self.0.len() - rest.len())?;
        self.0 = rest;
        Some(Value { tag: *tag, content, whole })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rcgen::{IsCa, date_time_ymd};

    use super::super::tests::certificates::{Authority, p521_public_key, rsa_public_key, server};
    use super::*;

    #[test]
    fn a_certificate_of_any_version_tells_who_signed_it_for_whom_and_until_when() {
        let authority = Authority::new("authority");
        let mut params = server(&["kubernetes", "*.example.com", "10.0.0.1", "::1"]);
        params.is_ca = IsCa::ExplicitNoCa;
        (params.not_before, params.not_after) = (date_time_ymd(1999, 12, 31), date_time_ymd(2050, 1, 31));
        let new = authority.sign(&params);
        let (key, der) = (new.key.serialize_der(), new.der.clone());
        let old = new.in_version_1(authority.key());
        let [new, old] = [&der, &old.der].map(|der| Certificate::parse(der).unwrap());
        for certificate in [new, old] {
            assert_eq!((name(certificate.issuer), name(certificate.subject)), ("authority".into(), "server".into()));
            let validity =
                Validity { from: date(1999, 12, 31).at(0, 0, 0, 0), until: date(2050, 1, 31).at(0, 0, 0, 0) };
            assert_eq!(certificate.validity, validity);
            let key = rcgen::KeyPair::try_from(key.as_slice()).unwrap();
            assert_eq!(certificate.public_key, rcgen::PublicKeyData::subject_public_key_info(&key));
            assert_eq!(certificate.key(), Key::Curve);
            assert!(!certificate.says_authority() && certificate.is_for_servers());
        }
        assert_eq!(new.names(), ["kubernetes", "*.example.com", "10.0.0.1", "::1"]);
        assert_eq!(old.names(), [""; 0]);
        assert!(!new.is_old() && old.is_old());
        assert!(!new.may_sign() && old.may_sign());
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_no_certificate() {
        let mut der = Authority::new("authority").sign(&server(&["kubernetes"])).der;
        for length in 0..der.len() {
            assert!(Certificate::parse(&der[..length]).is_none(), "{length} bytes");
        }
        der.push(0);
        assert!(Certificate::parse(&der).is_none());
    }

    #[test]
    fn no_byte_that_is_changed_makes_it_panic() {
        let der = Authority::new("authority").certificate().der;
        for at in 0..der.len() {
            for byte in [0, 0x30, 0x7f, 0x80, 0x81, 0x83, 0x84, 0xff] {
                let mut der = der.clone();
                der[at] = byte;
                let Some(certificate) = Certificate::parse(&der) else { continue };
                let _ = (certificate.may_sign(), certificate.is_for_servers(), certificate.names(), certificate.key());
                let _ = name(certificate.subject);
            }
        }
    }

    #[test]
    fn dates_are_read_in_both_forms_up_to_the_end_of_the_calendar() {
        let at = |tag, text: &str| date_of(tag, text).map(|date| date.to_string());
        assert_eq!(at(UTC_TIME, "500101000000Z").as_deref(), Some("1950-01-01T00:00:00"));
        assert_eq!(at(UTC_TIME, "491231235959Z").as_deref(), Some("2049-12-31T23:59:59"));
        assert_eq!(at(GENERALIZED_TIME, "99991231235959Z").as_deref(), Some("9999-12-31T23:59:59"));
        for text in ["20260131120000", "2026013112Z", "20261331120000Z", "2026013112000éZ", ""] {
            assert_eq!(at(GENERALIZED_TIME, text), None, "{text}");
        }
        assert_eq!(at(SET, "20260131120000Z"), None);
    }

    fn date_of(tag: u8, text: &str) -> Option<DateTime> {
        super::date(Value { tag, content: text.as_bytes(), whole: &[] })
    }

    #[test]
    fn the_kind_of_a_key_says_whether_it_can_be_used() {
        let rsa = |bytes| Key::of(&rsa_public_key(bytes)).unwrap();
        assert_eq!([rsa(128), rsa(256), rsa(512), rsa(1024)], [1024, 2048, 4096, 8192].map(Key::Rsa));
        let can = |key: Key| (key.can_be_checked(), key.can_sign());
        assert_eq!(
            [rsa(128), rsa(256), rsa(512), rsa(1024)].map(can),
            [(false, false), (true, true), (true, true), (true, false)]
        );
        assert_eq!(Key::of(&p521_public_key()), Some(Key::StrangeCurve("P-521")));
        assert_eq!(can(Key::StrangeCurve("P-521")), (false, false));
        assert_eq!(Key::of(b"\x30\x00"), None);
    }
}
