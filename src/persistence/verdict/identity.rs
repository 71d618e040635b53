//! Who is who before and after: the pod, its owner, its claims and volumes, its name, and that there was one server at a time.

use jiff::Timestamp;

use super::{Check, CheckName, Holds, Open, same, so, words};
use crate::observe::Reading;
use crate::persistence::How;
use crate::persistence::evidence::{Claimed, DataAsked, Evidence, Moment, Resolved, Turn};
use crate::persistence::identity::{ClaimSeen, PodSeen};
use crate::persistence::timeline::{Kind, Timeline};

/// All of it. What nobody can ask of a program that is not known is left open.
pub(super) fn checks(evidence: &Evidence, turn: &Turn, now: &Moment) -> Vec<Check> {
    let is_postgres = matches!(evidence.data, DataAsked::Postgres { .. });
    let (old, new) = (&turn.before.pod, &now.pod);
    let mut checks = vec![same(CheckName::SameName, "pod", &old.name, &new.name)];
    // If a node is away for long, the cluster deletes its pods.
    let is_deleted = evidence.how == How::Node && old.uid != new.uid;
    if evidence.how.replaces_pod() || is_deleted {
        checks.extend([new_pod(&turn.timeline, old, new), owner(&evidence.set.uid, old, new)]);
    } else if evidence.how == How::Node {
        checks.push(pod_of_node(old, new));
    } else {
        checks.push(same_pod(evidence.is_replicated(), old, new));
    }
    checks.extend(claims(is_postgres, &turn.before, now));
    checks.push(if evidence.is_replicated() { names_of_members(turn, now) } else { name(is_postgres, turn, now) });
    let lock = now.data.database().map_or("", |database| &database.server.lock);
    let mut one_server = one_server(evidence.how, &turn.timeline, new, lock);
    // Whoever asks for grace 0 has given that up, unless the server can show it by its lock.
    if !is_postgres && evidence.how == How::Force && one_server.holds == Holds::Unknown {
        one_server.open = Some(Open::Overlap);
    }
    checks.push(one_server);
    checks
}

/// A member's server is started again in its container, so there the container need not be another one.
fn same_pod(is_replicated: bool, old: &PodSeen, new: &PodSeen) -> Check {
    const NAME: CheckName = CheckName::SamePod;
    if old.uid != new.uid {
        Check::new(NAME, Holds::No, format!("uid {} → {}", old.uid, new.uid))
    } else if new.restarts == old.restarts + 1 || is_replicated && new.restarts == old.restarts {
        Check::new(NAME, Holds::Yes, format!("uid {}, restarts {} → {}", new.uid, old.restarts, new.restarts))
    } else {
        Check::new(NAME, Holds::No, format!("restarts {} → {}, not one more", old.restarts, new.restarts))
    }
}

/// The kubelet may have to start a container more than once until all is there again that it needs.
fn pod_of_node(old: &PodSeen, new: &PodSeen) -> Check {
    let (holds, why) = if new.container == old.container {
        (Holds::No, ": its container went on, so its node was not stopped")
    } else {
        (Holds::Yes, "")
    };
    let said = format!("uid {}, restarts {} → {}{why}", new.uid, old.restarts, new.restarts);
    Check::new(CheckName::SamePod, holds, said)
}

/// Whether another pod took the place of the old one, and no third one that of the new one.
fn new_pod(timeline: &Timeline, old: &PodSeen, new: &PodSeen) -> Check {
    const NAME: CheckName = CheckName::NewPod;
    if old.uid == new.uid {
        Check::new(NAME, Holds::No, format!("uid {} is the old one's", new.uid))
    } else if timeline.successor.as_ref().is_some_and(|uid| *uid != new.uid) {
        Check::new(NAME, Holds::No, "someone replaced the new pod again")
    } else {
        Check::new(NAME, Holds::Yes, format!("uid {} → {}", old.uid, new.uid))
    }
}

fn owner(set: &str, old: &PodSeen, new: &PodSeen) -> Check {
    const NAME: CheckName = CheckName::SameOwner;
    // What the set did not create before is not created again by it.
    match old.owner.as_deref() {
        Some(before) if before != set => {
            Check::new(NAME, Holds::No, format!("statefulset uid was {before}, not {set}"))
        }
        before => same(NAME, "statefulset uid", before.unwrap_or_default(), new.owner.as_deref().unwrap_or_default()),
    }
}

fn claims(is_postgres: bool, before: &Moment, now: &Moment) -> Vec<Check> {
    const NAME: CheckName = CheckName::SameClaim;
    if is_postgres && now.claims.is_empty() {
        return vec![
            Check::new(NAME, Holds::No, "the data directory is not on a claim: it is lost with its pod"),
            Check::new(CheckName::SameVolume, Holds::No, "no claim names one"),
        ];
    }
    if before.claims.is_empty() && now.claims.is_empty() {
        return vec![Check::open(Open::Claim, NAME, Open::Claim.to_string())];
    }
    let find = |moment: &'_ Moment, name: &str| moment.claims.iter().position(|claimed| claimed.name == name);
    let mut checks: Vec<Check> = Vec::new();
    for old in &before.claims {
        match find(now, &old.name) {
            Some(at) => checks.extend([claim(&old.claim, &now.claims[at]), volume(old, &now.claims[at])]),
            None => checks.push(Check::new(NAME, Holds::No, format!("the new pod does not use pvc/{}", old.name))),
        }
    }
    let added = now.claims.iter().filter(|new| find(before, &new.name).is_none());
    checks.extend(added.map(|new| Check::new(NAME, Holds::No, format!("the old pod did not use pvc/{}", new.name))));
    checks
}

fn claim(before: &Reading<ClaimSeen>, now: &Claimed) -> Check {
    const NAME: CheckName = CheckName::SameClaim;
    match (before, &now.claim) {
        (Reading::Present(old), Reading::Present(new)) if old.uid == new.uid && !new.uid.is_empty() => {
            Check::new(NAME, Holds::Yes, format!("pvc/{} uid {}", new.name, new.uid))
        }
        (Reading::Present(old), Reading::Present(new)) => {
            Check::new(NAME, Holds::No, format!("pvc/{} uid {} → {}", new.name, old.uid, new.uid))
        }
        (_, Reading::Absent) | (Reading::Absent, _) => {
            Check::new(NAME, Holds::No, format!("pvc/{} does not exist", now.name))
        }
        (Reading::Unknown(reason), _) | (_, Reading::Unknown(reason)) => {
            Check::new(NAME, Holds::Unknown, words(reason))
        }
        _ => Check::new(NAME, Holds::Unknown, "it was not read"),
    }
}

fn volume(before: &Claimed, now: &Claimed) -> Check {
    const NAME: CheckName = CheckName::SameVolume;
    let name = |claimed: &Claimed| claimed.claim.present().and_then(|claim| claim.volume.clone());
    let (Some(old), Some(new)) = (name(before), name(now)) else {
        let holds = if matches!(now.claim, Reading::Absent) { Holds::No } else { Holds::Unknown };
        return Check::new(NAME, holds, "no claim names one");
    };
    match (&before.volume, &now.volume) {
        _ if old != new => Check::new(NAME, Holds::No, format!("pv/{old} → pv/{new}")),
        (Reading::Present(old_uid), Reading::Present(uid)) if old_uid == uid => {
            Check::new(NAME, Holds::Yes, format!("pv/{new} uid {uid}"))
        }
        (Reading::Present(old_uid), Reading::Present(uid)) => {
            Check::new(NAME, Holds::No, format!("pv/{new} uid {old_uid} → {uid}"))
        }
        (_, Reading::Absent) => Check::new(NAME, Holds::No, format!("pv/{new} does not exist any more")),
        // A claim that is bound never changes its volume.
        _ => Check::new(NAME, Holds::Yes, format!("pv/{new}, by the claim's spec.volumeName: volumes may not be read")),
    }
}

fn name(is_postgres: bool, turn: &Turn, now: &Moment) -> Check {
    const NAME: CheckName = CheckName::AddressByName;
    // Applications find the exchange's database by its name alone.
    let unasked = |why: &str| {
        if is_postgres { Check::new(NAME, Holds::Unknown, why) } else { Check::open(Open::Name, NAME, why) }
    };
    let answer = match &turn.name {
        Reading::Present(answer) => answer,
        Reading::Unknown(reason) => return unasked(words(reason)),
        Reading::NotAsked if is_postgres => return unasked("there is no backend pod to ask"),
        Reading::NotAsked => return unasked("it was not asked"),
        Reading::Absent => {
            let why = turn.name_error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
            return Check::new(NAME, Holds::No, format!("no query by the name was answered in time{why}"));
        }
    };
    let addresses = &now.pod.addresses;
    let Some(first) = answer.names.first() else { return unasked("it was not asked") };
    let said = said(first);
    let start = now.data.database().map(|database| &database.server.start);
    if answer.start.as_ref().is_some_and(|answered| Some(answered) != start) {
        return Check::new(NAME, Holds::No, format!("{said}, but another server answered"));
    }
    match answer.names.iter().find(|name| !name.leads_to(addresses)) {
        None => Check::new(NAME, Holds::Yes, format!("{said}, asked from pod/{}", answer.from)),
        Some(wrong) if wrong == first => {
            Check::new(NAME, Holds::No, format!("{said}, but the pod has {}", addresses.join(", ")))
        }
        Some(wrong) => Check::new(NAME, Holds::No, format!("{said}, but {}", self::said(wrong))),
    }
}

/// Of a replicated database: whether the name that applications use leads to the member that takes writes, and the name of the
/// pod that was stopped to the one that came in its place.
fn names_of_members(turn: &Turn, now: &Moment) -> Check {
    const NAME: CheckName = CheckName::AddressByName;
    let unknown = |why: &str| Check::new(NAME, Holds::Unknown, why);
    let answer = match &turn.name {
        Reading::Present(answer) => answer,
        Reading::Absent | Reading::NotAsked | Reading::Unknown(_) => return name(true, turn, now),
    };
    let Some(takeover) = turn.takeover.present() else { return unknown("the member that takes writes is not known") };
    let Some(first) = answer.names.first() else { return unknown("it was not asked") };
    let by_name = format!("{}: pod/{} answered", said(first), answer.pod.as_deref().unwrap_or("?"));
    if answer.start.as_ref() != Some(&takeover.database.server.start) {
        return Check::new(NAME, Holds::No, format!("{by_name}, but pod/{} takes writes", takeover.pod));
    }
    match &takeover.name {
        Reading::Present(own) if own.leads_to(&now.pod.addresses) => {
            Check::new(NAME, Holds::Yes, format!("{by_name}; {}, asked from pod/{}", said(own), answer.from))
        }
        Reading::Present(own) => {
            let has = now.pod.addresses.join(", ");
            Check::new(NAME, Holds::No, format!("{by_name}, but {}, and pod/{} has {has}", said(own), now.pod.name))
        }
        Reading::Unknown(reason) => Check::new(NAME, Holds::Unknown, format!("{by_name}; {}", words(reason))),
        Reading::Absent | Reading::NotAsked => {
            Check::new(NAME, Holds::Unknown, format!("{by_name}; the name of pod/{} was not asked", now.pod.name))
        }
    }
}

fn said(resolved: &Resolved) -> String {
    let answer = if resolved.addresses.is_empty() { "no such name".to_owned() } else { resolved.addresses.join(", ") };
    format!("{} → {answer}", resolved.name)
}

/// Whether the old server had stopped before the new one started. The lock that the new one holds is empty if that is none.
fn one_server(how: How, timeline: &Timeline, now: &PodSeen, lock: &str) -> Check {
    const NAME: CheckName = CheckName::OneServer;
    let at = |kind| timeline.events.iter().position(|event| event.kind == kind);
    let in_order = at(Kind::Ended).is_some_and(|ended| at(Kind::Started).is_some_and(|started| ended < started));
    let one_clock = timeline.old.node == now.node;
    match (timeline.old_ended_at, now.started_at) {
        (Some(ended), Some(started)) if one_clock => {
            // A node that was away says when it found that.
            let ended_by = if how == How::Node { "had ended by" } else { "ended" };
            let said = format!("the old one {ended_by} {}, the new one started {}", clock(ended), clock(started));
            Check::new(NAME, so(ended <= started), said)
        }
        // The clocks of two nodes need not agree.
        (Some(_), _) if in_order => {
            Check::new(NAME, Holds::Yes, "the old one ended before the new one started, on another node")
        }
        _ if !lock.is_empty() => Check::new(NAME, Holds::Yes, format!("the new one started under the lock of {lock}")),
        _ if how == How::Force => {
            Check::new(NAME, Holds::Unknown, "grace 0 does not wait for the old server, and the new one holds no lock")
        }
        (Some(_), _) => {
            Check::new(NAME, Holds::Unknown, "the old one's end on its node was not seen before the new one's start")
        }
        _ => Check::new(NAME, Holds::Unknown, "the end of the old server was not seen"),
    }
}

/// A time of the cluster's clock, as a timeline has it.
fn clock(time: Timestamp) -> String {
    time.strftime("%H:%M:%S").to_string()
}
