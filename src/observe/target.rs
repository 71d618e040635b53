//! Round 1 of any StatefulSet that is not the exchange's: the set, its pods, their claims and volumes, and the Service that it
//! names.

use futures_util::stream::{self, StreamExt};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::ResourceExt;
use kube::api::ListParams;
use kube::core::Selector;
use tokio::join;

use super::{Member, Reading, Reason, Snapshot};
use crate::exchange::names;
use crate::kubernetes::{Cause, Cluster, RequestError};

/// As many pods of a set as are looked at: a number is typed more easily than it is reached.
pub const MOST: usize = 50;

/// As many pods with the labels of the set as are listed. Of other workloads may be among them.
const MOST_LISTED: u32 = 500;

/// How many claims are read at once.
const AT_ONCE: usize = 16;

/// The words of the kubectl commands that read the same.
#[must_use]
pub fn kubectl(name: &str) -> [String; 3] {
    [
        format!("get statefulset/{name} -o yaml"),
        "get pods,pvc,services,endpointslices -o wide".to_owned(),
        "get pv".to_owned(),
    ]
}

/// Reads all of it, as it is now. What cannot be read is unknown, with the reason.
///
/// # Errors
/// If the set itself could not be read, and not for want of permission: then there is no cluster to speak of.
pub async fn read(cluster: &Cluster, name: &str) -> Result<Snapshot, RequestError> {
    let mut snapshot = Snapshot { target: Some(name.to_owned()), ..Snapshot::default() };
    snapshot.statefulset = match cluster.get::<StatefulSet>(name).await {
        Err(error) if !matches!(error.cause, Cause::Forbidden(_)) => return Err(error),
        other => other.into(),
    };
    let Some(set) = snapshot.statefulset.present() else { return Ok(snapshot) };
    let service = set.spec.as_ref().and_then(|spec| spec.service_name.clone()).filter(|name| !name.is_empty());
    let (pods, members) = join!(Box::pin(pods(cluster, set)), Box::pin(members(cluster, set)));
    if let Some(service) = service {
        let slices = ListParams::default().labels(&format!("{}={service}", names::OF_SERVICE));
        let (found, slices) = join!(cluster.get(&service), cluster.list::<EndpointSlice>(&slices));
        snapshot.services.insert(service, found.into());
        snapshot.endpoints = slices.map(Some).into();
    }
    Ok(Snapshot { pods, members, ..snapshot })
}

/// Reads the same objects again, as they are now: those of an exchange, or of another set.
///
/// # Errors
/// As above.
pub async fn again(cluster: &Cluster, snapshot: &Snapshot) -> Result<Snapshot, RequestError> {
    match &snapshot.target {
        Some(name) => read(cluster, name).await,
        None => Snapshot::read(cluster).await,
    }
}

/// The names of the pods that a set shall have, in their order.
#[must_use]
pub fn pod_names(set: &StatefulSet) -> Vec<String> {
    let Some(spec) = &set.spec else { return Vec::new() };
    let first = spec.ordinals.as_ref().and_then(|ordinals| ordinals.start).unwrap_or(0);
    let numbers = first..first.saturating_add(spec.replicas.unwrap_or(1));
    numbers.take(MOST).map(|number| format!("{}-{number}", set.name_any())).collect()
}

/// The pods that the set controls, and those that have the name of one: a pod whose labels were changed is in its way.
async fn pods(cluster: &Cluster, set: &StatefulSet) -> Reading<Vec<Pod>> {
    let selector = set.spec.as_ref().map(|spec| spec.selector.clone()).unwrap_or_default();
    let selector: Selector = match selector.try_into() {
        Ok(selector) => selector,
        Err(error) => return Reading::Unknown(Reason::Failed(format!("its selector: {error}"))),
    };
    let listed = cluster.list::<Pod>(&ListParams::default().labels_from(&selector).limit(MOST_LISTED)).await;
    let mut pods = match listed {
        Ok(pods) => pods,
        Err(error) => return Reading::Unknown(error.into()),
    };
    let names = pod_names(set);
    pods.retain(|pod| names.contains(&pod.name_any()) || is_controlled(set, pod));
    let lacking = names.into_iter().filter(|name| !pods.iter().any(|pod| pod.name_any() == *name));
    let others = stream::iter(lacking.collect::<Vec<_>>())
        .map(|name| async move { cluster.get::<Pod>(&name).await.ok().flatten() })
        .buffered(AT_ONCE);
    pods.extend(others.filter_map(|pod| async move { pod }).collect::<Vec<_>>().await);
    Reading::Present(pods)
}

fn is_controlled(set: &StatefulSet, pod: &Pod) -> bool {
    pod.owner_references()
        .iter()
        .any(|owner| owner.controller == Some(true) && Some(&owner.uid) == set.metadata.uid.as_ref())
}

/// Each claim of each pod, with its volume.
async fn members(cluster: &Cluster, set: &StatefulSet) -> Vec<Member> {
    let members = stream::iter(claims(set)).map(|(pod, claim)| async move {
        let member = Member::new((&pod, &claim));
        let claim = Reading::from(cluster.get::<PersistentVolumeClaim>(&claim).await);
        let member = Member { claim, ..member };
        match member.volume_name() {
            Some(volume) => Member { volume: cluster.get(volume).await.into(), ..member },
            None => member,
        }
    });
    members.buffered(AT_ONCE).collect().await
}

/// The claims of the set: those that it creates for each pod, and those that its template names for all.
fn claims(set: &StatefulSet) -> Vec<(String, String)> {
    let Some(spec) = &set.spec else { return Vec::new() };
    let pods = pod_names(set);
    let templates = spec.volume_claim_templates.iter().flatten().map(ResourceExt::name_any);
    let created: Vec<_> =
        templates.flat_map(|template| pods.iter().map(move |pod| (pod.clone(), format!("{template}-{pod}")))).collect();
    let volumes = spec.template.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let named = volumes.filter_map(|volume| Some(volume.persistent_volume_claim.as_ref()?.claim_name.clone()));
    let shared = pods.first().cloned().into_iter().flat_map(|pod| named.clone().map(move |claim| (pod.clone(), claim)));
    created.into_iter().chain(shared).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_pod_has_a_claim_of_each_template_and_all_have_the_named_ones() {
        let set: StatefulSet = serde_json::from_value(json!({
            "metadata": { "name": "redis" },
            "spec": {
                "replicas": 2, "ordinals": { "start": 5 }, "selector": {},
                "template": { "spec": { "containers": [], "volumes": [
                    { "name": "shared", "persistentVolumeClaim": { "claimName": "library" } }, { "name": "none", "emptyDir": {} }] } },
                "volumeClaimTemplates": [{ "metadata": { "name": "data" } }, { "metadata": { "name": "log" } }],
            },
        }))
        .unwrap();
        let found: Vec<_> = claims(&set).into_iter().map(|(pod, claim)| format!("{pod} {claim}")).collect();
        assert_eq!(
            found,
            [
                "redis-5 data-redis-5",
                "redis-6 data-redis-6",
                "redis-5 log-redis-5",
                "redis-6 log-redis-6",
                "redis-5 library"
            ]
        );
    }

    #[test]
    fn a_number_that_nobody_means_reads_no_thousands_of_claims() {
        let set = json!({ "metadata": { "name": "a" }, "spec": { "replicas": 2_000_000_000, "selector": {}, "template": {} } });
        assert_eq!(pod_names(&serde_json::from_value(set).unwrap()).len(), MOST);
    }
}
