//! The causes that no fault here brings about, and why: each cause is on this list, or has a fault.

/// A fault that ends something of the whole cluster, or changes it for every exchange.
const OF_THE_CLUSTER: &str = "it would be a fault of the whole cluster, and of each exchange in it";

/// What only several members can have.
const OF_MEMBERS: &str = "it needs a replicated database; `shared::ha` has one";

/// What `dns-check` says of a name that was typed.
const TYPED: &str = "it is about a name that somebody has typed after `dns-check`, and no fault of the exchange";

/// Each by its code.
pub const WITHOUT: &[(&str, &str)] = &[
    ("not-permitted", "it is about the rights of who asks, and no fault of the exchange"),
    (
        "api-server",
        "the API server would have to fail, or to be of another version; scripted servers in `tests/api` do",
    ),
    (
        "claim-overlooked",
        "it is a race of the cluster's controllers, which cannot be made on demand; `tests/api` has it",
    ),
    ("volume-on-any-node", "it needs a second node, and then each exchange has it"),
    ("node-away", OF_THE_CLUSTER),
    (
        "directory-missing",
        "the kubelet creates the directory of one server; `shared::ha` has members that each need theirs",
    ),
    ("postgres-18-layout", "it needs the image of PostgreSQL 18, which the test cluster does not have"),
    ("not-published", "it passes: the cluster publishes a ready pod within a moment, unless its controllers are away"),
    ("no-primary", OF_MEMBERS),
    ("second-primary", OF_MEMBERS),
    ("member-behind", OF_MEMBERS),
    ("no-synchronous-standby", OF_MEMBERS),
    ("store-unreachable", OF_MEMBERS),
    ("network-policy", "it needs a network that enforces policies, and that of the test cluster does not"),
    ("dns-silent", OF_THE_CLUSTER),
    ("absolute-name", TYPED),
    ("wrong-namespace", TYPED),
    ("no-such-name", TYPED),
    ("stale", "it passes: the DNS server has forgotten an old answer after some seconds"),
    ("unexplained", OF_THE_CLUSTER),
    ("cluster-dns-away", OF_THE_CLUSTER),
];
