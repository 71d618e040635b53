//! Question 4: in which order a StatefulSet creates and deletes its pods.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::question::{Choice, Question};
use crate::persistence::identity::PodSeen;
use crate::persistence::verdict::{Check, CheckName, Holds};
use crate::text::seconds;

/// The question.
pub const QUESTION: Question = Question {
    number: 4,
    title: "order of deletion",
    asks: "In which order does a StatefulSet create and delete its pods?",
    choices: &[
        Choice {
            says: "In no order: all pods are created together, and deleted together.",
            why: "That is what a Deployment does, or a StatefulSet with podManagementPolicy: Parallel. By default, a \
                  StatefulSet creates pod 1 only when pod 0 is Ready.",
            is_right: false,
        },
        Choice {
            says: "Created 0, 1, 2, and always deleted in reverse order 2, 1, 0, also when the StatefulSet itself is deleted.",
            why: "This is true for scaling only. When the StatefulSet itself is deleted, its controller no longer orders \
                  anything, and all pods are told to end together.",
            is_right: false,
        },
        Choice {
            says: "Created 0, 1, 2, and deleted 0, 1, 2: the oldest pod ends first.",
            why: "Scaling down begins with the highest number. So pod 0, which often is the first server, is the last to end.",
            is_right: false,
        },
        Choice {
            says: "Scaled up 0, 1, 2, and scaled down 2, 1, 0; but when the StatefulSet itself is deleted, in no order.",
            why: "The controller orders the pods only while the StatefulSet exists. When it is deleted, all pods are told \
                  to end together.",
            is_right: true,
        },
    ],
    does: "creates a small StatefulSet of 3 pods, scales it to 0 and back to 3, deletes it, and watches its pods",
    seconds: 35,
    room: Some("room for a StatefulSet of 3 small pods"),
    answer: "A StatefulSet creates a pod only when the pod before it is Ready, and scaling down deletes the pod with the \
             highest number first and waits until it is gone. When you delete the StatefulSet itself, all pods are told to \
             end together, so scale it to 0 first if they must end in order.",
    not_shown: &[
        "podManagementPolicy: Parallel, which has no order",
        "a pod that never becomes Ready, after which no other pod is created",
        "a rolling update, which replaces the pods from the highest number to the lowest",
    ],
    topic: "rollout",
    recorded: Some(include_str!("recorded/4.json")),
};

/// What is done to the practice set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// It is created, with all pods.
    Up,
    /// It is scaled to no pod.
    Down,
    /// It is scaled to all pods.
    UpAgain,
    /// It is deleted.
    Deleted,
}

/// The steps that create pods.
const UP: [Step; 2] = [Step::Up, Step::UpAgain];

impl Step {
    /// What happens to each pod, in this order.
    fn kinds(self) -> [Kind; 2] {
        match self {
            Self::Up | Self::UpAgain => [Kind::Created, Kind::Ready],
            Self::Down | Self::Deleted => [Kind::ToldToEnd, Kind::Gone],
        }
    }

    /// What was done to the set, in words.
    #[must_use]
    pub fn done(self) -> &'static str {
        match self {
            Self::Up => "created",
            Self::Down => "scaled down",
            Self::UpAgain => "scaled up again",
            Self::Deleted => "deleted",
        }
    }
}

/// What happens to a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    Created,
    Ready,
    /// Its deletion was asked for: it has a `deletionTimestamp`, and kubectl shows it as Terminating.
    ToldToEnd,
    Gone,
}

impl Kind {
    /// It in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Ready => "Ready",
            Self::ToldToEnd => "told to end",
            Self::Gone => "gone",
        }
    }
}

/// Something that has happened to a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// When it was seen, in milliseconds of a monotonic clock since the watch began.
    pub at_ms: u64,
    pub kind: Kind,
    /// The pod's number in the set.
    pub pod: u8,
}

/// One thing that was done to the set, and all that happened to its pods until the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    pub step: Step,
    /// When it was asked for, by the clock of the events.
    pub asked_ms: u64,
    /// In the order in which the watch told them, which is the cluster's own: two of them may have the same time here.
    pub events: Vec<Event>,
}

/// What was seen of the practice set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// The set's name.
    pub set: String,
    /// How many pods it has when it is up.
    pub pods: u8,
    /// What was done, in order.
    pub phases: Vec<Phase>,
    /// Why the watch broke off, if it did. What happened meanwhile was not seen, so no order is known.
    pub lost: Option<String>,
    /// What was seen last, if the time was over before a step was done.
    pub late: Option<String>,
}

/// Something that happens to a pod.
type Happens = (Kind, u8);

/// Whether something is so, and the words for it.
type Judged = (Holds, String);

/// What several things come to, with the words of those that decide it. None prove nothing.
fn all_of(all: &[Judged], between: &str) -> Judged {
    let has = |holds| all.iter().any(|(one, _)| *one == holds);
    let holds = match (has(Holds::No), has(Holds::Unknown) || all.is_empty()) {
        (true, _) => Holds::No,
        (false, true) => Holds::Unknown,
        (false, false) => Holds::Yes,
    };
    let words: Vec<&str> = all.iter().filter(|(one, _)| *one == holds).map(|(_, words)| words.as_str()).collect();
    (holds, words.join(between))
}

impl Phase {
    fn place(&self, (kind, pod): Happens) -> Option<usize> {
        self.events.iter().position(|event| event.kind == kind && event.pod == pod)
    }

    /// Whether each pod has done all that this step makes it do.
    fn is_complete(&self, pods: u8) -> bool {
        (0..pods).all(|pod| self.step.kinds().into_iter().all(|kind| self.place((kind, pod)).is_some()))
    }

    /// Something that this step does not do, or not twice: somebody else did it.
    fn foreign(&self, pods: u8) -> Option<&Event> {
        let is_foreign = |(place, event): &(usize, &Event)| {
            let is_of_step = event.pod < pods && self.step.kinds().contains(&event.kind);
            !is_of_step || self.place((event.kind, event.pod)) != Some(*place)
        };
        self.events.iter().enumerate().find(is_foreign).map(|(_, event)| event)
    }

    /// Whether one thing came before another. The watch tells all in the cluster's order: what it has not told was not so yet.
    fn in_order(&self, first: Happens, then: Happens) -> Judged {
        let said = |how: &str| {
            let ((one, before), (other, after)) = ((first.1, first.0.name()), (then.1, then.0.name()));
            format!("pod {other} was {after} {how} pod {one} was {before}")
        };
        let between = |one: usize, other: usize| seconds(self.events[one].at_ms.abs_diff(self.events[other].at_ms));
        match (self.place(first), self.place(then)) {
            (Some(one), Some(other)) if one < other => (Holds::Yes, said(&format!("{} after", between(one, other)))),
            (Some(one), Some(other)) => (Holds::No, said(&format!("{} before", between(one, other)))),
            (None, Some(_)) => (Holds::No, said("before")),
            (_, None) => (Holds::Unknown, format!("pod {} was not seen {}", then.1, then.0.name())),
        }
    }

    /// Whether both pods were told to end before one of them was gone.
    fn overlap(&self, one: u8, other: u8) -> bool {
        let is_before = |told: u8, gone: u8| match (self.place((Kind::ToldToEnd, told)), self.place((Kind::Gone, gone)))
        {
            (Some(told), Some(gone)) => told < gone,
            (told, None) => told.is_some(),
            (None, Some(_)) => false,
        };
        is_before(one, other) && is_before(other, one)
    }

    /// The pods in the order in which something happened to them.
    fn order(&self, kind: Kind) -> String {
        let pods = self.events.iter().filter(|event| event.kind == kind).map(|event| event.pod.to_string());
        pods.collect::<Vec<_>>().join(", ")
    }

    /// How long after the first pod the last one was told to end.
    fn told_within(&self) -> String {
        let told = || self.events.iter().filter(|event| event.kind == Kind::ToldToEnd).map(|event| event.at_ms);
        seconds(told().max().unwrap_or_default() - told().min().unwrap_or_default())
    }
}

impl Seen {
    /// Before anything is done.
    #[must_use]
    pub fn new(set: String, pods: u8) -> Self {
        Self { set, pods, phases: Vec::new(), lost: None, late: None }
    }

    /// Whether all pods have done what the newest step makes them do.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.phases.last().is_some_and(|phase| phase.is_complete(self.pods))
    }

    /// Whether nothing more can be known.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.lost.is_some() || self.late.is_some()
    }

    /// What it shows.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        let checks = [
            (CheckName::CreatedInOrder, self.created_in_order()),
            (CheckName::DeletedInOrder, self.deleted_in_order()),
            (CheckName::DeletedTogether, self.deleted_together()),
        ];
        checks.into_iter().map(|(name, (holds, evidence))| Check::new(name, holds, evidence)).collect()
    }

    /// Each time, each pod was created after the one before it was Ready.
    fn created_in_order(&self) -> Judged {
        if let Some(broke_off) = self.broke_off() {
            return (Holds::Unknown, broke_off);
        }
        let (holds, words) = all_of(&UP.map(|step| self.created_by(step)), "; ");
        (holds, format!("statefulset/{} {words}", self.set))
    }

    /// Each pod was created after the one before it was Ready.
    fn created_by(&self, step: Step) -> Judged {
        self.of_step(step, |phase| {
            let pairs = (1..self.pods).map(|pod| phase.in_order((Kind::Ready, pod - 1), (Kind::Created, pod)));
            pairs.collect()
        })
    }

    /// Each pod was told to end after the one above it was gone.
    fn deleted_in_order(&self) -> Judged {
        self.of_step(Step::Down, |phase| {
            let pairs = (1..self.pods).rev();
            pairs.map(|pod| phase.in_order((Kind::Gone, pod), (Kind::ToldToEnd, pod - 1))).collect()
        })
    }

    /// At least two pods were told to end before one of them was gone.
    fn deleted_together(&self) -> Judged {
        self.of_step(Step::Deleted, |phase| {
            let mut pairs = (0..self.pods).flat_map(|one| (one + 1..self.pods).map(move |other| (one, other)));
            let told = phase.order(Kind::ToldToEnd);
            match pairs.find(|(one, other)| phase.overlap(*one, *other)) {
                Some((one, other)) => {
                    let within = phase.told_within();
                    let words = format!(
                        "pods {told} were told to end within {within}, {one} and {other} before one of them was gone"
                    );
                    vec![(Holds::Yes, words)]
                }
                None if phase.is_complete(self.pods) => {
                    vec![(Holds::No, format!("pods {told} were told to end each after the one before it was gone"))]
                }
                None => Vec::new(),
            }
        })
    }

    /// What a step comes to, with what was done before the words. Nothing is known of it if not all was seen, or if somebody
    /// else changed the set meanwhile.
    fn of_step(&self, step: Step, judge: impl FnOnce(&Phase) -> Vec<Judged>) -> Judged {
        let done = step.done();
        if let Some(broke_off) = self.broke_off() {
            return (Holds::Unknown, broke_off);
        }
        if self.pods < 2 {
            return (Holds::Unknown, format!("{done}: {} pods have no order", self.pods));
        }
        let Some(phase) = self.phase(step) else {
            return (Holds::Unknown, format!("it was not {done}"));
        };
        if let Some(Event { kind, pod, .. }) = phase.foreign(self.pods) {
            let words = format!("{done}: pod {pod} was {} meanwhile, so somebody else changed the set", kind.name());
            return (Holds::Unknown, words);
        }
        let mut all = judge(phase);
        if !phase.is_complete(self.pods) {
            let [_, last] = step.kinds();
            // One that is not in order is known already; that all are is not.
            all.retain(|(holds, _)| *holds == Holds::No);
            all.push((Holds::Unknown, format!("not all {} pods were {}{}", self.pods, last.name(), self.last_seen())));
        }
        let (holds, words) = all_of(&all, ", ");
        (holds, format!("{done}: {words}"))
    }

    fn broke_off(&self) -> Option<String> {
        self.lost.as_ref().map(|why| format!("the watch broke off, so not everything was seen: {why}"))
    }

    fn last_seen(&self) -> String {
        self.late.as_ref().map(|late| format!(" in time; last seen: {late}")).unwrap_or_default()
    }

    /// What was seen, in two sentences.
    #[must_use]
    pub fn observed(&self) -> String {
        if let Some(broke_off) = self.broke_off() {
            return format!("The order of the pods is not known. {}.", capital(&broke_off));
        }
        let (up, down, deleted) = (self.created_in_order().0, self.deleted_in_order().0, self.deleted_together().0);
        // If it did not hold each time, it is told of the time when it did not.
        let time = UP.into_iter().find(|step| self.created_by(*step).0 == up).unwrap_or(Step::Up);
        let created = self.order_of(time, up, Kind::Ready);
        let scaled_down = self.order_of(Step::Down, down, Kind::Gone);
        let ended = match (deleted, self.phase(Step::Deleted)) {
            (Holds::Yes, Some(phase)) => {
                format!("when it was deleted, all {} pods were told to end within {}", self.pods, phase.told_within())
            }
            // What was not together was in order.
            (Holds::No, _) => self.order_of(Step::Deleted, Holds::Yes, Kind::Gone),
            _ => self.order_of(Step::Deleted, Holds::Unknown, Kind::Gone),
        };
        format!("{}; {scaled_down}. {}.", capital(&created), capital(&ended))
    }

    fn phase(&self, step: Step) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.step == step)
    }

    /// In which order a step went through the pods, and whether it waited each time for what the pod before had to come to.
    fn order_of(&self, step: Step, in_order: Holds, waits_for: Kind) -> String {
        let done = step.done();
        let (Some(phase), true) = (self.phase(step), in_order != Holds::Unknown) else {
            return format!("when the set was {done}, the order of its pods was not seen");
        };
        let not = if in_order == Holds::Yes { "" } else { "but not " };
        let [kind, _] = step.kinds();
        let (order, kind, waits_for) = (phase.order(kind), kind.name(), waits_for.name());
        format!(
            "when the set was {done}, its pods were {kind} in the order {order}, {not}each after the pod before it was {waits_for}"
        )
    }

    /// The same, with one thing exchanged that the order rests on, and what that is. None if the order is not known to hold.
    #[must_use]
    pub fn with_something_changed(&self) -> Option<(Self, String)> {
        let last = self.pods.checked_sub(1)?;
        let [gone, told] = [(Kind::Gone, last), (Kind::ToldToEnd, last.checked_sub(1)?)];
        if self.deleted_in_order().0 != Holds::Yes {
            return None;
        }
        let mut changed = self.clone();
        let phase = changed.phases.iter_mut().find(|phase| phase.step == Step::Down)?;
        let (one, other) = (phase.place(gone)?, phase.place(told)?);
        // Their times stay: it is what happened at them that is exchanged.
        (phase.events[one].kind, phase.events[one].pod) = told;
        (phase.events[other].kind, phase.events[other].pod) = gone;
        let words = |(kind, pod): Happens| format!("\"pod {pod} {}\"", kind.name());
        Some((changed, format!("with {} and {} exchanged", words(gone), words(told))))
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What is told of the pods as they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something is asked of the set.
    Asked(Step),
    /// The pods that are there now.
    Pods(Vec<PodSeen>),
    /// The watch broke off.
    Lost(String),
    /// The time for this step is over.
    Late,
}

/// What is known while it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Following {
    pub seen: Seen,
    /// The pods that were there last, by their UIDs.
    there: BTreeMap<String, There>,
}

/// A pod that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct There {
    number: u8,
    was_ready: bool,
    told_to_end: bool,
    waits: Option<String>,
}

impl Following {
    /// Before anything is done.
    #[must_use]
    pub fn new(set: String, pods: u8) -> Self {
        Self { seen: Seen::new(set, pods), there: BTreeMap::new() }
    }

    fn push(&mut self, kind: Kind, pod: u8, at_ms: u64) {
        // What happens before anything was asked is nothing of this set's.
        if let Some(phase) = self.seen.phases.last_mut() {
            phase.events.push(Event { at_ms, kind, pod });
        }
    }

    /// The number of a pod of the set.
    fn number(&self, pod: &PodSeen) -> Option<u8> {
        pod.name.strip_prefix(&self.seen.set)?.strip_prefix('-')?.parse().ok()
    }

    fn pods(&mut self, now: &[PodSeen], at_ms: u64) {
        let is_there = |uid: &String| now.iter().any(|pod| pod.uid == *uid);
        let gone: Vec<String> = self.there.keys().filter(|uid| !is_there(uid)).cloned().collect();
        for pod in gone.iter().filter_map(|uid| self.there.remove(uid)).collect::<Vec<_>>() {
            self.push(Kind::Gone, pod.number, at_ms);
        }
        for pod in now {
            self.pod(pod, at_ms);
        }
    }

    fn pod(&mut self, pod: &PodSeen, at_ms: u64) {
        let Some(number) = self.number(pod) else { return };
        let before = self.there.get(&pod.uid);
        let (was_ready, was_told) = before.map_or((false, false), |it| (it.was_ready, it.told_to_end));
        let (is_ready, is_told) = (was_ready || pod.ready, pod.deleted_at.is_some());
        let is_new = before.is_none();
        let now = There { number, was_ready: is_ready, told_to_end: is_told, waits: pod.waits.clone() };
        self.there.insert(pod.uid.clone(), now);
        let new =
            [(Kind::Created, is_new), (Kind::Ready, is_ready && !was_ready), (Kind::ToldToEnd, is_told && !was_told)];
        for (kind, _) in new.into_iter().filter(|(_, is_so)| *is_so) {
            self.push(kind, number, at_ms);
        }
    }

    /// How far the pods have come.
    fn last_seen(&self) -> String {
        let count = |is_it: fn(&There) -> bool| self.there.values().filter(|pod| is_it(pod)).count();
        let (ready, told) = (count(|pod| pod.was_ready && !pod.told_to_end), count(|pod| pod.told_to_end));
        let waits = self.there.values().find_map(|pod| Some(format!(", pod {}: {}", pod.number, pod.waits.as_ref()?)));
        format!("{} pods, {ready} Ready, {told} told to end{}", self.there.len(), waits.unwrap_or_default())
    }
}

/// What is known after a change that was seen at that many milliseconds of the run's clock.
#[must_use]
pub fn step(mut following: Following, change: Change, at_ms: u64) -> Following {
    match change {
        Change::Asked(step) => following.seen.phases.push(Phase { step, asked_ms: at_ms, events: Vec::new() }),
        Change::Pods(now) => following.pods(&now, at_ms),
        Change::Lost(why) => following.seen.lost = following.seen.lost.or(Some(why)),
        Change::Late => following.seen.late = Some(following.last_seen()),
    }
    following
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PODS: u8 = 3;

    fn pod(number: u8, uid: &str) -> PodSeen {
        PodSeen { name: format!("set-{number}"), uid: format!("{uid}{number}"), ..PodSeen::default() }
    }

    fn ready(pod: PodSeen) -> PodSeen {
        PodSeen { ready: true, ..pod }
    }

    fn told(pod: PodSeen) -> PodSeen {
        PodSeen { deleted_at: Some("2026-11-24T02:00:01Z".parse().unwrap()), ready: false, ..pod }
    }

    /// What a watch tells of one thing after another, each ten milliseconds after the one before.
    fn replay(changes: impl IntoIterator<Item = Change>) -> Seen {
        let changes = changes.into_iter().zip(1..);
        changes.fold(Following::new("set".into(), PODS), |all, (change, number)| step(all, change, number * 10)).seen
    }

    /// All pods are created and get Ready, one after the other or together.
    fn up(asked: Step, uid: &'static str, together: bool) -> Vec<Change> {
        let all = |made: u8, are_ready: u8| {
            let one = |number| if number < are_ready { ready(pod(number, uid)) } else { pod(number, uid) };
            Change::Pods((0..made).map(one).collect())
        };
        let changes: Vec<Change> = if together {
            (1..=PODS).map(|made| all(made, 0)).chain((1..=PODS).map(|are_ready| all(PODS, are_ready))).collect()
        } else {
            (0..PODS).flat_map(|number| [all(number + 1, number), all(number + 1, number + 1)]).collect()
        };
        [Change::Asked(asked)].into_iter().chain(changes).collect()
    }

    /// All pods are told to end and go, one after the other from the highest number, or together.
    fn down(asked: Step, uid: &'static str, together: bool) -> Vec<Change> {
        let all = |there: u8, told_from: u8| {
            let one = |number| if number >= told_from { told(pod(number, uid)) } else { ready(pod(number, uid)) };
            Change::Pods((0..there).map(one).collect())
        };
        let changes: Vec<Change> = if together {
            let told = (0..PODS).rev().map(|told_from| all(PODS, told_from));
            told.chain((0..PODS).rev().map(|there| all(there, 0))).collect()
        } else {
            (0..PODS).rev().flat_map(|number| [all(number + 1, number), all(number, PODS)]).collect()
        };
        [Change::Asked(asked)].into_iter().chain(changes).collect()
    }

    /// What a cluster does; each in order, or not.
    fn cluster(created: bool, deleted: bool, with_set: bool) -> Vec<Change> {
        let up = |step, uid| up(step, uid, !created);
        let all = [
            up(Step::Up, "a"),
            down(Step::Down, "a", !deleted),
            up(Step::UpAgain, "b"),
            down(Step::Deleted, "b", !with_set),
        ];
        all.concat()
    }

    fn right() -> Vec<Change> {
        cluster(true, true, false)
    }

    fn holds(seen: &Seen) -> [Holds; 3] {
        let checks = seen.checks();
        assert!(checks.iter().all(|check| check.open.is_none() && !check.evidence.is_empty()), "{checks:?}");
        [0, 1, 2].map(|number| checks[number].holds)
    }

    use Holds::{No, Unknown, Yes};

    #[test]
    fn the_question_has_one_answer() {
        assert_eq!(QUESTION.choices.iter().filter(|choice| choice.is_right).count(), 1);
        assert_eq!(QUESTION.answer.matches(". ").count(), 1, "it has two sentences");
    }

    #[test]
    fn what_a_cluster_does_is_told_in_its_order() {
        let seen = replay(right());
        let told = |step| {
            let phase = seen.phases.iter().find(|phase| phase.step == step).unwrap();
            phase.events.iter().map(|event| format!("{} {}", event.pod, event.kind.name())).collect::<Vec<_>>()
        };
        assert_eq!(told(Step::Up), ["0 created", "0 Ready", "1 created", "1 Ready", "2 created", "2 Ready"]);
        let down = ["2 told to end", "2 gone", "1 told to end", "1 gone", "0 told to end", "0 gone"];
        assert_eq!(told(Step::Down), down);
        let deleted = ["2 told to end", "1 told to end", "0 told to end", "2 gone", "1 gone", "0 gone"];
        assert_eq!(told(Step::Deleted), deleted);
        assert_eq!(holds(&seen), [Yes; 3]);
        let evidence: Vec<String> = seen.checks().into_iter().map(|check| check.evidence).collect();
        assert_eq!(
            evidence,
            [
                "statefulset/set created: pod 1 was created 0.010 s after pod 0 was Ready, pod 2 was created 0.010 s after \
                 pod 1 was Ready; scaled up again: pod 1 was created 0.010 s after pod 0 was Ready, pod 2 was created 0.010 s \
                 after pod 1 was Ready",
                "scaled down: pod 1 was told to end 0.010 s after pod 2 was gone, pod 0 was told to end 0.010 s after pod 1 \
                 was gone",
                "deleted: pods 2, 1, 0 were told to end within 0.020 s, 0 and 1 before one of them was gone",
            ]
        );
        assert_eq!(
            seen.observed(),
            "When the set was created, its pods were created in the order 0, 1, 2, each after the pod before it was Ready; \
             when the set was scaled down, its pods were told to end in the order 2, 1, 0, each after the pod before it was \
             gone. When it was deleted, all 3 pods were told to end within 0.020 s."
        );
    }

    #[test]
    fn a_parallel_set_does_not_hold() {
        let seen = replay(cluster(false, false, false));
        assert_eq!(holds(&seen), [No, No, Yes]);
        let checks = seen.checks();
        assert!(checks[0].evidence.contains("pod 1 was created 0.020 s before pod 0 was Ready"), "{checks:?}");
        assert!(
            seen.observed().contains("0, 1, 2, but not each after the pod before it was Ready"),
            "{}",
            seen.observed()
        );
    }

    #[test]
    fn one_time_out_of_order_is_enough() {
        let parts = [up(Step::Up, "a", false), down(Step::Down, "a", false), up(Step::UpAgain, "b", true)];
        let seen = replay(parts.concat());
        assert_eq!(holds(&seen), [No, Yes, Unknown]);
        let says = "When the set was scaled up again, its pods were created in the order 0, 1, 2, but not each";
        assert!(seen.observed().starts_with(says), "{}", seen.observed());
    }

    #[test]
    fn a_deletion_in_order_does_not_hold() {
        let seen = replay(cluster(true, true, true));
        assert_eq!(holds(&seen), [Yes, Yes, No]);
        let says = "When the set was deleted, its pods were told to end in the order 2, 1, 0, each after the pod before it was gone.";
        assert!(seen.observed().ends_with(says), "{}", seen.observed());
    }

    #[test]
    fn a_watch_that_broke_off_proves_nothing() {
        for cluster in [right(), cluster(false, false, true)] {
            let seen =
                replay(cluster.into_iter().chain([Change::Lost("too old".into()), Change::Lost("again".into())]));
            assert_eq!(holds(&seen), [Unknown; 3]);
            assert!(
                seen.is_broken()
                    && seen.checks().iter().all(|check| check.evidence.ends_with("not everything was seen: too old"))
            );
            let says = "The order of the pods is not known. The watch broke off, so not everything was seen: too old.";
            assert_eq!(seen.observed(), says);
            assert_eq!(seen.with_something_changed(), None);
        }
    }

    #[test]
    fn what_was_not_done_in_time_is_not_known() {
        let waits = PodSeen { waits: Some("Insufficient cpu".into()), ..pod(1, "a") };
        let late = [
            Change::Asked(Step::Up),
            Change::Pods(vec![pod(0, "a")]),
            Change::Pods(vec![ready(pod(0, "a"))]),
            Change::Pods(vec![ready(pod(0, "a")), waits]),
            Change::Late,
        ];
        let seen = replay(late);
        assert_eq!(holds(&seen), [Unknown; 3]);
        let says =
            "not all 3 pods were Ready in time; last seen: 2 pods, 1 Ready, 0 told to end, pod 1: Insufficient cpu";
        assert!(seen.checks()[0].evidence.contains(says), "{}", seen.checks()[0].evidence);
        assert!(seen.observed().starts_with("When the set was created, the order of its pods was not seen; when"));
        // What was out of order before the time was over is known.
        let parallel = up(Step::Up, "a", true).into_iter().take(4).chain([Change::Late]);
        assert_eq!(holds(&replay(parallel)), [No, Unknown, Unknown]);
    }

    #[test]
    fn who_else_changes_the_set_leaves_it_unknown() {
        let mut changes = right();
        // Pod 0 is deleted, and created again, while the set comes up.
        let others = [vec![told(pod(0, "a"))], vec![], vec![pod(0, "c")], vec![ready(pod(0, "c"))]];
        changes.splice(3..3, others.map(Change::Pods));
        let seen = replay(changes);
        assert_eq!(holds(&seen)[0], Unknown);
        assert!(seen.checks()[0].evidence.contains("pod 0 was told to end meanwhile"), "{:?}", seen.checks()[0]);
    }

    #[test]
    fn a_pod_that_is_ready_again_is_no_other_one() {
        let mut changes = right();
        changes.splice(3..3, [vec![pod(0, "a")], vec![ready(pod(0, "a"))]].map(Change::Pods));
        assert_eq!(holds(&replay(changes)), [Yes; 3]);
    }

    #[test]
    fn pods_of_another_name_are_none_of_the_set() {
        let others = |name: &str| Change::Pods(vec![PodSeen { name: name.into(), ..pod(0, "x") }]);
        let seen =
            replay([Change::Asked(Step::Up), others("set-a"), others("set"), others("other-0"), others("set-999")]);
        assert_eq!(seen.phases[0].events, []);
    }

    #[test]
    fn with_two_events_exchanged_it_does_not_hold() {
        let seen = replay(right());
        let (changed, what) = seen.with_something_changed().unwrap();
        assert_eq!(what, "with \"pod 2 gone\" and \"pod 1 told to end\" exchanged");
        assert_eq!(holds(&changed), [Yes, No, Yes]);
        assert_eq!(changed.with_something_changed(), None);
        let times = |seen: &Seen| seen.phases[1].events.iter().map(|event| event.at_ms).collect::<Vec<_>>();
        assert_eq!(times(&seen), times(&changed));
    }

    #[test]
    fn evidence_without_pods_proves_nothing() {
        for pods in [0, 1] {
            let mut seen = Seen { pods, ..replay(right()) };
            assert!(!holds(&seen).contains(&Yes));
            seen.phases.iter_mut().for_each(|phase| phase.events.clear());
            assert_eq!(holds(&seen), [Unknown; 3], "{pods}");
            assert_eq!(seen.with_something_changed(), None);
        }
    }

    proptest! {
        /// What was seen of a good set until some moment is never held against it, and is never enough.
        #[test]
        fn a_part_is_never_all(length in 0..right().len()) {
            let seen = replay(right().into_iter().take(length));
            prop_assert!(!holds(&seen).contains(&No));
            prop_assert!(holds(&seen).contains(&Unknown) && !seen.observed().is_empty());
        }

        /// A thing that is not in the evidence leaves it open at best.
        #[test]
        fn nothing_may_be_missing(phase in 0_usize..4, event in 0_usize..6) {
            let mut seen = replay(right());
            seen.phases[phase].events.remove(event);
            prop_assert_ne!(holds(&seen), [Yes; 3]);
        }

        /// Evidence is read again as it was written, and comes to the same.
        #[test]
        fn it_is_read_again(created: bool, deleted: bool, with_set: bool, length in 0_usize..40) {
            let seen = replay(cluster(created, deleted, with_set).into_iter().take(length));
            let read: Seen = serde_json::from_str(&serde_json::to_string(&seen).unwrap()).unwrap();
            prop_assert_eq!(read.checks(), seen.checks());
            prop_assert_eq!(read, seen);
        }
    }
}
