//! The address of a server or a proxy, as kubectl takes it.

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// An address, and what in it proves who one is.
#[derive(PartialEq, Eq)]
pub struct Address {
    /// With a scheme, and perhaps a path before all others. Without user name and password.
    pub uri: Uri,
    /// User name and password, if the address has them, as they stand there.
    pub user_info: Option<String>,
}

/// The schemes of a server.
pub const OF_SERVERS: &[&str] = &["http", "https"];

impl Address {
    /// Whether what is sent there is encrypted.
    pub fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }
}

/// Reads an address. Without a scheme it is http's, and has no path.
///
/// # Errors
/// In words, without user name and password.
pub fn parse(text: &str, schemes: &[&str]) -> Result<Address, String> {
    let with_scheme = text.split_once("://").filter(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    let scheme = with_scheme.map_or_else(|| "http".to_owned(), |(scheme, _)| scheme.to_ascii_lowercase());
    if !schemes.contains(&scheme.as_str()) {
        return Err(format!("its scheme must be one of {}", schemes.join(", ")));
    }
    let rest = with_scheme.map_or(text, |(_, rest)| rest);
    // A query or a fragment leads nowhere.
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    if with_scheme.is_none() && !matches!(path, "" | "/") {
        return Err("without http:// or https:// it may have no path".to_owned());
    }
    let (user_info, host) = match authority.rsplit_once('@') {
        Some((user_info, host)) => (Some(user_info.to_owned()), host),
        None => (None, authority),
    };
    let uri = format!("{scheme}://{host}{}", plain(path)).parse::<Uri>();
    let uri = uri.ok().filter(|uri| uri.host().is_some_and(|host| !host.is_empty()) && has_port_or_none(host));
    Ok(Address { uri: uri.ok_or("it is not an address such as https://host:6443")?, user_info })
}

/// The characters of a path that stay as they are.
const OF_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

/// A path as Go sends it: without empty parts and dots, and with what has to be escaped escaped.
fn plain(path: &str) -> String {
    let meant = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let mut parts = Vec::new();
    for part in meant.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", percent_encoding::utf8_percent_encode(&parts.join("/"), OF_PATHS))
}

/// The library takes a port that is no number for none.
fn has_port_or_none(host: &str) -> bool {
    let after_address = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    let port = after_address.rsplit_once(':').map_or("", |(_, port)| port);
    port.is_empty() || port.parse::<u16>().is_ok()
}

/// User name and password of an address, with what was escaped there as it was meant.
pub fn name_and_password(user_info: &str) -> (String, String) {
    let meant = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (name, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    (meant(name), meant(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_unless_it_says_otherwise() {
        for (text, uri) in [
            ("https://one:6443", "https://one:6443/"),
            ("HTTPS://one", "https://one/"),
            ("127.0.0.1:8001", "http://127.0.0.1:8001/"),
            ("localhost:8001/", "http://localhost:8001/"),
            ("one", "http://one/"),
            ("https://one//k8s/./x/../clusters/c-1/", "https://one/k8s/clusters/c-1"),
            ("https://one/a%20b%2Fc d", "https://one/a%20b/c%20d"),
            ("https://[::1]:6443?a=b#c", "https://[::1]:6443/"),
        ] {
            let address = parse(text, OF_SERVERS).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((address.uri.to_string().as_str(), address.user_info), (uri, None), "{text}");
        }
    }

    #[test]
    fn a_password_in_it_is_kept_apart() {
        let address = parse("https://bob:hush@one:6443/a", OF_SERVERS).unwrap();
        assert_eq!(address.uri.to_string(), "https://one:6443/a");
        assert_eq!(address.user_info.as_deref(), Some("bob:hush"));
        assert_eq!(name_and_password("b%40b:h%3Ash"), ("b@b".to_owned(), "h:sh".to_owned()));
        assert!(!parse("ftp://bob:hush@one", OF_SERVERS).err().unwrap().contains("hush"));
        assert!(!parse("https://bob:hush@o ne", OF_SERVERS).err().unwrap().contains("hush"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["https://one:http", "ftp://one", "one:6443/path", "https://", "https:///path", "a b", ""] {
            assert!(parse(text, OF_SERVERS).is_err(), "{text:?}");
        }
    }
}
