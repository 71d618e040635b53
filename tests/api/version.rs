//! `version --check`: what is asked, of whom, and that nobody is asked without it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::plugin::{Ended, Home, finished};
use crate::server::{Reply, Server};

/// A proxy that leads everybody to one server, and notes where they wanted to go.
struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                thread::spawn(move || lead(stream, server, &log));
            }
        });
        Self { address, asked }
    }
}

fn lead(mut stream: TcpStream, server: SocketAddr, log: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    log.lock().unwrap().push(request);
    lines.by_ref().find(|line| line.as_ref().is_ok_and(String::is_empty));
    let mut to = TcpStream::connect(server)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from, mut back) = (stream.try_clone()?, to.try_clone()?);
    thread::spawn(move || io::copy(&mut back, &mut stream));
    io::copy(&mut from, &mut to).map(drop)
}

/// A stand-in for GitHub that answers this.
fn github(status: u16, location: &'static str) -> (Server, Proxy) {
    let server = Server::start(move |request| {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("HEAD", "/kubecoin/kubectl-kubecoin/releases/latest")
        );
        assert_eq!(request.authorization, "");
        Reply::With(status, ("location", location), Value::Null)
    });
    let proxy = Proxy::to(server.address);
    (server, proxy)
}

/// Runs it with the proxy on the way to everybody but this machine.
fn run(words: &str, server: &Server, proxy: &Proxy) -> Ended {
    let home = Home::at(server);
    let authority = home.write("github.pem", &server.authority);
    let proxy = format!("http://{}", proxy.address);
    finished(home.command(words).env("SSL_CERT_FILE", authority).env("HTTPS_PROXY", proxy))
}

#[test]
fn a_newer_release_is_told_with_how_to_get_it() {
    let (server, proxy) = github(302, "https://github.com/kubecoin/kubectl-kubecoin/releases/tag/v99.0.0");
    let told = run("version --client --check", &server, &proxy);
    let own = concat!("Client Version: v", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!((told.code, told.stdout), (0, format!("{own}Latest Version: v99.0.0\n")), "{}", told.stderr);
    let hint = "hint: install the latest version: kubectl krew upgrade kubecoin; its archives: https://github.com/";
    assert!(told.stderr.starts_with(hint), "{}", told.stderr);
    assert_eq!(*proxy.asked.lock().unwrap(), ["CONNECT github.com:443 HTTP/1.1"]);
    let json = run("version --client --check -o json", &server, &proxy);
    let value: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(value["latestVersion"], json!("v99.0.0"));
}

#[test]
fn the_version_that_one_has_may_be_the_latest() {
    let location = concat!("https://github.com/kubecoin/kubectl-kubecoin/releases/tag/v", env!("CARGO_PKG_VERSION"));
    let (server, proxy) = github(302, location);
    let told = run("version --client --check", &server, &proxy);
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told:?}");
}

#[test]
fn nobody_is_asked_unless_somebody_wants_to_know() {
    let (server, proxy) = github(302, "");
    let told = run("version --client", &server, &proxy);
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(*proxy.asked.lock().unwrap(), [""; 0]);
}

#[test]
fn what_is_no_answer_is_an_error_with_a_hint() {
    let (server, proxy) = github(404, "");
    run("version --client --check", &server, &proxy).could_not_run("there is no release yet");
    let (server, proxy) = github(302, "https://github.com/login");
    run("version --client --check", &server, &proxy).could_not_run("leads to no release");
    let home = Home::empty();
    let nobody = finished(home.command("version --client --check").env("HTTPS_PROXY", "http://127.0.0.1:1"));
    nobody.could_not_run("onnection refused");
    assert!(nobody.stdout.starts_with("Client Version: v"), "what is known is shown: {nobody:?}");
}
