//! The proxy on the way to a server.

use std::env;
use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;

use super::address;
use crate::kubernetes::Proxy;

/// The schemes that kubectl takes of a kubeconfig.
const CONFIGURED: &[&str] = &["http", "https", "socks5"];

/// The schemes that it takes of the environment. This one is meant by socks5 as well: the proxy looks up names.
const OF_ENVIRONMENT: &[&str] = &["http", "https", "socks5", "socks5h"];

/// The proxy that a kubeconfig or a flag names.
///
/// # Errors
/// In words, without user name and password.
pub fn configured(url: &str) -> Result<Proxy, String> {
    if !url.contains("://") {
        return Err(format!("it needs one of these schemes: {}", CONFIGURED.join(", ")));
    }
    read(url, CONFIGURED)
}

/// The proxy of the environment, if it is for this server. As in kubectl, none is used for this machine itself.
///
/// # Errors
/// In words that name the variable, without user name and password.
pub fn of_environment(server: &Uri) -> Result<Option<Proxy>, String> {
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']);
    if host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback()) {
        return Ok(None);
    }
    let names = if server.scheme_str() == Some("https") {
        ["HTTPS_PROXY", "https_proxy"]
    } else {
        ["HTTP_PROXY", "http_proxy"]
    };
    let Some((name, url)) = variable(names) else { return Ok(None) };
    let without = variable(["NO_PROXY", "no_proxy"]).map(|(_, hosts)| hosts).unwrap_or_default();
    if without.split(',').any(|entry| leaves_out(entry.trim(), host, server)) {
        return Ok(None);
    }
    read(&url, OF_ENVIRONMENT)
        .map(Some)
        .map_err(|why| format!("the proxy in the variable {name} cannot be used: {why}"))
}

/// Whether an entry of `NO_PROXY` is for a server, as Go has it: `*`, an address, a range of addresses, or a domain with all
/// below it; but for a range, with a port or without.
fn leaves_out(entry: &str, host: &str, server: &Uri) -> bool {
    if entry == "*" {
        return true;
    }
    let address = host.parse::<IpAddr>().ok();
    if let Ok(range) = entry.parse::<IpNet>() {
        return address.is_some_and(|address| range.contains(&address));
    }
    let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("https") { 443 } else { 80 });
    let (name, of_port) = match entry.rsplit_once(':') {
        // Of an address of version 6, the last part is no port unless it stands in brackets.
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
        _ => (entry, None),
    };
    let name = name.trim_matches(['[', ']']).to_ascii_lowercase();
    if name.is_empty() || of_port.is_some_and(|of_port| of_port != port.to_string()) {
        return false;
    }
    if let Ok(named) = name.parse::<IpAddr>() {
        return address == Some(named);
    }
    let host = host.to_ascii_lowercase();
    let domain = name.trim_start_matches('*');
    match domain.strip_prefix('.') {
        Some(_) => host.ends_with(domain),
        None => host == domain || host.ends_with(&format!(".{domain}")),
    }
}

fn read(url: &str, schemes: &[&str]) -> Result<Proxy, String> {
    let address = address::parse(url, schemes)?;
    Ok(Proxy { uri: address.uri, user: address.user_info.as_deref().map(address::name_and_password) })
}

/// The first of these variables that is not empty.
fn variable<const N: usize>(names: [&'static str; N]) -> Option<(&'static str, String)> {
    names.into_iter().find_map(|name| Some((name, env::var(name).ok().filter(|value| !value.is_empty())?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_left_out_as_go_leaves_them_out() {
        for (entry, server, is_left_out) in [
            ("*", "https://a.b", true),
            ("a.b", "https://a.b", true),
            ("a.b", "https://x.a.b", true),
            ("a.b", "https://xa.b", false),
            (".a.b", "https://a.b", false),
            (".a.b", "https://x.a.b", true),
            ("*.a.b", "https://x.a.b", true),
            ("A.b:443", "https://a.B", true),
            ("a.b:6443", "https://a.b", false),
            ("10.0.0.1:6443", "https://10.0.0.1:6443", true),
            ("10.0.0.1", "https://10.0.0.1:6443", true),
            ("10.0.0.0/8", "https://10.9.9.9", true),
            ("10.0.0.0/8", "https://a.b", false),
            ("fd00::/8", "https://[fd00::1]:6443", true),
            ("[fd00::1]:6443", "https://[fd00::1]:6443", true),
            ("fd00::1", "https://[fd00::1]:6443", true),
            ("", "https://a.b", false),
        ] {
            let uri: Uri = server.parse().unwrap();
            let host = uri.host().unwrap().trim_matches(['[', ']']).to_owned();
            assert_eq!(leaves_out(entry, &host, &uri), is_left_out, "{entry} for {server}");
        }
    }

    #[test]
    fn a_proxy_is_named_with_its_scheme() {
        let proxy = configured("http://bob:p%40ss@proxy:3128").unwrap();
        assert_eq!(proxy.uri.to_string(), "http://proxy:3128/");
        assert_eq!(proxy.user, Some(("bob".to_owned(), "p@ss".to_owned())));
        assert_eq!(configured("socks5://proxy:1080").unwrap().uri.host(), Some("proxy"));
        for wrong in ["proxy:3128", "socks5h://proxy", "http://bob:hush@pro xy"] {
            let why = configured(wrong).err().unwrap_or_else(|| panic!("{wrong} is taken"));
            assert!(!why.contains("hush"), "{why}");
        }
        assert!(read("proxy:3128", OF_ENVIRONMENT).is_ok() && read("socks5h://proxy", OF_ENVIRONMENT).is_ok());
    }
}
