//! A replicated database: what a StatefulSet is for that has a claim for each pod.

use k8s_openapi::api::core::v1::PersistentVolume;
use kube::ResourceExt;

use super::live::Live;
use super::shown::{self, Fact, Shown, Table};
use super::{Look, Topic};
use crate::exchange::directory::Directory;
use crate::exchange::names;
use crate::observe::Reading;
use crate::observe::replication::{Said, is_primary};

pub const TOPIC: Topic = Topic {
    name: "replication",
    title: "Replication: several servers that share nothing but a log",
    question: None,
    idea: [
        "Two servers cannot share one volume, so each member of a replicated database has a claim of its own, and copies the log of one member, the primary.",
        "Only the primary takes writes: when it fails, Patroni makes another member the primary, and the label role=primary moves to that pod, and with it the Service postgres-primary.",
        "The pods are created all at once (podManagementPolicy: Parallel), because in order pod 0 would wait for the primary, and if that is pod 1, it would wait for pod 0.",
    ],
    shows,
    not_shown,
    by_hand: &[
        Look::in_namespace("see which member is the primary", "get pods -l app=postgres -L role"),
        Look::in_namespace("see the claim of each member", "get pvc -l app=postgres"),
        Look::in_namespace("see the members as Patroni does", "exec postgres-0 -- patronictl -c /tmp/patroni list"),
        Look::in_namespace("see how each standby follows, asked of the primary", PSQL),
        Look::in_namespace("delete the primary, and see the role move", "delete pod -l app=postgres,role=primary"),
    ],
};

/// Asks the primary, through its Service's name, for its standbys.
const PSQL: &str = "exec postgres-0 -- sh -c 'PGPASSWORD=$PATRONI_SUPERUSER_PASSWORD psql -h postgres-primary -U postgres -c \"SELECT application_name, state, sync_state FROM pg_stat_replication\"'";

const COLUMNS: &[&str] = &["MEMBER", "ROLE", "CLAIM", "TIMELINE"];

fn shows(live: &Live) -> Vec<Shown> {
    let object = format!("statefulset/{}", names::POSTGRES);
    let mut all = shown::of(&object, &live.snapshot.statefulset, |set| {
        let spec = set.spec.as_ref();
        let templates = live.claim_templates().unwrap_or_default();
        let replicas = live.replicas().unwrap_or(1).to_string();
        let says = match (templates.is_empty(), replicas.as_str()) {
            (true, _) => "has one claim for all its pods, so it can have one server only",
            (false, "1") => "makes a claim for each pod, and has one member",
            (false, _) => "makes a claim for each pod, so it can have several members",
        };
        let fact = Fact::new(&object, says).because("spec.replicas", replicas);
        let fact = match templates.as_slice() {
            [] => fact.because_unset("spec.volumeClaimTemplates"),
            names => fact.because("spec.volumeClaimTemplates[].metadata.name", names.join(",")),
        };
        let policy = spec.and_then(|spec| spec.pod_management_policy.as_deref());
        vec![fact.because_of("spec.podManagementPolicy", policy).into()]
    });
    if live.snapshot.is_replicated() {
        let rows: Vec<_> = members(live).collect();
        if !rows.is_empty() {
            all.push(Table { columns: COLUMNS, rows }.into());
        }
        all.extend(on_nodes(live));
        all.extend(synchronous(live));
    }
    all
}

/// A row for each member whose pod is there.
fn members(live: &Live) -> impl Iterator<Item = Vec<String>> {
    live.snapshot.members.iter().filter_map(|member| {
        let pod = live.snapshot.pod_of(member)?;
        let timeline = Said::of(pod).and_then(|said| said.timeline);
        let role = if is_primary(pod) { "primary" } else { "replica" };
        let timeline = timeline.map(|timeline| timeline.to_string()).unwrap_or_default();
        Some(vec![pod.name_any(), role.to_owned(), member.claim_name.clone(), timeline])
    })
}

/// The volumes that are tied to a node, and so are their members.
fn on_nodes(live: &Live) -> impl Iterator<Item = Shown> {
    live.snapshot.members.iter().filter_map(|member| {
        let volume = member.volume.present()?;
        let Directory { hostname, path } = Directory::of(volume).filter(|_| is_local(volume))?;
        let says = format!("is a directory on one node, so {} runs on that node, or not at all", member.pod);
        let fact = Fact::new(format!("persistentvolume/{}", volume.name_any()), says);
        Some(fact.because("spec.local.path", path).because("spec.nodeAffinity", hostname).into())
    })
}

fn is_local(volume: &PersistentVolume) -> bool {
    volume.spec.as_ref().is_some_and(|spec| spec.local.is_some())
}

/// Which standby has every acknowledged row.
fn synchronous(live: &Live) -> Vec<Shown> {
    const OBJECT: &str = "configmap/postgres-sync";
    shown::of(OBJECT, &live.snapshot.replication, |replication| {
        let says = match replication.synchronous.as_slice() {
            [] => "names no synchronous standby: an acknowledged row may be on one volume only".to_owned(),
            names => format!("names {} as synchronous standby: it has every acknowledged row", names.join(", ")),
        };
        vec![Fact::new(OBJECT, says).into()]
    })
}

fn not_shown(live: &Live) -> Vec<String> {
    let mut all = Vec::new();
    if live.claim_templates().is_some_and(|templates| templates.is_empty()) {
        all.push(
            "several members: this database is one server (deploy --ha, in another namespace, has three)".to_owned(),
        );
    }
    if matches!(live.snapshot.replication, Reading::Present(_)) {
        all.push("what a new primary does: delete the pod of the primary, and look again".to_owned());
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::exchange::objects::Objects;
    use crate::exchange::settings::{Settings, Storage};
    use crate::observe::replication::Replication;
    use crate::observe::{Member, Snapshot};

    fn live(synchronous: &[&str]) -> Live {
        let settings = Settings { members: Some(2), ..Settings::of("alice", Storage::Dynamic { class: None }) };
        let pod = |name: &str, role: &str| -> Value {
            let status = json!({ "state": "running", "role": role, "timeline": 3 }).to_string();
            json!({ "metadata": { "name": name, "labels": { "app": "postgres", "role": role }, "annotations": { "status": status } } })
        };
        let pods = [pod("postgres-0", "replica"), pod("postgres-1", "primary")];
        let members = [0, 1].map(names::member).map(|(pod, claim)| Member::new((&pod, &claim)));
        let synchronous = synchronous.iter().map(|name| (*name).to_owned()).collect();
        let snapshot = Snapshot {
            statefulset: Reading::Present(Objects::new(&settings).unwrap().postgres),
            pods: Reading::Present(pods.map(|pod| serde_json::from_value(pod).unwrap()).into()),
            members: members.into(),
            replication: Reading::Present(Replication {
                leader: Some("postgres-1".to_owned()),
                synchronous,
                renewed_at: None,
            }),
            ..Snapshot::default()
        };
        Live { snapshot, ..Live::default() }
    }

    #[test]
    fn each_member_has_its_role_and_its_claim() {
        let shown = format!("{:?}", shows(&live(&["postgres-0"])));
        for part in [
            r#"["postgres-0", "replica", "data-postgres-0", "3"]"#,
            r#"["postgres-1", "primary", "data-postgres-1", "3"]"#,
            "makes a claim for each pod, so it can have several members",
            "names postgres-0 as synchronous standby",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(format!("{:?}", shows(&live(&[]))).contains("may be on one volume only"));
    }

    #[test]
    fn a_member_with_its_data_on_a_node_is_tied_to_it() {
        let storage = Storage::Local { host_path: None, hostnames: vec!["node-1".to_owned(), "node-2".to_owned()] };
        let objects = Objects::new(&Settings { members: Some(2), ..Settings::of("alice", storage) }).unwrap();
        let mut live = live(&[]);
        for (member, volume) in live.snapshot.members.iter_mut().zip(objects.volumes) {
            member.volume = Reading::Present(volume);
        }
        let shown = format!("{:?}", shows(&live));
        for part in ["so postgres-1 runs on that node", "/data/kubecoin/alice/postgres-1", "node-2"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}
