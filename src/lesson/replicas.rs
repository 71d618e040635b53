//! Question 2: the database's set with two replicas. Its pods name one claim, and something lets only one server use that.

use k8s_openapi::api::core::v1::Pod;
use serde::{Deserialize, Serialize};

use super::question::{Choice, Question};
use crate::observe::{Reading, readiness};
use crate::persistence::identity::{ClaimSeen, PodSeen};
use crate::persistence::load::{Fate, Load};
use crate::persistence::rows::{Row, Run};
use crate::persistence::verdict::{Check, CheckName, Holds, words};
use crate::text::{brief, seconds};

/// The question.
pub const QUESTION: Question = Question {
    number: 2,
    title: "two replicas",
    asks: "What happens if the database is scaled to two replicas?",
    choices: &[
        Choice {
            says: "Both pods serve the same data, so the database can do twice as much.",
            why: "A second pod is a second server. Two PostgreSQL servers cannot use one data directory.",
            is_right: false,
        },
        Choice {
            says: "Kubernetes copies the data to the second pod.",
            why: "A StatefulSet creates pods and claims, and copies no data. PostgreSQL has to do that itself, with replication.",
            is_right: false,
        },
        Choice {
            says: "The second pod does not become Ready, because the volume is in use.",
            why: "All pods of this set name one claim. Its access mode ReadWriteOncePod, or the lock beside the data, lets only \
                  one of them use it.",
            is_right: true,
        },
        Choice {
            says: "The second pod gets an empty volume of its own.",
            why: "A set with volumeClaimTemplates does that, and then there are two databases. This set has one claim for all \
                  of its pods.",
            is_right: false,
        },
    ],
    does: "scales the StatefulSet to 2, follows the second pod while rows are written, and scales it back to 1; if there is \
           room, it creates another set in which each pod has a claim",
    seconds: 40,
    room: Some("room for one more pod"),
    answer: "The second pod does not become Ready, because all pods of the set name one claim, and only one pod may use it. \
             More replicas are more pods, and not more copies of the data: to copy it is the work of the database itself.",
    not_shown: &["two servers on one data directory", "PostgreSQL's own replication"],
    topic: "pv-pvc",
    recorded: Some(include_str!("recorded/2.json")),
};

/// What the log of a container says that waits for the lock.
pub const LOCKED: &str = "another server still runs on this volume";

/// How long the second pod must stay as it is: seen for less, it could still become Ready.
pub const STAYS_MS: u64 = 5000;

/// What the scheduler says if another pod uses a claim that is for one pod.
const FOR_ONE_POD: &str = "ReadWriteOncePod";

/// Where the scheduler begins to say whether it would help to stop other pods.
const PREEMPTION: &str = "preemption:";

/// Everything that the verdict rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// The run that wrote the rows.
    pub run: Run,
    /// The claim that all pods of the set name.
    pub claim: String,
    /// The first pod, before the set was scaled.
    pub before: PodSeen,
    /// The same after.
    pub after: Reading<PodSeen>,
    /// The second pod.
    pub second: Reading<Second>,
    /// What the writer did meanwhile.
    pub load: Reading<Load>,
    /// The marked rows in the first pod, after.
    pub rows: Reading<Vec<Row>>,
    /// The pods of a set with claim templates, if there was room for one.
    pub templates: Reading<Vec<Member>>,
}

/// What was seen of the second pod until the set was scaled back. All times are from when the set was scaled, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Second {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Its node, if it has one.
    pub node: Option<String>,
    /// The scheduler's words, if no node takes it.
    pub unschedulable: Option<String>,
    /// Why its container does not run, in the cluster's words.
    pub waits: Option<String>,
    /// Whether its container runs.
    pub runs: bool,
    /// What its log says of the lock.
    pub log: Option<String>,
    /// When it was Ready, if it ever was.
    pub ready_ms: Option<u64>,
    /// Since when it has been as it is.
    pub since_ms: u64,
    /// When it was seen last.
    pub until_ms: u64,
}

/// A pod of a set with claim templates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Its name.
    pub pod: String,
    /// Its claim.
    pub claim: Reading<ClaimSeen>,
    /// The system identifier of its database: made once, with the data directory.
    pub system: Reading<String>,
}

impl Second {
    /// What is known of it, once it is seen like this.
    #[must_use]
    pub fn step(known: Option<Self>, pod: &Pod, now_ms: u64) -> Self {
        let seen = PodSeen::from(pod);
        let is_unschedulable = readiness::condition(pod, "PodScheduled").is_some_and(|(status, _)| status == "False");
        let now = Self {
            runs: seen.container.is_some(),
            unschedulable: seen.waits.clone().filter(|words| is_unschedulable && !words.is_empty()),
            waits: seen.waits.filter(|_| !is_unschedulable),
            name: seen.name,
            uid: seen.uid,
            node: seen.node,
            log: None,
            ready_ms: seen.ready.then_some(now_ms),
            since_ms: now_ms,
            until_ms: now_ms,
        };
        let Some(known) = known else { return now };
        // A pod that took its place does not change that one was ready.
        let ready_ms = known.ready_ms.or(now.ready_ms);
        if known.uid != now.uid {
            return Self { ready_ms, ..now };
        }
        let is_same = (known.runs, known.unschedulable.is_some()) == (now.runs, now.unschedulable.is_some());
        let since_ms = if is_same { known.since_ms } else { now_ms };
        Self { ready_ms, since_ms, log: known.log, ..now }
    }

    /// Whether it is said why it does not become ready: if it stays so for a while, that is the answer.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.unschedulable.is_some() || self.waits_for_lock()
    }

    /// Whether its container runs and its log has not said yet what it waits for.
    #[must_use]
    pub fn may_tell(&self) -> bool {
        self.runs && self.log.is_none()
    }

    fn waits_for_lock(&self) -> bool {
        self.runs && self.log.as_deref().is_some_and(|log| log.contains(LOCKED))
    }

    /// Whether the scheduler says that another pod uses its claim.
    fn waits_for_claim(&self) -> bool {
        let nodes = self.unschedulable.as_deref().and_then(|words| words.split(PREEMPTION).next());
        nodes.is_some_and(|nodes| nodes.contains(FOR_ONE_POD))
    }

    /// How it is, in words.
    #[must_use]
    pub fn says(&self) -> String {
        let node = self.node.as_ref().map(|node| format!(" on {node}")).unwrap_or_default();
        let (how, why) = if self.ready_ms.is_some() {
            (format!("Ready{node}"), None)
        } else if self.runs {
            (format!("runs{node}, and is not Ready"), self.log.as_ref())
        } else if let Some(words) = &self.unschedulable {
            ("Pending".to_owned(), Some(words))
        } else {
            (format!("Pending{node}"), self.waits.as_ref())
        };
        let why = why.map(|why| format!(": {}", brief(why))).unwrap_or_default();
        format!("pod/{} {how}{why}", self.name)
    }

    fn holds(&self, claim: &str) -> (Holds, String) {
        let name = &self.name;
        let lasted_ms = self.until_ms.saturating_sub(self.since_ms);
        let (stayed, only) =
            if lasted_ms < STAYS_MS { (Holds::Unknown, ", which is too short to tell") } else { (Holds::Yes, "") };
        let lasted = seconds(lasted_ms);
        if let Some(ready_ms) = self.ready_ms {
            let after = seconds(ready_ms);
            return (Holds::No, format!("pod/{name} was Ready after {after}: two servers on claim {claim}"));
        }
        match (&self.unschedulable, &self.log) {
            (Some(words), _) if self.waits_for_claim() => {
                let says = format!("pod/{name} was Pending for {lasted}{only}; the scheduler says: ");
                (stayed, says + &brief(words))
            }
            (Some(words), _) => {
                let says = format!("pod/{name} was Pending, but not because of the claim; the scheduler says: ");
                (Holds::Unknown, says + &brief(words))
            }
            (None, Some(log)) if self.waits_for_lock() => {
                let node = self.node.as_deref().unwrap_or("its node");
                let says = format!("pod/{name} ran on {node} and was not Ready for {lasted}{only}; its log says: ");
                (stayed, says + &brief(log))
            }
            _ => {
                let after = seconds(self.until_ms);
                (Holds::Unknown, format!("what keeps it away is not known; after {after}: {}", self.says()))
            }
        }
    }
}

impl Seen {
    /// What is checked.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        [self.second_pod(), self.first_server(), self.rows()].into_iter().chain(self.two_claims()).collect()
    }

    /// Whether the second pod is kept away from the claim.
    fn second_pod(&self) -> Check {
        let (holds, evidence) = match &self.second {
            Reading::Present(second) => second.holds(&self.claim),
            Reading::Absent => (Holds::Unknown, "no second pod was seen in time".to_owned()),
            Reading::Unknown(reason) => (Holds::Unknown, words(reason).to_owned()),
            Reading::NotAsked => (Holds::Unknown, "the set was not scaled".to_owned()),
        };
        Check::new(CheckName::SecondPod, holds, evidence)
    }

    /// Whether the first pod's server ran all the time.
    fn first_server(&self) -> Check {
        let (before, name) = (&self.before, &self.before.name);
        let (holds, evidence) = match &self.after {
            Reading::Present(after) if after.uid != before.uid => {
                (Holds::No, format!("pod/{name} was replaced: its UID was {}, is {}", before.uid, after.uid))
            }
            Reading::Present(after) if after.restarts != before.restarts || after.container != before.container => {
                let restarts = after.restarts.saturating_sub(before.restarts);
                (Holds::No, format!("the container of pod/{name} was restarted, {restarts} times"))
            }
            Reading::Present(after) if !after.ready => (Holds::No, format!("pod/{name} is not Ready any more")),
            Reading::Present(after) => {
                (Holds::Yes, format!("pod/{name} is Ready, with UID {} and no restart meanwhile", after.uid))
            }
            Reading::Absent => (Holds::No, format!("pod/{name} does not exist any more")),
            Reading::Unknown(reason) => (Holds::Unknown, words(reason).to_owned()),
            Reading::NotAsked => (Holds::Unknown, format!("pod/{name} was not read again")),
        };
        Check::new(CheckName::FirstServer, holds, evidence)
    }

    /// Whether all rows are in the first pod that were acknowledged meanwhile.
    fn rows(&self) -> Check {
        let (holds, evidence) = match (&self.load, &self.rows) {
            (Reading::Present(load), Reading::Present(rows)) => self.fate(load, rows),
            (Reading::Present(_), Reading::Absent) => {
                (Holds::No, "the table wallets does not exist any more".to_owned())
            }
            (Reading::Unknown(reason), _) | (_, Reading::Unknown(reason)) => (Holds::Unknown, words(reason).to_owned()),
            _ => (Holds::Unknown, "what the writer did is not known".to_owned()),
        };
        Check::new(CheckName::RowsUnderLoad, holds, evidence)
    }

    fn fate(&self, load: &Load, rows: &[Row]) -> (Holds, String) {
        let fate = Fate::of(load, &self.run, [].iter(), rows.iter());
        let (acknowledged, name) = (load.acknowledged.len(), &self.before.name);
        let bad = [
            ("are lost", &fate.lost),
            ("were altered", &fate.altered),
            ("are there more than once", &fate.doubled),
            ("are there that nobody wrote", &fate.unknown),
        ];
        let bad: Vec<String> = bad
            .iter()
            .filter(|(_, numbers)| !numbers.is_empty())
            .map(|(what, numbers)| format!("{} {what}", numbers.len()))
            .collect();
        if !bad.is_empty() {
            (Holds::No, format!("of {acknowledged} rows acknowledged meanwhile: {}", bad.join(", ")))
        } else if load.servers > 1 {
            (Holds::No, format!("the writer met {} servers through one name", load.servers))
        } else if acknowledged == 0 {
            (Holds::Unknown, "no row was acknowledged meanwhile".to_owned())
        } else {
            let gap = seconds(load.gap_ms);
            let says = format!("{acknowledged} acknowledged meanwhile, each in pod/{name} exactly once");
            (Holds::Yes, format!("{says}; the longest pause was {gap}"))
        }
    }

    /// Whether pods with a claim each have a database each; none if there was no room to try it.
    fn two_claims(&self) -> Option<Check> {
        let members = self.templates.present()?;
        let known: Option<Vec<(&str, &ClaimSeen, &String)>> = members
            .iter()
            .map(|member| Some((member.pod.as_str(), member.claim.present()?, member.system.present()?)))
            .collect();
        let (holds, evidence) = match known.as_deref() {
            Some([(first, a, one), (second, b, other)]) => {
                let says = |pod, claim: &ClaimSeen, system| {
                    let volume = claim.volume.as_deref().unwrap_or("<none>");
                    format!("pod/{pod} has claim {}, volume {volume}, database {system}", claim.name)
                };
                let are_two = a.uid != b.uid && one != other && (a.volume.is_none() || a.volume != b.volume);
                let is_known = a.volume.is_some() && b.volume.is_some();
                let holds = match (are_two, is_known) {
                    (false, _) => Holds::No,
                    (true, false) => Holds::Unknown,
                    (true, true) => Holds::Yes,
                };
                (holds, format!("{}; {}", says(first, a, one), says(second, b, other)))
            }
            Some(_) => (Holds::Unknown, format!("{} pods with a claim each, not 2", members.len())),
            None => (Holds::Unknown, "a claim or a database of two pods could not be read".to_owned()),
        };
        Some(Check::new(CheckName::TwoClaims, holds, evidence))
    }

    /// What was seen, in a sentence or two.
    #[must_use]
    pub fn observed(&self) -> String {
        let second = match &self.second {
            Reading::Present(second) if second.ready_ms.is_some() => {
                format!("{}: two servers used claim {}, so the set was scaled back at once.", second.says(), self.claim)
            }
            Reading::Present(second) => {
                second.says().split(PREEMPTION).next().unwrap_or_default().trim_end_matches(['.', ' ']).to_owned() + "."
            }
            _ => format!("{}.", self.second_pod().evidence),
        };
        let is_alone = self.second.present().is_none_or(|second| second.ready_ms.is_none());
        let first = match (self.first_server().holds, self.rows().holds, &self.load) {
            (Holds::Yes, Holds::Yes, Reading::Present(load)) => {
                let acknowledged = load.acknowledged.len();
                let how = if is_alone { "went on alone, with" } else { "kept" };
                format!("pod/{} {how} all {acknowledged} rows acknowledged meanwhile", self.before.name)
            }
            (Holds::Yes, _, _) => self.rows().evidence,
            _ => self.first_server().evidence,
        };
        let claims = match self.two_claims() {
            Some(check) if check.holds == Holds::Yes => "; with a claim for each pod there were two databases",
            _ => "",
        };
        format!("{second} {first}{claims}.")
    }

    /// What of the question could not be shown here, and why.
    #[must_use]
    pub fn not_shown(&self) -> Option<String> {
        match &self.templates {
            Reading::Present(_) => None,
            Reading::Unknown(reason) => Some(format!("a claim for each pod: {}", words(reason))),
            Reading::Absent | Reading::NotAsked => Some("a claim for each pod".to_owned()),
        }
    }

    /// The same with one thing changed so that it must not hold any more, and what that is.
    #[must_use]
    pub fn with_something_changed(&self) -> Option<(Self, String)> {
        let second = self.second.present()?;
        let changed = Second { ready_ms: Some(second.until_ms), ..second.clone() };
        let what = format!("with pod/{} Ready after {}", second.name, seconds(second.until_ms));
        Some((Self { second: Reading::Present(changed), ..self.clone() }, what))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::observe::Reason;

    const IN_USE: &str = "0/1 nodes are available: 1 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod \
                          access mode already in-use by another pod. preemption: 0/1 nodes are available: 1 No preemption \
                          victims found for incoming pod.";

    fn pod(status: &Value) -> Pod {
        serde_json::from_value(json!({ "metadata": { "name": "postgres-1", "uid": "u1" },
            "spec": { "nodeName": if status["phase"] == "Running" { json!("node-1") } else { Value::Null },
                      "containers": [{ "name": "postgres" }] },
            "status": status }))
        .unwrap()
    }

    fn pending(message: &str) -> Pod {
        pod(&json!({ "phase": "Pending", "conditions": [
            { "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message }] }))
    }

    fn running(ready: &str) -> Pod {
        pod(&json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": ready }],
            "containerStatuses": [{ "name": "postgres", "containerID": "c", "image": "", "imageID": "", "ready": false,
                "restartCount": 0, "state": { "running": { "startedAt": "2026-11-24T02:00:05Z" } } }] }))
    }

    fn second(pods: &[Pod]) -> Second {
        let steps = pods.iter().zip((400..).step_by(5000));
        steps.fold(None, |known, (pod, now)| Some(Second::step(known, pod, now))).unwrap()
    }

    fn seen(second: Second) -> Seen {
        let run: Run = "0123abcd".parse().unwrap();
        let row = |number: u32| Row {
            id: format!("{}{number:06}", run.mark()),
            sum: format!("sum of {number}"),
            balance: "1.00".to_owned(),
            updated: "NULL".to_owned(),
        };
        let before = PodSeen {
            name: "postgres-0".to_owned(),
            uid: "u0".to_owned(),
            container: Some("c0".to_owned()),
            ready: true,
            ..PodSeen::default()
        };
        let written: Vec<u32> = (200_001..=200_040).collect();
        Seen {
            claim: "postgres-pvc".to_owned(),
            after: Reading::Present(before.clone()),
            before,
            second: Reading::Present(second),
            load: Reading::Present(Load {
                from: "backend-0".to_owned(),
                first: 200_001,
                last: 200_041,
                acknowledged: written.iter().map(|number| (*number, row(*number).sum)).collect(),
                errors: vec![],
                gap_ms: 130,
                servers: 1,
                by_last: 40,
            }),
            rows: Reading::Present([1].iter().chain(&written).map(|number| row(*number)).collect()),
            templates: Reading::NotAsked,
            run,
        }
    }

    fn good() -> Seen {
        seen(second(&[pending(IN_USE), pending(IN_USE)]))
    }

    fn holds(seen: &Seen) -> Vec<Holds> {
        seen.checks().into_iter().map(|check| check.holds).collect()
    }

    const ALL: [Holds; 3] = [Holds::Yes; 3];

    #[test]
    fn a_pod_that_waits_for_the_claim_is_kept_away() {
        let seen = good();
        assert_eq!(holds(&seen), ALL);
        let checks = seen.checks();
        assert_eq!(
            checks[0].evidence,
            format!("pod/postgres-1 was Pending for 5.000 s; the scheduler says: {}", brief(IN_USE))
        );
        assert!(checks[2].evidence.starts_with("40 acknowledged meanwhile, each in pod/postgres-0"), "{checks:?}");
        assert!(seen.observed().starts_with("pod/postgres-1 Pending: 0/1 nodes are available"), "{}", seen.observed());
        assert!(seen.observed().ends_with("went on alone, with all 40 rows acknowledged meanwhile."));
        let (changed, what) = seen.with_something_changed().unwrap();
        assert_eq!(holds(&changed), [Holds::No, Holds::Yes, Holds::Yes], "{what}");
        let again: Seen = serde_json::from_value(serde_json::to_value(&seen).unwrap()).unwrap();
        assert_eq!(again, seen);
    }

    #[test]
    fn a_pod_that_waits_for_the_lock_is_kept_away() {
        let log = format!("waiting up to 60 s for /var/lib/postgresql/data/postgres.lock: {LOCKED}");
        let runs = second(&[pod(&json!({ "phase": "Pending" })), running("False"), running("False")]);
        assert!(runs.may_tell() && !runs.is_told());
        assert_eq!(holds(&seen(runs.clone()))[0], Holds::Unknown, "a pod that starts may yet be ready");
        let told = Second { log: Some(log), ..runs };
        assert!(told.is_told());
        let check = &seen(told).checks()[0];
        assert_eq!(check.holds, Holds::Yes);
        let says = "pod/postgres-1 ran on node-1 and was not Ready for 5.000 s; its log says: waiting up to 60 s";
        assert!(check.evidence.starts_with(says), "{}", check.evidence);
    }

    #[test]
    fn a_pod_that_was_seen_for_a_moment_only_may_still_become_ready() {
        let moment = second(&[pending(IN_USE)]);
        let log = Some(format!("waiting: {LOCKED}"));
        for second in [moment, Second { log, ..second(&[running("False")]) }] {
            assert!(second.is_told());
            let check = &seen(second).checks()[0];
            assert_eq!(check.holds, Holds::Unknown);
            assert!(check.evidence.contains("for 0.000 s, which is too short to tell"), "{}", check.evidence);
        }
    }

    #[test]
    fn a_second_server_does_not_hold_though_it_is_gone_again() {
        for pods in [&[running("True")][..], &[running("False"), running("True"), running("False")]] {
            let seen = seen(second(pods));
            assert_eq!(holds(&seen), [Holds::No, Holds::Yes, Holds::Yes]);
            assert!(seen.observed().contains("two servers used claim postgres-pvc"), "{}", seen.observed());
        }
        let mut next = pending(IN_USE);
        next.metadata.uid = Some("u2".to_owned());
        assert_eq!(holds(&seen(second(&[running("True"), next])))[0], Holds::No);
    }

    #[test]
    fn what_else_keeps_the_pod_away_proves_nothing() {
        let others =
            "0/2 nodes are available: 2 Insufficient memory. preemption: 0/2 nodes are available: ReadWriteOncePod.";
        assert_eq!(holds(&seen(second(&[pending(others)])))[0], Holds::Unknown);
        let pulling = pod(&json!({ "phase": "Pending", "containerStatuses": [{ "name": "postgres", "image": "",
            "imageID": "", "ready": false, "restartCount": 0, "state": { "waiting": { "reason": "ImagePullBackOff" } } }] }));
        let check = &seen(second(&[pulling])).checks()[0];
        assert_eq!(check.holds, Holds::Unknown);
        assert!(check.evidence.ends_with("pod/postgres-1 Pending: ImagePullBackOff"), "{}", check.evidence);
        for second in [Reading::Absent, Reading::NotAsked, Reading::Unknown(Reason::Failed("no answer".to_owned()))] {
            let seen = Seen { second, ..good() };
            assert_eq!(holds(&seen)[0], Holds::Unknown);
            assert!(seen.with_something_changed().is_none() && !seen.observed().is_empty());
        }
    }

    #[test]
    fn a_first_server_that_did_not_stay_does_not_hold() {
        let after = |change: fn(&mut PodSeen)| {
            let mut seen = good();
            let mut pod = seen.before.clone();
            change(&mut pod);
            seen.after = Reading::Present(pod);
            holds(&seen)[1]
        };
        assert_eq!(after(|_| {}), Holds::Yes);
        assert_eq!(after(|pod| pod.uid = "u9".to_owned()), Holds::No);
        assert_eq!(after(|pod| pod.restarts = 1), Holds::No);
        assert_eq!(after(|pod| pod.container = Some("c9".to_owned())), Holds::No);
        assert_eq!(after(|pod| pod.ready = false), Holds::No);
        let unread = Reading::Unknown(Reason::Failed("no answer".to_owned()));
        for (after, expected) in
            [(Reading::Absent, Holds::No), (unread, Holds::Unknown), (Reading::NotAsked, Holds::Unknown)]
        {
            assert_eq!(holds(&Seen { after, ..good() })[1], expected);
        }
    }

    #[test]
    fn two_servers_behind_one_name_and_no_row_at_all_are_no_proof() {
        let with = |change: fn(&mut Load)| {
            let mut seen = good();
            let mut load = seen.load.present().unwrap().clone();
            change(&mut load);
            seen.load = Reading::Present(load);
            holds(&seen)[2]
        };
        assert_eq!(with(|load| load.servers = 2), Holds::No);
        assert_eq!(with(|load| load.acknowledged.clear()), Holds::Unknown);
        let unread = || Reason::Failed("no answer".to_owned());
        assert_eq!(holds(&Seen { load: Reading::Unknown(unread()), ..good() })[2], Holds::Unknown);
        assert_eq!(holds(&Seen { rows: Reading::Unknown(unread()), ..good() })[2], Holds::Unknown);
        assert_eq!(holds(&Seen { rows: Reading::Absent, ..good() })[2], Holds::No);
    }

    fn member(pod: &str, volume: &str, system: &str) -> Member {
        let claim = format!("data-{pod}");
        Member {
            pod: pod.to_owned(),
            claim: Reading::Present(ClaimSeen {
                uid: format!("uid of {claim}"),
                name: claim,
                volume: Some(volume.to_owned()),
                class: None,
            }),
            system: Reading::Present(system.to_owned()),
        }
    }

    #[test]
    fn pods_with_a_claim_each_have_a_database_each() {
        let with = |members: Vec<Member>| Seen { templates: Reading::Present(members), ..good() };
        let two = with(vec![member("a-0", "pv-1", "7001"), member("a-1", "pv-2", "7002")]);
        assert_eq!(holds(&two), [Holds::Yes; 4]);
        assert_eq!(two.not_shown(), None);
        assert!(two.observed().ends_with("; with a claim for each pod there were two databases."));
        let last = |members| holds(&with(members))[3];
        assert_eq!(last(vec![member("a-0", "pv-1", "7001"), member("a-1", "pv-2", "7001")]), Holds::No);
        assert_eq!(last(vec![member("a-0", "pv-1", "7001"), member("a-1", "pv-1", "7002")]), Holds::No);
        assert_eq!(last(vec![member("a-0", "pv-1", "7001")]), Holds::Unknown);
        let silent = Member { system: Reading::Absent, ..member("a-1", "pv-2", "7002") };
        assert_eq!(last(vec![member("a-0", "pv-1", "7001"), silent]), Holds::Unknown);
        let no_room = Seen { templates: Reading::Unknown(Reason::Failed("no StorageClass".to_owned())), ..good() };
        assert_eq!(
            (holds(&no_room), no_room.not_shown().unwrap().as_str()),
            (ALL.to_vec(), "a claim for each pod: no StorageClass")
        );
    }

    proptest! {
        #[test]
        fn a_row_that_is_lost_altered_or_double_never_holds(index in 1usize..40, fault in 0u8..4) {
            let mut seen = good();
            let mut rows = seen.rows.present().unwrap().clone();
            match fault {
                0 => drop(rows.remove(index)),
                1 => rows[index].sum.push('x'),
                2 => rows.push(rows[index].clone()),
                _ => rows[index].id = format!("{}209999", seen.run.mark()),
            }
            seen.rows = Reading::Present(rows);
            prop_assert_eq!(holds(&seen), [Holds::Yes, Holds::Yes, Holds::No]);
        }
    }
}
