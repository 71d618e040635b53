use k8s_openapi::api::core::v1::Pod;

use super::crash_loop;
use crate::findings::{Cause, Finding, Need, Observed, Weight, pods};
use crate::observe::container;

/// The kernel's words for a program that it cannot run.
const WORDS: &str = "exec format error";

/// An image is of another CPU architecture than the node.
pub static CAUSE: Cause = Cause {
    id: "KC031",
    slug: "image-architecture",
    title: "An image is of another CPU architecture than the node",
    text: include_str!("image_architecture.md"),
    explains: &crash_loop::AND_WHAT_IT_EXPLAINS,
    needs: &[Need::Logs(pods::ended_runs)],
    mend: None,
    judge: |observed| {
        let failing = pods::not_ready(observed).into_iter().filter(|(app, pod)| cannot_run(observed, pod, app));
        let finding = |(app, pod): (&'static str, &Pod)| {
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
            let node = node.map(|node| format!(", node {node}")).unwrap_or_default();
            let another = pods::another_image(observed, pod, app, &[]);
            Finding {
                cause: &CAUSE,
                weight: Weight::Problem,
                app,
                object: pods::reference(pod),
                says: format!(
                    "cannot run its image {} ({WORDS}): it is built for another CPU than its node has{node}",
                    pods::image(pod, app)
                ),
                hint: (observed.by_hand.kubectl_of_cluster("get nodes -L kubernetes.io/arch"))
                    .to("see the CPU architecture of the nodes")
                    .and(another.to("then deploy an image that is built for it")),
            }
        };
        failing.map(finding).collect()
    },
};

/// Whether the kubelet says so, or the last words of the container.
fn cannot_run(observed: &Observed, pod: &Pod, app: &str) -> bool {
    let ends = container::status(pod, app).into_iter().flat_map(|it| [&it.state, &it.last_state]).flatten();
    let mut ended = ends.filter_map(|state| state.terminated.as_ref()?.message.as_deref());
    let is_told = |words: &str| words.contains(WORDS);
    let waits = pods::waiting(pod, app).is_some_and(|(_, message)| is_told(message));
    let is_crashing = || pods::is_crashing(observed, pod, app);
    let logs = || pods::last_log(observed, pod, app).is_some_and(|log| log.lines.iter().any(|line| is_told(line)));
    !pods::is_stopping(pod) && (waits || (is_crashing() && ended.any(is_told)) || logs())
}
