//! Files of certificates and keys that entries name.

use super::choose::Chosen;
use crate::error::Error;
use crate::flags::Connection;
use crate::kubernetes::tls::Pem;

/// The authority that the cluster entry names.
///
/// # Errors
/// If its file cannot be read.
pub fn authority(chosen: &Chosen, flags: &Connection) -> Result<Option<Pem>, Error> {
    let cluster = &chosen.cluster;
    let says = &cluster.says;
    if !says.authority_data.is_empty() {
        let origin = cluster.field("certificate-authority-data", false);
        return Ok(Some(Pem { bytes: says.authority_data.clone(), origin }));
    }
    if says.authority.is_empty() {
        return Ok(None);
    }
    let field = cluster.field("certificate-authority", flags.certificate_authority.is_some());
    read_pem(&says.authority, &field).map(Some)
}

/// Reads a file of certificates or a key.
///
/// # Errors
/// If it cannot be read, naming the file and the field.
pub fn read_pem(path: &str, field: &str) -> Result<Pem, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Pem { bytes, origin: format!("{path}, the {field},") }),
        Err(error) => Err(Error::new(
            format!("could not read {path}, the {field}: {error}"),
            "check that the file exists and that you may read it",
        )),
    }
}
