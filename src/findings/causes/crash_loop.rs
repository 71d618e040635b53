use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable, probe_failing, starting};
use crate::findings::dns::{pod_missing, pod_not_ready};
use crate::findings::{Cause, Finding, Need, Weight, pods};
use crate::observe::container;
use crate::observe::logs::Log;
use crate::text::shortened;

/// What a container waits for before it is started at all.
const BEFORE_THE_START: [&str; 6] = [
    "ContainerCreating",
    "PodInitializing",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
];

/// As many characters of a log as are shown with what is the matter.
const MOST: usize = 200;

/// What each cause of a crash explains.
pub static AND_WHAT_IT_EXPLAINS: [&Cause; 7] = [
    &CAUSE,
    &probe_failing::CAUSE,
    &starting::CAUSE,
    &not_ready::CAUSE,
    &database_unreachable::CAUSE,
    &backend_unreachable::CAUSE,
    &page_unreachable::CAUSE,
];

/// A container does not start, or ends again and again.
pub static CAUSE: Cause = Cause {
    id: "KC023",
    slug: "crash-loop",
    title: "A container does not start, or crashes",
    text: include_str!("crash_loop.md"),
    explains: &[
        &pod_missing::CAUSE,
        &pod_not_ready::CAUSE,
        &probe_failing::CAUSE,
        &starting::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[Need::Logs(pods::ended_runs), Need::Events(pods::not_ready_objects)],
    mend: None,
    judge: |observed| {
        let staying =
            pods::not_ready(observed).into_iter().filter(|(_, pod)| pod.metadata.deletion_timestamp.is_none());
        let crashing = staying.filter_map(|(app, pod)| {
            if pods::ended_by_probe(observed, pod, app).is_some() {
                return None;
            }
            let container = container::status(pod, app)?;
            let ended = container.state.as_ref().and_then(|state| state.terminated.as_ref());
            let before = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
            let says = match pods::waiting(pod, app) {
                Some((reason, _)) if BEFORE_THE_START.contains(&reason) => return None,
                Some((reason, message)) if reason != "CrashLoopBackOff" => {
                    format!("does not start ({reason}): {message}")
                }
                waiting => {
                    let last = ended.or(waiting.and(before))?;
                    let why = last.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                    match container.restart_count {
                        0 => format!("terminated: exit code {}{why}", last.exit_code),
                        count => format!("keeps crashing: exit code {}{why}, {count} restarts", last.exit_code),
                    }
                }
            };
            let last_words = pods::last_log(observed, pod, app).and_then(Log::last_words);
            let says = match last_words {
                Some(words) => format!("{says}. The log ends with: {}", shortened(words, MOST)),
                None => says,
            };
            let previous = container.restart_count > 0 && ended.is_none();
            Some(Finding {
                cause: &CAUSE,
                weight: Weight::Problem,
                app,
                object: pods::reference(pod),
                says,
                hint: pods::logs(observed, pod, app, previous),
            })
        });
        crashing.collect()
    },
};
