//! What has lost the workload that would delete it: `kubectl delete --cascade=orphan` leaves pods and ReplicaSets behind.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt;
use kube::api::{ApiResource, ListParams};
use serde_json::Value;

use super::existing::{self, Existing};
use super::remove;
use crate::context::Ctx;
use crate::exchange::names;
use crate::kubernetes::act::command;
use crate::kubernetes::gone::Leaving;
use crate::kubernetes::{Cluster, Object};
use crate::observe::Reading;

/// As many as a namespace ever has: a Deployment keeps eleven by default.
const MOST: u32 = 100;

/// The ReplicaSets that have the exchange's label. Unknown if they cannot be read.
pub async fn replicasets(ctx: &Ctx) -> anyhow::Result<Reading<Vec<ReplicaSet>>> {
    let cluster = ctx.cluster().await?;
    ctx.show(|| command(cluster.place(), &["get", "replicasets", "-l", &names::selector()]));
    Ok(cluster.list(&ours()).await.map(Some).into())
}

fn ours() -> ListParams {
    ListParams::default().labels(&names::selector()).limit(MOST)
}

/// What becomes of a pod once the workloads are deleted.
#[derive(Debug, PartialEq)]
enum Fate<'a> {
    /// The cluster deletes it.
    Goes,
    /// Nobody deletes it.
    Stays,
    /// As this one says, which is not deleted by this run: it may be someone else's, or gone.
    Of(&'a OwnerReference),
}

/// The fate of a pod, by what is deleted and which ReplicaSets there are.
fn fate<'a>(pod: &'a Pod, there: &Existing, sets: Option<&'a [ReplicaSet]>) -> Fate<'a> {
    let is_deleted = |owner: &OwnerReference| there.workloads.iter().any(|one| one.uid == owner.uid);
    if pod.metadata.deletion_timestamp.is_some() {
        return Fate::Goes;
    }
    let Some(owner) = existing::controller(pod) else { return Fate::Stays };
    if is_deleted(owner) {
        return Fate::Goes;
    }
    let Some(sets) = sets else {
        // Whose it is, its name alone says.
        let of = |one: &Leaving| owner.name.starts_with(&format!("{}-", one.object.name));
        let deployed = there.workloads.iter().any(|one| one.object.resource.kind == "Deployment" && of(one));
        return if owner.kind == "ReplicaSet" && deployed { Fate::Goes } else { Fate::Of(owner) };
    };
    let set = sets.iter().find(|set| set.metadata.uid.as_ref() == Some(&owner.uid));
    match set.map(existing::controller) {
        None => Fate::Of(owner),
        Some(Some(deployment)) if !is_deleted(deployment) => Fate::Of(deployment),
        Some(_) => Fate::Goes,
    }
}

/// What is left of the pods when the workloads are deleted.
#[derive(Default)]
pub struct Pods {
    /// They go, or are deleted now: they outlive their workloads for a while.
    pub leaving: Vec<Leaving>,
    /// Those that someone else's workload would create again, and that.
    pub foreign: Vec<(String, String)>,
}

/// Deletes the pods that nobody else deletes. The workloads must be deleted.
pub async fn delete_pods(ctx: &Ctx, there: &Existing) -> anyhow::Result<Pods> {
    let cluster = ctx.cluster().await?;
    // As they are now: since they were read first, somebody may have thought about an answer for long.
    let ours = ours();
    let (sets, found) = tokio::join!(cluster.list::<ReplicaSet>(&ours), cluster.list::<Pod>(&ours));
    let (sets, found) = (sets.ok(), found?);
    let (mut pods, mut staying) = (Pods::default(), Vec::new());
    for pod in &found {
        let leaving = existing::leaving(pod)?;
        match fate(pod, there, sets.as_deref()) {
            Fate::Goes => pods.leaving.push(leaving),
            Fate::Stays => staying.push(leaving),
            Fate::Of(owner) => match exists(cluster, owner).await {
                Some(true) if is_of_an_app(pod) => pods.foreign.push((leaving.object.reference(), reference(owner))),
                Some(true) => {}
                // If the owner is gone, the cluster deletes the pod.
                Some(false) | None => pods.leaving.push(leaving),
            },
        }
    }
    pods.leaving.extend(remove::delete(ctx, &staying).await?);
    Ok(pods)
}

fn is_of_an_app(pod: &Pod) -> bool {
    let apps = [names::POSTGRES, names::BACKEND, names::FRONTEND];
    pod.labels().get(names::APP).is_some_and(|app| apps.contains(&app.as_str()))
}

/// Whether an owner exists. The exchange's pods have no other kinds of owners than these, so any other is someone else's.
async fn exists(cluster: &Cluster, owner: &OwnerReference) -> Option<bool> {
    let resource = match (owner.api_version.as_str(), owner.kind.as_str()) {
        ("apps/v1", "StatefulSet") => ApiResource::erase::<StatefulSet>(&()),
        ("apps/v1", "ReplicaSet") => ApiResource::erase::<ReplicaSet>(&()),
        ("apps/v1", "Deployment") => ApiResource::erase::<Deployment>(&()),
        _ => return Some(true),
    };
    let namespace = Some(cluster.namespace().to_owned());
    let object = Object { resource, name: owner.name.clone(), namespace, body: Value::Null };
    let found = cluster.get_object(&object).await.ok()?;
    Some(found.is_some_and(|found| found.metadata.uid.as_ref() == Some(&owner.uid)))
}

/// An owner as kubectl names it.
fn reference(owner: &OwnerReference) -> String {
    let kind = owner.kind.to_lowercase();
    match owner.api_version.split_once('/') {
        Some((group, _)) => format!("{kind}.{group}/{}", owner.name),
        None => format!("{kind}/{}", owner.name),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owner(kind: &str, name: &str) -> Value {
        json!({ "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": format!("uid-{name}"), "controller": true })
    }

    fn owned<K: k8s_openapi::serde::de::DeserializeOwned>(name: &str, owner: Option<Value>) -> K {
        let owners: Vec<Value> = owner.into_iter().collect();
        serde_json::from_value(json!({ "metadata": {
            "name": name, "namespace": "alice", "uid": format!("uid-{name}"), "ownerReferences": owners } }))
        .unwrap()
    }

    /// The set and one of the Deployments are deleted, and so is what was orphaned.
    fn deleted(sets: &[ReplicaSet]) -> Existing {
        let set: StatefulSet = owned("postgres", None);
        let backend: Deployment = owned("backend", None);
        let mut workloads = vec![existing::leaving(&set).unwrap(), existing::leaving(&backend).unwrap()];
        workloads.extend(existing::orphaned(sets).map(|set| existing::leaving(set).unwrap()));
        Existing { workloads, ..Existing::default() }
    }

    #[test]
    fn a_pod_stays_if_nobody_deletes_it() {
        let sets: Vec<ReplicaSet> = vec![
            owned("backend-1", Some(owner("Deployment", "backend"))),
            owned("frontend-1", None),
            owned("mine-1", Some(owner("Deployment", "mine"))),
        ];
        let there = deleted(&sets);
        let fate_of = |owner: Option<Value>| {
            let pod: Pod = owned("pod", owner);
            match fate(&pod, &there, Some(&sets)) {
                Fate::Goes => "goes".to_owned(),
                Fate::Stays => "stays".to_owned(),
                Fate::Of(owner) => reference(owner),
            }
        };
        assert_eq!(fate_of(None), "stays");
        assert_eq!(fate_of(Some(owner("StatefulSet", "postgres"))), "goes");
        assert_eq!(fate_of(Some(owner("ReplicaSet", "backend-1"))), "goes");
        assert_eq!(fate_of(Some(owner("ReplicaSet", "frontend-1"))), "goes");
        assert_eq!(fate_of(Some(owner("ReplicaSet", "mine-1"))), "deployment.apps/mine");
        assert_eq!(fate_of(Some(owner("ReplicaSet", "unlabelled-1"))), "replicaset.apps/unlabelled-1");
        let mut earlier = owner("StatefulSet", "postgres");
        earlier["uid"] = "uid-of-an-earlier-one".into();
        assert_eq!(fate_of(Some(earlier)), "statefulset.apps/postgres");
        // An owner that is no controller deletes nothing as long as it lives.
        let mut no_controller = owner("StatefulSet", "postgres");
        no_controller["controller"] = false.into();
        assert_eq!(fate_of(Some(no_controller)), "stays");
    }

    #[test]
    fn who_may_not_list_replicasets_knows_them_by_their_names() {
        let there = deleted(&[]);
        let fate_of = |kind, name| {
            let pod: Pod = owned("pod", Some(owner(kind, name)));
            fate(&pod, &there, None) == Fate::Goes
        };
        assert!(fate_of("ReplicaSet", "backend-5d4f"));
        assert!(!fate_of("ReplicaSet", "frontend-5d4f") && !fate_of("DaemonSet", "backend-5d4f"));
    }

    #[test]
    fn what_goes_already_is_not_deleted_again() {
        let mut pod: Pod = owned("pod", None);
        pod.metadata.deletion_timestamp = serde_json::from_value(json!("2026-11-24T02:00:00Z")).unwrap();
        assert_eq!(fate(&pod, &deleted(&[]), Some(&[])), Fate::Goes);
    }
}
