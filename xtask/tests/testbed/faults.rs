//! Components that fail on purpose.

use std::time::Duration;

use super::support::kubectl;
use super::support::pods;
use super::support::testbed::{self, Cluster};
use super::support::wait::until;

/// All components of a cluster of one node.
const COMPONENTS: [&str; 9] = [
    "containerd-1",
    "registry",
    "etcd",
    "upstream-dns",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet-1",
    "kube-proxy-1",
];

#[test]
fn a_killed_component_stays_dead_until_it_is_started() {
    let _cluster = Cluster::up("");
    let status = testbed::ok("status").stdout;
    let mut names: Vec<&str> = status.lines().skip(1).map_while(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    let mut known = COMPONENTS;
    known.sort_unstable();
    assert_eq!(names, known, "a component that this test does not know, or knows no more");

    for component in COMPONENTS {
        testbed::ok(&format!("stop --kill {component}"));
        let status = testbed::run("status");
        assert_eq!(status.code, Some(1), "{}", status.stdout);
        let (_, said) = status
            .stdout
            .split_once(&format!("\n{component}: killed by signal 9; its last lines:\n"))
            .expect(component);
        assert!(said.starts_with("  | "), "{component}: {said}");
        let twice = testbed::run(&format!("stop {component}"));
        assert_eq!(twice.code, Some(2));
        assert!(twice.stderr.contains(&format!("{component} does not run")), "{}", twice.stderr);

        testbed::ok(&format!("start {component}"));
        testbed::all_ready();
        // The name of a component is one for a pod too. It takes every component to bring one up that is reached.
        pods::web_server(component, 1);
        pods::reaches(component, component);
        until("a name that nobody has", Duration::from_mins(1), || {
            let unknown = pods::inside(component, "timeout 4 nslookup -type=a kubecoin.example");
            if unknown.stdout.contains("NXDOMAIN") { Ok(()) } else { Err(unknown) }
        });
    }
}

#[test]
fn a_paused_component_goes_on_where_it_was() {
    let _cluster = Cluster::up("");
    testbed::ok("pause kube-apiserver");
    let waited = kubectl::run("get --raw /readyz --request-timeout 1s");
    assert_eq!(waited.code, Some(1), "{waited:?}");
    let status = testbed::run("status");
    assert_eq!(status.code, Some(1));
    assert!(
        status.stdout.lines().any(|line| line.split_whitespace().take(3).eq(["kube-apiserver", "paused", "no"])),
        "{}",
        status.stdout
    );
    testbed::ok("resume kube-apiserver");
    assert_eq!(kubectl::ok("get --raw /readyz --request-timeout 10s"), "ok");
    testbed::all_ready();
}
