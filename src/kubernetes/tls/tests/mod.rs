//! Real handshakes over loopback, in both versions of TLS.

mod client;
mod handshake;
mod server;

#[path = "../../../../tests/support/certificates.rs"]
pub mod certificates;

use super::*;

fn pem(origin: &str, text: &str) -> Pem {
    Pem { bytes: text.as_bytes().to_owned(), origin: origin.to_owned() }
}
