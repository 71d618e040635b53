//! What the objects of the exchange are called: each name and label once.

/// The label by which objects belong to the exchange, on pods too.
pub const PART_OF: (&str, &str) = ("app.kubernetes.io/part-of", "kubecoin");

/// The label by which the lesson's commands select: `app=postgres`.
pub const APP: &str = "app";

/// The StatefulSet, its container, and the value of its label `app`.
pub const POSTGRES: &str = "postgres";
/// The pod of the first member, and of one server the only one.
pub const POSTGRES_POD: &str = "postgres-0";
/// The headless Service of the set.
pub const POSTGRES_SERVICE: &str = "postgres-headless";
pub const CLAIM: &str = "postgres-pvc";
/// The one server of the lesson: its pod and its claim.
pub const MEMBER: (&str, &str) = (POSTGRES_POD, CLAIM);
/// What the names of the claims of a replicated database's members begin with: the set's template of them, and the set.
const MEMBER_CLAIM: &str = "data-postgres-";
/// How many members a replicated database has at most.
pub const MOST_MEMBERS: u32 = 9;
/// The Service of the member that takes writes, in a replicated database.
pub const PRIMARY_SERVICE: &str = "postgres-primary";
/// The Service of the members that follow it.
pub const REPLICAS_SERVICE: &str = "postgres-replicas";
/// The label by which Patroni says which member takes writes, and the value of that one.
pub const ROLE: (&str, &str) = ("role", "primary");
/// The Secret of what the members use among themselves.
pub const MEMBERS_SECRET: &str = "postgres-members";
/// Its keys: a password each.
pub const MEMBERS_SECRET_KEYS: [&str; 4] = ["superuser", "replication", "rewind", "restapi"];
/// Those of its keys that hold the password of a role of the database, each with that role.
pub const MEMBERS_ROLES: [(&str, &str); 3] =
    [("superuser", DATABASE_USER), ("replication", "replicator"), ("rewind", "rewinder")];
/// The variable of a member that tells which Secret it was given.
pub const MEMBERS_PASSWORD: &str = "PATRONI_SUPERUSER_PASSWORD";
/// The `ConfigMap` with what each member is told before it starts.
pub const SETTINGS: &str = "postgres-settings";
/// The `ConfigMap`s in which Patroni keeps the settings, the primary's claim to be that, which standby has every acknowledged
/// row, and a switch of the primary that was asked for. No object owns them.
pub const PATRONI: [&str; 4] = ["postgres-config", "postgres-leader", "postgres-sync", "postgres-failover"];
pub const SECRET: &str = "postgres-credentials";
/// The key of the Secret that holds the password.
pub const SECRET_PASSWORD: &str = "password";
/// The key of the Secret that holds the role's name.
pub const SECRET_USERNAME: &str = "username";
/// The label of a Secret that took the place of the first one.
pub const ROTATED: &str = "kubectl-kubecoin/rotated";
/// The variable of the backend that holds the role's name.
pub const BACKEND_USER: &str = "DB_USER";
/// The variable of the backend that holds the password.
pub const BACKEND_PASSWORD: &str = "DB_PASSWORD";
/// Where the volume is mounted in the pod of the database.
pub const DATA_PATH: &str = "/var/lib/postgresql/data";
/// The database, and the role that owns it.
pub const DATABASE: &str = "kubecoin";
/// The role of the database that the lesson uses.
pub const DATABASE_USER: &str = "postgres";
/// The role that owns the exchange's database where it is replicated: there the superuser is nobody's.
pub const DATABASE_OWNER: &str = "kubecoin";
/// The variable by which the backend is told where the database is.
pub const DATABASE_HOST: &str = "DB_HOST";
/// The variable by which the backend is told its role.
pub const DATABASE_ROLE: &str = "DB_USER";
/// The `ConfigMap` that says how far the questions of the lesson are answered.
pub const LESSON: &str = "kubecoin-lesson";
/// The `ConfigMap` that is there while an exercise runs, with all that it takes to undo it.
pub const EXERCISE: &str = "kubecoin-exercise";
/// The label of that `ConfigMap`, with the exercise's number as its value, and of all else that an exercise creates.
pub const EXERCISE_LABEL: &str = "kubectl-kubecoin/exercise";
/// The policy that lets only the backend reach the database.
pub const NETWORK_POLICY: &str = "postgres";
/// The Deployment of the backend.
pub const BACKEND: &str = "backend";
pub const BACKEND_SERVICE: &str = "backend-service";
/// The Deployment of the frontend.
pub const FRONTEND: &str = "frontend";
pub const FRONTEND_SERVICE: &str = "frontend-service";

/// The label of pods that this program starts for a while, with what they are for as its value. They have neither of the
/// labels above: nothing that selects the exchange's pods may find them.
pub const HELPER: &str = "kubectl-kubecoin/helper";

/// The annotation of a workload with the version of the manifests that it was applied from.
pub const VERSION: &str = "kubectl-kubecoin/version";

/// The label of all that is made of Level 1 for contrast, with the run that made it as its value. Its pods have none of the
/// labels above.
pub const LEVEL_1: &str = "kubectl-kubecoin/level-1";

/// The label of practice sets, their Services, pods and claims, with what the set is for and the run that made it as its value.
/// None of them has one of the labels of the exchange.
pub const PRACTICE: &str = "kubectl-kubecoin/practice";

/// The label of an `EndpointSlice` with the name of its Service.
pub const OF_SERVICE: &str = "kubernetes.io/service-name";

/// The annotation of the `StorageClass` that claims have which name none.
pub const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// All Services, in the order in which people are shown them.
pub const SERVICES: [&str; 3] = [POSTGRES_SERVICE, BACKEND_SERVICE, FRONTEND_SERVICE];
pub const DEPLOYMENTS: [&str; 2] = [BACKEND, FRONTEND];

/// All workloads, each with its kind.
pub const KINDS: [(&str, &str); 3] = [(POSTGRES, "statefulset"), (BACKEND, "deployment"), (FRONTEND, "deployment")];

/// The label of a node that a volume is pinned to.
pub const HOSTNAME: &str = "kubernetes.io/hostname";

/// The Services that only a replicated database has.
pub const REPLICATED_SERVICES: [&str; 2] = [PRIMARY_SERVICE, REPLICAS_SERVICE];

/// All Services of one server or of a replicated database, in the order in which people are shown them: the headless one first.
pub fn services(replicated: bool) -> impl Iterator<Item = &'static str> {
    let [headless, rest @ ..] = SERVICES;
    [headless].into_iter().chain(REPLICATED_SERVICES.into_iter().filter(move |_| replicated)).chain(rest)
}

/// The pod and the claim of a member of a replicated database.
#[must_use]
pub fn member(number: u32) -> (String, String) {
    (format!("{POSTGRES}-{number}"), format!("{MEMBER_CLAIM}{number}"))
}

/// The number of the member that a claim belongs to, if it is one of a replicated database.
#[must_use]
pub fn number_of(claim: &str) -> Option<u32> {
    claim.strip_prefix(MEMBER_CLAIM)?.parse().ok()
}

/// The Secret that a rotation has put in the place of the first one of this name.
#[must_use]
pub fn rotated(first: &str, rotation: &str) -> String {
    format!("{first}-{rotation}")
}

/// The rotation that has put a Secret in the place of the first one of this name.
#[must_use]
pub fn rotation_of<'a>(secret: &'a str, first: &str) -> Option<&'a str> {
    secret.strip_prefix(first)?.strip_prefix('-')
}

/// The static volume of a namespace. Volumes are cluster-wide, so outside the lesson's namespace it carries the name.
#[must_use]
pub fn volume(namespace: &str) -> String {
    match namespace {
        "default" => "postgres-pv".to_owned(),
        _ => format!("postgres-pv-{namespace}"),
    }
}

/// The volume of a member on a node, for a namespace. No namespace's one server has a volume of such a name: the number comes first.
#[must_use]
pub fn volume_of_member(namespace: &str, number: u32) -> String {
    let (pod, _) = member(number);
    match namespace {
        "default" => format!("{pod}-pv"),
        _ => format!("{pod}-pv-{namespace}"),
    }
}

/// The number of the member that a volume is for, if it is one on a node.
#[must_use]
pub fn number_of_volume(volume: &str) -> Option<u32> {
    let (number, rest) = volume.strip_prefix(POSTGRES)?.strip_prefix('-')?.split_once('-')?;
    (rest == "pv" || rest.starts_with("pv-")).then(|| number.parse().ok()).flatten()
}

/// The folder on the node behind the static volume of a namespace. Of a replicated database, it has a folder for each member.
#[must_use]
pub fn host_path(namespace: &str) -> String {
    format!("/data/kubecoin/{namespace}")
}

/// The Deployment and the Service of Level 1, beside the exchange for the time of a run.
#[must_use]
pub fn level_1(run: &str) -> String {
    format!("postgres-level-1-{run}")
}

/// The label selector of everything that belongs to the exchange.
#[must_use]
pub fn selector() -> String {
    format!("{}={}", PART_OF.0, PART_OF.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_volume_of_a_member_is_known_by_its_name_and_is_no_other_namespaces() {
        for (namespace, name) in [("default", "postgres-2-pv"), ("alice", "postgres-2-pv-alice")] {
            assert_eq!(volume_of_member(namespace, 2), name);
            assert_eq!(number_of_volume(name), Some(2));
        }
        for namespace in ["default", "alice", "2", "2-pv", "pv-2"] {
            assert_eq!(number_of_volume(&volume(namespace)), None, "{namespace}");
        }
        for other in ["postgres-2", "postgres-2-pvc", "data-postgres-2", "postgres-x-pv", "pv-7"] {
            assert_eq!(number_of_volume(other), None, "{other}");
        }
    }
}
