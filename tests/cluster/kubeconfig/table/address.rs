//! Where the server is, and the way to it.

use super::{TOKEN, cluster};
use crate::kubeconfig::row::{Row, config, row};

pub fn rows() -> Vec<Row> {
    [servers(), proxies(), named_proxies()].concat()
}

fn servers() -> Vec<Row> {
    let at = |name: &str, server: &str| cluster(name, &format!("server: '{server}', certificate-authority: <ca>"));
    let plain = |name: &str, user: &str| row(name).config(&config("server: 'http://<plain>'", user));
    vec![
        at("https with a slash at the end", "https://<host>/").reached(),
        at("https in capitals", "HTTPS://<host>").reached(),
        at("https with a path", "https://<host>/k8s/clusters/c-1").reached(),
        at("https with a path and a slash", "https://<host>/k8s/clusters/c-1/").reached(),
        at("https with two slashes", "https://<host>//k8s//"),
        at("https with a path and a query", "https://<host>/k8s?a=b"),
        at("https with a query alone", "https://<host>?a=b"),
        at("https with a fragment", "https://<host>/k8s#part"),
        at("https with a path to be escaped", "https://<host>/a%20b%2Fc"),
        at("https with a space in its path", "https://<host>/a b"),
        at("https with a path of dots", "https://<host>/a/../b/"),
        at("https with a user's name", "https://name:word@<host>"),
        at("https with a name instead of an address", "https://localhost:<good:port>").reached(),
        at("https with a name in capitals", "https://LOCALHOST:<good:port>").reached(),
        at("https with a dot at the end of the name", "https://localhost.:<good:port>"),
        at("https over IPv6", "https://<six>").reached(),
        at("https over IPv6 without brackets", "https://::1:<six:port>").refused(&["north", "server"]),
        at("https over IPv6 with a zone", "https://[::1%25lo]:<six:port>"),
        at("host and port over IPv6", "<six>"),
        at("spaces around", " https://<host> "),
        at("no port", "https://127.0.0.2").refused(&[]),
        at("an empty port", "https://127.0.0.2:").refused(&[]),
        at("a port that is none", "https://127.0.0.1:http").refused(&["north", "server"]),
        at("a port too large", "https://127.0.0.1:70000").refused(&[]),
        at("no host", "https://").refused(&["server"]),
        at("no host but a port", "https://:<good:port>"),
        at("another scheme", "ftp://<host>").refused(&["north", "server"]),
        at("an underscore in the name", "https://some_host.invalid:1").refused(&["some_host"]),
        at("nobody listens", "https://127.0.0.1:1").refused(&["127.0.0.1:1"]),
        at("http to a port of https", "http://<host>").refused(&[]),
        at("https to a port of http", "https://<plain>").refused(&[]),
        at("host and port alone, with an authority", "<host>").refused(&["http://<host>"]),
        at("localhost and port alone, with an authority", "localhost:<good:port>"),
        at("host alone", "127.0.0.2").refused(&[]),
        at("host, port and path alone", "<host>/k8s"),
        at("a path alone", "/k8s").refused(&["server"]),
        cluster("host and port alone", "server: '<plain>'").reached(),
        cluster("localhost and port alone", "server: 'localhost:<plain:port>'"),
        cluster("host and port alone, insecure", "server: '<host>', insecure-skip-tls-verify: true")
            .refused(&["http://<host>"]),
        cluster("host and port alone with a slash", "server: '<plain>/'"),
        plain("http with a token", TOKEN).reached(),
        plain("http with a token file", "tokenFile: none").reached(),
        plain("http with a name and a password", "username: anna, password: secret").reached(),
        plain("http with a certificate", "client-certificate: <client.crt>, client-key: <client.key>").reached(),
        plain("http with a certificate that is missing", "client-certificate: none, client-key: none")
            .refused(&["ursula", "client-certificate"]),
        plain("http with a certificate without a key", "client-certificate: <client.crt>")
            .refused(&["ursula", "client-key"]),
        plain(
            "http with a credential plugin",
            "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, \
             interactiveMode: Never}",
        )
        .login(r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"x"}}"#)
        .reached(),
        plain("http as another", "token: x, as: anna, as-groups: [a, b]").reached(),
        plain("http with token and password", "token: x, username: a").refused(&["ursula", "token", "username"]),
        cluster("http with a path", "server: 'http://<plain>/k8s/'").reached(),
        cluster("http with an authority that is missing", "server: 'http://<plain>', certificate-authority: none")
            .refused(&["north", "certificate-authority"]),
        cluster("http with an authority", "server: 'http://<plain>', certificate-authority: <ca>").reached(),
        cluster("http and insecure", "server: 'http://<plain>', insecure-skip-tls-verify: true").reached(),
        cluster(
            "http and insecure with an authority",
            "server: 'http://<plain>', insecure-skip-tls-verify: true, \
             certificate-authority: <ca>",
        ),
        cluster("http with a server's name", "server: 'http://<plain>', tls-server-name: a.test").reached(),
        cluster("http with a bad authority", "server: 'http://<plain>', certificate-authority: <no-pem.pem>"),
    ]
}

fn proxies() -> Vec<Row> {
    let through = |name: &str, proxy: &str| {
        cluster(name, &format!("server: <server>, certificate-authority: <ca>, proxy-url: '{proxy}'"))
    };
    vec![
        through("an http proxy", "http://<http-proxy>").reached(),
        through("an http proxy with a slash", "http://<http-proxy>/").reached(),
        through("an http proxy with a path", "http://<http-proxy>/some/path"),
        through("an http proxy with a user", "http://anna:s%40cret@<http-proxy>").reached(),
        through("an http proxy with a user and no password", "http://anna@<http-proxy>").reached(),
        through("an https proxy", "https://<https-proxy>").reached(),
        through("an https proxy with a user", "https://anna:secret@<https-proxy>").reached(),
        through("an https proxy by name", "https://localhost:<https-proxy:port>").reached(),
        through("a socks5 proxy", "socks5://<socks>").reached(),
        through("a socks5 proxy with a user", "socks5://anna:s%40cret@<socks>").reached(),
        through("a socks5h proxy", "socks5h://<socks>").refused(&["north", "proxy-url"]),
        through("a socks4 proxy", "socks4://<socks>").refused(&["north", "proxy-url"]),
        through("a proxy without a scheme", "<http-proxy>").refused(&["north", "proxy-url"]),
        through("a proxy by name without a scheme", "localhost:<http-proxy:port>").refused(&["north", "proxy-url"]),
        through("a proxy of an unknown scheme", "ftp://<http-proxy>").refused(&["north", "proxy-url"]),
        through("a proxy that is no URL", "http://[").refused(&["north", "proxy-url"]),
        through("a proxy in capitals", "HTTP://<http-proxy>"),
        through("an empty proxy", "").reached(),
        through("a proxy with spaces", " http://<http-proxy>"),
        through("a proxy that is not there", "http://127.0.0.1:1").refused(&["127.0.0.1:1"]),
        through("a proxy without a host", "http://").refused(&[]),
        cluster(
            "a socks proxy is given the name",
            "server: 'https://scripted.test:<good:port>', certificate-authority: <ca>, \
             proxy-url: 'socks5://<socks>'",
        )
        .reached(),
        cluster(
            "an http proxy is given the name",
            "server: 'https://scripted.test:<good:port>', certificate-authority: <ca>, \
             proxy-url: 'http://<http-proxy>'",
        )
        .reached(),
        cluster("an http proxy to http", "server: 'http://<plain>', proxy-url: 'http://anna:secret@<http-proxy>'")
            .reached(),
        cluster("an https proxy to http", "server: 'http://<plain>', proxy-url: 'https://<https-proxy>'"),
        cluster("a socks5 proxy to http", "server: 'http://<plain>', proxy-url: 'socks5://<socks>'").reached(),
        cluster(
            "an https proxy that is not trusted",
            "server: <server>, insecure-skip-tls-verify: true, \
             proxy-url: 'https://<https-proxy>'",
        ),
        cluster(
            "an https proxy and a server's name",
            "server: <server>, certificate-authority: <ca>, tls-server-name: localhost, \
             proxy-url: 'https://<https-proxy>'",
        ),
    ]
}

/// Proxies that variables name.
fn named_proxies() -> Vec<Row> {
    let by_name =
        |name: &str| cluster(name, "server: 'https://scripted.test:<good:port>', certificate-authority: <ca>");
    vec![
        by_name("HTTPS_PROXY").env("HTTPS_PROXY", "http://<http-proxy>").reached(),
        by_name("https_proxy").env("https_proxy", "http://anna:secret@<http-proxy>").reached(),
        by_name("HTTPS_PROXY without a scheme").env("HTTPS_PROXY", "<http-proxy>").reached(),
        by_name("HTTPS_PROXY of socks").env("HTTPS_PROXY", "socks5://<socks>").reached(),
        by_name("HTTPS_PROXY of https").env("HTTPS_PROXY", "https://<https-proxy>").reached(),
        by_name("HTTPS_PROXY of socks5h").env("HTTPS_PROXY", "socks5h://<socks>").reached(),
        by_name("HTTPS_PROXY empty, https_proxy given")
            .env("HTTPS_PROXY", "")
            .env("https_proxy", "http://<http-proxy>")
            .reached(),
        by_name("both HTTPS_PROXY and https_proxy")
            .env("HTTPS_PROXY", "http://<http-proxy>")
            .env("https_proxy", "http://127.0.0.1:1")
            .reached(),
        by_name("ALL_PROXY").env("ALL_PROXY", "http://<http-proxy>"),
        by_name("HTTP_PROXY alone").env("HTTP_PROXY", "http://<http-proxy>"),
        by_name("NO_PROXY of the name").env("HTTPS_PROXY", "http://<http-proxy>").env("NO_PROXY", "scripted.test"),
        by_name("NO_PROXY of the domain").env("HTTPS_PROXY", "http://<http-proxy>").env("NO_PROXY", ".test"),
        by_name("NO_PROXY of a domain without a dot").env("HTTPS_PROXY", "http://<http-proxy>").env("NO_PROXY", "test"),
        by_name("NO_PROXY of all").env("HTTPS_PROXY", "http://<http-proxy>").env("NO_PROXY", "*"),
        by_name("NO_PROXY of others")
            .env("HTTPS_PROXY", "http://<http-proxy>")
            .env("NO_PROXY", "a.test, 10.0.0.0/8")
            .reached(),
        by_name("NO_PROXY of another port")
            .env("HTTPS_PROXY", "http://<http-proxy>")
            .env("NO_PROXY", "scripted.test:1")
            .reached(),
        by_name("NO_PROXY of the port")
            .env("HTTPS_PROXY", "http://<http-proxy>")
            .env("NO_PROXY", "scripted.test:<good:port>"),
        by_name("no_proxy").env("HTTPS_PROXY", "http://<http-proxy>").env("no_proxy", "scripted.test"),
        by_name("REQUEST_METHOD is set")
            .env("HTTPS_PROXY", "http://<http-proxy>")
            .env("REQUEST_METHOD", "GET")
            .reached(),
        cluster("HTTPS_PROXY is not for this machine", "server: <server>, certificate-authority: <ca>")
            .env("HTTPS_PROXY", "http://127.0.0.1:1")
            .env("NO_PROXY", "<host>")
            .reached(),
        cluster("HTTP_PROXY is for http", "server: 'http://scripted.test:<plain:port>'")
            .env("HTTP_PROXY", "http://<http-proxy>"),
        cluster(
            "proxy-url wins over HTTPS_PROXY",
            "server: <server>, certificate-authority: <ca>, proxy-url: 'http://<http-proxy>'",
        )
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .env("NO_PROXY", "127.0.0.1")
        .reached(),
    ]
}
