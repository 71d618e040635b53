//! A `StorageClass`: who creates a volume for a claim.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::ResourceExt;

use super::live::Live;
use super::shown::{self, Fact, Shown, Table};
use super::{Look, Topic};
use crate::exchange::marks::is_default;
use crate::observe::Reading;

pub const TOPIC: Topic = Topic {
    name: "storage-class",
    title: "StorageClass: who creates the volume for a claim",
    question: None,
    idea: [
        "A StorageClass names a provisioner: a program that creates a volume for each claim that asks for the class.",
        "A claim that names no class gets the default class of the cluster, if there is one.",
        "A claim whose storageClassName is the empty text gets no class: it waits for a volume that somebody creates.",
    ],
    shows,
    not_shown,
    by_hand: &[
        Look::in_namespace(
            "see which class the claim asks for",
            "get pvc/postgres-pvc -o custom-columns=CLAIM:.metadata.name,CLASS:.spec.storageClassName,VOLUME:.spec.volumeName",
        ),
        Look::of_cluster("see the classes of the cluster, if you may read them", "get storageclasses"),
        Look::of_cluster("read what a claim says of its class", "explain pvc.spec.storageClassName"),
    ],
};

/// What is read of the cluster.
const CLASSES: &str = "the list of StorageClasses";

const COLUMNS: &[&str] = &["CLASS", "IS-DEFAULT", "PROVISIONER", "RECLAIM-POLICY", "CREATES-A-VOLUME"];

fn shows(live: &Live) -> Vec<Shown> {
    let mut all = shown::of(CLASSES, &live.classes, |classes| of_classes(classes));
    for member in &live.snapshot.members {
        let object = format!("pvc/{}", member.claim_name);
        all.extend(shown::of(&object, &member.claim, |claim| vec![of_claim(&object, claim)]));
        all.extend(member.volume.present().filter(|_| member.volume_name().is_some()).map(of_volume));
    }
    all
}

fn of_classes(classes: &[StorageClass]) -> Vec<Shown> {
    if classes.is_empty() {
        return vec![Fact::new(CLASSES, "is empty").into()];
    }
    let row = |class: &StorageClass| {
        let when = match class.volume_binding_mode.as_deref() {
            Some("WaitForFirstConsumer") => "for the first pod",
            _ => "at once",
        };
        let policy = class.reclaim_policy.as_deref().unwrap_or("Delete");
        let is_default = if is_default(class) { "yes" } else { "no" };
        [&class.name_any(), is_default, &class.provisioner, policy, when].map(str::to_owned).to_vec()
    };
    vec![Table { columns: COLUMNS, rows: classes.iter().map(row).collect() }.into()]
}

/// The class of a claim; none if it names none.
fn class(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.spec.as_ref()?.storage_class_name.as_deref()
}

fn of_claim(object: &str, claim: &PersistentVolumeClaim) -> Shown {
    let says = match class(claim) {
        None => "names no class, and the cluster gave it none".to_owned(),
        Some("") => "asks for no class: only a volume that somebody created can be bound to it".to_owned(),
        Some(class) => format!("asks for a volume of the class {class}"),
    };
    Fact::new(object, says).because_of("spec.storageClassName", class(claim)).into()
}

/// The annotation of a volume with the provisioner that created it.
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

fn of_volume(volume: &PersistentVolume) -> Shown {
    let object = format!("pv/{}", volume.name_any());
    match volume.annotations().get(PROVISIONED_BY) {
        Some(by) => {
            let says = format!("was created by the provisioner {by}");
            Fact::new(object, says).because("annotation pv.kubernetes.io/provisioned-by", by).into()
        }
        None => Fact::new(object, "was created by hand or by deploy, and not by a provisioner")
            .because_unset("annotation pv.kubernetes.io/provisioned-by")
            .into(),
    }
}

fn not_shown(live: &Live) -> Vec<String> {
    let mut all = Vec::new();
    if !matches!(live.classes, Reading::Present(_)) {
        all.push("which classes there are, and which is the default one: they could not be read".to_owned());
    }
    if let Reading::Present(classes) = &live.classes
        && !classes.iter().any(is_default)
    {
        all.push("the default class: this cluster has none".to_owned());
    }
    let is_static = |claim: &PersistentVolumeClaim| class(claim).is_none_or(str::is_empty);
    if live.snapshot.claims().any(is_static) {
        let how = "deploy --storage-class in another namespace uses one";
        all.push(format!("a provisioner that creates a volume: this claim has no class ({how})"));
    } else if live.snapshot.claims().next().is_some() {
        all.push("a claim without a class: this claim has one".to_owned());
    }
    all
}
