//! An API server that says, as the user that one is for it, what it saw of the request.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// How connections came that a proxy made, by the proxy's end of them.
pub type Ways = Arc<Mutex<HashMap<SocketAddr, String>>>;

/// The request's path that asks who one is.
const WHO_AM_I: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

/// A token that the server refuses.
pub const DENIED: &str = "denied";

/// Serves for as long as the runtime lives, over TLS if it is given how. `name` is told to those who ask.
pub async fn serve(name: &'static str, listener: TcpListener, tls: Option<TlsAcceptor>, ways: Ways) {
    while let Ok((stream, peer)) = listener.accept().await {
        let (tls, ways) = (tls.clone(), Arc::clone(&ways));
        tokio::spawn(async move {
            let mut seen = vec![("server", name.to_owned())];
            // A client that goes away, or wants no such server, ends its connection, not the test.
            let Some(tls) = tls else { return answer(stream, peer, &ways, &seen).await };
            let stream = tls.accept(stream).await?;
            let session = stream.get_ref().1;
            seen.extend(session.server_name().map(|name| ("sni", name.to_owned())));
            let shown = session.peer_certificates().unwrap_or_default();
            seen.extend(shown.iter().map(|certificate| ("certificate", fingerprint(certificate))));
            answer(stream, peer, &ways, &seen).await
        });
    }
}

/// The TLS of a server that takes every client certificate, readable or not.
pub fn tls((chain, key): (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(Arc::new(Anyone))
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn fingerprint(certificate: &CertificateDer) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn answer<S>(mut stream: S, peer: SocketAddr, ways: &Ways, connection: &[(&str, String)]) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut buffer = Vec::new();
    while let Some(head) = head(&mut stream, &mut buffer).await? {
        let mut body = vec![0; head.length()];
        let known = body.len().min(buffer.len());
        body[..known].copy_from_slice(&buffer.drain(..known).collect::<Vec<_>>());
        stream.read_exact(&mut body[known..]).await?;
        let mut seen = connection.to_vec();
        seen.extend(ways.lock().unwrap().get(&peer).map(|way| ("way", way.clone())));
        let (status, body) = judge(&head, &seen);
        let text = body.to_string();
        let start = format!(
            "HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            text.len()
        );
        stream.write_all((start + &text).as_bytes()).await?;
        stream.flush().await?;
    }
    Ok(())
}

fn judge(head: &Head, connection: &[(&str, String)]) -> (u16, Value) {
    if head.values("authorization").any(|value| value.contains(DENIED)) {
        return failure(401, "Unauthorized");
    }
    let path = head.path();
    if path.ends_with("/version") {
        return (200, json!({ "major": "1", "minor": "37", "gitVersion": "v1.37.2" }));
    }
    let Some(prefix) = path.strip_suffix(WHO_AM_I).filter(|_| head.method == "POST") else {
        return failure(404, "NotFound");
    };
    let mut extra = Map::new();
    let mut see = |key: &str, value: &str| {
        let values = extra.entry(key).or_insert_with(|| json!([]));
        values.as_array_mut().unwrap().push(json!(value));
    };
    for (key, value) in connection {
        see(key, value);
    }
    see("path", prefix);
    for (name, value) in &head.headers {
        if name == "authorization" || name.starts_with("impersonate-") {
            see(name, value);
        }
    }
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {},
        "status": { "userInfo": { "username": "as seen", "extra": extra } },
    });
    (201, review)
}

fn failure(code: u16, reason: &str) -> (u16, Value) {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "reason": reason, "message": reason,
        "code": code,
    });
    (code, status)
}

/// The beginning of a request: its line and its headers, their names in small letters.
pub struct Head {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    /// All of it, as it came.
    pub bytes: Vec<u8>,
}

impl Head {
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn length(&self) -> usize {
        self.values("content-length").next().map_or(0, |length| length.parse().unwrap())
    }

    /// The path alone, also of a target that a proxy was given with the server's address.
    fn path(&self) -> &str {
        let target = self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path);
        match target.strip_prefix("http://") {
            Some(rest) => rest.find('/').map_or("/", |begin| &rest[begin..]),
            None => target,
        }
    }
}

/// The next request of a connection, or none once the client has closed it.
pub async fn head<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> io::Result<Option<Head>> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        match parsed.parse(buffer) {
            Ok(httparse::Status::Complete(length)) => {
                let named = |header: &httparse::Header<'_>| {
                    (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned())
                };
                let mut head = Head {
                    method: parsed.method.unwrap_or_default().to_owned(),
                    target: parsed.path.unwrap_or_default().to_owned(),
                    headers: parsed.headers.iter().map(named).collect(),
                    bytes: Vec::new(),
                };
                head.bytes = buffer.drain(..length).collect();
                return Ok(Some(head));
            }
            Ok(httparse::Status::Partial) => {
                if stream.read_buf(buffer).await? == 0 {
                    return Ok(None);
                }
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    }
}

/// Takes every client certificate: that of X.509 version 1 too, which the library would not read.
#[derive(Debug)]
struct Anyone;

impl ClientCertVerifier for Anyone {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        use SignatureScheme as S;
        vec![
            S::ECDSA_NISTP256_SHA256,
            S::ECDSA_NISTP384_SHA384,
            S::ECDSA_NISTP521_SHA512,
            S::ED25519,
            S::RSA_PSS_SHA256,
            S::RSA_PSS_SHA384,
            S::RSA_PSS_SHA512,
            S::RSA_PKCS1_SHA256,
            S::RSA_PKCS1_SHA384,
            S::RSA_PKCS1_SHA512,
        ]
    }
}
