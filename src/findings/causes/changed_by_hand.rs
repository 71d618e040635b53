use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::serde::Serialize;
use kube::{Resource, ResourceExt};
use serde_json::Value;

use super::terminating;
use crate::exchange::names;
use crate::findings::applied::{self, Difference};
use crate::findings::{Cause, Finding, Need, Observed, Weight};
use crate::observe::path::Path;
use crate::observe::readiness;
use crate::observe::saved::without_secrets;
use crate::text::{Hint, one_line, shortened};

/// As many characters of a value as are shown.
const MOST: usize = 80;

/// A workload is not what `deploy` of the same version applied.
///
/// It speaks only where all is well as far as can be seen: the workload has settled, and no request fails. Elsewhere what
/// pods and requests say is closer to the harm, and has a cause of its own.
pub static CAUSE: Cause = Cause {
    id: "KC046",
    slug: "changed-by-hand",
    title: "A workload is not as deploy applied it",
    text: include_str!("changed_by_hand.md"),
    explains: &[],
    needs: &[Need::Path],
    mend: None,
    judge: |observed| {
        if observed.details.path.present().is_some_and(|path| !matches!(path, Path::Answered(_))) {
            return vec![];
        }
        let set = observed.snapshot.statefulset.present().filter(|set| has_settled(set));
        let set = set.and_then(|set| changed(observed, (names::POSTGRES, "statefulset"), set, &set.spec));
        let deployments = names::DEPLOYMENTS.into_iter().filter_map(|app| {
            let deployment =
                observed.snapshot.deployments.get(app)?.present().filter(|it| readiness::deployment(it))?;
            changed(observed, (app, "deployment"), deployment, &deployment.spec)
        });
        set.into_iter().chain(deployments).collect()
    },
};

/// Whether it waits for nothing, but perhaps for somebody who deletes its pod.
fn has_settled(set: &StatefulSet) -> bool {
    readiness::statefulset(set) || readiness::held_back(set).is_some()
}

fn changed(
    observed: &Observed,
    (app, kind): (&'static str, &str),
    workload: &impl Resource,
    spec: &impl Serialize,
) -> Option<Finding> {
    // Another version may have applied something else.
    let version = workload.annotations().get(names::VERSION)?;
    if version != env!("CARGO_PKG_VERSION") || workload.meta().deletion_timestamp.is_some() {
        return None;
    }
    let spec = serde_json::to_value(spec).ok()?;
    let mut all = applied::differences(app, &spec, observed.namespace);
    if all.is_empty() {
        return None;
    }
    let pods: Vec<Vec<Difference>> =
        (observed.snapshot.pods_of(app)).map(|pod| applied::differences_of_pod(app, pod, observed.namespace)).collect();
    let runs = |difference: &Difference| !pods.is_empty() && pods.iter().all(|of_pod| of_pod.contains(difference));
    // A pod that runs with it has started with it. Whether its data lasts is another question.
    let is_mild = |difference: &Difference| difference.is_mild() || (runs(difference) && !difference.is_of_data());
    // What does most harm comes first.
    all.sort_by_key(is_mild);
    let (first, others) = all.split_first()?;
    let more = if others.is_empty() { String::new() } else { format!("; and {} more", others.len()) };
    Some(Finding {
        cause: &CAUSE,
        weight: if is_mild(first) { Weight::Warning } else { Weight::Problem },
        app,
        object: format!("{kind}/{app}"),
        says: format!("is not as deploy applied it: {}{more}", words(first)),
        hint: hint(observed, first.is_of_data() && runs(first)),
    })
}

/// What was written elsewhere goes with the pod.
fn hint(observed: &Observed, has_data_elsewhere: bool) -> Hint {
    let by_hand = observed.by_hand;
    let restore = by_hand.own("deploy --force-conflicts").to("restore it");
    let restore = match observed.snapshot.primary().filter(|_| has_data_elsewhere) {
        Some(pod) => terminating::rescue(by_hand, &pod.name_any(), None).and(restore),
        None => restore,
    };
    restore.and(by_hand.own(["explain", CAUSE.id]).to("read what to do if it was changed on purpose"))
}

/// A difference with both values.
fn words(Difference { path, applied, there }: &Difference) -> String {
    let path = path.strip_prefix("spec.template.spec.").unwrap_or(path);
    let Some(there) = there else { return format!("it has no {path}") };
    let (at, applied, there) = match (applied, there) {
        (Value::Array(all), Value::Array(others)) if all.len() == others.len() => {
            let first = (0..all.len()).find(|at| all[*at] != others[*at]).unwrap_or_default();
            (format!("[{first}]"), &all[first], &others[first])
        }
        _ => (String::new(), applied, there),
    };
    let (applied, there) = match (applied, there) {
        (Value::String(applied), Value::String(there)) => {
            let (applied, there) = first_lines_that_differ(applied, there);
            (shown(&applied.into()), shown(&there.into()))
        }
        _ => (shown(applied), shown(there)),
    };
    format!("{path}{at} is {there}, not {applied}")
}

/// Of two scripts, where they differ.
fn first_lines_that_differ<'a>(one: &'a str, other: &'a str) -> (&'a str, &'a str) {
    let ends = [""].into_iter().cycle();
    let mut lines = one.lines().chain(ends.clone()).zip(other.lines().chain(ends));
    let most = one.lines().count().max(other.lines().count());
    lines.by_ref().take(most).find(|(one, other)| one != other).unwrap_or((one, other))
}

/// A value without secrets, and no longer than people read.
fn shown(value: &Value) -> String {
    shortened(&without_secrets(&one_line(&value.to_string())), MOST).into_owned()
}
