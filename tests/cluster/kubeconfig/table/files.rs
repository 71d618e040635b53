//! Which files are read, and how several become one.

use super::{NORTH, TOKEN, user};
use crate::kubeconfig::row::{Row, config, row};

/// A kubeconfig in which nothing is chosen.
const NOTHING: &str = "apiVersion: v1\nkind: Config\ncurrent-context: ''\nclusters: []\ncontexts: \
             []\nusers: []\n";

pub fn rows() -> Vec<Row> {
    let usual = config(NORTH, TOKEN);
    let other = config("server: <server>, insecure-skip-tls-verify: true", "token: <other-token>");
    let list = |name: &str, first: &str, second: &str| {
        row(name).file("first", first).file("second", second).env("KUBECONFIG", "first:second")
    };
    vec![
        user("the usual one", TOKEN).reached(),
        row("nothing is given at all").refused(&[]),
        row("an empty file").config("").refused(&[]),
        row("a file with empty lists").config(NOTHING).refused(&[]),
        row("a file that says null").config("null\n").refused(&[]),
        row("KUBECONFIG is one file").file("some", &usual).env("KUBECONFIG", "some").reached(),
        row("KUBECONFIG is empty").config(&usual).env("KUBECONFIG", "").reached(),
        row("KUBECONFIG is a colon").config(&usual).env("KUBECONFIG", ":").refused(&[]),
        row("KUBECONFIG has empty parts").file("some", &usual).env("KUBECONFIG", ":some::").reached(),
        row("KUBECONFIG has a missing file first").file("some", &usual).env("KUBECONFIG", "none:some").reached(),
        row("KUBECONFIG has a missing file last").file("some", &usual).env("KUBECONFIG", "some:none").reached(),
        row("KUBECONFIG has only missing files").config(&usual).env("KUBECONFIG", "none:neither").refused(&["none"]),
        row("KUBECONFIG is a folder").config(&usual).env("KUBECONFIG", ".kube").refused(&[".kube"]),
        row("KUBECONFIG names a file twice").file("some", &usual).env("KUBECONFIG", "some:some").reached(),
        row("KUBECONFIG begins with a tilde")
            .config(&usual)
            .env("KUBECONFIG", "~/.kube/config")
            .refused(&["~/.kube/config"]),
        row("KUBECONFIG has spaces around a name").file("some", &usual).env("KUBECONFIG", " some").refused(&[" some"]),
        row("--kubeconfig wins over KUBECONFIG")
            .file("some", &usual)
            .file("other", &other)
            .env("KUBECONFIG", "other")
            .args("--kubeconfig some")
            .reached(),
        row("--kubeconfig is missing").config(&usual).args("--kubeconfig none").refused(&["none"]),
        row("--kubeconfig is empty").config(&usual).args("--kubeconfig=").reached(),
        row("--kubeconfig is a list").file("a", &usual).file("b", &usual).args("--kubeconfig a:b").refused(&["a:b"]),
        row("--kubeconfig is a folder").config(&usual).args("--kubeconfig .kube").refused(&[".kube"]),
        row("HOME is empty").config(&usual).env("HOME", ""),
        list("the first current-context wins", &usual, &other.replace("work", "rest")).reached(),
        list("an empty current-context is not given", NOTHING, &usual).reached(),
        list("a null current-context is not given", "current-context:\nusers:\n", &usual).reached(),
        list("no current-context in either", NOTHING, &usual.replace("current-context: work", ""))
            .refused(&["context"]),
        list("the first entry of a name wins", &usual, &other).reached(),
        list("the first entry of a name wins whole", &config(NORTH, ""), &other).refused(&["ursula"]),
        list(
            "the second file has the cluster",
            "{current-context: work, contexts: [{name: work, context: {cluster: north, \
             user: ursula}}]}",
            &usual,
        )
        .reached(),
        list("the first file's context has no cluster", "contexts: [{name: work, context: {user: ursula}}]", &usual)
            .refused(&["work", "cluster"]),
        list("the second file is broken", &usual, "contexts: [").refused(&["second"]),
        list("the second file is of another kind", &usual, "kind: Pod\napiVersion: v1\n").refused(&["second", "kind"]),
        list("an entry of the first is null", "users: [{name: ursula, user: null}]", &usual),
        list("paths are relative to their file", &usual, "")
            .file("deep/config", &config("server: <server>, certificate-authority: ../authority.pem", TOKEN))
            .file("authority.pem", "<ca:text>")
            .env("KUBECONFIG", "first:deep/config")
            .reached(),
        row("a token file beside the kubeconfig")
            .file("deep/config", &config(NORTH, "tokenFile: token"))
            .file("deep/token", "<token>")
            .env("KUBECONFIG", "deep/config")
            .reached(),
        row("a token file above the kubeconfig")
            .file("deep/config", &config(NORTH, "tokenFile: ../token"))
            .file("token", "<token>")
            .args("--kubeconfig deep/config")
            .reached(),
        row("flags' paths are relative to where one is")
            .config(&config("server: <server>", TOKEN))
            .file("authority.pem", "<ca:text>")
            .args("--certificate-authority authority.pem")
            .reached(),
        row("the old name of the file").file(".kube/.kubeconfig", &usual).reached(),
    ]
}
