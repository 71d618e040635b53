//! Level 1 of the lesson: a database without a volume.

use k8s_openapi::api::core::v1::{Pod, PodSpec, Volume};
use kube::ResourceExt;

use super::live::{self, Live};
use super::shown::{self, Fact, PODS, Shown, Table};
use super::{Look, Topic};
use crate::exchange::names;
use crate::observe::container;

pub const TOPIC: Topic = Topic {
    name: "level-1",
    title: "Level 1: a database whose data is lost with its pod",
    question: Some(1),
    idea: [
        "In Level 1, the database runs in a Deployment, and its data is in an emptyDir: a directory that belongs to the pod.",
        "Data in an emptyDir survives a restart of the container, and is lost when the pod is deleted.",
        "In Level 2, the data is on a volume outside the pod, so the next pod finds it.",
    ],
    shows,
    not_shown,
    by_hand: &[
        Look::in_namespace(
            "see which volumes the pod of the database has, in the part Volumes",
            "describe pod/postgres-0",
        ),
        Look::in_namespace("see how often its container was restarted, in the column RESTARTS", "get pod/postgres-0"),
        Look::of_cluster("read what an emptyDir is", "explain pod.spec.volumes.emptyDir"),
    ],
};

const COLUMNS: &[&str] = &["POD", "DIRECTORY", "IS-IN", "LOST-WITH-POD"];

fn shows(live: &Live) -> Vec<Shown> {
    shown::of(PODS, &live.snapshot.pods, |_| {
        let pods = || live.set_pods().chain(names::DEPLOYMENTS.into_iter().flat_map(|app| live.snapshot.pods_of(app)));
        let rows: Vec<_> = pods().flat_map(rows).collect();
        if pods().next().is_none() {
            return vec![Fact::new(PODS, "is empty").into()];
        }
        let mut all = Vec::new();
        if !rows.is_empty() {
            all.push(Table { columns: COLUMNS, rows }.into());
        }
        all.extend(live.set_pods().filter_map(of_data));
        all.extend(live.set_pods().filter_map(of_restarts));
        all
    })
}

/// Each directory of a pod that is in a claim or an emptyDir.
fn rows(pod: &Pod) -> Vec<Vec<String>> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let row = |volume: &Volume| {
        let (is_in, is_lost) = match &volume.persistent_volume_claim {
            Some(claim) => (format!("claim {}", claim.claim_name), "no"),
            None => (volume.empty_dir.as_ref().map(|_| "emptyDir".to_owned())?, "yes"),
        };
        let path = live::mounted_at(spec, &volume.name)?;
        Some(vec![pod.name_any(), path.to_owned(), is_in, is_lost.to_owned()])
    };
    spec.volumes.iter().flatten().filter_map(row).collect()
}

/// Where the database has its files.
fn of_data(pod: &Pod) -> Option<Shown> {
    let spec = pod.spec.as_ref()?;
    let volume = data_volume(spec)?;
    let object = live::reference(pod);
    let claim = volume.persistent_volume_claim.as_ref().map(|claim| claim.claim_name.as_str());
    let fact = match claim {
        Some(claim) => Fact::new(object, format!("has its database in the claim {claim}, so it is Level 2"))
            .because("volumes.persistentVolumeClaim.claimName", claim),
        None => Fact::new(object, "has its database on no claim, as in Level 1").because("volumes.name", &volume.name),
    };
    Some(fact.into())
}

/// The volume in which the database has its files.
fn data_volume(spec: &PodSpec) -> Option<&Volume> {
    let is_data = |volume: &&Volume| live::mounted_at(spec, &volume.name) == Some(names::DATA_PATH);
    spec.volumes.iter().flatten().find(is_data)
}

/// How often the pod lived on while its container began again.
fn of_restarts(pod: &Pod) -> Option<Shown> {
    let count = restarts(pod).filter(|count| *count > 0)?;
    let fact = Fact::new(live::reference(pod), "is still the same pod after a restart of its container");
    Some(fact.because("status.containerStatuses.restartCount", count.to_string()).into())
}

fn restarts(pod: &Pod) -> Option<i32> {
    container::status(pod, names::POSTGRES).map(|status| status.restart_count)
}

fn not_shown(live: &Live) -> Vec<String> {
    let is_level_one = |pod: &Pod| {
        let volume = pod.spec.as_ref().and_then(data_volume);
        volume.is_some_and(|volume| volume.persistent_volume_claim.is_none())
    };
    let mut all = Vec::from_iter(live.without_pod());
    if !live.set_pods().any(is_level_one) {
        let demo = "persistence-demo --contrast creates one for some minutes";
        all.push(format!("Level 1 itself: no database here has its data in an emptyDir ({demo})"));
    }
    if live.set_pods().next().is_some() && live.set_pods().all(|pod| restarts(pod) == Some(0)) {
        all.push("a restart of the container: the container of the database has not been restarted".to_owned());
    }
    all
}
