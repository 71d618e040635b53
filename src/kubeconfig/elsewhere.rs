//! A server that no kubeconfig names, on the internet.

use http::Uri;

use super::proxy;
use crate::kubernetes::tls::Trust;
use crate::kubernetes::{Credentials, Impersonation, Target};

/// Where requests to such a server go: through the environment's proxy, as nobody, to a server that the machine's authorities
/// vouch for.
///
/// # Errors
/// If the environment's proxy cannot be used, in words.
pub fn elsewhere(server: Uri) -> Result<Target, String> {
    Ok(Target {
        context: String::new(),
        namespace: String::new(),
        proxy: proxy::of_environment(&server)?,
        server,
        trust: Trust::default(),
        server_name: None,
        certificate: None,
        credentials: Credentials::None,
        impersonation: Impersonation::default(),
    })
}
