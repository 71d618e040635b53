//! What a replicated database has and one server has not, besides what a snapshot reads of it.

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{ConfigMap, Service, ServiceAccount};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::Resource;
use serde_json::Value;

use super::remove;
use crate::context::Ctx;
use crate::exchange::marks::is_ours;
use crate::exchange::names;
use crate::kubernetes::gone::Leaving;
use crate::kubernetes::{Cause, Cluster, Object};
use crate::observe::{Reading, Reason, Snapshot};

/// What there is of it.
#[derive(Clone, Default)]
pub struct Apart {
    /// What the members use as long as they run, in the order in which it goes, after them: a primary that may not say that it
    /// stops leaves the others to wait for it.
    pub used: Vec<Leaving>,
    /// In which Patroni keeps who is what. It belongs to the data.
    pub state: Vec<Leaving>,
    /// What may be there, and may not be read.
    unseen: Vec<Object>,
    /// What has a name of ours, and not our label.
    pub foreign: Vec<String>,
    /// What could not be read, and must be.
    pub unknown: Vec<(String, Reason)>,
}

/// Whether there may be something of it. With neither a server nor data, an interrupted run may have left some of it, by which
/// the members of the next database would wait for those of this one.
fn may_be_there(snapshot: &Snapshot, with_data: bool) -> bool {
    let nothing = matches!(snapshot.statefulset, Reading::Absent)
        && snapshot.claims().next().is_none()
        && snapshot.volumes().next().is_none();
    snapshot.is_replicated() || with_data && nothing
}

impl Apart {
    /// Reads it, if there may be something.
    pub async fn read(cluster: &Cluster, snapshot: &Snapshot, with_data: bool) -> Self {
        let mut apart = Self::default();
        if !may_be_there(snapshot, with_data) {
            return apart;
        }
        let namespace = cluster.namespace();
        let unread = names::REPLICATED_SERVICES.into_iter().filter(|name| !snapshot.services.contains_key(*name));
        let used = unread.map(|name| named::<Service>(name, namespace)).chain([
            named::<PodDisruptionBudget>(names::POSTGRES, namespace),
            named::<ConfigMap>(names::SETTINGS, namespace),
            named::<RoleBinding>(names::POSTGRES, namespace),
            named::<Role>(names::POSTGRES, namespace),
            named::<ServiceAccount>(names::POSTGRES, namespace),
        ]);
        let state = names::PATRONI.map(|name| named::<ConfigMap>(name, namespace));
        let read = async |objects: Vec<Object>| {
            let asked = objects.into_iter().map(|object| async move {
                let there = cluster.get_object(&object).await.map(|there| there.map(|there| there.metadata));
                (object, Reading::from(there))
            });
            join_all(asked).await
        };
        let (used, state) = tokio::join!(read(used.collect()), read(state.to_vec()));
        let is_replicated = snapshot.is_replicated();
        for (object, there) in used {
            match there {
                // Who may not read it has created none, unless there is a database that needs it.
                Reading::Unknown(Reason::Forbidden(_)) if is_replicated => apart.unseen.push(object),
                Reading::Unknown(Reason::Forbidden(_)) | Reading::Absent | Reading::NotAsked => {}
                Reading::Unknown(reason) => apart.unknown.push((object.reference(), reason)),
                Reading::Present(there) if is_ours(&there) => {
                    apart.used.push(Leaving { object, uid: there.uid.unwrap_or_default() });
                }
                Reading::Present(_) => apart.foreign.push(object.reference()),
            }
        }
        for (object, there) in state {
            match there {
                Reading::Present(there) if is_ours(&there) => {
                    apart.state.push(Leaving { object, uid: there.uid.unwrap_or_default() });
                }
                Reading::Present(_) if with_data => apart.foreign.push(object.reference()),
                // Kept with the data, it need not be known.
                Reading::Unknown(reason) if with_data && is_replicated => {
                    apart.unknown.push((object.reference(), reason));
                }
                Reading::Present(_) | Reading::Unknown(_) | Reading::Absent | Reading::NotAsked => {}
            }
        }
        apart
    }

    /// Deletes what the members use. Gives what goes as soon as nothing holds it any more. What an administrator has created for
    /// those who may not stays, and that is said.
    pub async fn delete_used(&self, ctx: &Ctx) -> anyhow::Result<Vec<Leaving>> {
        let mut going = Vec::new();
        let mut stays: Vec<String> = Vec::new();
        for one in &self.used {
            match remove::delete(ctx, std::slice::from_ref(one)).await {
                Err(error) if is_grant(&one.object) && matches!(Cause::of(&error), Some(Cause::Forbidden(_))) => {
                    ctx.printer.warning(&format!("{error:#}"));
                    stays.push(one.object.reference());
                }
                gone => going.extend(gone?),
            }
        }
        if !self.unseen.is_empty() {
            let unseen: Vec<String> = self.unseen.iter().map(Object::reference).collect();
            ctx.printer.warning(&format!("you may not read {}: what exists of that is not deleted", unseen.join(", ")));
            stays.extend(unseen);
        }
        if !stays.is_empty() {
            let words = ["delete", "--ignore-not-found"].map(str::to_owned).into_iter().chain(stays);
            ctx.printer.hint(
                ctx.by_hand
                    .kubectl(words.collect::<Vec<String>>())
                    .to("if nobody needs them, ask a cluster administrator to delete them"),
            );
        }
        Ok(going)
    }
}

/// Nothing more is known of it than its name.
fn named<K: Resource<DynamicType = ()>>(name: &str, namespace: &str) -> Object {
    Object::named::<K>(name, namespace, Value::Null)
}

/// Whether it gives the members their permissions.
fn is_grant(object: &Object) -> bool {
    ["ServiceAccount", "Role", "RoleBinding"].contains(&object.resource.kind.as_str())
}
