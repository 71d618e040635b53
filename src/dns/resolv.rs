//! A pod's `/etc/resolv.conf`: whom it asks, and what it tries after a short name.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What `/etc/resolv.conf` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolv {
    /// The servers, the first one asked first.
    pub servers: Vec<IpAddr>,
    /// What is put behind short names, in this order.
    pub search: Vec<String>,
    /// A name with fewer dots is short.
    pub ndots: usize,
}

impl Resolv {
    /// Reads it as libc does: the last `search` or `domain` counts, and what makes no sense is left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut resolv = Self { ndots: 1, ..Self::default() };
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => resolv.servers.extend(words.next().and_then(|word| word.parse::<IpAddr>().ok())),
                Some("search" | "domain") => {
                    resolv.search = words.map(|word| word.trim_end_matches('.').to_lowercase()).collect();
                    resolv.search.retain(|suffix| !suffix.is_empty());
                }
                Some("options") => {
                    let last = words.filter_map(|word| word.strip_prefix("ndots:")?.parse().ok()).next_back();
                    resolv.ndots = last.unwrap_or(resolv.ndots);
                }
                _ => {}
            }
        }
        resolv
    }

    /// The cluster domain: what follows `svc.` in the search list of a pod that asks the cluster's DNS.
    #[must_use]
    pub fn domain(&self) -> Option<String> {
        self.search.iter().find_map(|suffix| suffix.strip_prefix("svc.").map(str::to_owned))
    }

    /// The names that libc tries for a name, in this order, until one is there.
    #[must_use]
    pub fn walk(&self, name: &str) -> Vec<String> {
        if let Some(absolute) = name.strip_suffix('.') {
            return vec![absolute.to_owned()];
        }
        let mut names: Vec<String> = self.search.iter().map(|suffix| format!("{name}.{suffix}")).collect();
        let is_short = name.matches('.').count() < self.ndots;
        names.insert(if is_short { names.len() } else { 0 }, name.to_owned());
        names
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POD: &str = "search alice.svc.cluster.local svc.cluster.local cluster.local corp.example\n\
                       nameserver 10.96.0.10\noptions ndots:5\n";

    #[test]
    fn a_pods_file_is_read() {
        let resolv = Resolv::parse(POD);
        assert_eq!(resolv.servers, ["10.96.0.10".parse::<IpAddr>().unwrap()]);
        assert_eq!(resolv.ndots, 5);
        assert_eq!(resolv.domain().as_deref(), Some("cluster.local"));
        assert_eq!(Resolv::parse("search svc.kube.example.\n").domain().as_deref(), Some("kube.example"));
    }

    #[test]
    fn a_nodes_file_has_no_cluster_domain() {
        let resolv = Resolv::parse("# made by hand\ndomain a\nsearch corp.example\nnameserver bad\nnameserver ::1\n");
        assert_eq!((resolv.domain(), resolv.ndots), (None, 1));
        assert_eq!((resolv.search.as_slice(), resolv.servers.len()), (&["corp.example".to_owned()][..], 1));
    }

    #[test]
    fn short_names_walk_the_search_list_first() {
        let resolv = Resolv::parse(POD);
        let walk = resolv.walk("postgres-headless");
        assert_eq!(walk[0], "postgres-headless.alice.svc.cluster.local");
        assert_eq!((walk.len(), walk.last().unwrap().as_str()), (5, "postgres-headless"));
        // Four dots are fewer than five: the full name of a Service is a short one.
        assert_eq!(resolv.walk("a.b.svc.cluster.local")[0], "a.b.svc.cluster.local.alice.svc.cluster.local");
        assert_eq!(resolv.walk("p.a.b.svc.cluster.local")[0], "p.a.b.svc.cluster.local");
        assert_eq!(resolv.walk("a."), ["a"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_every_walk_has_the_name_itself(text in any::<String>(), name in "[a-z.]{1,20}") {
            let walk = Resolv::parse(&text).walk(&name);
            prop_assert!(walk.iter().any(|one| *one == name.strip_suffix('.').unwrap_or(&name)));
        }
    }
}
