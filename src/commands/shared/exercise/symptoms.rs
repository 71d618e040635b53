//! What is seen of a fault from outside: by who opens the page, and in the tables of kubectl. It names no field and no cause.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use kube::{Resource, ResourceExt};
use serde::Serialize;

use crate::commands::shared::look::Look;
use crate::exchange::names;
use crate::observe::path::Path;
use crate::observe::{Member, Reading, Snapshot, container, readiness};
use crate::output::{Line, Role};

/// What is told while an exercise runs.
#[derive(Clone, Debug, Serialize)]
pub struct Symptoms {
    /// The number of the exercise that runs.
    pub exercise: u8,
    /// What is seen, each in a line.
    pub symptoms: Vec<String>,
}

impl Symptoms {
    /// Those of an exchange.
    #[must_use]
    pub fn new(exercise: u8, look: &Look) -> Self {
        Self { exercise, symptoms: symptoms(look) }
    }

    /// Those that the objects alone show: no request was sent through the page.
    #[must_use]
    pub fn of_objects(exercise: u8, snapshot: &Snapshot) -> Self {
        Self { exercise, symptoms: seen(snapshot, &Reading::NotAsked) }
    }

    /// As lines for people.
    pub fn lines(&self) -> impl Iterator<Item = Line> {
        let symptoms = self.symptoms.iter().map(|symptom| Line::from(format!("  {symptom}")));
        [self.heading()].into_iter().chain(symptoms)
    }

    /// That an exercise runs.
    #[must_use]
    pub fn heading(&self) -> Line {
        let runs = format!("exercise {} runs: ", self.exercise);
        Line::default().and(Role::Title, runs).and(Role::Plain, "symptoms are shown, causes are not")
    }

    /// The same, for a line that has more.
    pub fn words(&self) -> impl Iterator<Item = String> {
        [format!("exercise {} runs", self.exercise)].into_iter().chain(self.symptoms.iter().cloned())
    }
}

/// What is seen: where a request stops, and what is not ready. If that is nothing, what was looked at.
#[must_use]
pub fn symptoms(look: &Look) -> Vec<String> {
    seen(&look.snapshot, &look.details.path)
}

fn seen(snapshot: &Snapshot, path: &Reading<Path>) -> Vec<String> {
    let seen = [of_request(path), of_workloads(snapshot), of_pods(snapshot), of_claims(snapshot)].concat();
    if seen.is_empty() { vec![checked(path)] } else { seen }
}

/// What shows no symptom.
fn checked(path: &Reading<Path>) -> String {
    let request = match path {
        Reading::Present(_) => "a request went from the page to the database",
        Reading::Absent | Reading::Unknown(_) | Reading::NotAsked => "no request was sent through the page",
    };
    format!("no symptom in what could be read of workloads, pods and claims; {request}")
}

/// Where a request through the page stops.
fn of_request(path: &Reading<Path>) -> Vec<String> {
    let Some(path) = path.present() else { return Vec::new() };
    let says = match path {
        Path::Answered(connection) if connection.database.wallets_table => return Vec::new(),
        Path::Answered(_) => "the page and the backend answer, but the database has no table wallets",
        Path::NoDatabase { .. } => {
            "the page and the backend answer, but the backend gets no connection to the database"
        }
        Path::NoBackend => "the page answers, but no backend answers behind it",
        Path::NoPage(_) => "the page does not answer",
        Path::Other(_) => "something answers in the place of the page",
    };
    vec![says.to_owned()]
}

/// Which workloads have not all their pods, or are still updated.
fn of_workloads(snapshot: &Snapshot) -> Vec<String> {
    let of_set = |set: &StatefulSet| {
        let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        let status = set.status.as_ref();
        let ready = status.and_then(|status| status.ready_replicas).unwrap_or(0);
        let updated = status.and_then(|status| status.updated_replicas).unwrap_or(0);
        pods(wanted, ready, updated, readiness::statefulset(set))
    };
    let of_deployment = |deployment: &Deployment| {
        let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        let status = deployment.status.as_ref();
        let ready = status.and_then(|status| status.ready_replicas).unwrap_or(0);
        let updated = status.and_then(|status| status.updated_replicas).unwrap_or(0);
        pods(wanted, ready, updated, readiness::deployment(deployment))
    };
    let set = (snapshot.set_reference(), snapshot.statefulset.map(of_set));
    let deployments = names::DEPLOYMENTS.into_iter().filter_map(|app| {
        let reading = snapshot.deployments.get(app)?;
        Some((format!("deployment/{app}"), reading.map(of_deployment)))
    });
    let services = names::SERVICES.into_iter().filter_map(|name| {
        let reading = snapshot.services.get(name)?;
        Some((format!("service/{name}"), reading.map(|_| None)))
    });
    let all = [set].into_iter().chain(deployments).chain(services);
    all.filter_map(|(object, reading)| known(&object, reading)).collect()
}

/// How many pods of a workload are ready, or of its newest revision, if that is not all.
fn pods(wanted: i32, ready: i32, updated: i32, is_complete: bool) -> Option<String> {
    match () {
        () if ready < wanted => Some(format!("{ready} of {wanted} ready")),
        () if is_complete => None,
        () if updated < wanted => Some(format!("its rollout has not ended: {updated} of {wanted} updated")),
        () => Some("its rollout has not ended".to_owned()),
    }
}

/// Pods that are not ready, each with its word.
fn of_pods(snapshot: &Snapshot) -> Vec<String> {
    let all = snapshot.pods.present().into_iter().flatten();
    all.filter(|pod| !readiness::pod(pod)).map(|pod| format!("pod/{}: {}", pod.name_any(), word(pod))).collect()
}

fn word(pod: &Pod) -> String {
    let app = pod.labels().get(names::APP).map(String::as_str).unwrap_or_default();
    match container::word(pod, app).as_str() {
        "" => "not ready".to_owned(),
        "Running" => "Running, but not ready".to_owned(),
        word => word.to_owned(),
    }
}

/// Claims without a volume.
fn of_claims(snapshot: &Snapshot) -> Vec<String> {
    let of_member = |member: &Member| {
        let phase = member.claim.map(|claim| {
            let is_ending = claim.meta().deletion_timestamp.is_some();
            let phase = claim.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
            let word = if is_ending { "Terminating".to_owned() } else { phase };
            (word != "Bound").then_some(word)
        });
        known(&member.claim_reference(), phase)
    };
    snapshot.members.iter().filter_map(of_member).collect()
}

/// What is said of an object: nothing of one that could not be read.
fn known(object: &str, says: Reading<Option<String>>) -> Option<String> {
    match says {
        Reading::Present(says) => says.map(|says| format!("{object}: {says}")),
        Reading::Absent => Some(format!("{object}: not found")),
        Reading::Unknown(_) | Reading::NotAsked => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::shared::look::{Read, Scope};
    use crate::dns::Names;
    use crate::findings::{self, Depth};
    use crate::kubernetes::{ByHand, Place};
    use crate::observe::Reason;
    use crate::observe::saved::Case;

    fn look(case: &str) -> Look {
        let case = Case::<Names>::parse(case).unwrap();
        let [context, server] = [String::new(), String::new()];
        let Case { namespace, snapshot, details, names, read_at, .. } = case;
        let place = Place { context, namespace, server, flags: Vec::new(), by_hand: ByHand::default() };
        Look::judge(Read { snapshot, details, names, now: read_at }, &place, Scope::from(Depth::Around))
    }

    macro_rules! seen {
        ($code:literal) => {
            symptoms(&look(include_str!(concat!("../../../../tests/findings/", $code, "/case.json"))))
        };
    }

    #[test]
    fn a_healthy_exchange_shows_what_was_looked_at() {
        let said = "no symptom in what could be read of workloads, pods and claims; ";
        assert_eq!(seen!("healthy"), [format!("{said}a request went from the page to the database")]);
        let mut unread = look(include_str!("../../../../tests/findings/healthy/case.json"));
        unread.details.path = Reading::Unknown(Reason::Failed("no".to_owned()));
        assert_eq!(symptoms(&unread), [format!("{said}no request was sent through the page")]);
        unread.snapshot.pods = Reading::Unknown(Reason::Forbidden("no".to_owned()));
        unread.snapshot.statefulset = Reading::Unknown(Reason::Forbidden("no".to_owned()));
        assert_eq!(symptoms(&unread), [format!("{said}no request was sent through the page")]);
    }

    #[test]
    fn what_stops_a_request_and_is_not_ready_is_seen() {
        let database = "the page and the backend answer, but the backend gets no connection to the database";
        let backend = "the page answers, but no backend answers behind it";
        let (set, deployment) = ("statefulset/postgres: 0 of 1 ready", "deployment/backend: 0 of 1 ready");
        let pending = "pod/postgres-0: Pending";
        assert_eq!(seen!("KC010"), [database, set, pending, "persistentvolumeclaim/postgres-pvc: Pending"]);
        assert_eq!(seen!("KC020"), [database, set]);
        assert_eq!(seen!("KC021"), [database, set, pending]);
        assert_eq!(seen!("KC022"), [backend, deployment, "pod/backend-1: ImagePullBackOff"]);
        assert_eq!(seen!("KC023"), [backend, deployment, "pod/backend-1: CrashLoopBackOff"]);
        let frontend = ["deployment/frontend: 0 of 1 ready", "pod/frontend-1: Running, but not ready"];
        assert_eq!(seen!("KC024"), frontend);
        assert_eq!(seen!("KC050"), [backend]);
        assert_eq!(seen!("KC051"), [backend]);
        assert_eq!(seen!("KC070"), [database]);
    }

    #[test]
    fn no_symptom_names_a_cause() {
        let cases = [
            include_str!("../../../../tests/findings/KC010/case.json"),
            include_str!("../../../../tests/findings/KC023/case.json"),
            include_str!("../../../../tests/findings/KC050/case.json"),
            include_str!("../../../../tests/findings/KC051/case.json"),
        ];
        for case in cases {
            let look = look(case);
            for symptom in symptoms(&look) {
                assert!(!findings::every().any(|cause| symptom.contains(cause.id)), "{symptom}");
                assert!(look.diagnoses.iter().all(|it| !symptom.contains(&it.finding.says)), "{symptom}");
            }
        }
    }

    #[test]
    fn a_rollout_that_does_not_end_is_seen() {
        assert_eq!(pods(1, 1, 0, false).unwrap(), "its rollout has not ended: 0 of 1 updated");
        assert_eq!(pods(1, 1, 1, false).unwrap(), "its rollout has not ended");
        assert_eq!(pods(2, 1, 2, false).unwrap(), "1 of 2 ready");
        assert_eq!(pods(1, 1, 1, true), None);
    }
}
