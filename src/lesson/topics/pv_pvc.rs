//! A volume and its claim: storage that outlives its pod.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec};
use kube::ResourceExt;

use super::live::{self, Live};
use super::shown::{self, Fact, PODS, Shown};
use super::{Look, Topic};
use crate::observe::{Member, Reading};

pub const TOPIC: Topic = Topic {
    name: "pv-pvc",
    title: "PersistentVolume and PersistentVolumeClaim: storage that outlives its pod",
    question: Some(5),
    idea: [
        "A PersistentVolume (PV) is a piece of storage, and a PersistentVolumeClaim (PVC) asks for one.",
        "Kubernetes binds the claim to one volume, and both stay when the pod that uses them is deleted.",
        "The next pod names the same claim, so it gets the same volume and finds the same data.",
    ],
    shows,
    not_shown,
    by_hand: &[
        Look::in_namespace("see the claim, and which volume it is bound to", "get pvc/postgres-pvc"),
        Look::in_namespace("see which pod uses the claim, in the line Used By", "describe pvc/postgres-pvc"),
        Look::of_cluster("see the volumes of the cluster, if you may read them", "get persistentvolume"),
    ],
};

fn shows(live: &Live) -> Vec<Shown> {
    let mut all = of_pods(live);
    for member in &live.snapshot.members {
        all.extend(of_member(live, member));
    }
    all
}

/// Which claim each pod of the set uses.
fn of_pods(live: &Live) -> Vec<Shown> {
    shown::of(PODS, &live.snapshot.pods, |_| {
        let of_pod = |pod| {
            let claims = pod_claims(pod).into_iter();
            claims.map(|claim| {
                let fact = Fact::new(live::reference(pod), format!("uses the claim {claim}"));
                fact.because("volumes.persistentVolumeClaim.claimName", claim).into()
            })
        };
        live.set_pods().flat_map(of_pod).collect()
    })
}

fn pod_claims(pod: &k8s_openapi::api::core::v1::Pod) -> Vec<&str> {
    pod.spec.iter().flat_map(live::claims).map(|(_, claim)| claim).collect()
}

fn of_member(live: &Live, member: &Member) -> Vec<Shown> {
    let object = format!("pvc/{}", member.claim_name);
    let mut all = shown::of(&object, &member.claim, |claim| of_claim(&object, claim));
    let volume = member.volume_name().map_or_else(|| "the volume".to_owned(), |name| format!("pv/{name}"));
    // Without a claim, a volume of the usual name says nothing of it.
    if matches!(member.claim, Reading::Present(_)) && member.volume_name().is_some() {
        all.extend(shown::of(&volume, &member.volume, |found| of_volume(live, &volume, found)));
    }
    all
}

fn of_claim(object: &str, claim: &PersistentVolumeClaim) -> Vec<Shown> {
    let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref());
    let volume = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref());
    let bound = match (phase, volume) {
        (Some("Bound"), Some(volume)) => format!("is bound to the volume {volume}"),
        (_, Some(volume)) => format!("is not bound, and waits for the volume {volume}"),
        (_, None) => "is not bound, and has no volume yet".to_owned(),
    };
    let bound = Fact::new(object, bound).because_of("spec.volumeName", volume).because_of("status.phase", phase);
    let owners: Vec<_> =
        claim.owner_references().iter().map(|owner| format!("{}/{}", owner.kind, owner.name)).collect();
    let owned = if owners.is_empty() {
        Fact::new(object, "stays when a pod is deleted: no object owns it").because_unset("metadata.ownerReferences")
    } else {
        let owners = owners.join(",");
        Fact::new(object, format!("is deleted with {owners}")).because("metadata.ownerReferences", owners)
    };
    vec![bound.into(), owned.into()]
}

fn of_volume(live: &Live, object: &str, volume: &PersistentVolume) -> Vec<Shown> {
    let Some(spec) = &volume.spec else { return Vec::new() };
    let mut all = Vec::new();
    if let Some(claim) = &spec.claim_ref {
        let (namespace, name) =
            (claim.namespace.as_deref().unwrap_or_default(), claim.name.as_deref().unwrap_or_default());
        let says = format!("belongs to the claim {name} of namespace {namespace}, and to no other");
        all.push(Fact::new(object, says).because("spec.claimRef", format!("{namespace}/{name}")).into());
    }
    let policy = spec.persistent_volume_reclaim_policy.as_deref().unwrap_or("Retain");
    let says = if policy == "Retain" {
        "keeps its data even when the claim is deleted"
    } else {
        "is deleted with its data when the claim is deleted, but not when a pod is"
    };
    all.push(Fact::new(object, says).because("spec.persistentVolumeReclaimPolicy", policy).into());
    all.extend(of_source(live, object, spec));
    all
}

/// Where the data is.
fn of_source(live: &Live, object: &str, spec: &PersistentVolumeSpec) -> Option<Shown> {
    let node = live.set_pods().find_map(|pod| pod.spec.as_ref()?.node_name.as_deref());
    let here = format!("has its data in a directory of {}", node.unwrap_or("a node"));
    let fact = if let Some(source) = &spec.host_path {
        Fact::new(object, here).because("spec.hostPath.path", &source.path)
    } else if let Some(source) = &spec.local {
        Fact::new(object, here).because("spec.local.path", &source.path)
    } else if let Some(source) = &spec.csi {
        Fact::new(object, "has its data where a driver keeps it").because("spec.csi.driver", &source.driver)
    } else if let Some(source) = &spec.nfs {
        Fact::new(object, "has its data in a directory of a file server").because("spec.nfs.server", &source.server)
    } else {
        return None;
    };
    Some(fact.into())
}

fn not_shown(live: &Live) -> Vec<String> {
    let mut all = Vec::from_iter(live.without_pod());
    let volumes = || live.snapshot.members.iter().map(|member| &member.volume);
    if volumes().any(|volume| matches!(volume, Reading::Unknown(_))) {
        all.push("what is behind the claim: the volume could not be read".to_owned());
    }
    if live.snapshot.claims().any(is_without_class) {
        all.push("a volume that is created for a claim: this claim asks for a volume that is there already".to_owned());
    } else if live.snapshot.claims().next().is_some() {
        all.push("a volume that was there before its claim: this claim asks a StorageClass for a volume".to_owned());
    }
    all.push("the data in a new pod: the pod must be deleted first, which persistence-demo does".to_owned());
    all
}

/// Whether the claim asks for a volume that is there.
fn is_without_class(claim: &PersistentVolumeClaim) -> bool {
    claim.spec.as_ref().is_some_and(|spec| spec.storage_class_name.as_deref() == Some(""))
}
