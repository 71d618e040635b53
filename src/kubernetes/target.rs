//! Where requests go, how the server is trusted, and as whom they are sent.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};

use http::Uri;
use rustls::pki_types::ServerName;

use super::credentials::Credentials;
use super::tls::{ClientCertificate, Trust};

/// What a connection is made from. Nothing of it is read again from files but what is meant to change while it is used.
pub struct Target {
    /// The context's name in the kubeconfig; empty if none is used.
    pub context: String,
    pub namespace: String,
    /// The server's address: http or https, perhaps with a path before all others.
    pub server: Uri,
    /// The proxy on the way to it.
    pub proxy: Option<Proxy>,
    /// How its certificate is judged.
    pub trust: Trust,
    /// The name to expect in its certificate, and to ask for, instead of its address.
    pub server_name: Option<ServerName<'static>>,
    /// The certificate that is shown to it.
    pub certificate: Option<ClientCertificate>,
    /// What is sent with each request.
    pub credentials: Credentials,
    /// Whose requests they are to be.
    pub impersonation: Impersonation,
}

impl Target {
    /// Whether what is sent is encrypted. Credentials go nowhere else.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.server.scheme_str() == Some("https")
    }
}

/// Most of it is secret.
impl Debug for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("context", &self.context).field("server", &self.server).finish_non_exhaustive()
    }
}

/// A proxy: `http`, `https` or `socks5`.
pub struct Proxy {
    /// Its address, without user name and password.
    pub uri: Uri,
    /// User name and password, if it asks for them.
    pub user: Option<(String, String)>,
}

/// Whose requests they are to be. Empty is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impersonation {
    /// The user's name. Without one, nobody is impersonated.
    pub user: String,
    /// The user's UID.
    pub uid: String,
    pub groups: Vec<String>,
    /// Extras, each with its values.
    pub extra: BTreeMap<String, Vec<String>>,
}
