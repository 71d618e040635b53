//! Headers that prove who one is. Nothing shows them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use super::{CredentialsError, Secret};

/// That of a bearer token.
///
/// # Errors
/// If it has characters that cannot be sent.
pub fn bearer(token: &Secret) -> Result<HeaderValue, CredentialsError> {
    sensitive(format!("Bearer {}", token.expose()), "the token")
}

/// That of a user name and its password.
///
/// # Errors
/// If they have characters that cannot be sent.
pub fn basic(username: &str, password: &str) -> Result<HeaderValue, CredentialsError> {
    let pair = STANDARD.encode(format!("{username}:{password}"));
    sensitive(format!("Basic {pair}"), "the user name")
}

fn sensitive(text: String, what: &str) -> Result<HeaderValue, CredentialsError> {
    let header = HeaderValue::try_from(text);
    let mut header = header.map_err(|_| CredentialsError::new(format!("{what} has characters that cannot be sent")))?;
    header.set_sensitive(true);
    Ok(header)
}
