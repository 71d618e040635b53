//! A replicated database as Patroni keeps it in Kubernetes: what each member says of itself on its pod, and who is what by the
//! `ConfigMap`s of all.

use std::collections::BTreeMap;

use futures_util::future::join;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::ResourceExt;
use serde::{Deserialize, Serialize};

use super::{Reading, readiness};
use crate::exchange::names;
use crate::kubernetes::{Cluster, RequestError};

/// Who is what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replication {
    /// The member that holds the claim to be the primary, or held it last.
    pub leader: Option<String>,
    /// The standbys of which one has every acknowledged row.
    pub synchronous: Vec<String>,
    /// When it renewed that claim last, by the clock of its node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewed_at: Option<Timestamp>,
}

impl Replication {
    /// Reads both `ConfigMap`s at once. Those of a database that has never run are not there.
    pub async fn read(cluster: &Cluster) -> Reading<Self> {
        let [_, leader, sync, _] = names::PATRONI;
        let (leader, sync) = join(cluster.get::<ConfigMap>(leader), cluster.get::<ConfigMap>(sync)).await;
        let of = |(leader, sync): (Option<ConfigMap>, Option<ConfigMap>)| -> Result<_, RequestError> {
            Ok(leader.map(|leader| Self::of(leader.annotations(), sync.as_ref().map(ResourceExt::annotations))))
        };
        leader.and_then(|leader| of((leader, sync?))).into()
    }

    fn of(leader: &BTreeMap<String, String>, sync: Option<&BTreeMap<String, String>>) -> Self {
        let standbys = sync.and_then(|sync| sync.get("sync_standby")).map(String::as_str).unwrap_or_default();
        Self {
            leader: leader.get("leader").cloned(),
            renewed_at: leader.get("renewTime").and_then(|time| time.parse().ok()),
            synchronous: standbys.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        }
    }
}

/// What a member says of itself, in the annotation `status` of its pod. It is at most some seconds old, unless the member is
/// frozen or cannot reach the API server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Said {
    /// `running`, `starting`, or what else it does.
    #[serde(default)]
    pub state: String,
    /// `primary` or `replica`.
    #[serde(default)]
    pub role: String,
    /// The number of the timeline: one more with each new primary.
    pub timeline: Option<u32>,
    /// `streaming` while it follows the primary.
    pub replication_state: Option<String>,
    /// How far its log reaches, in bytes: of the primary what it has written, of a standby what it has received.
    #[serde(rename = "xlog_location")]
    pub location: Option<u64>,
}

impl Said {
    /// None if the pod has said nothing yet, or it cannot be read.
    #[must_use]
    pub fn of(pod: &Pod) -> Option<Self> {
        serde_json::from_str(pod.annotations().get("status")?).ok()
    }
}

/// Of these pods the one that takes writes. A frozen primary keeps its label beside the new one, so a ready one counts more, and
/// then the one that holds the claim to be the primary, if that is known.
pub fn primary<'a>(pods: impl IntoIterator<Item = &'a Pod>, leader: Option<&str>) -> Option<&'a Pod> {
    let labelled = pods.into_iter().filter(|pod| is_primary(pod));
    labelled.max_by_key(|pod| (readiness::pod(pod), Some(pod.name_any().as_str()) == leader))
}

/// Whether a standby is ready and streams the log of a primary with this timeline, as it said last.
#[must_use]
pub fn is_following(pod: &Pod, timeline: Option<u32>) -> bool {
    let streams = |said: Said| said.replication_state.as_deref() == Some("streaming") && said.timeline == timeline;
    readiness::pod(pod) && Said::of(pod).is_some_and(streams)
}

/// Whether a pod has the label of the member that takes writes.
#[must_use]
pub fn is_primary(pod: &Pod) -> bool {
    let (label, value) = names::ROLE;
    pod.labels().get(label).is_some_and(|role| role == value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_patroni_wrote_is_read() {
        let all = |value| serde_json::from_value::<BTreeMap<String, String>>(value).unwrap();
        let leader = all(json!({ "leader": "postgres-2", "optime": "67110264", "ttl": "20",
                                 "renewTime": "2026-11-30T12:35:03.699733+00:00" }));
        let sync = all(json!({ "leader": "postgres-2", "quorum": "0", "sync_standby": "postgres-1" }));
        let read = Replication::of(&leader, Some(&sync));
        assert_eq!((read.leader.as_deref(), read.synchronous), (Some("postgres-2"), vec!["postgres-1".to_owned()]));
        assert_eq!(Replication::of(&leader, None).renewed_at, Some("2026-11-30T12:35:03.699733Z".parse().unwrap()));
        let none = all(json!({ "leader": "postgres-2", "sync_standby": "" }));
        assert!(Replication::of(&leader, Some(&none)).synchronous.is_empty());

        let status = r#"{"conn_url":"postgres://10.244.1.12:5432/postgres","state":"running","role":"replica","version":"4.1.5",
            "xlog_location":67110264,"replay_lsn":67110264,"receive_lsn":67110264,"replication_state":"streaming","timeline":2}"#;
        let pod: Pod = serde_json::from_value(json!({ "metadata": { "annotations": { "status": status } } })).unwrap();
        let said = Said::of(&pod).unwrap();
        assert_eq!((said.role.as_str(), said.timeline, said.location), ("replica", Some(2), Some(67_110_264)));
        assert_eq!(Said::of(&Pod::default()), None);
    }
}
