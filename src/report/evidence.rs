//! What a report says of its evidence.

use std::collections::BTreeSet;

use super::content::{
    ALL, Block, Content, POD, Section, Table, Trait, asked_of, checks, end, identities, of_claim, row, timeline,
};
use super::picture::Gap;
use crate::observe::Reading;
use crate::persistence::contrast;
use crate::persistence::evidence::{Claimed, Data, DataAsked, Evidence, Moment, Turn};
use crate::persistence::identity::Server;
use crate::persistence::output::Output;
use crate::persistence::report::Report;
use crate::persistence::verdict::{Holds, PodVerdict, Verdict, downtime, downtimes, not_shown};

/// The times in which something was away, and what the second of them is.
pub(super) fn gaps(evidence: &Evidence) -> [Gap; 2] {
    let [(first, _), (second, _)] = evidence.downtimes();
    match evidence.data {
        DataAsked::Postgres { is_replicated: true, .. } => [
            ("down by the name", "as an application sees it", first),
            ("member away", "until it answered again", second),
        ],
        DataAsked::Postgres { .. } => {
            [("down in the pod", "", first), ("down by the name", "as an application sees it", second)]
        }
        DataAsked::None | DataAsked::Output { .. } => {
            [("down until Ready", "", first), ("down by the name", "as the DNS server of the cluster answers", second)]
        }
    }
}

fn by_hand(evidence: &Evidence) -> &'static str {
    match evidence.data {
        DataAsked::Postgres { .. } if evidence.node.is_some() => {
            "Every change that was made to the cluster, once each, as kubectl commands, and the two that stopped the node and \
             started it again. The two small programs by_name.py and load.py are in the plugin's sources."
        }
        DataAsked::Postgres { .. } => {
            "Every change that was made to the cluster, once each, as kubectl commands. The two small programs by_name.py and \
             load.py are in the plugin's sources."
        }
        DataAsked::None | DataAsked::Output { .. } => {
            "Every change that was made to the first pod, once each, as kubectl commands."
        }
    }
}

/// All of it.
pub fn content(report: &Report) -> Content {
    let (evidence, verdict) = (&report.evidence, report.judge());
    let has_several = evidence.planned.len() > 1;
    let mut sections = Vec::new();
    for (number, (turn, pod)) in evidence.turns.iter().zip(&verdict.pods).enumerate() {
        let which = if has_several {
            format!(" of pod/{} ({} of {})", pod.pod, number + 1, evidence.planned.len())
        } else {
            String::new()
        };
        sections.extend([
            timeline(&which, &turn.timeline, &gaps(evidence)),
            checks(&which, note(pod), pod.checks.clone()),
            identities(&which, rows(evidence, turn)),
        ]);
    }
    if has_several {
        let every = vec![Block::Checks(vec![verdict.complete.clone()])];
        let title = format!("Every pod of statefulset/{}", evidence.set.name);
        sections.push(Section::new(title, "Whether every planned pod was stopped.", every));
    }
    sections.extend(beside(report));
    let not_shown = not_shown(evidence.how, evidence.is_replicated()).into_iter().map(str::to_owned).collect();
    sections.extend(end(&report.about, asked(report), by_hand(evidence), not_shown));
    Content {
        title: title(evidence),
        holds: verdict.holds,
        verdict: verdict.words(),
        lead: lead(evidence, &verdict),
        sections,
    }
}

fn title(evidence: &Evidence) -> String {
    match evidence.planned.as_slice() {
        [pod, ..] if !evidence.has_several_pods() => format!("What outlives pod/{pod}"),
        _ => format!("What outlives the pods of statefulset/{}", evidence.set.name),
    }
}

/// What the verdict rests on, and how long each pod was away.
fn lead(evidence: &Evidence, verdict: &Verdict) -> Vec<String> {
    let is_of_pods = verdict.holds == Holds::Yes && verdict.conclusion() == verdict.complete.evidence;
    let rests_on = if is_of_pods { format!("deleted: {}", verdict.conclusion()) } else { verdict.conclusion() };
    let several = evidence.planned.len() > 1;
    let away = evidence.turns.iter().map(|turn| {
        let of_pod = if several { format!(" of pod/{}", turn.before.pod.name) } else { String::new() };
        format!("downtime{of_pod}: {}", downtime(evidence, turn))
    });
    [rests_on].into_iter().chain(away).chain(downtimes(evidence)).collect()
}

/// What was asked, where and when.
pub fn asked(report: &Report) -> Vec<[String; 2]> {
    let evidence = &report.evidence;
    let first = evidence.turns.first().map(|turn| turn.asked_at);
    let given = |command: Option<&String>| command.cloned().unwrap_or("not given".to_owned());
    let commands = match &evidence.data {
        DataAsked::Postgres { .. } => Vec::new(),
        DataAsked::None => vec![("--write", given(None)), ("--read", given(None))],
        DataAsked::Output { write, read } => vec![("--write", given(write.as_ref())), ("--read", given(Some(read)))],
    };
    let of_node = evidence.node.iter();
    let of_node = of_node.flat_map(|node| [("--stop-node", node.stop.clone()), ("--start-node", node.start.clone())]);
    let commands = commands.into_iter().chain(of_node).map(|(name, command)| [name.to_owned(), command]);
    asked_of(&report.about, first).into_iter().chain(commands).collect()
}

/// How the checks of a pod are to be read.
fn note(pod: &PodVerdict) -> String {
    let open: Vec<String> = pod.open().iter().map(ToString::to_string).collect();
    match open.as_slice() {
        [] => format!("{ALL}."),
        open => format!("{ALL}, except for what is left open and not counted: {}.", open.join(", ")),
    }
}

/// What is told of a claim.
const CLAIM: [Trait<Claimed>; 4] = [
    ("UID", |claimed| claimed.claim.map(|claim| claim.uid.clone())),
    ("class", |claimed| of_claim(&claimed.claim, |claim| claim.class.as_ref())),
    ("volume", |claimed| of_claim(&claimed.claim, |claim| claim.volume.as_ref())),
    ("volume's UID", |claimed| claimed.volume.clone()),
];

/// What is told of PostgreSQL.
const SERVER: [Trait<Server>; 9] = [
    ("PostgreSQL", |server| Reading::Present(server.version.clone())),
    ("system identifier", |server| Reading::Present(server.system.clone())),
    ("server started", |server| Reading::Present(server.started_at.to_string())),
    ("WAL position", |server| Reading::Present(format!("{} on timeline {}", server.wal, server.timeline))),
    ("data directory", |server| Reading::Present(server.directory.clone())),
    ("its inode", |server| Reading::Present(server.inode.clone())),
    ("its device", |server| Reading::Present(server.device.clone())),
    ("lock", |server| Reading::Present(server.lock.clone())),
    ("settings", |server| {
        let settings = server.settings.iter().map(|(name, value)| format!("{name} {value}"));
        Reading::Present(settings.collect::<Vec<_>>().join(", "))
    }),
];

fn rows(evidence: &Evidence, turn: &Turn) -> Vec<Vec<String>> {
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
    let data: Vec<Vec<String>> = match &evidence.data {
        DataAsked::Postgres { .. } => SERVER
            .into_iter()
            .map(|(name, of)| {
                row(name.to_owned(), &|moment| {
                    moment.data.database().map_or(Reading::Absent, |database| of(&database.server))
                })
            })
            .collect(),
        DataAsked::None | DataAsked::Output { .. } => {
            let within = turn.container.as_ref().map(|name| format!(" in container {name}")).unwrap_or_default();
            vec![row(format!("data read{within}"), &|moment| match &moment.data {
                Data::Output(output) => output.map(Output::words),
                Data::None | Data::Postgres(_) => Reading::NotAsked,
            })]
        }
    };
    pod.chain(claims).chain(data).collect()
}

/// Level 1 beside it, if that was asked for.
fn beside(report: &Report) -> Option<Section> {
    let check = report.contrast()?;
    let table = report.contrast.present().map(|contrast| {
        let rows = contrast::table(&[contrast], &report.evidence);
        Block::Table(Table { head: &["", "Level 1", "Level 2"], rows })
    });
    Some(Section::new(
        "Level 1 beside it",
        "The same steps in a Deployment without a volume. It does not change the verdict.",
        table.into_iter().chain([Block::Checks(vec![check])]).collect(),
    ))
}
