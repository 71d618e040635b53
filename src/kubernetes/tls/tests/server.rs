//! Which servers are trusted.

use std::env;
use std::process::Command;

use jiff::civil::date;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose,
    NameConstraints, date_time_ymd,
};

use super::super::certificate::{Key, Untimely};
use super::super::error::{Authority as Named, Untrusted};
use super::certificates::{Authority, Certificate, p521_public_key, params, rsa_public_key, self_signed, server};
use super::handshake::{self, Guests, VERSIONS, meet};
use super::*;

const ORIGIN: &str = "certificate-authority-data of cluster \"c\" in a file";

/// What a client that trusts a bundle makes of a server, in both versions of TLS: nothing, or the reason against it.
fn judged(bundle: &str, chain: &[&Certificate], key: &KeyPair, name: &str) -> Result<(), Untrusted> {
    let chain: Vec<&[u8]> = chain.iter().map(|certificate| certificate.der.as_slice()).collect();
    let [one, other] = VERSIONS.map(|version| {
        let trust = Trust { authority: Some(pem(ORIGIN, bundle)), ..Trust::default() };
        let client = client_config(&trust, &Identity::default()).unwrap();
        let met = meet(client, handshake::server(&chain, key, Guests::default(), version), name);
        match met.client {
            Ok(()) => Ok(()),
            Err(_) => match met.refusal() {
                Refusal::OfServer(untrusted) => Err(untrusted),
                Refusal::OfClient(words) => panic!("the server broke off: {words}"),
            },
        }
    });
    assert_eq!(one, other, "the versions of TLS differ");
    one
}

fn honest(bundle: &str, server: &Certificate) -> Result<(), Untrusted> {
    judged(bundle, &[server], &server.key, "kubernetes")
}

fn of_bundle(name: &str) -> Named {
    Named { name: name.to_owned(), origin: ORIGIN.to_owned() }
}

fn kubernetes() -> CertificateParams {
    server(&["kubernetes", "10.0.0.1"])
}

fn elsewhere() -> Untrusted {
    let names = ["kubernetes", "10.0.0.1"].map(str::to_owned).to_vec();
    Untrusted::WrongName { asked: "elsewhere".to_owned(), names }
}

fn until_2021(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 2, 3);
    params
}

fn expired() -> Untimely {
    Untimely::Expired(date(2021, 2, 3).at(0, 0, 0, 0))
}

#[test]
fn a_server_that_an_authority_of_the_bundle_vouches_for_is_trusted() {
    let (authority, other) = (Authority::new("authority"), Authority::new("other"));
    let bundle = other.certificate().pem() + &authority.certificate().pem();
    assert_eq!(honest(&bundle, &authority.sign(&kubernetes())), Ok(()));
    let server = authority.sign(&kubernetes());
    assert_eq!(judged(&bundle, &[&server], &server.key, "10.0.0.1"), Ok(()));
    let between = authority.between(params("between"));
    let server = between.sign(&kubernetes());
    assert_eq!(judged(&bundle, &[&server, &between.certificate()], &server.key, "kubernetes"), Ok(()));
}

#[test]
fn a_server_whose_own_certificate_is_in_the_bundle_is_trusted() {
    let plain = self_signed(&kubernetes());
    assert_eq!(honest(&plain.pem(), &plain), Ok(()));
    let authority = Authority::with(kubernetes()).certificate();
    assert_eq!(honest(&authority.pem(), &authority), Ok(()));
    let signed = Authority::new("authority").sign(&kubernetes());
    assert_eq!(honest(&signed.pem(), &signed), Ok(()));
}

#[test]
fn a_server_that_says_that_it_is_an_authority_is_trusted_if_an_authority_vouches_for_it() {
    let (authority, other) = (Authority::new("authority"), Authority::new("authority"));
    let bundle = authority.certificate().pem();
    let mut params = kubernetes();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let server = authority.sign(&params);
    assert_eq!(honest(&bundle, &server), Ok(()));
    assert_eq!(judged(&bundle, &[&server], &server.key, "elsewhere").unwrap_err(), elsewhere());
    assert_eq!(judged(&bundle, &[&server], &KeyPair::generate().unwrap(), "kubernetes"), Err(Untrusted::KeyNotHeld));
    let untrusted = honest(&other.certificate().pem(), &server).unwrap_err().to_string();
    assert_eq!(untrusted, "is the certificate of an authority (CA:TRUE): issue one for a server");
    let expired = Authority::with(until_2021(certificates::params("authority")));
    assert!(honest(&expired.certificate().pem(), &expired.sign(&params)).is_err());
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    assert!(honest(&bundle, &authority.sign(&params)).is_err());
    params.extended_key_usages.clear();
    let mut constrained = certificates::params("authority");
    let within = GeneralSubtree::DnsName("elsewhere".to_owned());
    constrained.name_constraints =
        Some(NameConstraints { permitted_subtrees: vec![within], excluded_subtrees: vec![] });
    let constrained = Authority::with(constrained);
    assert!(honest(&constrained.certificate().pem(), &constrained.sign(&params)).is_err());
}

#[test]
fn certificates_that_cannot_be_read_are_skipped_unless_none_is_left() {
    let server = self_signed(&kubernetes());
    let broken = certificates::pem("CERTIFICATE", &server.der[..100]);
    let torn = "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n";
    let swapped = certificates::pem("PRIVATE KEY", &server.der);
    assert_eq!(honest(&format!("text\n{broken}{torn}{swapped}{}", server.pem()), &server), Ok(()));
    let refused = |text: &str| {
        let trust = Trust { authority: Some(pem(ORIGIN, text)), ..Trust::default() };
        client_config(&trust, &Identity::default()).unwrap_err().to_string()
    };
    assert_eq!(refused(&broken), format!("{ORIGIN} holds no certificate that can be read"));
    assert_eq!(refused(torn), format!("{ORIGIN} holds no certificate"));
    assert_eq!(refused(""), format!("{ORIGIN} holds no certificate"));
    assert_eq!(refused(&swapped), format!("{ORIGIN} holds no certificate"));
    let with_header = server.pem().replacen('\n', "\nNote: kubectl skips it\n\n", 1);
    assert_eq!(refused(&with_header), format!("{ORIGIN} holds no certificate that can be read"));
}

#[test]
fn a_server_of_another_name_is_refused_and_the_names_are_said() {
    let authority = Authority::new("authority");
    let signed = authority.sign(&kubernetes());
    for bundle in [authority.certificate().pem(), signed.pem()] {
        let untrusted = judged(&bundle, &[&signed], &signed.key, "elsewhere").unwrap_err();
        assert_eq!(untrusted, elsewhere());
        assert_eq!(untrusted.to_string(), "is not for elsewhere, only for kubernetes, 10.0.0.1");
        assert!(judged(&bundle, &[&signed], &signed.key, "10.0.0.2").is_err());
    }
    let nameless = self_signed(&params("kubernetes"));
    let untrusted = honest(&nameless.pem(), &nameless).unwrap_err();
    assert_eq!(
        untrusted.to_string(),
        "is not for kubernetes: it names no server (subject alternative name)",
        "the common name is none"
    );
}

#[test]
fn a_server_certificate_that_is_out_of_date_is_refused_with_its_date() {
    let authority = Authority::new("authority");
    let server = authority.sign(&until_2021(kubernetes()));
    for bundle in [authority.certificate().pem(), server.pem()] {
        let untrusted = honest(&bundle, &server).unwrap_err();
        assert_eq!(untrusted, Untrusted::Untimely(expired()));
        assert_eq!(untrusted.to_string(), "expired on 2021-02-03 at 00:00 UTC");
    }
    let mut params = kubernetes();
    params.not_before = date_time_ymd(4000, 1, 1);
    let early = self_signed(&params);
    let untrusted = honest(&early.pem(), &early).unwrap_err();
    assert_eq!(untrusted.to_string(), "is not valid before 4000-01-01 at 00:00 UTC: is this machine's clock right?");
}

#[test]
fn an_authority_that_is_out_of_date_is_refused_with_its_date() {
    let old = Authority::with(until_2021(params("authority")));
    let server = old.sign(&kubernetes());
    let untrusted = honest(&old.certificate().pem(), &server).unwrap_err();
    assert_eq!(untrusted, Untrusted::UntimelyAuthority(of_bundle("authority"), expired()));
    assert_eq!(
        untrusted.to_string(),
        format!("is signed by the authority \"authority\" of {ORIGIN}, which expired on 2021-02-03 at 00:00 UTC")
    );
    let root = Authority::new("root");
    let between = root.between(until_2021(params("between")));
    let server = between.sign(&kubernetes());
    let untrusted = judged(&root.certificate().pem(), &[&server, &between.certificate()], &server.key, "kubernetes");
    assert_eq!(
        untrusted.unwrap_err().to_string(),
        "is signed by the authority \"between\", which expired on 2021-02-03 at 00:00 UTC"
    );
}

#[test]
fn an_authority_that_has_been_renewed_counts_beside_the_old_one() {
    let old = Authority::with(until_2021(params("authority")));
    let server = old.sign(&kubernetes());
    let mut renewed = params("authority");
    renewed.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let renewed =
        Certificate { der: renewed.self_signed(old.key()).unwrap().der().to_vec(), key: KeyPair::generate().unwrap() };
    assert_eq!(honest(&(old.certificate().pem() + &renewed.pem()), &server), Ok(()));
}

#[test]
fn a_server_that_nobody_in_the_bundle_vouches_for_is_refused() {
    let (one, other) = (Authority::new("one"), Authority::new("other"));
    let server = other.sign(&kubernetes());
    let untrusted = honest(&one.certificate().pem(), &server).unwrap_err();
    assert_eq!(untrusted.to_string(), format!("is signed by \"other\", which is not among {ORIGIN}"));
    let namesake = Authority::new("other");
    let untrusted = honest(&namesake.certificate().pem(), &server).unwrap_err();
    assert_eq!(untrusted, Untrusted::Namesake(of_bundle("other")));
    let mut params = kubernetes();
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        params.is_ca = is_ca;
        let (twin, server) = (self_signed(&params), self_signed(&params));
        let untrusted = honest(&twin.pem(), &server);
        assert_eq!(untrusted, Err(Untrusted::SelfSigned(ORIGIN.to_owned())), "the same names, but not byte for byte");
    }
}

#[test]
fn a_server_that_does_not_hold_the_key_of_its_certificate_is_refused() {
    let authority = Authority::new("authority");
    let (signed, foreign) = (authority.sign(&kubernetes()), KeyPair::generate().unwrap());
    let is_authority = Authority::with(kubernetes()).certificate();
    for (bundle, shown) in
        [(authority.certificate().pem(), &signed), (signed.pem(), &signed), (is_authority.pem(), &is_authority)]
    {
        assert_eq!(judged(&bundle, &[shown], &foreign, "kubernetes"), Err(Untrusted::KeyNotHeld));
    }
}

#[test]
fn a_certificate_that_is_no_authority_vouches_for_nobody() {
    let signing = |change: fn(&mut CertificateParams)| {
        let mut params = params("signer");
        change(&mut params);
        params
    };
    let as_signer = |params: CertificateParams| {
        let authority = Authority::new("signer");
        let der = params.self_signed(authority.key()).unwrap().der().to_vec();
        let signer = Certificate { der, key: KeyPair::generate().unwrap() };
        honest(&signer.pem(), &authority.sign(&kubernetes()))
    };
    let authority = |params: &mut CertificateParams| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    };
    assert_eq!(as_signer(signing(authority)), Ok(()));
    let refused = Err(Untrusted::NoAuthority(of_bundle("signer")));
    assert_eq!(as_signer(signing(|_| {})), refused, "it does not say that it is one");
    assert_eq!(as_signer(signing(|params| params.is_ca = IsCa::ExplicitNoCa)), refused, "it says that it is none");
    let usage = as_signer(signing(|params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    }));
    assert_eq!(usage, refused, "its key is not for certificates");
    let purpose = as_signer(signing(|params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    }));
    assert_eq!(purpose, refused, "it is for clients only");
    let root = Authority::new("root");
    let mut params = params("between");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let between = root.between(params);
    let server = between.sign(&kubernetes());
    let untrusted = judged(&root.certificate().pem(), &[&server, &between.certificate()], &server.key, "kubernetes");
    let sent = Named { name: "between".to_owned(), origin: String::new() };
    assert_eq!(untrusted, Err(Untrusted::NoAuthority(sent)), "nor does one that the server sends");
}

#[test]
fn a_certificate_that_is_not_for_servers_is_refused() {
    let mut params = kubernetes();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let authority = Authority::new("authority");
    let client = authority.sign(&params);
    for bundle in [authority.certificate().pem(), client.pem()] {
        assert_eq!(honest(&bundle, &client), Err(Untrusted::NotForServers));
    }
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    let both = self_signed(&params);
    assert_eq!(honest(&both.pem(), &both), Ok(()));
}

#[test]
fn an_authority_of_version_1_vouches_and_a_server_of_version_1_has_no_name() {
    let authority = Authority::new("authority");
    let old = authority.certificate().in_version_1(authority.key());
    assert_eq!(honest(&old.pem(), &authority.sign(&kubernetes())), Ok(()));
    let server = authority.sign(&kubernetes()).in_version_1(authority.key());
    let nameless = Untrusted::WrongName { asked: "kubernetes".to_owned(), names: Vec::new() };
    assert_eq!(honest(&server.pem(), &server), Err(nameless));
}

#[test]
fn keys_that_cannot_be_checked_are_named_with_what_to_issue_instead() {
    let authority = Authority::new("authority");
    let bundle = authority.certificate().pem();
    let strange = authority.sign(&kubernetes()).for_key(&p521_public_key(), authority.key());
    let issue = "that this program cannot check: issue one with RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519";
    let untrusted = honest(&bundle, &strange).unwrap_err();
    assert_eq!(untrusted.to_string(), format!("has a key on the curve P-521 {issue}"));
    let short = authority.sign(&kubernetes()).for_key(&rsa_public_key(128), authority.key());
    assert_eq!(honest(&short.pem(), &short), Err(Untrusted::StrangeKey(Key::Rsa(1024))));
    for public_key in [p521_public_key(), rsa_public_key(128)] {
        let root = authority.certificate().for_key(&public_key, authority.key());
        let untrusted = honest(&root.pem(), &authority.sign(&kubernetes())).unwrap_err().to_string();
        assert!(untrusted.starts_with(&format!("is signed by the authority \"authority\" of {ORIGIN}, with a")));
        assert!(untrusted.ends_with(issue), "{untrusted}");
    }
    let between = authority.between(params("between"));
    let server = between.sign(&kubernetes());
    let strange = between.certificate().for_key(&rsa_public_key(128), authority.key());
    let untrusted = judged(&bundle, &[&server, &strange], &server.key, "kubernetes").unwrap_err().to_string();
    assert_eq!(untrusted, format!("is signed by the authority \"between\", with an RSA key of 1024 bits {issue}"));
}

#[test]
fn whoever_asks_for_no_check_gets_none() {
    let trust = Trust { insecure: true, ..Trust::default() };
    let authority = Authority::new("authority");
    let expired = authority.sign(&until_2021(kubernetes()));
    let old = authority.sign(&kubernetes()).in_version_1(authority.key());
    for (version, shown) in [(VERSIONS[0], &expired), (VERSIONS[1], &expired), (VERSIONS[0], &old), (VERSIONS[1], &old)]
    {
        let client = client_config(&trust, &Identity::default()).unwrap();
        let server = handshake::server(&[&shown.der], &shown.key, Guests::default(), version);
        meet(client, server, "elsewhere").client.unwrap();
    }
}

/// In a process of its own: the environment is that of the whole process.
#[test]
fn without_authorities_those_of_the_machine_are_asked_which_ssl_cert_file_names() {
    const CHILD: &str = "KUBECOIN_TEST_SYSTEM";
    let system = |server: &Certificate| {
        let client = client_config(&Trust::default(), &Identity::default()).unwrap();
        meet(client, handshake::server(&[&server.der], &server.key, Guests::default(), VERSIONS[1]), "kubernetes")
            .client
    };
    if env::var_os(CHILD).is_some() {
        let key = KeyPair::from_pem(&std::fs::read_to_string(env::var_os(CHILD).unwrap()).unwrap()).unwrap();
        let params = params("authority");
        let issuer = rcgen::Issuer::from_params(&params, &key);
        let server = KeyPair::generate().unwrap();
        let der = kubernetes().signed_by(&server, &issuer).unwrap().der().to_vec();
        return system(&Certificate { der, key: server }).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("authority");
    let (roots, key) = (folder.path().join("roots.pem"), folder.path().join("key.pem"));
    std::fs::write(&roots, authority.certificate().pem()).unwrap();
    std::fs::write(&key, authority.key().serialize_pem()).unwrap();
    let name =
        "kubernetes::tls::tests::server::without_authorities_those_of_the_machine_are_asked_which_ssl_cert_file_names";
    let child = |roots| {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", name]).env(CHILD, &key).env("SSL_CERT_FILE", roots).output().unwrap()
    };
    let trusted = child(&roots);
    assert!(trusted.status.success(), "{}", String::from_utf8_lossy(&trusted.stdout));
    std::fs::write(&roots, Authority::new("authority").certificate().pem()).unwrap();
    assert!(!child(&roots).status.success());
}
