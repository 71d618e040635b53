//! Faults of sets that are none of an exchange: `doctor --target` names their causes, and finds nothing where nothing is wrong.

use serde_json::json;

use super::SOON;
use super::doctor::Report;
use super::hint;
use super::place::{Place, Seen};
use crate::support::kubectl;
use crate::support::plugin::ends;
use crate::support::scene::Scene;
use crate::support::wait::until;

/// The set that is looked at.
const TARGET: &str = "--target statefulset/store";

/// A set as many charts have it: two pods with two claims each, a sidecar, an init container, and a Service that another set
/// shares.
const STORE: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: store, namespace: NAMESPACE}
spec:
  clusterIP: None
  selector: {part-of: store}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store, namespace: NAMESPACE}
spec:
  serviceName: store
  replicas: 2
  podManagementPolicy: POLICY
  selector: {matchLabels: {app: store}}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 16Mi}}}
  - metadata: {name: log}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 16Mi}}}
  template:
    metadata: {labels: {app: store, part-of: store}}
    spec:
      terminationGracePeriodSeconds: 2
      initContainers:
      - {name: prepare, image: docker.io/library/busybox, command: ["true"]}
      containers:
      - name: main
        image: docker.io/library/busybox
        command: [sh, -c, "trap 'exit 0' TERM; touch /ready; while :; do sleep 1 & wait $!; done"]
        readinessProbe: {exec: {command: [cat, /ready]}, periodSeconds: 1}
        volumeMounts: [{name: data, mountPath: /data}, {name: log, mountPath: /log}]
      - name: sidecar
        image: docker.io/library/busybox
        command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: cache, namespace: NAMESPACE}
spec:
  serviceName: store
  replicas: 1
  selector: {matchLabels: {app: cache}}
  template:
    metadata: {labels: {app: cache, part-of: store}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - name: main
        image: docker.io/library/busybox
        command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]
"#;

/// Both sets, ready.
fn stored(name: &str, policy: &str) -> Scene {
    let scene = Scene::without_namespace(name);
    let place = Place { namespace: scene.namespace() };
    kubectl::ok(&format!("create namespace {}", place.namespace));
    apply(place, policy);
    for set in ["store", "cache"] {
        place.kubectl(&format!("rollout status statefulset/{set} --timeout 180s"));
    }
    scene
}

fn apply(place: Place, policy: &str) {
    kubectl::apply(&STORE.replace("NAMESPACE", place.namespace).replace("POLICY", policy));
}

fn asked(place: Place) -> Report {
    Report::by(place, TARGET)
}

/// Waits until it finds nothing that is wrong.
fn is_quiet(place: Place) {
    until("it is quiet", SOON, || match asked(place) {
        report if report.is_quiet() => Ok(()),
        report => Err(report.line()),
    });
}

/// Waits until a fault has taken effect and `doctor` names this cause alone, and gives what it says.
fn named(place: Place, code: &str, holds: impl Fn() -> Seen) -> Report {
    until(&format!("the fault of {code}"), SOON, holds);
    let mut found = None;
    until(code, SOON, || {
        let report = asked(place);
        if report.causes() == [code] {
            found = Some(report);
            return Ok(());
        }
        Err(report.line())
    });
    found.expect("a report")
}

/// Follows the hint of what was found.
fn follow(report: &Report, code: &str) {
    let found = report.findings.iter().filter(|it| it.code == code);
    for command in found.flat_map(|it| hint::commands(&it.hint)) {
        hint::follow(&command);
    }
}

fn waits(place: Place, reasons: &[&str]) -> Seen {
    place.any_pod("store", |pod| {
        let status = &pod["status"];
        let all = [&status["containerStatuses"], &status["initContainerStatuses"]].map(|it| it.as_array().cloned());
        all.into_iter().flatten().flatten().any(|container| {
            let reason = container["state"]["waiting"]["reason"].as_str();
            reason.is_some_and(|reason| reasons.contains(&reason))
        })
    })
}

#[test]
fn of_its_names_and_its_pods() {
    let scene = stored("kc-faults-target-names", "OrderedReady");
    let place = Place { namespace: scene.namespace() };
    is_quiet(place);

    place.kubectl("delete service/store");
    let report = named(place, "service-name", || place.lacks("service/store"));
    follow(&report, "service-name");
    is_quiet(place);

    place.patch("service/store", &json!({ "spec": { "selector": { "app": "nobody" } } }));
    named(place, "selector-matches-nothing", || place.leads_nowhere("store"));
    place.patch("service/store", &json!({ "spec": { "selector": { "app": "store" } } }));
    is_quiet(place);

    place.kubectl("label pod/store-1 app=other --overwrite");
    let report = named(place, "orphaned-pod", || place.has("statefulset/store", "/status/replicas", "1"));
    assert!(report.line().contains("label pod/store-1"), "{}", report.line());
    ends(place.namespace, &format!("doctor {TARGET} --fix orphaned-pod --yes"), 0);
    is_quiet(place);

    // Who scales it to 0 may mean it.
    place.kubectl("scale statefulset/store --replicas=0");
    until("no pod is left", SOON, || place.lacks("pods -l app=store"));
    is_quiet(place);
    place.kubectl("scale statefulset/store --replicas=2");
    is_quiet(place);

    place.kubectl("create quota full --hard=pods=1");
    place.kubectl("delete pod/store-1");
    named(place, "quota-exceeded", || place.has_event("statefulset/store", "FailedCreate"));
    place.kubectl("delete quota/full");
    is_quiet(place);

    place.kubectl("delete pvc/log-store-1 --wait=false");
    named(place, "terminating", || match place.field("pvc/log-store-1", "/metadata/deletionTimestamp") {
        time if time.is_empty() => Err("it is not deleted".to_owned()),
        _ => Ok(()),
    });
    place.kubectl("delete pod/store-1");
    is_quiet(place);
}

#[test]
fn of_its_containers_and_revisions() {
    let scene = stored("kc-faults-target-containers", "OrderedReady");
    let place = Place { namespace: scene.namespace() };
    is_quiet(place);

    place.kubectl("set image statefulset/store sidecar=docker.io/library/nowhere:1");
    let report = named(place, "image-pull", || waits(place, &["ErrImagePull", "ImagePullBackOff"]));
    assert!(report.line().contains("set image statefulset/store"), "{}", report.line());
    // A rollback alone does not undo it, and the hint does.
    place.kubectl("set image statefulset/store sidecar=docker.io/library/busybox");
    let report = named(place, "stuck-revision", || Ok(()));
    follow(&report, "stuck-revision");
    is_quiet(place);

    place.replace("statefulset/store", "/spec/template/spec/initContainers/0/command", &json!(["false"]));
    let report = named(place, "crash-loop", || waits(place, &["CrashLoopBackOff"]));
    assert!(report.line().contains("-c prepare"), "{}", report.line());
    apply(place, "OrderedReady");
    named(place, "stuck-revision", || Ok(()));
    ends(place.namespace, &format!("doctor {TARGET} --fix stuck-revision --yes"), 0);
    is_quiet(place);

    let probe = "/spec/template/spec/containers/0/readinessProbe/exec/command/1";
    place.replace("statefulset/store", probe, &json!("/nowhere"));
    let report = named(place, "probe-failing", || place.has_event("pod/store-1", "Unhealthy"));
    assert!(report.line().contains("-c main"), "{}", report.line());
}

/// Nothing waits in it for a pod that is not ready: what is broken is replaced by what is not.
#[test]
fn of_a_set_that_starts_its_pods_in_parallel() {
    let scene = stored("kc-faults-target-parallel", "Parallel");
    let place = Place { namespace: scene.namespace() };
    is_quiet(place);
    place.kubectl("set image statefulset/store main=docker.io/library/nowhere:1");
    named(place, "image-pull", || waits(place, &["ErrImagePull", "ImagePullBackOff"]));
    place.kubectl("set image statefulset/store main=docker.io/library/busybox");
    is_quiet(place);
    let report = Report::by(place, "--target statefulset/cache");
    assert!(report.is_quiet(), "{}", report.line());
}
