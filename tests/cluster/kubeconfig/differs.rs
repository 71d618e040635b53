//! What differs on purpose, and why. All else is the same.

use super::row::Row;

/// Rows of the table and parts of drawn rows by their names, and why the plugin does not do there what kubectl does.
const ON_PURPOSE: &[(&[&str], &str)] = &[
    (&["JSON that escapes a slash"], "valid JSON, and valid YAML since 1.2, which kubectl's library does not know"),
    (&["an empty document first"], "the first document that says something is read"),
    (&["a broken kuberc"], "what says which plugins may run is not passed over because it cannot be read"),
    (&["base64 with spaces"], "white space in base64 is no matter, whichever it is"),
    (
        &[
            "a namespace in capitals",
            "a namespace with a dot",
            "a namespace with a space",
            "bad namespace",
            "-n in capitals",
            "-n with a dot",
            "-n with a space",
            "-n of 64 letters",
        ],
        "such a namespace cannot exist; kubectl says so when it comes to use it, the plugin before it does anything",
    ),
    (
        &[
            "an authority with a curve of 521 bits",
            "an authority with RSA of 1024 bits",
            "a client certificate with a curve of 521 bits",
            "a client certificate with RSA of 1024 bits",
        ],
        "the TLS library cannot; the refusal names the certificate, and what to issue instead",
    ),
    (&["https with a fragment"], "kubectl makes the fragment a part of the path, where no server has anything"),
    (&["--request-timeout below nothing"], "a time below nothing is a mistake; kubectl takes it for no limit"),
    (&["-v and a number"], "-v is the plugin's own: it takes no number, and is repeated"),
    (
        &["in a pod, --as", "in a pod, --request-timeout"],
        "given one of these alone, kubectl no longer looks for the service account, but for localhost:8080",
    ),
];

/// Why a row differs, if it does so on purpose.
pub fn reason(row: &Row) -> Option<&'static str> {
    let is_here = |name: &str| row.name == name || row.parts.iter().any(|part| part == name);
    ON_PURPOSE.iter().find(|(names, _)| names.iter().any(|name| is_here(name))).map(|(_, reason)| *reason)
}
