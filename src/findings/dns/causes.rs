//! The causes that only answers of DNS show. They are judged together, by what was asked.

use crate::findings::Cause;

/// A cause that is found where answers are judged, and that `explain` finds.
const fn of_answers(id: &'static str, slug: &'static str, title: &'static str, text: &'static str) -> Cause {
    Cause { id, slug, title, text, explains: &[], needs: &[], mend: None, judge: |_| Vec::new() }
}

pub static POLICY: Cause = of_answers(
    "KC060",
    "dns-policy",
    "A pod does not ask the DNS server of the cluster",
    include_str!("dns_policy.md"),
);
pub static SILENT: Cause =
    of_answers("KC061", "dns-silent", "The DNS server of the cluster does not answer", include_str!("dns_silent.md"));
pub static SERVICE_MISSING: Cause = of_answers(
    "KC062",
    "service-missing",
    "A Service whose name is asked for is missing",
    include_str!("service_missing.md"),
);
pub static SERVICE_NAME: Cause =
    of_answers("KC063", "service-name", "The StatefulSet names another Service", include_str!("service_name.md"));
pub static SET_MISSING: Cause = of_answers(
    "KC064",
    "set-missing",
    "The StatefulSet is missing, so no pod has a name",
    include_str!("set_missing.md"),
);
pub static NO_REPLICAS: Cause = of_answers(
    "KC065",
    "no-replicas",
    "The StatefulSet is scaled to 0, so no pod has a name",
    include_str!("no_replicas.md"),
);
pub static NOT_HEADLESS: Cause = of_answers(
    "KC066",
    "not-headless",
    "The Service of the StatefulSet is not headless",
    include_str!("not_headless.md"),
);
pub static POD_MISSING: Cause =
    of_answers("KC067", "pod-missing", "A pod whose name is asked for does not exist", include_str!("pod_missing.md"));
pub static POD_NOT_READY: Cause = of_answers(
    "KC068",
    "pod-not-ready",
    "A pod is not ready, so its name is not published",
    include_str!("pod_not_ready.md"),
);
pub static DATABASE_HOST: Cause = of_answers(
    "KC069",
    "database-host",
    "DB_HOST of the backend is no name of the database",
    include_str!("database_host.md"),
);
pub static ABSOLUTE_NAME: Cause = of_answers(
    "KC090",
    "absolute-name",
    "A name ends with a dot, but is not a full name",
    include_str!("absolute_name.md"),
);
pub static WRONG_NAMESPACE: Cause = of_answers(
    "KC091",
    "wrong-namespace",
    "A name is asked for in the wrong namespace",
    include_str!("wrong_namespace.md"),
);
pub static NO_SUCH_NAME: Cause =
    of_answers("KC092", "no-such-name", "A name does not exist", include_str!("no_such_name.md"));
pub static STALE: Cause =
    of_answers("KC093", "stale", "A DNS answer is older than the last change", include_str!("stale.md"));
pub static UNEXPLAINED: Cause =
    of_answers("KC094", "unexplained", "A DNS answer does not match the objects", include_str!("unexplained.md"));

/// All of them.
pub static ALL: &[&Cause] = &[
    &POLICY,
    &SILENT,
    &SERVICE_MISSING,
    &SERVICE_NAME,
    &SET_MISSING,
    &NO_REPLICAS,
    &NOT_HEADLESS,
    &POD_MISSING,
    &POD_NOT_READY,
    &DATABASE_HOST,
    &ABSOLUTE_NAME,
    &WRONG_NAMESPACE,
    &NO_SUCH_NAME,
    &STALE,
    &UNEXPLAINED,
];
