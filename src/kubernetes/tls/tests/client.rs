//! Which certificate is shown to the server.

use jiff::Timestamp;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, date_time_ymd};
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, SignatureScheme};

use super::certificates::{
    self, Authority, Certificate, RSA, SEQUENCE, header, p521_public_key, params, parts, rsa_public_key, value,
};
use super::handshake::{self, Guests, VERSIONS, meet};
use super::*;

const CERTIFICATE: &str = "client-certificate-data of user \"dev\" in a file";
const KEY: &str = "client-key-data of user \"dev\" in a file";

fn client(certificate: &str, key: &str) -> ClientCertificate {
    ClientCertificate { certificate: pem(CERTIFICATE, certificate), key: pem(KEY, key) }
}

fn of(certificate: &Certificate) -> ClientCertificate {
    client(&certificate.pem(), &certificate.key.serialize_pem())
}

fn identity(client: &ClientCertificate) -> Identity {
    let identity = Identity::default();
    identity.show(client).unwrap();
    identity
}

/// What a server sees of a client, in each version of TLS.
fn seen(identity: &Identity, guests: impl Fn() -> Guests) -> [Vec<CertificateDer<'static>>; 2] {
    let authority = Authority::new("authority");
    let server = authority.sign(&certificates::server(&["kubernetes"]));
    let trust = Trust { authority: Some(pem("a file", &authority.certificate().pem())), ..Trust::default() };
    VERSIONS.map(|version| {
        let server = handshake::server(&[&server.der], &server.key, guests(), version);
        let met = meet(client_config(&trust, identity).unwrap(), server, "kubernetes");
        met.client.unwrap();
        met.shown
    })
}

fn dev() -> Certificate {
    Authority::new("authority").sign(&params("dev"))
}

#[test]
fn a_certificate_of_any_version_is_shown_whole() {
    let authority = Authority::new("authority");
    let new = authority.sign(&params("dev"));
    for shown in [new, dev().in_version_1(authority.key())] {
        let chain = shown.pem() + &authority.certificate().pem();
        let identity = identity(&client(&chain, &shown.key.serialize_pem()));
        let expected = [&shown.der, &authority.certificate().der].map(|der| CertificateDer::from(der.clone()));
        for seen in seen(&identity, Guests::default) {
            assert_eq!(seen, expected);
        }
    }
}

#[test]
fn the_servers_list_of_authorities_does_not_matter_but_its_signatures_do() {
    let identity = identity(&of(&dev()));
    let hints = || vec![b"\x30\x00".to_vec().into()];
    for seen in seen(&identity, || Guests { hints: hints(), ..Guests::default() }) {
        assert_eq!(seen.len(), 1);
    }
    let schemes = || vec![SignatureScheme::RSA_PSS_SHA256, SignatureScheme::RSA_PKCS1_SHA256];
    for seen in seen(&identity, || Guests { schemes: schemes(), ..Guests::default() }) {
        assert!(seen.is_empty(), "the key cannot sign so");
    }
}

/// The parts of a key as PKCS#8 (version, kind, key), and those of the key on a curve in it (version, private, public).
fn parts_of_key(key: &KeyPair) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let within = |der: &[u8]| parts(&der[header(der)..]);
    let outer = within(key.serialized_der());
    let inner = within(&parts(&outer[2][header(&outer[2])..])[0]);
    (outer, inner)
}

/// The forms in which a key on the curve P-256 or P-384 is written.
fn forms_of_curve(key: &KeyPair) -> Vec<String> {
    let (mut outer, inner) = parts_of_key(key);
    let curve = parts(&outer[1][header(&outer[1])..]).remove(1);
    let sec1 = |parts: &[&[u8]]| value(SEQUENCE, &parts.concat());
    let openssl = sec1(&[&inner[0], &inner[1], &value(0xa0, &curve), &inner[2]]);
    let openssl = certificates::pem("EC PRIVATE KEY", &openssl);
    let parameters = certificates::pem("EC PARAMETERS", &curve);
    let another = KeyPair::generate().unwrap().serialize_pem();
    let without_public = sec1(&[&inner[0], &inner[1]]);
    outer[2] = value(4, &without_public);
    vec![
        key.serialize_pem(),
        format!("some text\n{parameters}{openssl}{another}"),
        openssl.replace('\n', "\r\n"),
        certificates::pem("EC PRIVATE KEY", &without_public),
        certificates::pem("PRIVATE KEY", &value(SEQUENCE, &outer.concat())),
    ]
}

#[test]
fn every_form_of_key_that_kubectl_reads_is_read() {
    let made = |kind| KeyPair::generate_for(kind).unwrap();
    let (p256, p384, edwards) = (made(&PKCS_ECDSA_P256_SHA256), made(&PKCS_ECDSA_P384_SHA384), made(&PKCS_ED25519));
    let rsa = KeyPair::from_pem(RSA).unwrap();
    let outer = parts_of_key(&rsa).0;
    let pkcs1 = certificates::pem("RSA PRIVATE KEY", &outer[2][header(&outer[2])..]);
    let authority = Authority::new("authority");
    for (key, forms) in [
        (&p256, forms_of_curve(&p256)),
        (&p384, forms_of_curve(&p384)),
        (&rsa, vec![rsa.serialize_pem(), pkcs1.replace("RSA ", ""), pkcs1]),
        (&edwards, vec![edwards.serialize_pem()]),
    ] {
        let key = KeyPair::try_from(key.serialize_der()).unwrap();
        let certificate = authority.sign_for(&params("dev"), key).pem();
        for form in forms {
            let identity = identity(&client(&certificate, &form));
            for seen in seen(&identity, Guests::default) {
                assert_eq!(seen.len(), 1);
            }
        }
    }
}

#[test]
fn what_cannot_be_shown_is_named_by_its_entry_and_its_field_and_none_of_it_is_printed() {
    let (authority, dev) = (Authority::new("authority"), dev());
    let (certificate, key) = (dev.pem(), dev.key.serialize_pem());
    let broken = certificates::pem("CERTIFICATE", &dev.der[..100]);
    let torn = certificates::pem("PRIVATE KEY", &dev.key.serialized_der()[..40]);
    let encrypted = torn.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let old = torn.replacen('\n', "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0011\n\n", 1);
    let foreign = KeyPair::generate().unwrap().serialize_pem();
    let strange = |public_key: &[u8]| dev_for(public_key, &authority);
    let short = strange(&rsa_public_key(128));
    let p521 = strange(&p521_public_key());
    let issue = "issue one with RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519";
    let curve = format!("cannot use: {issue}");
    let asked_for = "holds an encrypted key, which kubectl cannot use either: write a decrypted one with openssl pkey";
    for (certificate, key, expected) in [
        ("", key.as_str(), format!("{CERTIFICATE} holds no certificate")),
        (
            &key,
            &certificate,
            format!("{CERTIFICATE} holds a private key where a certificate belongs: have the two been swapped?"),
        ),
        (&broken, &key, format!("{CERTIFICATE} holds no certificate that can be read")),
        (&certificate, "", format!("{KEY} holds no private key")),
        (
            &certificate,
            &certificate,
            format!("{KEY} holds a certificate where a private key belongs: have the two been swapped?"),
        ),
        (
            &certificate,
            &torn,
            format!("{KEY} holds no private key that this program can read: if it is whole, {issue}"),
        ),
        (&certificate, &encrypted, format!("{KEY} {asked_for}")),
        (&certificate, &old, format!("{KEY} {asked_for}")),
        (&certificate, &foreign, format!("{KEY} holds the key of another certificate than {CERTIFICATE}")),
        (&short, &torn, format!("{KEY} holds an RSA key of 1024 bits that this program {curve}")),
        (&p521, &torn, format!("{KEY} holds a key on the curve P-521 that this program {curve}")),
    ] {
        let client = client(certificate, key);
        let error = Identity::default().show(&client).unwrap_err();
        assert_eq!(error.to_string(), expected);
        let printed = format!("{error} {error:?} {client:?}");
        let lines = certificate.lines().chain(key.lines()).filter(|line| line.len() > 20 && !line.contains('-'));
        for line in lines {
            assert!(!printed.contains(line), "{printed}");
        }
    }
}

fn dev_for(public_key: &[u8], authority: &Authority) -> String {
    dev().for_key(public_key, authority.key()).pem()
}

#[test]
fn another_certificate_may_be_shown_later_and_none_again() {
    let (one, other) = (dev(), dev());
    let identity = identity(&of(&one));
    let authority = Authority::new("authority");
    let server = authority.sign(&certificates::server(&["kubernetes"]));
    let trust = Trust { authority: Some(pem("a file", &authority.certificate().pem())), ..Trust::default() };
    let config = client_config(&trust, &identity).unwrap();
    // One server for all: it offers to take up the session of before, and would take the client for that of before.
    let servers = VERSIONS.map(|version| handshake::server(&[&server.der], &server.key, Guests::default(), version));
    let shown = || {
        let [one, other] = servers.clone().map(|server| meet(config.clone(), server, "kubernetes").shown);
        assert_eq!(one, other, "the versions of TLS differ");
        other
    };
    assert_eq!(shown(), [CertificateDer::from(one.der.clone())]);
    identity.show(&of(&other)).unwrap();
    assert_eq!(shown(), [CertificateDer::from(other.der.clone())]);
    assert!(identity.show(&client("", "")).is_err());
    assert_eq!(shown(), [CertificateDer::from(other.der.clone())], "what cannot be shown changes nothing");
    identity.hide();
    assert!(shown().is_empty());
}

#[test]
fn a_certificate_that_has_expired_is_named_with_its_date_in_any_version() {
    let mut params = params("dev");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2026, 1, 31);
    let authority = Authority::new("authority");
    let old = authority.sign(&params).in_version_1(authority.key());
    for certificate in [authority.sign(&params), old] {
        let identity = identity(&of(&certificate));
        let at = |time: &str| identity.expired(time.parse::<Timestamp>().unwrap());
        let expired = format!("the client certificate in {CERTIFICATE} expired on 2026-01-31 at 00:00 UTC");
        assert_eq!(at("2026-01-31T00:00:01Z"), Some(expired));
        assert_eq!(at("2026-01-31T00:00:00Z"), None, "the last second counts");
        assert!(at("2019-12-31T23:59:59Z").unwrap().contains("is not valid before 2020-01-01"));
        for seen in seen(&identity, Guests::default) {
            assert_eq!(seen.len(), 1, "it is shown all the same");
        }
    }
    assert_eq!(Identity::default().expired(Timestamp::now()), None);
}

#[test]
fn a_server_that_refuses_the_certificate_is_told_from_one_that_is_refused() {
    let authority = Authority::new("authority");
    let server = authority.sign(&certificates::server(&["kubernetes"]));
    let trust = Trust { authority: Some(pem("a file", &authority.certificate().pem())), ..Trust::default() };
    for (refused, words) in [
        (CertificateError::Expired, "it has expired"),
        (CertificateError::UnknownIssuer, "the server does not know who signed it"),
    ] {
        for version in VERSIONS {
            let guests = Guests { refused: Some(refused.clone()), ..Guests::default() };
            let server = handshake::server(&[&server.der], &server.key, guests, version);
            let met = meet(client_config(&trust, &identity(&of(&dev()))).unwrap(), server, "kubernetes");
            assert_eq!(met.refusal(), Refusal::OfClient(words.to_owned()));
        }
    }
}
