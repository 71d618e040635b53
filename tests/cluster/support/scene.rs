//! Where a test happens: an empty namespace before it, and if it fails, what was to be seen there.

use std::process::Command;
use std::thread;

use super::kubectl;
use super::plugin::ends;

/// A task of the test cluster. Gives what it says.
pub fn testbed(words: &[&str]) -> String {
    try_testbed(words).unwrap_or_else(|why| panic!("{words:?}: {why}"))
}

/// The same, if it may fail. Then it gives why it does.
pub fn try_testbed(words: &[&str]) -> Result<String, String> {
    let xtask = std::env::var("KUBECOIN_XTASK").expect("KUBECOIN_XTASK is set: run this by `cargo xtask test`");
    let done = Command::new(xtask).arg("testbed").args(words).output().expect("xtask starts");
    let said = if done.status.success() { Ok(done.stdout) } else { Err(done.stderr) };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    said.map(text).map_err(text)
}

/// After the API server was away: whatever watches it starts again. Else each would ask again only when its pause is over, which
/// grows with every outage of the last two minutes up to a minute (client-go's reflectors), and the next test would wait for it.
pub fn watchers_start_anew() {
    for component in ["kube-controller-manager", "kube-scheduler", "kube-proxy-1", "kubelet-1"] {
        testbed(&["stop", component]);
        testbed(&["start", component]);
    }
    kubectl::ok("rollout restart deployment/coredns -n kube-system");
    kubectl::ok("rollout status deployment/coredns -n kube-system --timeout 120s");
}

/// A namespace that a test has for itself.
pub struct Scene {
    namespace: String,
}

impl Scene {
    /// The namespace `default` of an emptied cluster, volumes and their files included: the setting of the lesson.
    pub fn empty_cluster() -> Self {
        testbed(&["reset"]);
        Self { namespace: "default".to_owned() }
    }

    /// A namespace that does not exist yet, and no volume or files of an earlier one of this name.
    pub fn without_namespace(name: &str) -> Self {
        kubectl::ok(&format!("delete namespace {name} --ignore-not-found --timeout 120s"));
        let of_members = [0, 1, 2].map(|number| format!("postgres-{number}-pv-{name}")).join(" ");
        kubectl::ok(&format!("delete pv postgres-pv-{name} {of_members} --ignore-not-found --timeout 60s"));
        testbed(&["node-exec", "1", "--", "rm", "-rf", &format!("/data/kubecoin/{name}")]);
        Self { namespace: name.to_owned() }
    }

    /// The same on any cluster: what an earlier run has left there, the plugin deletes.
    pub fn anywhere(name: &str) -> Self {
        if kubectl::get(&format!("namespace {name}")).is_some() {
            ends(name, "teardown --yes --delete-data", 0);
        }
        kubectl::ok(&format!("delete namespace {name} --ignore-not-found --timeout 120s"));
        Self { namespace: name.to_owned() }
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Shows what is to be seen there.
    pub fn show(&self) {
        let namespace = &self.namespace;
        for words in [
            format!("get pods,statefulsets,deployments,services,pvc --namespace {namespace} --output wide"),
            "get pv".to_owned(),
            format!("get events --namespace {namespace} --sort-by=.metadata.creationTimestamp"),
        ] {
            eprintln!("--- kubectl {words}\n{}", kubectl::run(&words).stdout);
        }
        for pod in kubectl::run(&format!("get pods --namespace {namespace} --output name")).stdout.lines() {
            for which in ["", " --previous"] {
                let words = format!("logs --namespace {namespace} --all-containers --tail 40{which} {pod}");
                eprintln!("--- kubectl {words}\n{}", kubectl::run(&words).stdout);
            }
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if thread::panicking() {
            self.show();
        } else if self.namespace != "default" {
            for object in [format!("namespace {}", self.namespace), format!("pv postgres-pv-{}", self.namespace)] {
                kubectl::ok(&format!("delete {object} --wait=false --ignore-not-found"));
            }
        }
    }
}
