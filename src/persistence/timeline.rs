//! What is seen while the server is replaced, folded from changes as they come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::How;
use super::identity::PodSeen;
use crate::text::seconds;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// This run asked for it.
    Asked,
    /// The command that stops the pod's node has ended.
    NodeStopped,
    /// The pod is on its way out.
    Terminating,
    /// The old container has ended.
    Ended,
    /// The old pod is not there any more.
    Gone,
    /// There is another pod of the name.
    Created,
    /// It has a node.
    Scheduled,
    /// Its container runs.
    Started,
    Ready,
    /// The new server answered in the pod.
    Answered,
    /// The new server answered by the headless name.
    AnsweredByName,
    /// The pod's own name leads to the new one.
    Resolved,
    /// Another member takes writes.
    Promoted,
    /// The command that starts the node again has ended.
    NodeStarted,
    /// Yet another pod took the place of the new one.
    ReplacedAgain,
    /// The watch broke off, and started again.
    Lost,
}

impl Kind {
    /// A word or three for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Asked => "requested",
            Self::NodeStopped => "node stopped",
            Self::Terminating => "Terminating",
            Self::Ended => "old server ended",
            Self::Gone => "gone",
            Self::Created => "new pod created",
            Self::Scheduled => "scheduled",
            Self::Started => "started",
            Self::Ready => "Ready",
            Self::Answered => "query answered",
            Self::AnsweredByName => "answered by name",
            Self::Resolved => "name updated",
            Self::Promoted => "new primary",
            Self::NodeStarted => "node started",
            Self::ReplacedAgain => "replaced again",
            Self::Lost => "watch lost",
        }
    }
}

/// Something that has happened, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// What.
    pub kind: Kind,
    /// When it was seen here, in milliseconds of a monotonic clock since the watch began.
    pub at_ms: u64,
    /// When it was by the cluster's clock, in whole seconds, where that says so.
    pub cluster: Option<Timestamp>,
    /// More of it, for people.
    pub says: String,
}

impl Event {
    /// How long after a moment it was seen.
    #[must_use]
    pub fn offset(&self, from: u64) -> String {
        match self.at_ms.checked_sub(from) {
            Some(after) => format!("+{}", seconds(after)),
            None => format!("-{}", seconds(from - self.at_ms)),
        }
    }
}

/// What is known of a replacement so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// How the server was stopped.
    pub how: How,
    /// The pod before.
    pub old: PodSeen,
    /// What has happened, in the order in which it was seen.
    pub events: Vec<Event>,
    /// When the old container ended, by the cluster's clock.
    pub old_ended_at: Option<Timestamp>,
    /// The pod as it was seen last; none if there was none.
    pub last: Option<PodSeen>,
    /// The UID of the first pod that took the place of the old one.
    pub successor: Option<String>,
}

/// A change, as it is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The replacement is asked for.
    Asked,
    /// The API has answered, or the command that stops the node has ended, after that many milliseconds.
    Acknowledged(u64),
    /// The command that starts the node again has ended, after that many milliseconds.
    NodeStarted(u64),
    /// What there is now under the pod's name.
    Pod(Option<Box<PodSeen>>),
    /// The new server answered in its pod.
    Answered,
    /// The new server answered by the name, which had these addresses.
    AnsweredByName(Vec<String>),
    /// The pod's own name leads to the new pod, at these addresses.
    Resolved(Vec<String>),
    /// Another pod has become the one that takes writes.
    Promoted(String),
    /// The watch broke off.
    Lost(String),
}

impl Timeline {
    /// Before anything has happened.
    #[must_use]
    pub fn new(how: How, old: PodSeen) -> Self {
        Self { how, last: Some(old.clone()), old, events: Vec::new(), old_ended_at: None, successor: None }
    }

    /// When something was seen first, in milliseconds since the replacement was asked for.
    #[must_use]
    pub fn after_ms(&self, kind: Kind) -> Option<u64> {
        self.event(kind)?.at_ms.checked_sub(self.event(Kind::Asked)?.at_ms)
    }

    /// The moment from which times are told: when the replacement was asked for.
    #[must_use]
    pub fn origin(&self) -> u64 {
        self.event(Kind::Asked).or(self.events.first()).map_or(0, |event| event.at_ms)
    }

    /// The first event of a kind.
    #[must_use]
    pub fn event(&self, kind: Kind) -> Option<&Event> {
        self.events.iter().find(|event| event.kind == kind)
    }

    /// Whether the new server may be there to be asked: its container runs, or may at any moment.
    #[must_use]
    pub fn may_answer(&self) -> bool {
        match self.how {
            How::Crash => self.event(Kind::Asked).is_some(),
            // What the API still has of a node that is away runs no more.
            How::Node => self.event(Kind::Started).or(self.event(Kind::Scheduled)).is_some(),
            How::Delete | How::Kill | How::Evict | How::Force => self.event(Kind::Scheduled).is_some(),
        }
    }

    fn push(&mut self, kind: Kind, at_ms: u64, cluster: Option<Timestamp>, says: impl Into<String>) {
        if self.event(kind).is_none() {
            self.events.push(Event { kind, at_ms, cluster, says: says.into() });
        }
    }

    fn acknowledged(&mut self, took: u64, at_ms: u64) {
        let says = match self.how {
            How::Node => {
                let stopped = self.on_node(took);
                self.push(Kind::NodeStopped, at_ms, None, stopped);
                self.how.asked().to_owned()
            }
            how => format!("{}, answered in {took} ms", how.asked()),
        };
        if let Some(asked) = self.events.iter_mut().find(|event| event.kind == Kind::Asked) {
            asked.says = says;
        }
    }

    /// What a command of the user's was run for, and how long it took.
    fn on_node(&self, took: u64) -> String {
        let node = self.old.node.as_deref().unwrap_or("?");
        format!("node/{node}, the command took {}", seconds(took))
    }

    fn old_pod(&mut self, pod: &PodSeen, at_ms: u64) {
        if let Some(deleted_at) = pod.deleted_at {
            self.push(Kind::Terminating, at_ms, Some(deleted_at), "");
        }
        let other = pod.container != self.old.container;
        let newly_ended = pod.ended_at.filter(|_| other && pod.ended_at != self.old.ended_at);
        if let Some(ended_at) = newly_ended {
            self.old_ended_at = Some(ended_at);
            // A node that was away says when it found that.
            let says = if self.how == How::Node { "at the latest" } else { "" };
            self.push(Kind::Ended, at_ms, Some(ended_at), says);
        }
        if other && pod.container.is_some() {
            self.push(Kind::Started, at_ms, pod.started_at, format!("restart {}", pod.restarts));
            if pod.ready {
                self.push(Kind::Ready, at_ms, None, "");
            }
        }
    }

    fn new_pod(&mut self, pod: &PodSeen, at_ms: u64) {
        self.push(Kind::Gone, at_ms, None, "");
        match &self.successor {
            None => self.successor = Some(pod.uid.clone()),
            Some(uid) if *uid != pod.uid => {
                self.push(Kind::ReplacedAgain, at_ms, pod.created_at, format!("uid {}", pod.uid));
            }
            Some(_) => {}
        }
        self.push(Kind::Created, at_ms, pod.created_at, format!("uid {}", pod.uid));
        if let Some(node) = &pod.node {
            self.push(Kind::Scheduled, at_ms, None, format!("on {node}"));
        }
        if pod.container.is_some() {
            self.push(Kind::Started, at_ms, pod.started_at, "");
        }
        if pod.ready {
            self.push(Kind::Ready, at_ms, None, "");
        }
    }
}

/// What is known after a change that was seen at that many milliseconds of the run's clock.
#[must_use]
pub fn step(mut timeline: Timeline, change: Change, at_ms: u64) -> Timeline {
    match change {
        Change::Asked => {
            let says = timeline.how.asked();
            timeline.push(Kind::Asked, at_ms, None, says);
        }
        Change::Acknowledged(took) => timeline.acknowledged(took, at_ms),
        Change::NodeStarted(took) => {
            let says = timeline.on_node(took);
            timeline.push(Kind::NodeStarted, at_ms, None, says);
        }
        Change::Pod(None) => {
            timeline.push(Kind::Gone, at_ms, None, "");
            timeline.last = None;
        }
        Change::Pod(Some(pod)) => {
            if pod.uid == timeline.old.uid {
                timeline.old_pod(&pod, at_ms);
            } else {
                timeline.new_pod(&pod, at_ms);
            }
            timeline.last = Some(*pod);
        }
        Change::Answered => timeline.push(Kind::Answered, at_ms, None, "in the pod"),
        Change::AnsweredByName(addresses) => {
            timeline.push(Kind::AnsweredByName, at_ms, None, addresses.join(", "));
        }
        Change::Resolved(addresses) => timeline.push(Kind::Resolved, at_ms, None, addresses.join(", ")),
        Change::Promoted(pod) => timeline.push(Kind::Promoted, at_ms, None, format!("pod/{pod}")),
        // Each of them is worth telling, but one is enough to doubt the times.
        Change::Lost(why) => timeline.push(Kind::Lost, at_ms, None, why),
    }
    timeline
}

#[cfg(test)]
mod tests {
    use super::Kind::{Answered, AnsweredByName, Asked, Created, Ended, Gone, Ready, Scheduled, Started, Terminating};
    use super::*;

    fn time(text: &str) -> Timestamp {
        format!("2026-11-24T02:00:{text}Z").parse().unwrap()
    }

    fn old() -> PodSeen {
        PodSeen {
            uid: "old".into(),
            container: Some("c1".into()),
            ready: true,
            node: Some("n".into()),
            ..PodSeen::default()
        }
    }

    fn replay(how: How, changes: Vec<(u64, Change)>) -> Timeline {
        changes.into_iter().fold(Timeline::new(how, old()), |timeline, (at, change)| step(timeline, change, at))
    }

    fn seen(pod: PodSeen) -> Change {
        Change::Pod(Some(Box::new(pod)))
    }

    #[test]
    fn a_replacement_is_told_in_order() {
        let new = PodSeen { uid: "new".into(), ..PodSeen::default() };
        let on_node = PodSeen { node: Some("n".into()), ..new.clone() };
        let running = PodSeen { container: Some("c2".into()), started_at: Some(time("05")), ..on_node.clone() };
        let timeline = replay(
            How::Delete,
            vec![
                (0, seen(old())),
                (10, Change::Asked),
                (20, Change::Acknowledged(9)),
                (21, seen(PodSeen { deleted_at: Some(time("01")), ..old() })),
                (
                    200,
                    seen(PodSeen {
                        deleted_at: Some(time("01")),
                        container: None,
                        ended_at: Some(time("02")),
                        ..old()
                    }),
                ),
                (300, Change::Pod(None)),
                (310, seen(new)),
                (311, seen(on_node)),
                (900, seen(running.clone())),
                (901, seen(PodSeen { ready: true, ..running })),
                (950, Change::Answered),
                (990, Change::AnsweredByName(vec!["10.0.0.8".into()])),
            ],
        );
        let kinds: Vec<Kind> = timeline.events.iter().map(|event| event.kind).collect();
        let all = [Asked, Terminating, Ended, Gone, Created, Scheduled, Started, Ready, Answered, AnsweredByName];
        assert_eq!(kinds, all);
        assert_eq!(timeline.after_ms(Answered), Some(940), "from when it was asked");
        assert_eq!(timeline.old_ended_at, Some(time("02")));
        assert_eq!(timeline.successor.as_deref(), Some("new"));
        assert!(timeline.events[0].says.contains("answered in 9 ms"));
    }

    #[test]
    fn a_watch_that_missed_the_end_still_tells_it() {
        let new = PodSeen { uid: "new".into(), node: Some("n".into()), ..PodSeen::default() };
        let timeline = replay(How::Delete, vec![(0, Change::Asked), (5000, seen(new))]);
        assert!(timeline.event(Kind::Gone).is_some() && timeline.may_answer());
        assert_eq!(timeline.old_ended_at, None, "what was not seen is not known");
    }

    #[test]
    fn a_restart_in_the_same_pod_is_told() {
        let again = PodSeen { container: Some("c2".into()), ended_at: Some(time("02")), restarts: 1, ..old() };
        let timeline = replay(
            How::Crash,
            vec![(0, Change::Asked), (9, seen(PodSeen { ready: false, ..old() })), (700, seen(again))],
        );
        let kinds: Vec<Kind> = timeline.events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [Kind::Asked, Kind::Ended, Kind::Started, Kind::Ready]);
        assert_eq!(timeline.successor, None);
    }

    #[test]
    fn a_node_that_is_away_brings_its_pod_back_and_the_pod_is_asked_no_earlier() {
        let unready = PodSeen { ready: false, ..old() };
        let again = PodSeen { container: Some("c2".into()), ended_at: Some(time("02")), restarts: 1, ..old() };
        let mut changes = vec![
            (0, Change::Asked),
            (30, Change::Acknowledged(30)),
            (900, seen(unready)),
            (950, Change::Promoted("postgres-1".into())),
            (990, Change::NodeStarted(20)),
        ];
        assert!(!replay(How::Node, changes.clone()).may_answer());
        changes.push((999, seen(again)));
        let timeline = replay(How::Node, changes);
        assert!(timeline.may_answer());
        let kinds: Vec<Kind> = timeline.events.iter().map(|event| event.kind).collect();
        let all = [Asked, Kind::NodeStopped, Kind::Promoted, Kind::NodeStarted, Ended, Started, Ready];
        assert_eq!(kinds, all);
        assert_eq!(timeline.events[1].says, "node/n, the command took 0.030 s");
    }

    #[test]
    fn a_third_pod_is_no_successor() {
        let pod = |uid: &str| seen(PodSeen { uid: uid.into(), ..PodSeen::default() });
        let timeline = replay(How::Delete, vec![(0, Change::Asked), (1, pod("new")), (2, pod("other"))]);
        assert_eq!(timeline.successor.as_deref(), Some("new"));
        assert!(timeline.event(Kind::ReplacedAgain).is_some());
    }
}
