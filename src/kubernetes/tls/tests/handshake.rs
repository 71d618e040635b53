//! A client and a server that greet each other.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rcgen::KeyPair;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::verify_tls13_signature_with_raw_key;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, DistinguishedName, ServerConfig, ServerConnection,
    SignatureScheme, Stream, SupportedProtocolVersion,
};

use super::super::certificate::Certificate;
use super::super::*;

/// What the client learned, and the certificates that the server saw.
pub struct Met {
    pub client: io::Result<()>,
    pub shown: Vec<CertificateDer<'static>>,
}

impl Met {
    /// Why the client went away.
    pub fn refusal(self) -> Refusal {
        refusal(&self.client.unwrap_err()).unwrap()
    }
}

/// A server with this chain and this key, whose they may be.
pub fn server(
    chain: &[&[u8]],
    key: &KeyPair,
    guests: Guests,
    version: &'static SupportedProtocolVersion,
) -> ServerConfig {
    let provider = Arc::new(ring::default_provider());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = provider.key_provider.load_private_key(key).unwrap();
    let chain = chain.iter().map(|der| CertificateDer::from(der.to_vec())).collect();
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(Arc::new(guests))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))))
}

/// The client asks the server for a word.
pub fn meet(client: ClientConfig, server: ServerConfig, name: &str) -> Met {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let waiting = thread::spawn(move || {
        let mut socket = patient(listener.accept().unwrap().0);
        let mut connection = ServerConnection::new(Arc::new(server)).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        // If the client has gone, it says why.
        let _ = stream.write_all(b"!").and_then(|()| stream.flush());
        connection.peer_certificates().unwrap_or_default().iter().map(|der| der.clone().into_owned()).collect()
    });
    let mut socket = patient(TcpStream::connect(address).unwrap());
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::new(client), name).unwrap();
    let client = Stream::new(&mut connection, &mut socket).read_exact(&mut [0]);
    drop(socket);
    Met { client, shown: waiting.join().unwrap() }
}

fn patient(socket: TcpStream) -> TcpStream {
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
}

/// Both versions that kubectl speaks.
pub const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// Which clients a server takes: any whose key is that of the certificate that it shows, or that shows none.
#[derive(Debug)]
pub struct Guests {
    /// Whose certificates it says that it takes.
    pub hints: Vec<DistinguishedName>,
    /// Which signatures it says that it takes.
    pub schemes: Vec<SignatureScheme>,
    /// How it refuses all, if it does.
    pub refused: Option<rustls::CertificateError>,
}

impl Default for Guests {
    fn default() -> Self {
        let schemes = ring::default_provider().signature_verification_algorithms.supported_schemes();
        Self { hints: Vec::new(), schemes, refused: None }
    }
}

impl ClientCertVerifier for Guests {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match self.refused.clone() {
            Some(refused) => Err(refused.into()),
            None => Ok(ClientCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify_tls13_signature(message, certificate, signed)
    }

    /// By the bare key: the library does not read a certificate of version 1.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let key = Certificate::parse(certificate).unwrap().public_key.into();
        let algorithms = ring::default_provider().signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &key, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
