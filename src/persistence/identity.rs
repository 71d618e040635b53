//! Who is who: the pod, the storage under it and the server in it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, PersistentVolumeClaim, Pod};
use kube::ResourceExt;
use serde::{Deserialize, Serialize};

use crate::exchange::names;
use crate::kubernetes::exec::default_container;
use crate::observe::readiness;

/// A pod, as far as it matters who it is and how far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSeen {
    pub name: String,
    pub uid: String,
    /// The UID of what made it.
    pub owner: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When its deletion was asked for.
    pub deleted_at: Option<Timestamp>,
    pub node: Option<String>,
    pub addresses: Vec<String>,
    /// The container that runs.
    pub container: Option<String>,
    /// When that container started.
    pub started_at: Option<Timestamp>,
    /// When the last container that has ended ended.
    pub ended_at: Option<Timestamp>,
    /// How often its container was started again.
    pub restarts: i32,
    /// Whether it is ready.
    pub ready: bool,
    /// The digest of the image.
    pub image: Option<String>,
    /// The claim that its data directory is mounted from.
    pub claim: Option<String>,
    /// Why it is not running, in the cluster's words.
    pub waits: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimSeen {
    pub name: String,
    pub uid: String,
    /// The volume that it is bound to.
    pub volume: Option<String>,
    pub class: Option<String>,
}

/// The server, as it says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// The system identifier: made once, with the data directory.
    pub system: String,
    /// The timeline of the write-ahead log: one more with each member that takes over.
    pub timeline: u32,
    /// The timelines that this one comes from, as PostgreSQL keeps them: on each line the number, the position in the log at
    /// which it was left, and why. Empty on the first.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub history: String,
    /// Whether it follows another server, and takes no writes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_standby: bool,
    /// When the server started.
    pub started_at: Timestamp,
    /// The same, in seconds since 1970 as PostgreSQL writes it: what one server's start is told from another's by.
    pub start: String,
    /// The position in the write-ahead log, as PostgreSQL writes it: of a standby, up to where it has replayed it.
    pub wal: String,
    /// The same in bytes.
    pub wal_bytes: u64,
    /// The data directory.
    pub directory: String,
    pub inode: String,
    /// Its device. Shown, never judged: a volume on a network is another device at each mount.
    pub device: String,
    /// The file that the server was started under the lock of; empty if under none.
    pub lock: String,
    /// The version of PostgreSQL.
    pub version: String,
    /// The settings on which durability rests.
    pub settings: BTreeMap<String, String>,
}

/// Asks the server who it is, as JSON on one line. What is of the file system comes from the container.
pub const ASK: &str = r#"\set directory `printf %s "$PGDATA"`
\set inode `stat -c %i "$PGDATA" 2>/dev/null || true`
\set device `stat -c %d "$PGDATA" 2>/dev/null || true`
\set lock `if [ "$(id -u)" = 0 ]; then gosu postgres readlink /proc/1/fd/9 || setpriv --reuid postgres --regid postgres --clear-groups -- readlink /proc/1/fd/9; else readlink /proc/1/fd/9; fi 2>/dev/null || true`
SELECT json_build_object(
  'system', (SELECT system_identifier::text FROM pg_control_system()),
  'timeline', tli, 'isStandby', standby,
  'history', coalesce(pg_read_file('pg_wal/' || lpad(upper(to_hex(tli)), 8, '0') || '.history', 0, 65536, true), ''),
  'startedAt', pg_postmaster_start_time(),
  'start', extract(epoch FROM pg_postmaster_start_time())::text,
  'wal', lsn::text, 'walBytes', pg_wal_lsn_diff(lsn, '0/0')::bigint,
  'directory', :'directory', 'inode', :'inode', 'device', :'device', 'lock', :'lock',
  'version', current_setting('server_version'),
  'settings', json_build_object(
    'fsync', current_setting('fsync'), 'full_page_writes', current_setting('full_page_writes'),
    'synchronous_commit', current_setting('synchronous_commit'), 'data_checksums', current_setting('data_checksums')))
FROM pg_is_in_recovery() AS standby,
  LATERAL (SELECT CASE WHEN standby THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END) AS log(lsn),
  LATERAL (SELECT CASE
    WHEN standby THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver), (SELECT timeline_id FROM pg_control_checkpoint()))
    -- What the last checkpoint says is late by one after a member has taken over.
    ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END) AS number(tli);
"#;

/// The settings that acknowledge a row before it is safe, or leave damage unseen.
pub const SAFE: &str = "on";

impl From<&Pod> for PodSeen {
    fn from(pod: &Pod) -> Self {
        let status = pod.status.as_ref();
        let container = container(pod);
        let state = container.and_then(|container| container.state.as_ref());
        let running = state.and_then(|state| state.running.as_ref());
        let ended = state.and_then(|state| state.terminated.as_ref());
        let last = container.and_then(|container| container.last_state.as_ref()?.terminated.as_ref());
        let waiting = state.and_then(|state| state.waiting.as_ref());
        let unscheduled = readiness::condition(pod, "PodScheduled")
            .filter(|(status, _)| *status != "True")
            .map(|(_, message)| message.to_owned());
        let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(0);
        // The API has the moment by which the pod shall be gone.
        let deleted_at = pod.metadata.deletion_timestamp.as_ref().map(|time| time.0);
        let addresses = status.and_then(|status| status.pod_ips.as_ref());
        Self {
            name: pod.name_any(),
            uid: pod.uid().unwrap_or_default(),
            owner: owner(pod),
            created_at: pod.creation_timestamp().map(|time| time.0),
            deleted_at: deleted_at.and_then(|by| by.checked_sub(jiff::SignedDuration::from_secs(grace)).ok()),
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            addresses: match addresses {
                Some(addresses) => addresses.iter().map(|address| address.ip.clone()).collect(),
                None => status.and_then(|status| status.pod_ip.clone()).into_iter().collect(),
            },
            container: running.and(container).and_then(|container| container.container_id.clone()),
            started_at: running.and_then(|running| running.started_at.as_ref()).map(|time| time.0),
            ended_at: ended.or(last).and_then(|ended| ended.finished_at.as_ref()).map(|time| time.0),
            restarts: container.map_or(0, |container| container.restart_count),
            ready: readiness::pod(pod),
            image: container.map(|container| container.image_id.clone()).filter(|id| !id.is_empty()),
            claim: data_claim(pod),
            waits: unscheduled
                .or_else(|| waiting.and_then(|waiting| waiting.message.clone().or_else(|| waiting.reason.clone()))),
        }
    }
}

impl From<&PersistentVolumeClaim> for ClaimSeen {
    fn from(claim: &PersistentVolumeClaim) -> Self {
        let spec = claim.spec.as_ref();
        Self {
            name: claim.name_any(),
            uid: claim.uid().unwrap_or_default(),
            volume: spec.and_then(|spec| spec.volume_name.clone()),
            class: spec.and_then(|spec| spec.storage_class_name.clone()).filter(|class| !class.is_empty()),
        }
    }
}

/// The container of the database, or the one that stands for the pod.
fn container(pod: &Pod) -> Option<&ContainerStatus> {
    let all = pod.status.as_ref()?.container_statuses.as_ref()?;
    let find = |name: &str| all.iter().find(|container| container.name == name);
    find(names::POSTGRES).or_else(|| find(default_container(pod)?))
}

/// The claims that a pod names. One that is made for the pod alone, and goes with it, is none of them.
#[must_use]
pub fn claims(pod: &Pod) -> Vec<String> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(|volume| Some(volume.persistent_volume_claim.as_ref()?.claim_name.clone())).collect()
}

fn owner(pod: &Pod) -> Option<String> {
    let owners = pod.metadata.owner_references.as_ref()?;
    owners.iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.clone())
}

/// The claim behind the mount that PGDATA is in.
fn data_claim(pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let container = spec.containers.iter().find(|container| container.name == names::POSTGRES)?;
    let variable = container.env.iter().flatten().find(|variable| variable.name == "PGDATA");
    let directory = variable.and_then(|variable| variable.value.as_deref()).unwrap_or("/var/lib/postgresql/data");
    let is_above = |path: &str| {
        let path = path.trim_end_matches('/');
        directory.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mounts = container.volume_mounts.iter().flatten().filter(|mount| is_above(&mount.mount_path));
    let nearest = mounts.max_by_key(|mount| mount.mount_path.len())?;
    let volume = spec.volumes.iter().flatten().find(|volume| volume.name == nearest.name)?;
    Some(volume.persistent_volume_claim.as_ref()?.claim_name.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(volume: &serde_json::Value) -> Pod {
        let mut data = json!({ "name": "data" });
        data.as_object_mut().unwrap().extend(volume.as_object().unwrap().clone());
        serde_json::from_value(json!({
            "metadata": { "name": "postgres-0", "uid": "u", "deletionTimestamp": "2026-11-24T02:01:00Z",
                          "deletionGracePeriodSeconds": 60,
                          "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "postgres",
                                                "uid": "set", "controller": true }] },
            "spec": { "containers": [{ "name": "postgres",
                        "env": [{ "name": "PGDATA", "value": "/var/lib/postgresql/data/pgdata" }],
                        "volumeMounts": [{ "name": "run", "mountPath": "/var" },
                                         { "name": "data", "mountPath": "/var/lib/postgresql/data" },
                                         { "name": "tmp", "mountPath": "/var/lib/postgresql/data/pg" }] }],
                      "volumes": [data, { "name": "run", "emptyDir": {} }, { "name": "tmp", "emptyDir": {} }] },
            "status": { "podIPs": [{ "ip": "10.0.0.7" }, { "ip": "fd00::7" }], "containerStatuses": [
                { "name": "postgres", "containerID": "c2", "image": "", "imageID": "", "ready": true, "restartCount": 1,
                  "state": { "running": { "startedAt": "2026-11-24T02:00:05Z" } },
                  "lastState": { "terminated": { "exitCode": 0, "finishedAt": "2026-11-24T02:00:03Z" } } }] },
        }))
        .unwrap()
    }

    #[test]
    fn a_pod_is_read_with_its_claim() {
        let seen = PodSeen::from(&pod(&json!({ "persistentVolumeClaim": { "claimName": "postgres-pvc" } })));
        assert_eq!(seen.claim.as_deref(), Some("postgres-pvc"));
        assert_eq!(seen.owner.as_deref(), Some("set"));
        assert_eq!(seen.addresses, ["10.0.0.7", "fd00::7"]);
        assert_eq!(seen.deleted_at, Some("2026-11-24T02:00:00Z".parse().unwrap()), "when it was asked, not by when");
        assert_eq!(seen.ended_at, Some("2026-11-24T02:00:03Z".parse().unwrap()));
        assert_eq!((seen.container.as_deref(), seen.restarts), (Some("c2"), 1));
    }

    #[test]
    fn an_empty_dir_is_no_claim() {
        assert_eq!(PodSeen::from(&pod(&json!({ "emptyDir": {} }))).claim, None);
    }
}
