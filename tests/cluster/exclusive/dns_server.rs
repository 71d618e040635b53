//! The cluster's DNS server goes away, and remembers.

use serde_json::json;

use crate::shared::dns::{answers, does_not_hold, row};
use crate::support::deployed::{deployed, field};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Going, ends};

/// The cluster's DNS server, put back as it was whatever comes of a test.
struct CoreDns {
    configuration: String,
}

impl CoreDns {
    fn borrowed() -> Self {
        Self { configuration: field("kube-system", "configmap/coredns", "/data/Corefile") }
    }

    fn scale(replicas: u32) {
        ok(&format!("scale deployment coredns -n kube-system --replicas={replicas}"));
        let selected = "-n kube-system -l k8s-app=kube-dns";
        match replicas {
            0 => ok(&format!("wait pods {selected} --for=delete --timeout=60s")),
            _ => ok("rollout status deployment coredns -n kube-system --timeout=60s"),
        };
    }

    fn configure(corefile: &str) {
        let patch = json!({ "data": { "Corefile": corefile } }).to_string();
        let patched =
            kubectl::command(&["patch", "configmap", "coredns", "-n", "kube-system", "--type=merge", "-p", &patch], "");
        assert!(patched.succeeded, "{}", patched.stderr);
        // Else it would read it within a minute.
        Self::scale(0);
        Self::scale(1);
    }

    /// The configuration with the names of the cluster kept too, as kubeadm once wrote it.
    fn keeping(&self) -> String {
        let (before, rest) = self.configuration.split_once("cache 30 {").expect("the cache's block");
        let (_, after) = rest.split_once('}').expect("its end");
        format!("{before}cache 30{after}")
    }
}

impl Drop for CoreDns {
    fn drop(&mut self) {
        Self::configure(&self.configuration);
    }
}

#[test]
fn a_dns_server_that_is_away_and_one_that_remembers() {
    let dns = CoreDns::borrowed();
    let scene = deployed("kc-plugin-coredns");
    let namespace = scene.namespace();
    CoreDns::scale(0);
    let report = does_not_hold(namespace, "dns-silent");
    assert!(report["findings"][0]["says"].as_str().unwrap().contains("scaled to 0"), "{report:#}");
    assert!(answers(&report).iter().all(|row| row["verdict"] == "silent"), "{report:#}");

    CoreDns::configure(&dns.keeping());
    ends(namespace, "dns-check --wait", 0);
    // The name leads to the old address for a while, which is waited for and told.
    let mut going = Going::begin(namespace, "persistence-demo --yes");
    going.until("  Ready");
    // The new address is a fact only once the EndpointSlice has it.
    let report = does_not_hold(namespace, "stale");
    let says = report["findings"][0]["says"].as_str().unwrap();
    assert!(says.contains("caches answers for up to 30 s") && says.contains("nothing is wrong"), "{says}");
    assert_eq!(row(&report, "A", "postgres-headless")["verdict"], "stale", "{report:#}");
    let waited = ends(namespace, "dns-check --wait", 0);
    assert!(waited.stdout.contains("all names are right"), "{}", waited.stdout);
    let ran = going.end();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("service/postgres-headless does not resolve to it yet"), "{}", ran.stderr);
    assert!(ran.stdout.contains("answered by name"), "{}", ran.stdout);
}
