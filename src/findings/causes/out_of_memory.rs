use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};

use super::crash_loop;
use crate::exchange::names;
use crate::exchange::settings::quantity;
use crate::findings::{Cause, Finding, Observed, Weight, pods};
use crate::observe::{container, readiness};
use crate::text::{Hint, duration};

/// What the kubelet calls it.
const KILLED: &str = "OOMKilled";

/// A container used more memory than it may.
pub static CAUSE: Cause = Cause {
    id: "KC028",
    slug: "out-of-memory",
    title: "A container used more memory than it may",
    text: include_str!("out_of_memory.md"),
    explains: &crash_loop::AND_WHAT_IT_EXPLAINS,
    needs: &[],
    mend: None,
    judge: |observed| {
        let of = |(app, kind)| observed.snapshot.pods_of(app).filter_map(move |pod| killed(observed, app, kind, pod));
        names::KINDS.into_iter().flat_map(of).collect()
    },
};

fn killed(observed: &Observed, app: &'static str, kind: &str, pod: &Pod) -> Option<Finding> {
    let container = container::status(pod, app).filter(|_| !pods::is_stopping(pod))?;
    let end = end(container)?;
    let limit = limit(pod, container);
    let why = match limit {
        Some(limit) => format!("it used more memory than its limit of {limit}"),
        None => "its node had no memory left, and it has no limit of its own".to_owned(),
    };
    let is_bad = !readiness::pod(pod) && pods::is_crashing(observed, pod, app);
    let says = if is_bad {
        format!("was killed ({KILLED}): {why}")
    } else {
        let ago = end.finished_at.as_ref().map(|at| format!(" {} ago", duration(observed.now.duration_since(at.0))));
        format!("was killed{} and runs again: {why}", ago.unwrap_or_default())
    };
    Some(Finding {
        cause: &CAUSE,
        weight: if is_bad { Weight::Problem } else { Weight::Warning },
        app,
        object: pods::reference(pod),
        says,
        hint: hint(
            observed,
            &format!("{kind}/{}", observed.snapshot.workload(app)),
            &container.name,
            pod,
            limit,
            is_bad && app == names::POSTGRES,
        ),
    })
}

/// The end of a container for want of memory: of this run, or of the one before.
fn end(container: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    let states = [&container.state, &container.last_state].into_iter().flatten();
    let mut ends = states.filter_map(|state| state.terminated.as_ref());
    ends.find(|end| end.reason.as_deref() == Some(KILLED))
}

fn limit<'a>(pod: &'a Pod, status: &ContainerStatus) -> Option<&'a str> {
    let limits = container::of_status(pod, status)?.resources.as_ref()?.limits.as_ref()?;
    limits.get("memory").map(|limit| limit.0.as_str())
}

/// A StatefulSet waits for a pod that crashes, and would never create the one with the new limit.
fn hint(
    observed: &Observed,
    workload: &str,
    container: &str,
    pod: &Pod,
    limit: Option<&str>,
    is_waited_for: bool,
) -> Hint {
    let by_hand = observed.by_hand;
    let Some(more) = limit.and_then(larger) else {
        return by_hand.kubectl(["describe", &pods::reference(pod)]).to("see its node, and what uses its memory");
    };
    let limits = format!("--limits=memory={more}");
    let set = by_hand.kubectl(["set", "resources", workload, "-c", container, &limits]).to("give it a higher limit");
    if !is_waited_for {
        return set;
    }
    set.and(by_hand.kubectl(["delete", &pods::reference(pod)]).to("then let the StatefulSet create it again"))
}

/// Enough for each of the exchange's containers: the limit of the one that needs most.
const ENOUGH: f64 = 512.0;

/// Twice as much, and no less than is enough.
fn larger(limit: &str) -> Option<String> {
    const MEBI: f64 = 1_048_576.0;
    quantity(limit).map(|limit| format!("{:.0}Mi", (2.0 * limit / MEBI).max(ENOUGH)))
}
