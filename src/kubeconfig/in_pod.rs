//! The service account that a pod runs as.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the kubelet lays what a pod needs to reach the server.
const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What a pod is given to reach the server.
#[derive(Debug)]
pub struct ServiceAccount {
    /// The server's address.
    pub server: String,
    /// The file with the token, which is written again from time to time.
    pub token_file: PathBuf,
    /// The file with the server's authority, likewise.
    pub authority_file: PathBuf,
}

/// That of the pod in which this runs; none outside of pods.
pub fn service_account() -> Option<ServiceAccount> {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let (host, port) = (variable("KUBERNETES_SERVICE_HOST")?, variable("KUBERNETES_SERVICE_PORT")?);
    let folder = Path::new(FOLDER);
    let token_file = folder.join("token");
    if !token_file.is_file() {
        return None;
    }
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let server = format!("https://{host}:{port}");
    Some(ServiceAccount { server, token_file, authority_file: folder.join("ca.crt") })
}

/// The namespace of the pod in which this runs; none outside of pods.
pub fn namespace() -> Option<String> {
    service_account()?;
    let named = env::var("POD_NAMESPACE").ok().filter(|name| !name.is_empty());
    named
        .or_else(|| Some(fs::read_to_string(Path::new(FOLDER).join("namespace")).ok()?.trim().to_owned()))
        .filter(|name| !name.is_empty())
}
