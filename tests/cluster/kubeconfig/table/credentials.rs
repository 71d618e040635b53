//! Who one is: tokens, certificates, passwords, and acting as another.

use super::user;
use crate::kubeconfig::row::Row;

pub fn rows() -> Vec<Row> {
    [tokens(), certificates(), other_certificates(), others()].concat()
}

fn tokens() -> Vec<Row> {
    let file = |name: &str, text: &str| user(name, "tokenFile: token").file(".kube/token", text);
    vec![
        user("a token", "token: <token>").reached(),
        user("an empty token", "token: ''"),
        user("no user's fields", ""),
        user("a token that is refused", "token: denied").refused(&["credentials"]),
        user("a token with a quote", "token: 'a\"b'"),
        user("a token of letters beyond ASCII", "token: 'tökén'"),
        user("a token with a line break", "token: \"a\\nb\"").refused(&["ursula", "token"]),
        file("a token file", "<token>").reached(),
        file("a token file that ends in a newline", "<token>\n").reached(),
        file("a token file with spaces around", " \n <token> \n\n").reached(),
        file("a token file of two lines", "<token>\nmore\n"),
        file("an empty token file", ""),
        file("a token file of spaces", " \n"),
        file("a token file with Windows' newline", "<token>\r\n").reached(),
        file("a token file with a byte order mark", "\u{feff}<token>"),
        user("a token file that is missing", "tokenFile: none").refused(&["ursula", "tokenFile", "none"]),
        user("a token file that is a folder", "tokenFile: .").refused(&["ursula", "tokenFile"]),
        user("an empty token file's name", "tokenFile: ''"),
        file("a token file by its whole path", "<token>")
            .file(".kube/config", &crate::kubeconfig::row::config(super::NORTH, "tokenFile: <home>/.kube/token"))
            .reached(),
        user("a token and a token file", "token: stale, tokenFile: token").file(".kube/token", "<token>\n").reached(),
        user("a token and a token file that is missing", "token: <token>, tokenFile: none").reached(),
        user("a token and an empty token file", "token: <token>, tokenFile: token").file(".kube/token", ""),
        user("a token and a folder as token file", "token: <token>, tokenFile: .").reached(),
        user("a token and a certificate", "token: <token>, client-certificate: <client.crt>, client-key: <client.key>")
            .reached(),
        user("a token file and a password", "tokenFile: token, username: anna, password: secret")
            .file(".kube/token", "<token>"),
        user("a token and a name", "token: <token>, username: anna, password: secret")
            .refused(&["ursula", "token", "username"]),
        user("a token and a password alone", "token: <token>, password: secret").refused(&["ursula", "token"]),
        user("a token and an empty name", "token: <token>, username: ''").reached(),
    ]
}

fn pair(name: &str, certificate: &str, key: &str) -> Row {
    user(name, &format!("client-certificate: {certificate}, client-key: {key}"))
}

fn certificates() -> Vec<Row> {
    vec![
        pair("a client certificate", "<client.crt>", "<client.key>").reached(),
        user(
            "a client certificate as data",
            "client-certificate-data: <client.crt:64>, client-key-data: <client.key:64>",
        )
        .reached(),
        user(
            "a certificate as data, its key in a file",
            "client-certificate-data: <client.crt:64>, client-key: <client.key>",
        )
        .reached(),
        user(
            "a certificate in a file, its key as data",
            "client-certificate: <client.crt>, client-key-data: <client.key:64>",
        )
        .reached(),
        pair("a certificate of X.509 v1", "<v1.crt>", "<v1.key>").reached(),
        pair("a certificate with a curve of 384 bits", "<p384.crt>", "<p384.key>").reached(),
        pair("a client certificate with a curve of 521 bits", "<p521.crt>", "<p521.key>"),
        pair("a certificate with Ed25519", "<ed25519.crt>", "<ed25519.key>").reached(),
        pair("a certificate with RSA", "<rsa.crt>", "<rsa.key>").reached(),
        pair("a client certificate with RSA of 1024 bits", "<rsa1024.crt>", "<rsa1024.key>"),
        pair("a key in PKCS1", "<rsa.crt>", "<rsa-pkcs1.key>").reached(),
        pair("a key in SEC1", "<client.crt>", "<sec1.key>").reached(),
        pair("a key in SEC1 after its parameters", "<client.crt>", "<sec1-parameters.key>").reached(),
        pair("an expired client certificate", "<past.crt>", "<client.key>").reached(),
        pair("a certificate and its chain", "<chain.crt>", "<client.key>").reached(),
        pair("a certificate with text before", "<text.crt>", "<client.key>").reached(),
        pair("a certificate with lines of Windows", "<windows.crt>", "<windows.key>").reached(),
        pair("certificate and key in one file", "<both.pem>", "<both.pem>").reached(),
    ]
}

fn other_certificates() -> Vec<Row> {
    vec![
        pair("key and certificate the other way round", "<client.key>", "<client.crt>")
            .refused(&["ursula", "client-certificate"]),
        pair("the key of another certificate", "<client.crt>", "<other.key>").refused(&[
            "ursula",
            "client-key",
            "other.key",
        ]),
        pair("the key of another kind", "<client.crt>", "<rsa.key>").refused(&["ursula", "client-key", "rsa.key"]),
        pair("a key that is missing", "<client.crt>", "none.key").refused(&["ursula", "client-key", "none.key"]),
        pair("a certificate that is missing", "none.crt", "<client.key>").refused(&[
            "ursula",
            "client-certificate",
            "none.crt",
        ]),
        pair("an encrypted key", "<client.crt>", "<encrypted.key>").refused(&["ursula", "client-key", "encrypted.key"]),
        pair("an encrypted key of old", "<client.crt>", "<encrypted-sec1.key>").refused(&[
            "ursula",
            "client-key",
            "encrypted-sec1.key",
        ]),
        pair("a key that is none", "<client.crt>", "<no-pem.pem>").refused(&["ursula", "client-key", "no-pem.pem"]),
        pair("a key that is empty", "<client.crt>", "<empty.pem>").refused(&["ursula", "client-key", "empty.pem"]),
        pair("a client certificate that is none", "<no-pem.pem>", "<client.key>").refused(&[
            "ursula",
            "client-certificate",
            "no-pem.pem",
        ]),
        pair("a client certificate that is empty", "<empty.pem>", "<client.key>").refused(&[
            "ursula",
            "client-certificate",
            "empty.pem",
        ]),
        pair("a client certificate that is broken", "<broken-only.pem>", "<client.key>").refused(&[
            "ursula",
            "client-certificate",
            "broken-only.pem",
        ]),
        pair("a certificate that is a folder", ".", "<client.key>").refused(&["ursula", "client-certificate"]),
        user("a certificate without a key", "client-certificate: <client.crt>").refused(&["ursula", "client-key"]),
        user("a certificate as data without a key", "client-certificate-data: <client.crt:64>")
            .refused(&["ursula", "client-key"]),
        user("a key without a certificate", "client-key: <client.key>, token: <token>"),
        user("a key without a certificate that is missing", "client-key: none, token: <token>"),
        user("a key as data without a certificate", "client-key-data: <client.key:64>"),
        user(
            "a certificate in a file and as data",
            "client-certificate: <client.crt>, client-certificate-data: <client.crt:64>, \
             client-key: <client.key>",
        )
        .refused(&["ursula", "client-certificate", "client-certificate-data"]),
        user(
            "a key in a file and as data",
            "client-certificate: <client.crt>, client-key: <client.key>, \
             client-key-data: <client.key:64>",
        )
        .refused(&["ursula", "client-key", "client-key-data"]),
        user(
            "a key in a file and as data without a certificate",
            "client-key: <client.key>, client-key-data: <client.key:64>, token: <token>",
        ),
        user("a key as data that is no PEM", "client-certificate: <client.crt>, client-key-data: aGVsbG8K")
            .refused(&["ursula", "client-key-data"]),
        user("a certificate as data that is no PEM", "client-certificate-data: aGVsbG8K, client-key: <client.key>")
            .refused(&["ursula", "client-certificate-data"]),
        user(
            "a certificate and a password",
            "client-certificate: <client.crt>, client-key: <client.key>, username: anna, \
             password: secret",
        )
        .reached(),
    ]
}

fn others() -> Vec<Row> {
    vec![
        user("a name and a password", "username: anna, password: secret").reached(),
        user("a name with a colon and letters beyond ASCII", "username: 'a:ñ', password: 'p:ß'").reached(),
        user("a password without a name", "password: secret"),
        user("a user with a name without a password", "username: anna"),
        user("as another", "token: <token>, as: anna"),
        user("as another of groups", "token: <token>, as: anna, as-groups: [one, two]"),
        user("as another with a uid", "token: <token>, as: anna, as-uid: '7'"),
        user(
            "as another with extra",
            "token: <token>, as: anna, as-user-extra: {example.com/Key: [a, b], \
             'a b%c': ['ü']}",
        ),
        user(
            "as another with everything",
            "client-certificate: <client.crt>, client-key: <client.key>, as: anna, \
             as-uid: u-1, as-groups: [one, 'two words', ''], as-user-extra: {reason: [x]}",
        )
        .reached(),
        user("groups without as", "token: <token>, as-groups: [one]").refused(&["ursula", "as-groups"]),
        user("a uid without as", "token: <token>, as-uid: '7'").refused(&["ursula", "as-uid"]),
        user("extra without as", "token: <token>, as-user-extra: {a: [b]}").refused(&["ursula", "as-user-extra"]),
        user("an empty as", "token: <token>, as: ''").reached(),
        user("an empty as with empty groups", "token: <token>, as: '', as-groups: [], as-user-extra: {}").reached(),
        user("as of letters beyond ASCII", "token: <token>, as: änna"),
        user("as with a line break", "token: <token>, as: \"a\\nb\"").refused(&["ursula"]),
        user("an old auth-provider", "auth-provider: {name: gcp, config: {access-token: x}}")
            .refused(&["ursula", "gcp"]),
        user("an old auth-provider of Azure", "auth-provider: {name: azure}").refused(&["ursula", "azure"]),
        user("an auth-provider without a name", "auth-provider: {config: {}}").refused(&["ursula", "auth-provider"]),
        user("an auth-provider of no one", "auth-provider: {name: nobody}").refused(&["ursula", "nobody"]),
        user("an auth-provider and a token", "auth-provider: {name: gcp}, token: <token>").refused(&["ursula", "gcp"]),
        user("an auth-provider of OIDC without an issuer", "auth-provider: {name: oidc, config: {client-id: a}}")
            .refused(&["ursula", "auth-provider", "idp-issuer-url"]),
        user(
            "an auth-provider of OIDC with a token that holds",
            "auth-provider: {name: oidc, config: {client-id: a, \
             idp-issuer-url: 'https://127.0.0.1:1', \
             id-token: e30.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln}}",
        ),
        user(
            "an auth-provider of OIDC with a token that has expired",
            "auth-provider: {name: oidc, config: {client-id: a, \
             idp-issuer-url: 'https://127.0.0.1:1', \
             id-token: e30.eyJleHAiOjE2MDAwMDAwMDB9.c2ln}}",
        )
        .refused(&["ursula", "id-token"]),
    ]
}
