//! What several causes look at in pods.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{ObjectMeta, Selector, SelectorExt};
use kube::{Resource, ResourceExt};

use super::finding::Observed;
use crate::exchange::names;
use crate::observe::container::End;
use crate::observe::details::Happening;
use crate::observe::logs::{Log, Run};
use crate::observe::{Snapshot, container, readiness};
use crate::text::{Command, Hint};

/// The same, as objects whose events explain them.
pub fn not_ready_objects(snapshot: &Snapshot) -> Vec<&ObjectMeta> {
    of_apps(snapshot).map(|(_, pod)| pod.meta()).collect()
}

/// The pods that are not ready, each with its workload. A pod that a Deployment has replaced and that is on its way out is
/// missed by nobody.
pub fn not_ready<'a>(observed: &Observed<'a>) -> Vec<(&'static str, &'a Pod)> {
    of_apps(observed.snapshot).collect()
}

fn of_apps(snapshot: &Snapshot) -> impl Iterator<Item = (&'static str, &Pod)> {
    [names::POSTGRES, names::BACKEND, names::FRONTEND]
        .into_iter()
        .flat_map(|app| snapshot.pods_of(app).map(move |pod| (app, pod)))
        .filter(|(app, pod)| !readiness::pod(pod) && (*app == names::POSTGRES || !is_stopping(pod)))
}

/// The runs whose logs say why a pod is not ready: those of containers that have ended.
pub fn ended_runs(snapshot: &Snapshot) -> Vec<Run> {
    let staying = of_apps(snapshot).filter(|(_, pod)| !is_stopping(pod));
    let ended = staying.filter_map(|(app, pod)| {
        let container = container::status(pod, app)?;
        let previous = container::ended(container)? != End::Now;
        Some(Run { pod: pod.name_any(), container: container.name.clone(), previous })
    });
    ended.collect()
}

/// Whether the workload's container crashes now: it has ended, waits to be started again, or was so a moment ago. One that
/// has run since is not ready for another reason.
pub fn is_crashing(observed: &Observed, pod: &Pod, app: &str) -> bool {
    let Some(container) = container::status(pod, app) else { return false };
    match container::ended(container) {
        Some(End::Now) => true,
        // What keeps it from starting otherwise is not what ended it before.
        Some(End::Waits) => waiting(pod, app).is_some_and(|(reason, _)| reason == "CrashLoopBackOff"),
        Some(End::Before { started_again: Some(at) }) => observed.now.duration_since(at) < JUST_NOW,
        Some(End::Before { started_again: None }) | None => false,
    }
}

/// What the kubelet has said of the probe for which it ended the last run of the workload's container, if that is why it does not
/// run now. The container's own exit code and log say nothing of it.
pub fn ended_by_probe<'a>(observed: &Observed<'a>, pod: &Pod, app: &str) -> Option<&'a Happening> {
    let container = container::status(pod, app).filter(|_| !is_stopping(pod))?;
    let run = match container::ended(container)? {
        End::Now => container.state.as_ref()?.terminated.as_ref()?,
        End::Waits => container.last_state.as_ref()?.terminated.as_ref()?,
        End::Before { .. } => return None,
    };
    let began = run.started_at.as_ref().map(|time| time.0);
    let is_of_run = |event: &Happening| event.at.zip(began).is_none_or(|(at, began)| at >= began);
    let newest = |reason: &str, words: [&str; 2]| {
        let is = |event: &Happening| event.reason == reason && words.iter().any(|it| event.message.contains(it));
        observed.details.newest_that(pod, is)
    };
    newest("Killing", ["failed liveness probe", "failed startup probe"]).filter(|event| is_of_run(event))?;
    // The kubelet does not repeat each of these.
    newest("Unhealthy", ["Liveness probe", "Startup probe"])
}

/// For how long after a restart the crash before is still the matter.
const JUST_NOW: SignedDuration = SignedDuration::from_secs(60);

/// The last words of the workload's container, if it crashes.
pub fn last_log<'a>(observed: &Observed<'a>, pod: &Pod, app: &str) -> Option<&'a Log> {
    let container = container::status(pod, app).filter(|_| is_crashing(observed, pod, app))?;
    let is_of = |log: &&Log| Some(&log.pod) == pod.metadata.name.as_ref() && log.container == container.name;
    observed.details.logs.iter().find(is_of)
}

/// The pods of the database that crash, each with a line of its last words that tells of this.
pub fn database_says<'a>(observed: &Observed<'a>, tells: impl Fn(&str) -> bool) -> Vec<(&'a Pod, &'a str)> {
    let pods = not_ready(observed).into_iter().filter(|(app, pod)| *app == names::POSTGRES && !is_stopping(pod));
    let told = pods.filter_map(|(app, pod)| {
        let line = last_log(observed, pod, app)?.lines.iter().find(|line| tells(line))?;
        Some((pod, line.as_str()))
    });
    told.collect()
}

/// Whether a selector picks a pod. One that makes no sense picks none.
pub fn picks(selector: &LabelSelector, pod: &Pod) -> bool {
    Selector::try_from(selector.clone()).is_ok_and(|selector| selector.matches(pod.labels()))
}

/// Whether the pod has been told to end.
pub fn is_stopping(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// Why the workload's container waits: a word, and a sentence.
pub fn waiting<'a>(pod: &'a Pod, app: &str) -> Option<(&'a str, &'a str)> {
    let waiting = container::status(pod, app)?.state.as_ref()?.waiting.as_ref()?;
    Some((waiting.reason.as_deref()?, waiting.message.as_deref().unwrap_or_default()))
}

/// Reads the log of the workload's container, of the run before the last restart if that is the one.
pub fn logs(observed: &Observed, pod: &Pod, app: &str, previous: bool) -> Hint {
    let containers = pod.spec.as_ref().map_or(1, |spec| spec.containers.len());
    let container = container::status(pod, app).map(|container| container.name.clone());
    let is_first =
        containers == 1 && container.as_deref() == pod.spec.as_ref().map(|spec| spec.containers[0].name.as_str());
    let named = container.filter(|_| !is_first).into_iter().flat_map(|name| ["-c".to_owned(), name]);
    let previous = previous.then(|| "--previous".to_owned());
    let words = ["logs".to_owned(), pod.name_any()].into_iter().chain(named).chain(previous);
    observed.by_hand.kubectl(words.collect::<Vec<_>>()).to("read its log")
}

/// Names another image for the workload's container: of another set, by kubectl.
pub fn another_image(observed: &Observed, pod: &Pod, app: &str, flags: &[&str]) -> Command {
    if observed.snapshot.target.is_none() {
        let deploy = ["deploy"].into_iter().chain(flags.iter().copied()).map(str::to_owned);
        let image = [format!("--{app}-image"), "IMAGE".to_owned()];
        return observed.by_hand.own(deploy.chain(image).collect::<Vec<_>>());
    }
    let container = container::status(pod, app).map_or(app, |container| &container.name);
    observed.by_hand.kubectl(["set", "image", &observed.snapshot.set_reference(), &format!("{container}=IMAGE")])
}

/// The image that the workload's container shall run.
pub fn image<'a>(pod: &'a Pod, app: &str) -> &'a str {
    let named = || container::of_status(pod, container::status(pod, app)?)?.image.as_deref();
    named().or_else(|| container::image(pod.spec.as_ref()?, app)).unwrap_or_default()
}

/// The pod as kubectl names it.
pub fn reference(pod: &Pod) -> String {
    format!("pod/{}", pod.name_any())
}
