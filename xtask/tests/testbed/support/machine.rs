//! What of this machine a cluster may change for as long as it is up, and no longer.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What a node needs of the kernel, or a kubelet or kube-proxy set for the whole machine.
const TUNABLES: [&str; 11] = [
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/ipv4/conf/all/forwarding",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/ip_forward",
    "net/ipv6/conf/all/forwarding",
    "net/netfilter/nf_conntrack_max",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
];

/// The state of the machine, by what was looked at.
#[derive(Debug, PartialEq, Eq)]
pub struct Machine(BTreeMap<String, String>);

impl Machine {
    /// Looks at all of it.
    pub fn look() -> Self {
        let mut seen = BTreeMap::new();
        for what in ["link", "address", "route", "-6 route", "rule"] {
            seen.insert(format!("ip {what}"), ip(what));
        }
        // Stateless: without the counters of rules that are somebody else's.
        seen.insert("nft".to_owned(), output(Command::new("nft").args(["--stateless", "list", "ruleset"])));
        seen.insert("mounts".to_owned(), fs::read_to_string("/proc/self/mounts").expect("mounts"));
        seen.insert("network namespaces".to_owned(), names("/run/netns", |_| true));
        seen.insert("cgroups".to_owned(), cgroups());
        seen.insert("processes".to_owned(), processes());
        for folder in ["/run", "/var/lib"] {
            seen.insert(folder.to_owned(), names(folder, |name| name.contains("kubecoin")));
        }
        seen.insert("/data".to_owned(), names("/data", |_| true));
        for name in TUNABLES {
            let value = fs::read_to_string(Path::new("/proc/sys").join(name)).unwrap_or_default();
            seen.insert(name.to_owned(), value);
        }
        Self(seen)
    }

    /// What differs from an earlier look.
    pub fn changed_since<'a>(&'a self, before: &'a Self) -> Vec<&'a str> {
        self.0.iter().filter(|(what, now)| before.0.get(*what) != Some(now)).map(|(what, _)| what.as_str()).collect()
    }

    /// Fails unless all is as it was then.
    #[track_caller]
    pub fn assert_as(before: &Self) {
        let now = Self::look();
        for what in now.changed_since(before) {
            eprintln!("--- {what} before\n{}\n--- {what} now\n{}", before.0[what], now.0[what]);
        }
        assert_eq!(now.changed_since(before), [""; 0], "changed on this machine");
    }
}

fn ip(what: &str) -> String {
    let text = output(Command::new("ip").arg("-json").args(what.split(' ')));
    let mut found: Value = serde_json::from_str(&text).unwrap_or_default();
    // The lease of an address runs down by itself.
    for address in found.as_array_mut().into_iter().flatten().filter_map(|link| link["addr_info"].as_array_mut()) {
        for field in address.iter_mut().filter_map(Value::as_object_mut) {
            field.retain(|name, _| !name.ends_with("_life_time"));
        }
    }
    format!("{found:#}")
}

fn cgroups() -> String {
    // GNU find names each folder once, also where a hierarchy has two names.
    output(Command::new("find").args(["/sys/fs/cgroup", "-type", "d", "-path", "*/kubecoin*"]))
}

/// What other tests run meanwhile, from the same folder as the cluster's programs.
const OF_OTHERS: [&str; 5] = ["kubectl", "krew", "validate-krew-manifest", "actionlint", "kube-score"];

/// Those in the cluster's cgroups; and, of those in this machine's own network, the ones that run its programs or are its
/// supervisor, wherever else they are.
fn processes() -> String {
    let network = |process: &Path| fs::read_link(process.join("ns/net")).unwrap_or_default();
    let own_network = network(Path::new("/proc/self"));
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").expect("processes").flatten().map(|entry| entry.path()) {
        let read = |file: &str| fs::read_to_string(process.join(file)).unwrap_or_default();
        let command = read("cmdline").replace('\0', " ");
        // One that has ended has no command line any more.
        if command.is_empty() {
            continue;
        }
        let program = fs::read_link(process.join("exe")).unwrap_or_default();
        let in_its_cgroup = read("cgroup").lines().any(|line| line.contains(":/kubecoin"));
        let is_of_others = program.file_name().is_some_and(|name| OF_OTHERS.iter().any(|other| name == *other));
        let is_its_program = !is_of_others && program.to_string_lossy().contains("/kubecoin/programs/")
            || command.contains("testbed supervise");
        if in_its_cgroup || is_its_program && network(&process) == own_network {
            found.push(format!("{} {command}", process.display()));
        }
    }
    found.join("\n")
}

fn names(folder: &str, wanted: impl Fn(&str) -> bool) -> String {
    let Ok(entries) = fs::read_dir(folder) else { return String::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| wanted(name))
        .collect();
    names.sort();
    names.join("\n")
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
