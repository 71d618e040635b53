//! Where nothing is wrong, nothing is found.

use std::thread;

use super::SOON;
use super::doctor::Report;
use super::place::Place;
use crate::support::class::enrolled;
use crate::support::deployed::deployed;
use crate::support::kubectl;
use crate::support::plugin::ends;
use crate::support::scene::Scene;
use crate::support::wait::until;

/// A guard of a pod that is alone, and a policy that forbids nothing.
const AROUND: &str = "
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: postgres, namespace: NAMESPACE}
spec:
  minAvailable: 1
  selector: {matchLabels: {app: postgres}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: NAMESPACE}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress: [{}]
  egress: [{}]
";

/// What `doctor` says of a database that takes longer than the backend waits.
const LATE: &str = "no answer in time";

/// As many as take longer than `doctor`.
const PURCHASES: usize = 50;

/// Asks again while the database is late: on a machine that other tests keep busy that is so, and no mistake of `doctor`.
#[track_caller]
fn finds_nothing(place: Place, flags: &str) {
    let report = until("the database answers in time", SOON, || {
        let report = Report::by(place, flags);
        let is_late = report.findings.iter().any(|it| it.code == "database-unreachable" && it.says.contains(LATE));
        if is_late { Err(report.line()) } else { Ok(report) }
    });
    assert!(report.is_quiet(), "{}", report.line());
}

#[test]
fn of_a_running_exchange_and_its_surroundings() {
    let scene = deployed("kc-faults-quiet");
    let place = Place { namespace: scene.namespace() };
    finds_nothing(place, "");

    kubectl::apply(&AROUND.replace("NAMESPACE", place.namespace));
    until("the budget counts", SOON, || place.has("pdb/postgres", "/status/currentHealthy", "1"));
    finds_nothing(place, "");

    under_load(place);

    for deployment in ["backend", "frontend"] {
        place.kubectl(&format!("rollout restart deployment/{deployment}"));
        until("a rollout", SOON, || {
            finds_nothing(place, "");
            place.has_rolled_out(deployment)
        });
        finds_nothing(place, "");
    }
    ends(place.namespace, "teardown --delete-data --yes", 0);
}

/// While users buy coins, one after another.
fn under_load(place: Place) {
    place.opens_wallet();
    thread::scope(|scope| {
        let buyer = scope.spawn(|| (0..PURCHASES).try_for_each(|_| place.buys()));
        while !buyer.is_finished() {
            finds_nothing(place, "");
        }
        assert_eq!(buyer.join().expect("the buyer ends"), Ok(()));
    });
}

/// Who may edit a namespace and nothing else has storage that the cluster makes.
#[test]
fn of_the_exchange_of_a_student() {
    let scene = Scene::without_namespace("kc-faults-student");
    let student = format!("--as {}", enrolled(scene.namespace()));
    ends(scene.namespace(), &format!("deploy {student} --init-db --timeout 3m"), 0);
    let place = Place { namespace: scene.namespace() };
    finds_nothing(place, &student);
    finds_nothing(place, "");
    // Its volume goes with its claim: that is no fault, and worth knowing.
    assert!(Report::of(place).codes().contains(&"reclaim-delete"));
    ends(scene.namespace(), &format!("teardown {student} --delete-data --yes"), 0);
}
