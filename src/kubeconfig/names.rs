//! The names that a kubeconfig has.

use super::merge;
use crate::error::Error;
use crate::flags::Connection;

/// What can be chosen with `--context`, `--cluster` and `--user`.
pub struct Names {
    pub contexts: Vec<String>,
    pub clusters: Vec<String>,
    pub users: Vec<String>,
}

/// The names in the kubeconfig that flags and environment lead to.
///
/// # Errors
/// If a file cannot be read, with its name.
pub fn names(flags: &Connection) -> Result<Names, Error> {
    let file = merge::read(flags.kubeconfig.as_deref())?;
    Ok(Names {
        contexts: file.contexts.into_keys().collect(),
        clusters: file.clusters.into_keys().collect(),
        users: file.users.into_keys().collect(),
    })
}
