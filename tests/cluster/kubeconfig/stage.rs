//! Where rows are played: against scripted servers of our own, or against the test cluster. Each gives words for the
//! places that a row leaves open.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::pki::{Pki, SERVERS};
use super::proxy;
use super::server::{self, Ways, tls};
use crate::support::kubectl;

/// A stage, and the words for it.
pub struct Stage {
    words: BTreeMap<String, String>,
    /// For the homes of rows.
    pub folder: TempDir,
}

impl Stage {
    /// Servers of our own on this machine, one for each certificate and one without TLS, and proxies. They end with the
    /// test's process.
    pub fn scripted() -> Self {
        let mut stage = Self::bare();
        let pki = stage.folder.path().join("pki");
        fs::create_dir(&pki).unwrap();
        let pki = Pki::make(&pki);
        for (name, path) in pki.files() {
            stage.file(&name, &path);
        }
        stage.file("ca", &pki.path("ca.pem"));
        stage.word("token", "scripted-token");
        stage.word("other-token", "another-token");
        for (name, address) in open(pki) {
            stage.word(name, &address.to_string());
            stage.word(&format!("{name}:port"), &address.port().to_string());
        }
        let host = stage.words["good"].clone();
        stage.word("host", &host);
        stage.word("server", &format!("https://{host}"));
        let account = stage.service_account();
        fs::create_dir(&account).unwrap();
        for (name, text) in
            [("token", "token-of-the-pod\n"), ("ca.crt", &stage.words["ca:text"]), ("namespace", "pods")]
        {
            fs::write(account.join(name), text).unwrap();
        }
        stage
    }

    /// The test cluster, with its administrator's certificate and the tokens of two service accounts.
    pub fn cluster() -> Self {
        let mut stage = Self::bare();
        let config: Value = serde_json::from_str(&kubectl::ok("config view --raw --flatten --minify -o json")).unwrap();
        for (name, pointer) in [
            ("ca", "/clusters/0/cluster/certificate-authority-data"),
            ("client.crt", "/users/0/user/client-certificate-data"),
            ("client.key", "/users/0/user/client-key-data"),
        ] {
            let path = stage.folder.path().join(name);
            fs::write(&path, STANDARD.decode(config.pointer(pointer).unwrap().as_str().unwrap()).unwrap()).unwrap();
            stage.file(name, &path);
        }
        let server = config.pointer("/clusters/0/cluster/server").unwrap().as_str().unwrap();
        stage.word("server", server);
        for name in ["host", "good"] {
            stage.word(name, server.trim_start_matches("https://"));
        }
        stage.word("token", kubectl::ok("create token default -n default").trim());
        stage.word("other-token", kubectl::ok("create token default -n kube-system").trim());
        stage
    }

    fn bare() -> Self {
        Self { words: BTreeMap::new(), folder: tempfile::tempdir().unwrap() }
    }

    fn word(&mut self, name: &str, word: &str) {
        self.words.insert(name.to_owned(), word.to_owned());
    }

    /// A file: its path, `:text` what is in it, `:64` that in base64, `:lines` in lines of a YAML block.
    fn file(&mut self, name: &str, path: &Path) {
        let content = fs::read(path).unwrap();
        let encoded = STANDARD.encode(&content);
        let lines: Vec<_> = encoded.as_bytes().chunks(76).map(String::from_utf8_lossy).collect();
        self.word(name, path.to_str().unwrap());
        self.word(&format!("{name}:text"), &String::from_utf8_lossy(&content));
        self.word(&format!("{name}:lines"), &lines.join("\n      "));
        self.word(&format!("{name}:64"), &encoded);
    }

    /// A folder as a pod's service account has it.
    pub fn service_account(&self) -> PathBuf {
        self.folder.path().join("service-account")
    }

    /// A text with this stage's words in place of `<names>`, or none if one of them is not known here.
    pub fn fill(&self, text: &str, home: &Path) -> Option<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('<') {
            filled += before;
            rest = match after.split_once('>').filter(|(name, _)| is_name(name)) {
                Some(("home", after)) => {
                    filled += home.to_str().unwrap();
                    after
                }
                Some((name, after)) => {
                    filled += self.words.get(name)?;
                    after
                }
                None => {
                    filled.push('<');
                    after
                }
            };
        }
        Some(filled + rest)
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".:-".contains(c))
}

/// Opens the servers and the proxies, on a thread of their own. Gives their addresses.
fn open(pki: Pki) -> Vec<(&'static str, SocketAddr)> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let ways = Ways::default();
            let mut addresses = Vec::new();
            let mut listen = |name, host: IpAddr| {
                let listener = std::net::TcpListener::bind((host, 0)).ok()?;
                listener.set_nonblocking(true).unwrap();
                addresses.push((name, listener.local_addr().unwrap()));
                Some(TcpListener::from_std(listener).unwrap())
            };
            let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
            for name in SERVERS {
                let tls = Some(tls(pki.server(name)));
                tokio::spawn(server::serve(name, listen(name, here).unwrap(), tls, Arc::clone(&ways)));
            }
            // Not every machine has IPv6.
            if let Some(listener) = listen("six", Ipv6Addr::LOCALHOST.into()) {
                tokio::spawn(server::serve("six", listener, Some(tls(pki.server("good"))), Arc::clone(&ways)));
            }
            tokio::spawn(server::serve("plain", listen("plain", here).unwrap(), None, Arc::clone(&ways)));
            let over_tls = Some(tls(pki.server("good")));
            tokio::spawn(proxy::http(listen("https-proxy", here).unwrap(), over_tls, Arc::clone(&ways)));
            tokio::spawn(proxy::http(listen("http-proxy", here).unwrap(), None, Arc::clone(&ways)));
            tokio::spawn(proxy::socks(listen("socks", here).unwrap(), ways));
            tell.send(addresses).unwrap();
            std::future::pending::<()>().await;
        });
    });
    told.recv().unwrap()
}
