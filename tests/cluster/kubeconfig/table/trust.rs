//! Which servers are trusted.

use super::{TOKEN, cluster};
use crate::kubeconfig::row::{Row, config, row};

pub fn rows() -> Vec<Row> {
    [authorities(), servers(), others()].concat()
}

/// Forms of the authority of a good server.
fn authorities() -> Vec<Row> {
    let file = |name: &str, file: &str| cluster(name, &format!("server: <server>, certificate-authority: {file}"));
    let data =
        |name: &str, data: &str| cluster(name, &format!("server: <server>, certificate-authority-data: '{data}'"));
    vec![
        file("an authority in a file", "<ca>").reached(),
        data("an authority as data", "<ca:64>").reached(),
        file("the server's own certificate as authority", "<good.pem>").reached(),
        file("a bundle of the server's certificate and another authority", "<good-and-other.pem>").reached(),
        file("a bundle of two", "<two.pem>").reached(),
        data("a bundle of two as data", "<two.pem:64>").reached(),
        file("a bundle with a broken certificate first", "<broken-first.pem>").reached(),
        file("a bundle with a broken certificate last", "<broken-last.pem>").reached(),
        file("a bundle with a certificate that is cut off first", "<cut-first.pem>"),
        file("a bundle of a broken certificate only", "<broken-only.pem>").refused(&[
            "north",
            "certificate-authority",
            "broken-only.pem",
        ]),
        file("a bundle with an expired authority", "<past-and-present.pem>").reached(),
        file("an authority with a key before", "<with-key.pem>").reached(),
        file("an authority with text around", "<with-text.pem>").reached(),
        file("an authority with lines of Windows", "<windows.pem>").reached(),
        file("an authority under openssl's own label", "<trusted.pem>").refused(&[
            "north",
            "certificate-authority",
            "trusted.pem",
        ]),
        file("an authority in DER", "<ca.der>").refused(&["north", "certificate-authority", "ca.der"]),
        file("an authority that is no PEM", "<no-pem.pem>").refused(&["north", "certificate-authority", "no-pem.pem"]),
        data("an authority that is no PEM as data", "aGVsbG8K").refused(&["north", "certificate-authority-data"]),
        file("an authority that is empty", "<empty.pem>").refused(&[]),
        file("an authority that is missing", "none.pem").refused(&["north", "certificate-authority", "none.pem"]),
        file("an authority that is a folder", ".").refused(&["north", "certificate-authority"]),
        file("an authority's empty field", "''").refused(&["certificate"]),
        data("an authority's empty data", "").refused(&["certificate"]),
        file("another authority", "<other-ca.pem>").refused(&["certificate"]),
        file("an authority by a relative path", "authority.pem").file(".kube/authority.pem", "<ca:text>").reached(),
        cluster(
            "an authority in a file and as data",
            "server: <server>, certificate-authority: <other-ca.pem>, \
             certificate-authority-data: <ca:64>",
        )
        .refused(&["north", "certificate-authority", "certificate-authority-data"]),
        cluster("no authority at all", "server: <server>").refused(&["certificate"]),
        cluster("insecure", "server: <server>, insecure-skip-tls-verify: true").reached(),
        cluster(
            "insecure and an authority",
            "server: <server>, insecure-skip-tls-verify: true, certificate-authority: <ca>",
        )
        .refused(&["north", "insecure-skip-tls-verify", "certificate-authority"]),
        cluster(
            "insecure and an authority as data",
            "server: <server>, insecure-skip-tls-verify: true, \
             certificate-authority-data: <ca:64>",
        )
        .refused(&["north", "insecure-skip-tls-verify", "certificate-authority"]),
        cluster("insecure as false", "server: <server>, insecure-skip-tls-verify: false, certificate-authority: <ca>")
            .reached(),
        cluster("SSL_CERT_FILE has the authority", "server: <server>").env("SSL_CERT_FILE", "<ca>"),
        cluster("SSL_CERT_DIR has the authority", "server: <server>")
            .file("certs/a.pem", "<ca:text>")
            .env("SSL_CERT_DIR", "<home>/certs"),
    ]
}

/// Servers that show other certificates.
fn servers() -> Vec<Row> {
    let at = |name: &str, server: &str, authority: &str| {
        cluster(name, &format!("server: 'https://<{server}>', certificate-authority: <{authority}>"))
    };
    let insecure = |server: &str| {
        cluster(
            &format!("insecure with a server's certificate that is {server}"),
            &format!("server: 'https://<{server}>', insecure-skip-tls-verify: true"),
        )
        .reached()
    };
    let mut rows = vec![
        at("a server's expired certificate", "expired", "ca").refused(&["expired"]),
        at("a server's certificate of the future", "future", "ca").refused(&["certificate"]),
        at("a server's certificate of another name", "elsewhere", "ca").refused(&["certificate"]),
        at("a server's certificate with a name of old", "nameless", "ca").refused(&["certificate"]),
        at("a server's certificate for clients", "for-clients", "ca").refused(&["certificate"]),
        at("a server's certificate of an expired authority", "stale", "stale-ca.pem").refused(&["expired"]),
        at("a server's certificate out of its authority's names", "limited", "limited-ca.pem")
            .refused(&["certificate"]),
        at("a server's chain", "chained", "ca").reached(),
        at("a server's chain and the authority between", "chained", "middle-ca.pem").reached(),
        at("a server without its chain", "lone", "ca").refused(&["certificate"]),
        at("a server without its chain, and the authority between", "lone", "middle-ca.pem").reached(),
        at("a server without its chain, and both authorities", "lone", "middle-and-root.pem").reached(),
        at("a server's own certificate", "own", "own.pem").reached(),
        at("a server's own certificate, not given", "own", "ca").refused(&["certificate"]),
        at("a server's own expired certificate", "own-expired", "own-expired.pem").refused(&["expired"]),
        at("a server's own certificate of another name", "own-elsewhere", "own-elsewhere.pem")
            .refused(&["certificate"]),
        at("a server's own certificate with CA:TRUE", "own-authority", "own-authority.pem").reached(),
        at("a server's own certificate with CA:TRUE, not given", "own-authority", "ca").refused(&["certificate"]),
        at("a server's expired certificate as authority", "expired", "expired.pem").refused(&["expired"]),
        at("a server's certificate for clients as authority", "for-clients", "for-clients.pem"),
        at("a server's certificate with a name of old as authority", "nameless", "nameless.pem")
            .refused(&["certificate"]),
        at("an authority with a curve of 521 bits", "by-curve", "by-curve-ca.pem"),
        at("the certificate of an authority with a curve of 521 bits", "by-curve", "by-curve.pem"),
        at("an authority with RSA of 1024 bits", "by-short", "by-short-ca.pem"),
        at("the certificate of an authority with RSA of 1024 bits", "by-short", "by-short.pem"),
    ];
    rows.extend(["expired", "elsewhere", "nameless", "own-authority", "lone", "by-curve", "by-short"].map(insecure));
    rows
}

fn others() -> Vec<Row> {
    let named = |name: &str, server: &str, wanted: &str| {
        cluster(
            name,
            &format!(
                "server: 'https://<{server}>', certificate-authority: <ca>, \
             tls-server-name: {wanted}"
            ),
        )
    };
    vec![
        named("a server's name", "good", "scripted.test").reached(),
        named("a server's name in capitals", "good", "SCRIPTED.test"),
        named("a server's name that its certificate has not", "good", "other.test").refused(&["certificate"]),
        named("a server's other name", "elsewhere", "elsewhere.test").reached(),
        named("a server's name that is an address", "good", "127.0.0.1").reached(),
        named("a server's name that is another address", "good", "127.0.0.2").refused(&["certificate"]),
        named("a server's empty name", "good", "''").reached(),
        named("a server's name with a port", "good", "'scripted.test:443'").refused(&["tls-server-name"]),
        named("a server's name with a space", "good", "'a b'").refused(&["tls-server-name"]),
        named("a server's name with a dot at its end", "good", "scripted.test."),
        cluster(
            "a server's name and insecure",
            "server: <server>, insecure-skip-tls-verify: true, tls-server-name: other.test",
        )
        .reached(),
        row("a server's own certificate of another name, by that name")
            .config(&config(
                "server: 'https://<own-elsewhere>', \
             certificate-authority: <own-elsewhere.pem>, tls-server-name: elsewhere.test",
                TOKEN,
            ))
            .reached(),
    ]
}
