//! kubectl's preferences, as far as they concern credential plugins.

use std::env;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::kubernetes::credentials::Policy;

/// The policy of the file that the flag or the variable KUBERC names, or that lies at the usual place.
///
/// # Errors
/// If a file that was named cannot be read, or what it says cannot be meant.
pub fn policy(named: Option<&Path>) -> Result<Policy, Error> {
    let variable = env::var_os("KUBERC").filter(|value| !value.is_empty());
    if env::var_os("KUBECTL_KUBERC").is_some_and(|value| value.eq_ignore_ascii_case("false")) {
        return Ok(Policy::AllowAll);
    }
    if variable.as_deref().is_some_and(|value| value == "off") {
        return match named {
            None => Ok(Policy::AllowAll),
            Some(_) => Err(Error::new("--kuberc is given, but KUBERC=off says not to read any", "omit one of the two")),
        };
    }
    let is_named = named.is_some() || variable.is_some();
    let path = named.map(Path::to_owned).or_else(|| variable.map(PathBuf::from));
    let path = path.unwrap_or_else(|| PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".kube/kuberc"));
    let read = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound && !is_named => return Ok(Policy::AllowAll),
        Err(error) => Err(error.to_string()),
        Ok(text) => Policy::parse(&text),
    };
    read.map_err(|why| {
        let message = format!("could not read kubectl's preferences {}: {why}", path.display());
        Error::new(message, "correct the file, or choose another one with --kuberc")
    })
}
