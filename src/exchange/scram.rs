//! What PostgreSQL keeps of a password: a SCRAM verifier (RFC 5803), which proves the password and does not hold it.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt as _;
use ring::{digest, hmac, pbkdf2};

/// PostgreSQL's own choices.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).unwrap();
const SALT_LENGTH: usize = 16;

/// A verifier of a password, with a salt of its own. It holds letters, digits and `+/=$:-` alone.
///
/// The password must be ASCII: others are normalised first (RFC 4013), which this does not do.
#[must_use]
pub fn verifier(password: &str) -> String {
    with(password, &rand::rng().random::<[u8; SALT_LENGTH]>(), ITERATIONS)
}

/// Whether a verifier is one of this password. Of another form than SCRAM's, none is.
#[must_use]
pub fn is_of(verifier_: &str, password: &str) -> bool {
    let parts = || {
        let (iterations, salt) = verifier_.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?.0.split_once(':')?;
        Some((iterations.parse().ok()?, STANDARD.decode(salt).ok()?))
    };
    parts().is_some_and(|(iterations, salt)| with(password, &salt, iterations) == verifier_)
}

fn with(password: &str, salt: &[u8], iterations: NonZeroU32) -> String {
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password.as_bytes(), &mut salted);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let stored_key = digest::digest(&digest::SHA256, hmac::sign(&key, b"Client Key").as_ref());
    let server_key = hmac::sign(&key, b"Server Key");
    format!(
        "SCRAM-SHA-256${iterations}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(server_key)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677, section 3: its salt and its password.
    #[test]
    fn the_keys_are_those_of_the_standard() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let made = with("pencil", &salt, ITERATIONS);
        let expected = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
        assert_eq!(made, expected);
    }

    #[test]
    fn a_verifier_is_of_its_password_alone() {
        let (one, other) = (verifier("kubecoin"), verifier("kubecoin"));
        assert_ne!(one, other, "each has a salt of its own");
        assert!(is_of(&one, "kubecoin") && is_of(&other, "kubecoin"));
        assert!(!is_of(&one, "kubecoins"));
        for none in ["", "md53175bce1d3201d16594cebf9d7eb3f9d", "SCRAM-SHA-256$0:AA==$x:y", "SCRAM-SHA-256$4096:!$x:y"]
        {
            assert!(!is_of(none, "kubecoin"), "{none}");
        }
    }
}
