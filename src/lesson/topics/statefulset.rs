//! A StatefulSet: pods that keep their names.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use super::live::{self, Live};
use super::shown::{self, Fact, PODS, Shown, Table};
use super::{Look, Topic};
use crate::exchange::names;
use crate::observe::target::pod_names;

pub const TOPIC: Topic = Topic {
    name: "statefulset",
    title: "StatefulSet: pods that keep their names and their storage",
    question: Some(1),
    idea: [
        "A StatefulSet gives each pod a fixed name: the name of the set and a number.",
        "When a pod is deleted, the set creates a new pod with the same name, and it uses the same storage.",
        "A Deployment gives each new pod another name, so no client can rely on one pod.",
    ],
    shows,
    not_shown,
    by_hand: &[
        Look::in_namespace(
            "see who created each pod, and what the name looks like",
            "get pods -o custom-columns=NAME:.metadata.name,CREATED-BY:.metadata.ownerReferences[0].kind",
        ),
        Look::in_namespace("see the set", "get statefulset/postgres -o wide"),
        Look::of_cluster(
            "read how a set can give each pod a claim of its own",
            "explain statefulset.spec.volumeClaimTemplates",
        ),
    ],
};

const COLUMNS: &[&str] = &["POD", "CREATED-BY", "CLAIM"];

fn shows(live: &Live) -> Vec<Shown> {
    let mut all = shown::of(PODS, &live.snapshot.pods, |pods| of_pods(pods));
    all.extend(shown::of(&live.snapshot.set_reference(), &live.snapshot.statefulset, |set| of_set(live, set)));
    all.extend(of_deployment(live));
    all
}

fn of_pods(pods: &[Pod]) -> Vec<Shown> {
    if pods.is_empty() {
        return vec![Fact::new(PODS, "is empty").into()];
    }
    let row = |pod: &Pod| {
        let claims = pod.spec.iter().flat_map(live::claims).map(|(_, claim)| claim).collect::<Vec<_>>();
        vec![pod.name_any(), live::owner(pod).unwrap_or_default(), claims.join(",")]
    };
    let mut rows: Vec<_> = pods.iter().map(row).collect();
    // The set's pods first.
    rows.sort_by_key(|row| (!row[1].starts_with("statefulset/"), row[0].clone()));
    vec![Table { columns: COLUMNS, rows }.into()]
}

fn of_set(live: &Live, set: &StatefulSet) -> Vec<Shown> {
    let object = live.snapshot.set_reference();
    let names = pod_names(set);
    let replicas = live.replicas().unwrap_or(1);
    let keeps = match names.as_slice() {
        [] => "keeps no pod".to_owned(),
        [one] => format!("keeps one pod, always with the name {one}"),
        [first, .., last] => format!("keeps {replicas} pods, always with the names {first} to {last}"),
    };
    let mut all = vec![Fact::new(&object, keeps).because("spec.replicas", replicas.to_string()).into()];
    let templates = live.claim_templates().unwrap_or_default();
    if !templates.is_empty() {
        let fact = Fact::new(&object, "creates a claim for each pod, which stays with the pod's name");
        all.push(fact.because("spec.volumeClaimTemplates", templates.join(",")).into());
    }
    let pod = set.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let shared = pod.into_iter().flat_map(live::claims);
    all.extend(shared.map(|(_, claim)| {
        let fact = Fact::new(&object, format!("gives each new pod the claim {claim}"));
        fact.because("volumes.persistentVolumeClaim.claimName", claim).into()
    }));
    all
}

/// For contrast: a pod whose name nobody knows before it is there.
fn of_deployment(live: &Live) -> Option<Shown> {
    let pod = live.snapshot.pods_of(names::BACKEND).next()?;
    let owner = live::owner(pod)?;
    let name = owner.strip_prefix("replicaset/")?;
    let fact = Fact::new(live::reference(pod), "has a name with a random end, so the next pod has another one");
    Some(
        fact.because("metadata.ownerReferences.kind", "ReplicaSet")
            .because("metadata.ownerReferences.name", name)
            .into(),
    )
}

fn not_shown(live: &Live) -> Vec<String> {
    let mut all = Vec::from_iter(live.without_pod());
    if live.replicas() == Some(1) {
        all.push("several numbers: this set has one pod, and so only the number 0".to_owned());
    }
    if live.claim_templates().is_some_and(|templates| templates.is_empty()) {
        all.push("a claim for each pod: this set has no volumeClaimTemplates, so its pods share one claim".to_owned());
    }
    all.push("the new pod with the old name: the pod must be deleted first, which persistence-demo does".to_owned());
    all
}
