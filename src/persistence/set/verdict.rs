//! What the evidence on a set proves. What could not be asked, or was not, is neither held for proved nor against the set: the
//! verdict says by name what it leaves open.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use super::evidence::{Claimed, Evidence, Moment, Turn};
use crate::observe::Reading;
use crate::persistence::How;
use crate::persistence::timeline::Kind;
use crate::persistence::verdict::{
    Check, Holds, Verdict, check, claim, counted, last_seen, new_pod, one_server, same, spread, text, volume, words,
};
use crate::text::seconds;

/// What a verdict leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Open {
    /// Nobody said how to read the data.
    Data,
    /// A pod has no claim.
    Claim,
    /// Nobody could ask for a pod's name.
    Name,
    /// The old server was not waited for, as grace 0 does not.
    Overlap,
}

impl Display for Open {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "data not checked",
            Self::Claim => "data not on a claim",
            Self::Name => "DNS not checked",
            Self::Overlap => "one server at a time not shown",
        })
    }
}

/// What evidence on a set comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The pods that were taken away.
    pub pods: Vec<OfPod>,
    /// Whether all were that had to be.
    pub complete: Check,
    /// What it leaves open.
    pub open: BTreeSet<Open>,
    /// No if one check does not hold; yes only if every one does that is not left open.
    pub holds: Holds,
}

/// What the evidence on one pod comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfPod {
    /// The pod's name.
    pub pod: String,
    /// All checks, those that are left open included.
    pub checks: Vec<Check>,
    /// The verdict on those that are not.
    pub verdict: Verdict,
    /// What is left open.
    pub open: BTreeSet<Open>,
}

#[must_use]
pub fn judge(evidence: &Evidence) -> Judged {
    let pods: Vec<OfPod> = evidence.turns.iter().map(|turn| of_pod(evidence, turn)).collect();
    let complete = complete(evidence);
    let counted = pods.iter().flat_map(|pod| pod.verdict.checks.clone()).chain([complete.clone()]);
    let holds = Verdict::of(counted.collect()).holds;
    Judged { open: pods.iter().flat_map(|pod| pod.open.clone()).collect(), pods, complete, holds }
}

impl Judged {
    /// The verdict in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        if self.holds != Holds::Yes || self.open.is_empty() {
            return self.holds.to_string();
        }
        let holds = if self.open.contains(&Open::Data) { "identity holds" } else { "identity and data hold" };
        // What is on no claim need not be read to know that it goes with its pod.
        let is_said = |open: &&Open| **open != Open::Data || !self.open.contains(&Open::Claim);
        self.open.iter().filter(is_said).fold(holds.to_owned(), |words, open| format!("{words}, {open}"))
    }

    /// What keeps it from holding: the pod, if it is one's, and the check.
    #[must_use]
    pub fn against(&self) -> Vec<(Option<&str>, &Check)> {
        let of_pods = self
            .pods
            .iter()
            .flat_map(|pod| pod.verdict.checks.iter().map(move |check| (Some(pod.pod.as_str()), check)));
        let against = |(_, check): &(Option<&str>, &Check)| self.holds != Holds::Yes && check.holds == self.holds;
        of_pods.chain([(None, &self.complete)]).filter(against).collect()
    }

    /// What it rests on in a sentence: the pods if it holds, else what keeps it from that.
    #[must_use]
    pub fn conclusion(&self) -> String {
        let said = |(pod, check): (Option<&str>, &Check)| match pod {
            Some(pod) => format!("pod/{pod}: {}: {}", check.name, check.evidence),
            None => check.evidence.clone(),
        };
        match self.holds {
            Holds::Yes => self.complete.evidence.clone(),
            Holds::No | Holds::Unknown => {
                let against = self.against();
                let all = self.pods.iter().map(|pod| pod.verdict.checks.len()).sum::<usize>() + 1;
                let first = against.first().copied().map(said).unwrap_or_default();
                counted(self.holds, against.len(), all, &first)
            }
        }
    }
}

impl OfPod {
    /// Whether a check of it is left open: it is not known, and nothing hangs on it.
    #[must_use]
    pub fn is_open(&self, check: &Check) -> bool {
        !self.verdict.checks.contains(check)
    }
}

const DATA: &str = "same data";

/// A check, and what is left open if it is not known, where nothing hangs on it.
struct Line {
    check: Check,
    open: Option<Open>,
}

impl Line {
    fn open(open: Open, name: &str, evidence: impl Into<String>) -> Self {
        Self { check: check(name, Holds::Unknown, evidence), open: Some(open) }
    }
}

impl From<Check> for Line {
    fn from(check: Check) -> Self {
        Self { check, open: None }
    }
}

/// Judges one pod by itself.
#[must_use]
pub fn of_pod(evidence: &Evidence, turn: &Turn) -> OfPod {
    let lines = lines(evidence, turn);
    let counted = lines.iter().filter(|line| line.open.is_none()).map(|line| line.check.clone()).collect();
    OfPod {
        pod: turn.before.pod.name.clone(),
        verdict: Verdict::of(counted),
        open: lines.iter().filter_map(|line| line.open).collect(),
        checks: lines.into_iter().map(|line| line.check).collect(),
    }
}

fn lines(evidence: &Evidence, turn: &Turn) -> Vec<Line> {
    const CAME_BACK: &str = "came back";
    let now = match &turn.after {
        Reading::Present(now) => now,
        Reading::Unknown(reason) => {
            let why = format!("it could not be read: {}", words(reason));
            return vec![check(CAME_BACK, Holds::Unknown, why).into()];
        }
        Reading::Absent | Reading::NotAsked => {
            let why = format!("no pod was ready in time; last seen: {}", last_seen(&turn.timeline));
            return vec![check(CAME_BACK, Holds::No, why).into()];
        }
    };
    let (old, new) = (&turn.before.pod, &now.pod);
    let mut lines = vec![
        same("same name", "pod", &old.name, &new.name).into(),
        new_pod(&turn.timeline, old, new).into(),
        owner(evidence, turn, now).into(),
    ];
    lines.extend(claims(&turn.before, now));
    lines.push(name(turn, now));
    lines.push(server(evidence.how, turn, now));
    lines.push(data(evidence, turn, now));
    lines
}

fn owner(evidence: &Evidence, turn: &Turn, now: &Moment) -> Check {
    let uid = &evidence.set.uid;
    // What the set did not make before is not given back by it.
    match &turn.before.pod.owner {
        Some(before) if before != uid => {
            check("same owner", Holds::No, format!("statefulset uid was {before}, not {uid}"))
        }
        before => {
            let before = before.as_ref().map_or("", |_| uid);
            same("same owner", "statefulset uid", before, text(now.pod.owner.as_ref()))
        }
    }
}

fn claims(before: &Moment, now: &Moment) -> Vec<Line> {
    const NAME: &str = "same claim";
    if before.claims.is_empty() && now.claims.is_empty() {
        return vec![Line::open(Open::Claim, NAME, Open::Claim.to_string())];
    }
    let find = |moment: &'_ Moment, name: &str| moment.claims.iter().position(|claimed| claimed.name == name);
    let mut lines: Vec<Line> = Vec::new();
    for old in &before.claims {
        match find(now, &old.name) {
            Some(at) => lines.extend(storage(old, &now.claims[at]).map(Line::from)),
            None => lines.push(check(NAME, Holds::No, format!("the new pod does not use pvc/{}", old.name)).into()),
        }
    }
    let added = now.claims.iter().filter(|new| find(before, &new.name).is_none());
    lines.extend(added.map(|new| check(NAME, Holds::No, format!("the old pod did not use pvc/{}", new.name)).into()));
    lines
}

fn storage(old: &Claimed, new: &Claimed) -> [Check; 2] {
    let claim = match (&old.claim, &new.claim) {
        (_, Reading::Absent) | (Reading::Absent, _) => {
            check("same claim", Holds::No, format!("pvc/{} does not exist", new.name))
        }
        (before, now) => claim(before, now),
    };
    [claim, volume((&old.claim, &old.volume), (&new.claim, &new.volume))]
}

fn name(turn: &Turn, now: &Moment) -> Line {
    const NAME: &str = "same address by name";
    let found = match &turn.name {
        Reading::Present(found) => found,
        Reading::Unknown(reason) => return Line::open(Open::Name, NAME, words(reason)),
        Reading::Absent | Reading::NotAsked => return Line::open(Open::Name, NAME, "it was not asked"),
    };
    let answer = if found.addresses.is_empty() { "no such name".to_owned() } else { found.addresses.join(", ") };
    let said = format!("{} → {answer}", found.name);
    let check = if found.leads_to(&now.pod.addresses) {
        check(NAME, Holds::Yes, format!("{said}, asked from pod/{}", found.from))
    } else {
        check(NAME, Holds::No, format!("{said}, but the pod has {}", now.pod.addresses.join(", ")))
    };
    check.into()
}

fn server(how: How, turn: &Turn, now: &Moment) -> Line {
    let check = one_server(how, &turn.timeline, &now.pod, "");
    // Whoever asks for grace 0 has given that up.
    let open = (how == How::Force && check.holds == Holds::Unknown).then_some(Open::Overlap);
    Line { check, open }
}

fn data(evidence: &Evidence, turn: &Turn, now: &Moment) -> Line {
    let within = turn.container.as_ref().map(|name| format!(" (container {name})")).unwrap_or_default();
    let check = |holds, evidence: String| Line::from(check(DATA, holds, evidence + &within));
    match (&turn.before.data, &now.data) {
        (Reading::NotAsked, Reading::NotAsked) if evidence.read.is_none() => {
            Line::open(Open::Data, DATA, "not checked: no --read was given")
        }
        (Reading::Present(before), Reading::Present(now)) => {
            if !before.is_something() {
                check(Holds::Unknown, format!("before, --read printed {}", before.words()))
            } else if before.is_same(now) {
                check(Holds::Yes, now.words())
            } else {
                check(Holds::No, format!("before: {}; after: {}", before.words(), now.words()))
            }
        }
        (Reading::Unknown(reason), _) | (_, Reading::Unknown(reason)) => {
            check(Holds::Unknown, format!("--read could not be run: {}", words(reason)))
        }
        _ => check(Holds::Unknown, "it was not read both before and after".to_owned()),
    }
}

/// Whether each pod was taken away that was to be.
fn complete(evidence: &Evidence) -> Check {
    const NAME: &str = "every pod";
    let (planned, turns) = (&evidence.planned, &evidence.turns);
    let taken: Vec<&str> = turns.iter().map(|turn| turn.before.pod.name.as_str()).collect();
    if taken.iter().zip(planned).any(|(taken, planned)| taken != planned) {
        check(NAME, Holds::No, format!("{} were deleted, not {}", taken.join(", "), planned.join(", ")))
    } else if taken.len() == planned.len() && !planned.is_empty() {
        check(NAME, Holds::Yes, taken.join(", "))
    } else {
        check(NAME, Holds::Unknown, format!("{} of {} were deleted", taken.len(), planned.len()))
    }
}

/// How long the pod was away, in words.
#[must_use]
pub fn downtime(turn: &Turn) -> String {
    let after = |kind| turn.timeline.after_ms(kind).map_or("not known".to_owned(), seconds);
    let lost = if turn.timeline.event(Kind::Lost).is_some() { " (the watch was interrupted meanwhile)" } else { "" };
    let (ready, by_name) = (after(Kind::Ready), after(Kind::Resolved));
    format!("{ready} until Ready, {by_name} by the name{lost}, since the {}", turn.timeline.how.noun())
}

/// How long several pods were away, in words.
#[must_use]
pub fn downtimes(turns: &[Turn]) -> Option<String> {
    let until_ready = turns.iter().filter_map(|turn| turn.timeline.after_ms(Kind::Ready)).collect();
    let said = |text| format!("downtime until Ready, {} times: {text}", turns.len());
    if turns.len() > 1 { spread(until_ready).map(said) } else { None }
}
