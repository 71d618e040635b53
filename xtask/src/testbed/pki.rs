//! The cluster's certificate authority and what it issues.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use serde_json::{Value, json};

use super::layout::NAME;

/// A certificate authority, its key only in memory: a cluster gets a new one each time.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, both PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// The private key (ECDSA P-256, PKCS #8).
    pub key: String,
}

impl Authority {
    /// Makes an authority.
    pub fn new() -> Result<Self> {
        let mut parameters = parameters("kubecoin-ca", None, vec![])?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        Ok(Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?))
    }

    /// Its certificate, PEM.
    pub fn certificate(&self) -> String {
        self.0.pem()
    }

    /// Issues a certificate for clients and servers. To Kubernetes the common name is a user's and the organisation a
    /// group's; a server needs the names and addresses that it goes by.
    pub fn issue(
        &self,
        common_name: &str,
        organisation: Option<&str>,
        names: impl IntoIterator<Item = String>,
    ) -> Result<Identity> {
        let mut parameters = parameters(common_name, organisation, names.into_iter().collect())?;
        // Real clusters' have it, and clients in Python 3.13 refuse a certificate without it.
        parameters.use_authority_key_identifier_extension = true;
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = parameters
            .signed_by(&key, &self.0)
            .with_context(|| format!("cannot issue a certificate for {common_name}"))?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// A private key and its public one, both PEM.
pub fn key_pair() -> Result<(String, String)> {
    let pair = KeyPair::generate()?;
    Ok((pair.serialize_pem(), pair.public_key_pem()))
}

/// A kubeconfig that holds all it needs, so that it can be copied elsewhere.
pub fn kubeconfig(server: &str, authority: &Authority, identity: &Identity) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": {
            "server": server,
            "certificate-authority-data": STANDARD.encode(authority.certificate()),
        }}],
        "users": [{"name": NAME, "user": {
            "client-certificate-data": STANDARD.encode(&identity.certificate),
            "client-key-data": STANDARD.encode(&identity.key),
        }}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
    })
}

fn parameters(common_name: &str, organisation: Option<&str>, names: Vec<String>) -> Result<CertificateParams> {
    let mut parameters = CertificateParams::new(names)?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    if let Some(organisation) = organisation {
        parameters.distinguished_name.push(DnType::OrganizationName, organisation);
    }
    Ok(parameters)
}
