use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable, starting};
use crate::exchange::{directory, names};
use crate::findings::dns::{pod_missing, pod_not_ready};
use crate::findings::{Cause, Finding, Need, Observed, Weight, pods};
use crate::observe::Member;
use crate::observe::details::Happening;
use crate::text::Hint;

/// The directory of a `local` volume is not on its node.
pub static CAUSE: Cause = Cause {
    id: "KC038",
    slug: "directory-missing",
    title: "The directory of a volume does not exist on its node",
    text: include_str!("directory_missing.md"),
    explains: &[
        &starting::CAUSE,
        &pod_missing::CAUSE,
        &pod_not_ready::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[Need::Events(pods::not_ready_objects)],
    mend: None,
    judge: |observed| {
        let waiting = pods::not_ready(observed).into_iter().filter(|(_, pod)| !pods::is_stopping(pod));
        waiting.filter_map(|(app, pod)| finding(observed, app, pod)).collect()
    },
};

/// What the kubelet says of the directory of a `local` volume, which it does not create.
fn is_said(event: &Happening) -> bool {
    event.reason == "FailedMount"
        && event.message.contains("NewMounter initialization failed")
        && event.message.contains("does not exist")
}

fn finding(observed: &Observed, app: &'static str, pod: &Pod) -> Option<Finding> {
    // A container that has run once had its volumes.
    let statuses = pod.status.as_ref()?.container_statuses.as_deref().unwrap_or_default();
    let has_run =
        statuses.iter().any(|it| it.restart_count > 0 || it.state.as_ref().is_some_and(|it| it.running.is_some()));
    let event = observed.details.newest_that(pod, is_said).filter(|_| !has_run)?;
    let member = observed.snapshot.members.iter().find(|member| member.pod == pod.name_any());
    let path = member.and_then(|member| directory::path(member.volume.present()?));
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
    let says = match path {
        Some(path) => format!("cannot mount its volume: the directory {path} does not exist on node {node}"),
        None => format!("cannot mount its volume on node {node}: {}", event.message),
    };
    let (weight, object) = (Weight::Problem, pods::reference(pod));
    Some(Finding { cause: &CAUSE, weight, app, object, says, hint: hint(observed, pod, member) })
}

fn hint(observed: &Observed, pod: &Pod, member: Option<&Member>) -> Hint {
    let by_hand = observed.by_hand;
    let look = by_hand.kubectl(["describe", "pod", &pod.name_any()]);
    let is_members = member
        .and_then(|member| member.volume.present())
        .is_some_and(|it| names::number_of_volume(&it.name_any()).is_some());
    if !is_members {
        return look.to("see which directory it is, and create it on the node");
    }
    look.to("if a disk of the node is not mounted, mount it; else see which directory it is")
        .and(by_hand.own("deploy --ha").to("create it again, empty: the member copies all rows of the primary"))
}
