//! What a report on a set says.

use std::collections::BTreeSet;

use super::content::{
    ALL, Block, Content, POD, Section, Trait, asked_of, checks, end, identities, of_claim, row, timeline,
};
use super::picture::Gap;
use crate::observe::Reading;
use crate::persistence::set::evidence::{Claimed, Moment, Turn};
use crate::persistence::set::output::Output;
use crate::persistence::set::report::Report;
use crate::persistence::set::verdict::{OfPod, downtime, downtimes};
use crate::persistence::timeline::Kind;
use crate::persistence::verdict::Holds;

/// In which the pod was away.
pub const GAPS: [Gap; 2] =
    [("down until Ready", "", Kind::Ready), ("down by the name", "as its DNS server tells it", Kind::Resolved)];

const BY_HAND: &str = "Every change that was made to the first pod, once each, as kubectl commands.";

/// All of it.
pub fn content(report: &Report) -> Content {
    let (evidence, judged) = (&report.evidence, report.judge());
    let set = format!("statefulset/{}", evidence.set.name);
    let away = |turn: &Turn| format!("downtime of pod/{}: {}", turn.before.pod.name, downtime(turn));
    let downtimes = evidence.turns.iter().map(away).chain(downtimes(&evidence.turns));
    let rests_on = match judged.holds {
        Holds::Yes => format!("deleted: {}", judged.conclusion()),
        Holds::No | Holds::Unknown => judged.conclusion(),
    };
    let lead = [rests_on].into_iter().chain(downtimes).collect();
    let mut sections = Vec::new();
    for (number, (turn, of_pod)) in evidence.turns.iter().zip(&judged.pods).enumerate() {
        let which = format!(" of pod/{} ({} of {})", of_pod.pod, number + 1, evidence.planned.len());
        sections.extend([
            timeline(&which, &turn.timeline, &GAPS),
            checks(&which, note(of_pod), of_pod.checks.clone()),
            identities(&which, rows(turn)),
        ]);
    }
    let every = vec![Block::Checks(vec![judged.complete.clone()])];
    sections.push(Section::new(format!("Every pod of {set}"), "Whether every planned pod was deleted.", every));
    sections.extend(end(&report.about, asked(report), BY_HAND));
    Content {
        title: format!("What outlives the pods of {set}"),
        holds: judged.holds,
        verdict: judged.words(),
        lead,
        sections,
    }
}

/// What was asked, where and when.
pub fn asked(report: &Report) -> Vec<[String; 2]> {
    let evidence = &report.evidence;
    let commands = [("--write", &evidence.write), ("--read", &evidence.read)];
    let commands = commands.map(|(name, command)| [name.to_owned(), command.clone().unwrap_or("not given".to_owned())]);
    let first = evidence.turns.first().map(|turn| turn.asked_at);
    asked_of(&report.about, first).into_iter().chain(commands).collect()
}

/// How the checks of a pod are to be read.
fn note(of_pod: &OfPod) -> String {
    let open: Vec<String> = of_pod.open.iter().map(ToString::to_string).collect();
    match open.as_slice() {
        [] => format!("{ALL}."),
        open => format!("{ALL}, but for what is left open and not counted: {}.", open.join(", ")),
    }
}

/// What is told of a claim.
const CLAIM: [Trait<Claimed>; 4] = [
    ("UID", |claimed| claimed.claim.map(|claim| claim.uid.clone())),
    ("class", |claimed| of_claim(&claimed.claim, |claim| claim.class.as_ref())),
    ("volume", |claimed| of_claim(&claimed.claim, |claim| claim.volume.as_ref())),
    ("volume's UID", |claimed| claimed.volume.clone()),
];

fn rows(turn: &Turn) -> Vec<Vec<String>> {
    let moments = [Some(&turn.before), turn.after.present()].into_iter().flatten();
    let names: BTreeSet<&String> = moments.flat_map(|moment| &moment.claims).map(|claimed| &claimed.name).collect();
    let row = |name, of: &dyn Fn(&Moment) -> Reading<String>| row(name, &turn.before, &turn.after, of);
    let pod = POD.into_iter().map(|(name, of)| row(name.to_owned(), &|moment| of(&moment.pod)));
    let claims = names.into_iter().flat_map(|claim| {
        CLAIM.into_iter().map(move |(name, of)| {
            row(format!("pvc/{claim}, {name}"), &|moment| {
                moment.claims.iter().find(|claimed| claimed.name == *claim).map_or(Reading::Absent, of)
            })
        })
    });
    let within = turn.container.as_ref().map(|name| format!(" in container {name}")).unwrap_or_default();
    let data = row(format!("data read{within}"), &|moment| moment.data.map(Output::words));
    pod.chain(claims).chain([data]).collect()
}
