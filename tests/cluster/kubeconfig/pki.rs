//! Certificates and keys, good ones and others, created again for each run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    KeyPair, NameConstraints, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A folder with files in PEM: authorities, servers' certificates, clients' certificates and their keys.
pub struct Pki {
    folder: PathBuf,
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// The certificates that servers show, by name: a chain in `NAME.pem`, its key in `NAME.key`.
pub const SERVERS: [&str; 16] = [
    "good",
    "expired",
    "future",
    "elsewhere",
    "nameless",
    "for-clients",
    "own",
    "own-expired",
    "own-authority",
    "own-elsewhere",
    "stale",
    "chained",
    "lone",
    "limited",
    "by-curve",
    "by-short",
];

impl Pki {
    /// Makes them all, in a folder that is there.
    pub fn make(folder: &Path) -> Self {
        let pki = Self { folder: folder.to_owned() };
        pki.servers();
        pki.clients();
        pki.bundles();
        pki
    }

    /// A file's path.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What a server shows, and the key to it.
    pub fn server(&self, name: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let chain = CertificateDer::pem_file_iter(self.path(&format!("{name}.pem"))).unwrap();
        let key = PrivateKeyDer::from_pem_file(self.path(&format!("{name}.key"))).unwrap();
        (chain.map(Result::unwrap).collect(), key)
    }

    /// All files, by name.
    pub fn files(&self) -> impl Iterator<Item = (String, PathBuf)> {
        let entries = fs::read_dir(&self.folder).unwrap().map(Result::unwrap);
        entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn servers(&self) {
        let ca = self.authority("ca", |_| {});
        self.authority("other-ca", |_| {});
        self.leaf("good", &ca, |_| {});
        self.leaf("expired", &ca, |leaf| leaf.not_after = date_time_ymd(2021, 1, 1));
        self.leaf("future", &ca, |leaf| leaf.not_before = date_time_ymd(2090, 1, 1));
        self.leaf("elsewhere", &ca, |leaf| leaf.subject_alt_names = named(&["elsewhere.test"]));
        self.leaf("nameless", &ca, |leaf| {
            leaf.subject_alt_names.clear();
            leaf.distinguished_name.push(DnType::CommonName, "127.0.0.1");
        });
        self.leaf("for-clients", &ca, |leaf| {
            leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        });
        self.leaf("stale", &self.authority("stale-ca", |ca| ca.not_after = date_time_ymd(2021, 1, 1)), |_| {});
        self.leaf(
            "limited",
            &self.authority("limited-ca", |ca| {
                let permitted_subtrees = vec![GeneralSubtree::DnsName("elsewhere.test".to_owned())];
                ca.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
            }),
            |leaf| leaf.subject_alt_names = named(&["localhost", "127.0.0.1"]),
        );

        self.own("own", |_| {});
        self.own("own-expired", |leaf| leaf.not_after = date_time_ymd(2021, 1, 1));
        self.own("own-authority", |leaf| leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
        self.own("own-elsewhere", |leaf| leaf.subject_alt_names = named(&["elsewhere.test"]));

        let mut middle = authority("middle-ca");
        middle.use_authority_key_identifier_extension = true;
        let middle = CertifiedIssuer::signed_by(middle, KeyPair::generate().unwrap(), &ca).unwrap();
        self.write("middle-ca.pem", middle.pem());
        self.leaf("lone", &middle, |_| {});
        self.write("chained.pem", self.read("lone.pem") + &middle.pem());
        self.write("chained.key", self.read("lone.key"));

        self.by_openssl("by-curve", "ec -pkeyopt ec_paramgen_curve:P-521", "sha512");
        self.by_openssl("by-short", "rsa -pkeyopt rsa_keygen_bits:1024", "sha256");
    }

    fn clients(&self) {
        let ca = self.authority("client-ca", |_| {});
        let client = |name: &str, key: &KeyPair, change: &dyn Fn(&mut CertificateParams)| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            change(&mut params);
            self.write(&format!("{name}.crt"), params.signed_by(key, &ca).unwrap().pem());
            self.write(&format!("{name}.key"), key.serialize_pem());
        };
        let usual = KeyPair::generate().unwrap();
        client("client", &usual, &|_| {});
        client("other", &KeyPair::generate().unwrap(), &|_| {});
        client("past", &usual, &|params| params.not_after = date_time_ymd(2021, 1, 1));
        client("p384", &KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(), &|_| {});
        client("ed25519", &KeyPair::generate_for(&PKCS_ED25519).unwrap(), &|_| {});

        self.write("both.pem", self.read("client.crt") + &self.read("client.key"));
        self.write("chain.crt", self.read("client.crt") + &self.read("client-ca.pem"));
        self.write("text.crt", format!("Bag Attributes\n    friendlyName: x\n{}", self.read("client.crt")));
        self.write("windows.crt", self.read("client.crt").replace('\n', "\r\n"));
        self.write("windows.key", self.read("client.key").replace('\n', "\r\n"));

        for (name, key) in [
            ("v1", "ec -pkeyopt ec_paramgen_curve:P-256"),
            ("p521", "ec -pkeyopt ec_paramgen_curve:P-521"),
            ("rsa", "rsa -pkeyopt rsa_keygen_bits:2048"),
            ("rsa1024", "rsa -pkeyopt rsa_keygen_bits:1024"),
        ] {
            self.openssl(&format!("genpkey -algorithm {key} -out {name}.key"));
            self.openssl(&format!("req -new -key {name}.key -subj /CN={name} -out {name}.csr"));
            // Without extensions such a certificate is of X.509 version 1.
            let extensions = if name == "v1" { "" } else { "-extfile extensions.cnf" };
            self.write("extensions.cnf", "basicConstraints=CA:FALSE\n");
            self.openssl(&format!(
                "x509 -req -in {name}.csr -CA client-ca.pem -CAkey client-ca.key -set_serial \
             7 -days 9 {extensions} -out {name}.crt"
            ));
        }
        self.openssl("rsa -in rsa.key -traditional -out rsa-pkcs1.key");
        let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        self.openssl("ec -in client.key -out sec1.key");
        self.write("sec1-parameters.key", parameters.to_owned() + &self.read("sec1.key"));
        self.openssl("pkcs8 -topk8 -in client.key -passout pass:secret -out encrypted.key");
        self.openssl("ec -in client.key -aes128 -passout pass:secret -out encrypted-sec1.key");
    }

    fn bundles(&self) {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let cut = self.read("other-ca.pem").replacen("MII", "", 1);
        let ca = self.read("ca.pem");
        self.write("broken-first.pem", broken.to_owned() + &ca);
        self.write("broken-last.pem", ca.clone() + broken);
        self.write("broken-only.pem", broken);
        self.write("cut-first.pem", cut + &ca);
        self.write("two.pem", self.read("other-ca.pem") + &ca);
        self.write("past-and-present.pem", self.read("stale-ca.pem") + &ca);
        self.write("with-key.pem", self.read("client.key") + &ca);
        self.write("with-text.pem", format!("# the cluster's authority\n\n{ca}\n\n"));
        self.write("windows.pem", ca.replace('\n', "\r\n"));
        self.write("trusted.pem", ca.replace(" CERTIFICATE-", " TRUSTED CERTIFICATE-"));
        self.write("no-pem.pem", "hello\n");
        self.write("empty.pem", "");
        self.write("good-and-other.pem", self.read("good.pem") + &self.read("other-ca.pem"));
        self.write(
            "all.pem",
            ["ca", "other-ca", "own", "stale-ca"].map(|name| self.read(&format!("{name}.pem"))).concat(),
        );
        self.write("middle-and-root.pem", self.read("middle-ca.pem") + &ca);
        let der = CertificateDer::from_pem_file(self.path("ca.pem")).unwrap();
        self.write("ca.der", der);
    }

    fn authority(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Issuer {
        let mut params = authority(name);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        self.write(&format!("{name}.key"), key.serialize_pem());
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        self.write(&format!("{name}.pem"), issuer.pem());
        issuer
    }

    fn leaf(&self, name: &str, issuer: &Issuer, change: impl FnOnce(&mut CertificateParams)) {
        let mut params = server();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        self.write(&format!("{name}.pem"), params.signed_by(&key, issuer).unwrap().pem());
        self.write(&format!("{name}.key"), key.serialize_pem());
    }

    fn own(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) {
        let mut params = server();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        self.write(&format!("{name}.pem"), params.self_signed(&key).unwrap().pem());
        self.write(&format!("{name}.key"), key.serialize_pem());
    }

    /// A server's certificate from an authority whose key the usual library cannot make.
    fn by_openssl(&self, name: &str, key: &str, digest: &str) {
        self.openssl(&format!("genpkey -algorithm {key} -out {name}-ca.key"));
        self.openssl(&format!(
            "req -x509 -{digest} -key {name}-ca.key -subj /CN={name} -days 9 -out \
             {name}-ca.pem"
        ));
        self.openssl(&format!("genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out {name}.key"));
        self.openssl(&format!("req -new -key {name}.key -subj /CN=server -out {name}.csr"));
        self.write("extensions.cnf", "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n");
        self.openssl(&format!(
            "x509 -req -{digest} -in {name}.csr -CA {name}-ca.pem -CAkey {name}-ca.key \
             -set_serial 7 -days 9 -extfile extensions.cnf -out {name}.pem"
        ));
    }

    fn openssl(&self, words: &str) {
        let done = Command::new("openssl")
            .args(words.split_whitespace())
            .current_dir(&self.folder)
            .output()
            .expect("openssl starts");
        assert!(done.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// A certificate of a server on this machine.
fn server() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names = named(&["127.0.0.1", "::1", "localhost", "scripted.test"]);
    params
}

fn named(names: &[&str]) -> Vec<rcgen::SanType> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    CertificateParams::new(names).unwrap().subject_alt_names
}
