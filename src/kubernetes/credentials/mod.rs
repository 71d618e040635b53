//! What proves to the server who one is, got when it is needed and sent with each request.
//!
//! kube has ways of its own, but runs a credential plugin three times a command, hands it stdin, and shows its arguments.

mod answer;
pub(super) mod header;
mod layer;
mod plugin;
mod policy;
mod token_file;

use std::fmt::{self, Debug, Formatter};
use std::path::PathBuf;

pub use answer::VERSIONS;
pub use layer::{Ask, CredentialsLayer};
pub use plugin::{Interaction, Plugin};
pub use policy::Policy;

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps it from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, to be sent.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Debug for Secret {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What proves who one is.
#[derive(Debug, Default)]
pub enum Credentials {
    /// Nothing, or the certificate alone.
    #[default]
    None,
    /// A bearer token.
    Token(Secret),
    /// A file with a bearer token, which somebody writes again from time to time.
    TokenFile {
        /// The file.
        path: PathBuf,
        /// What is sent while the file cannot be read.
        fallback: Option<Secret>,
        /// Which field names it, for messages: `tokenFile of user "bob" in /home/bob/.kube/config`.
        of: String,
    },
    /// A user name and a password.
    Basic {
        /// The name.
        username: String,
        password: Secret,
    },
    /// A program that gets a token or a certificate.
    Plugin(Box<Plugin>),
}

/// Why there is nothing that proves who one is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CredentialsError {
    message: String,
    hint: Option<String>,
}

impl CredentialsError {
    /// In words without a secret.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// What helps, if more is known than that one is to log in again.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
