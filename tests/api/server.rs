//! An API server that does as it is told.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub body: String,
    /// The header that proves who asks; empty if there is none.
    pub authorization: String,
}

/// What to do with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status and a body.
    Json(u16, Value),
    /// The same, with a header.
    With(u16, (&'static str, &'static str), Value),
    /// A watch: these events, then nothing until the client goes.
    Watch(Vec<Value>),
    /// A watch: these bytes, then the connection is cut.
    CutWatch(String),
    /// A body that is shorter than it says.
    Truncated(String),
    /// No answer, until the client goes.
    Silence,
}

/// How the server's certificate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    Valid,
    Expired,
}

/// A scripted server on a free port. It ends with the test's process.
pub struct Server {
    pub address: SocketAddr,
    pub authority: String,
    requests: Arc<Mutex<Vec<Request>>>,
    gone: Arc<AtomicBool>,
}

type Script = dyn Fn(&Request) -> Reply + Send + Sync;

impl Server {
    pub fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_certificate(Certificate::Valid, script)
    }

    pub fn with_certificate(
        certificate: Certificate,
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let (config, authority) = tls(certificate);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let gone = Arc::new(AtomicBool::new(false));
        let script: Arc<Script> = Arc::new(script);
        let (log, over) = (Arc::clone(&requests), Arc::clone(&gone));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { break };
                let (config, script, log, over) =
                    (Arc::clone(&config), Arc::clone(&script), Arc::clone(&log), Arc::clone(&over));
                thread::spawn(move || {
                    let connection = ServerConnection::new(config).unwrap();
                    // A client that goes away ends its connection, not the test.
                    let _ = serve(&mut StreamOwned::new(connection, stream), script.as_ref(), &log, &over);
                });
            }
        });
        Self { address, authority, requests, gone }
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

fn tls(certificate: Certificate) -> (Arc<ServerConfig>, String) {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "scripted authority");
    let issuer = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
    let names = ["127.0.0.1", "localhost", "github.com"].map(str::to_owned);
    let mut leaf = CertificateParams::new(names).unwrap();
    if certificate == Certificate::Expired {
        leaf.not_before = date_time_ymd(2020, 1, 1);
        leaf.not_after = date_time_ymd(2021, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let signed = leaf.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.der().clone()], key)
        .unwrap();
    (Arc::new(config), issuer.pem())
}

type Stream = StreamOwned<ServerConnection, TcpStream>;

fn serve(stream: &mut Stream, script: &Script, log: &Mutex<Vec<Request>>, over: &AtomicBool) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(request) = read(stream, &mut buffer)? {
        log.lock().unwrap().push(request.clone());
        match script(&request) {
            Reply::Json(status, body) => answer(stream, status, "", &body.to_string())?,
            Reply::With(status, (name, value), body) => {
                answer(stream, status, &format!("{name}: {value}\r\n"), &body.to_string())?;
            }
            Reply::Watch(events) => {
                let lines: Vec<String> = events.iter().map(ToString::to_string).chain([String::new()]).collect();
                watch(stream, &lines.join("\n"))?;
                until_gone(over);
                return Ok(());
            }
            Reply::CutWatch(text) => return watch(stream, &text),
            Reply::Truncated(text) => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                    text.len() + 10
                );
                stream.write_all((head + &text).as_bytes())?;
                return stream.flush();
            }
            Reply::Silence => {
                until_gone(over);
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Holds the connection until the server is dropped.
fn until_gone(over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(50));
    }
}

fn answer(stream: &mut Stream, status: u16, header: &str, body: &str) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\n{header}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes())?;
    stream.flush()
}

fn watch(stream: &mut Stream, text: &str) -> io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = if text.is_empty() { String::new() } else { format!("{:x}\r\n{text}\r\n", text.len()) };
    stream.write_all((head.to_owned() + &chunk).as_bytes())?;
    stream.flush()
}

/// The next request on a connection; none once the client has closed it.
fn read(stream: &mut Stream, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        if let Ok(httparse::Status::Complete(head)) = parsed.parse(buffer) {
            let header = |name: &str| {
                let found = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
                found.map(|header| std::str::from_utf8(header.value).unwrap().to_owned())
            };
            let length = header("content-length").map_or(0, |length| length.parse().unwrap());
            if buffer.len() >= head + length {
                let target = parsed.path.unwrap().to_owned();
                let (path, query) = target.split_once('?').unwrap_or((&target, ""));
                let request = Request {
                    method: parsed.method.unwrap().to_owned(),
                    path: path.to_owned(),
                    query: query.to_owned(),
                    body: String::from_utf8(buffer[head..head + length].to_vec()).unwrap(),
                    authorization: header("authorization").unwrap_or_default(),
                };
                buffer.drain(..head + length);
                return Ok(Some(request));
            }
        }
        let mut more = [0; 16 << 10];
        match stream.read(&mut more)? {
            0 => return Ok(None),
            count => buffer.extend_from_slice(&more[..count]),
        }
    }
}
