//! The auth-provider `oidc`: its token is used for as long as it is valid.
//!
//! kubectl also gets a new one with the refresh token, and writes it into the file. That is left to kubectl.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use super::choose::Named;
use super::file::{AuthProvider, User};
use super::why::Why;
use crate::error::Error;
use crate::kubernetes::Secret;

/// How long before its end kubectl takes a token for expired.
const LEEWAY: SignedDuration = SignedDuration::from_secs(10);

/// Whether kubectl has such a provider, and it is given what it needs.
///
/// # Errors
/// If not, though a token that stands before it may be all that is used.
pub fn check(provider: &AuthProvider, user: &Named<User>) -> Result<(), Why> {
    if provider.name != "oidc" {
        return Err(Why::Said(Error::new(
            format!("{user} logs in with the auth-provider {:?}, which kubectl no longer has", provider.name),
            "log in with a credential plugin; your cluster's provider documents how",
        )));
    }
    let is_missing = |name: &&str| provider.config.get(*name).is_none_or(String::is_empty);
    match ["idp-issuer-url", "client-id"].into_iter().find(is_missing) {
        Some(name) => Err(Why::Entry(format!("the auth-provider of {user} has no {name}"))),
        None => Ok(()),
    }
}

/// The token of a provider that is as it should be.
///
/// # Errors
/// If it has no valid token.
pub fn token(provider: &AuthProvider, user: &Named<User>) -> Result<Secret, Why> {
    let given = |name: &str| provider.config.get(name).filter(|value| !value.is_empty());
    let token = given("id-token");
    if let Some(token) = token {
        let end = expiry(token).ok_or_else(|| format!("the id-token of {user} is not an OpenID Connect token"))?;
        if Timestamp::now() + LEEWAY < end {
            return Ok(Secret::new(token.clone()));
        }
    }
    let (message, hint) = match (token, given("refresh-token")) {
        (_, None) => (
            format!("{user} has no valid id-token, and no refresh-token"),
            "log in again, as your cluster's provider documents",
        ),
        _ => (
            format!("the id-token of {user} has expired"),
            "kubectl gets a new one and writes it to the file: run any kubectl command that contacts the cluster, and then run this again",
        ),
    };
    Err(Why::Said(Error::new(message, hint)))
}

/// When a JSON Web Token expires.
fn expiry(token: &str) -> Option<Timestamp> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    Timestamp::from_second(claims["exp"].as_i64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expires: i64) -> String {
        let part = |text: String| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part("{}".to_owned()), part(format!("{{\"exp\":{expires}}}")), part("signature".to_owned()))
    }

    fn asked(name: &str, token: Option<String>, refresh: bool) -> Result<Secret, Why> {
        let user = Named { kind: "user", name: "bob".to_owned(), file: None, says: User::default() };
        let mut config = vec![("idp-issuer-url", "https://idp".to_owned()), ("client-id", "kubernetes".to_owned())];
        config.extend(token.map(|token| ("id-token", token)));
        config.extend(refresh.then(|| ("refresh-token", "again".to_owned())));
        let config = config.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let provider = AuthProvider { name: name.to_owned(), config };
        check(&provider, &user).and_then(|()| super::token(&provider, &user))
    }

    #[test]
    fn a_token_is_used_until_it_expires() {
        let now = Timestamp::now().as_second();
        assert!(asked("oidc", Some(of(now + 600)), false).is_ok());
        let refused = |name: &str, token, refresh| match asked(name, token, refresh) {
            Err(Why::Said(error)) => error.to_string(),
            Err(Why::Entry(why)) => why,
            Ok(_) => panic!("{name} is taken"),
        };
        assert!(refused("oidc", Some(of(now + 5)), true).contains("has expired"));
        assert!(refused("oidc", Some(of(now - 600)), false).contains("no refresh-token"));
        assert!(refused("oidc", None, false).contains("no valid id-token"));
        assert!(refused("oidc", Some("secret".to_owned()), true).contains("is not an OpenID Connect token"));
        assert!(refused("gcp", None, false).contains("\"gcp\""));
    }
}
