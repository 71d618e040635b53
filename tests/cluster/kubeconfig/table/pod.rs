//! In a pod: where there is nothing else, its service account serves.

use super::{NORTH, TOKEN};
use crate::kubeconfig::row::{Row, config, row};

pub fn rows() -> Vec<Row> {
    let pod = |name: &str| {
        row(format!("in a pod, {name}"))
            .in_pod()
            .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .env("KUBERNETES_SERVICE_PORT", "<good:port>")
    };
    let nothing = "apiVersion: v1\nkind: Config\ncurrent-context: ''\nclusters: []\ncontexts: \
             []\nusers: []\n";
    vec![
        pod("nothing").reached(),
        pod("an empty kubeconfig").config("").reached(),
        pod("a kubeconfig with empty lists").config(nothing).reached(),
        pod("a kubeconfig with preferences alone").config("preferences: {colors: true}\n"),
        pod("a current-context alone").config("current-context: work\n"),
        pod("KUBECONFIG is empty").env("KUBECONFIG", "").reached(),
        pod("KUBECONFIG is missing").env("KUBECONFIG", "/none").reached(),
        pod("--kubeconfig is missing").args("--kubeconfig /none").refused(&["/none"]),
        pod("--kubeconfig is empty").file("empty", nothing).args("--kubeconfig empty").reached(),
        pod("a kubeconfig of its own").config(&config(NORTH, TOKEN)).reached(),
        pod("a kubeconfig without a current-context")
            .config(&config(NORTH, TOKEN).replace("current-context: work\n", "")),
        pod("a kubeconfig whose context is missing")
            .config(&config(NORTH, TOKEN).replace("current-context: work", "current-context: rest"))
            .refused(&["rest"]),
        pod("a kubeconfig that is broken").config("contexts: [").refused(&["config"]),
        pod("a cluster alone").config("clusters: [{name: north, cluster: {server: <server>}}]"),
        pod("-n").args("-n bob").reached(),
        pod("--context").args("--context work").refused(&["work"]),
        pod("--context is empty").args("--context=").reached(),
        pod("--user").args("--user ursula").refused(&["ursula"]),
        pod("--cluster").args("--cluster north").refused(&["north"]),
        pod("--token").args("--token mine"),
        pod("--as").args("--as anna"),
        pod("--server").args("--server http://<plain>"),
        pod("--server over TLS").args("--server <server>"),
        pod("--server, an authority and a token").args("--server <server> --certificate-authority <ca> --token mine"),
        pod("--certificate-authority").args("--certificate-authority <other-ca.pem>"),
        pod("--certificate-authority that holds").args("--certificate-authority <ca>"),
        pod("--insecure-skip-tls-verify").args("--insecure-skip-tls-verify"),
        pod("--tls-server-name").args("--tls-server-name localhost"),
        pod("--tls-server-name of another").args("--tls-server-name other.test"),
        pod("--username").args("--username anna --password secret"),
        pod("--client-certificate").args("--client-certificate <client.crt> --client-key <client.key>"),
        pod("--request-timeout").args("--request-timeout 5s"),
        pod("no port").env("KUBERNETES_SERVICE_PORT", "").refused(&[]),
        pod("no host").env("KUBERNETES_SERVICE_HOST", "").refused(&[]),
        pod("KUBERNETES_MASTER").env("KUBERNETES_MASTER", "http://<plain>"),
        pod("a host of IPv6")
            .env("KUBERNETES_SERVICE_HOST", "::1")
            .env("KUBERNETES_SERVICE_PORT", "<six:port>")
            .reached(),
        row("in a pod without its variables").in_pod().refused(&[]),
    ]
}
