//! What a report on the exchange says.

use super::content::{
    ALL, Block, Content, POD, Section, Table, Trait, asked_of, checks, end, identities, of_claim, row, timeline,
};
use super::picture::Gap;
use crate::observe::Reading;
use crate::persistence::contrast;
use crate::persistence::evidence::{Cycle, Moment};
use crate::persistence::identity::Identity;
use crate::persistence::report::Report;
use crate::persistence::timeline::Kind;
use crate::persistence::verdict;

/// In which there was no answer.
pub const GAPS: [Gap; 2] =
    [("down in the pod", "", Kind::Answered), ("down by the name", "as an application sees it", Kind::AnsweredByName)];

const BY_HAND: &str = "Every change that was made to the cluster, once each, as kubectl commands. The two small programs by_name.py and \
                       load.py are in the plugin's sources.";

/// All of it.
pub fn content(report: &Report) -> Content {
    let verdict = report.verdict();
    let pod = report.cycles.first().map(|cycle| cycle.before.identity.pod.name.as_str()).unwrap_or_default();
    let mut lead = vec![verdict.conclusion()];
    match report.cycles.as_slice() {
        [cycle] => lead.push(format!("downtime: {}, since the {}", verdict::downtime(cycle), cycle.how.noun())),
        several => lead.extend(verdict::downtimes(several)),
    }
    let mut sections = Vec::new();
    for (number, (cycle, verdict)) in report.cycles.iter().zip(report.verdicts()).enumerate() {
        let which = match report.cycles.len() {
            1 => String::new(),
            all => format!(" ({} of {all})", number + 1),
        };
        let identities = identities(&which, rows(cycle));
        sections.extend([
            timeline(&which, &cycle.timeline, &GAPS),
            checks(&which, format!("{ALL}."), verdict.checks),
            identities,
        ]);
    }
    sections.extend(beside(report));
    sections.extend(end(&report.about, asked(report), BY_HAND));
    Content {
        title: format!("What outlives pod/{pod}"),
        holds: verdict.holds,
        verdict: verdict.holds.to_string(),
        lead,
        sections,
    }
}

/// What was asked, where and when.
pub fn asked(report: &Report) -> Vec<[String; 2]> {
    asked_of(&report.about, report.cycles.first().map(|cycle| cycle.asked_at))
}

/// What is told of an identity beside its pod.
const IDENTITY: [Trait<Identity>; 13] = [
    ("claim", |identity| identity.claim.map(|claim| claim.name.clone())),
    ("claim's UID", |identity| identity.claim.map(|claim| claim.uid.clone())),
    ("volume", |identity| of_claim(&identity.claim, |claim| claim.volume.as_ref())),
    ("volume's UID", |identity| identity.volume.clone()),
    ("PostgreSQL", |identity| Reading::Present(identity.server.version.clone())),
    ("system identifier", |identity| Reading::Present(identity.server.system.clone())),
    ("server started", |identity| Reading::Present(identity.server.started_at.to_string())),
    ("WAL position", |identity| {
        Reading::Present(format!("{} on timeline {}", identity.server.wal, identity.server.timeline))
    }),
    ("data directory", |identity| Reading::Present(identity.server.directory.clone())),
    ("its inode", |identity| Reading::Present(identity.server.inode.clone())),
    ("its device", |identity| Reading::Present(identity.server.device.clone())),
    ("lock", |identity| Reading::Present(identity.server.lock.clone())),
    ("settings", |identity| {
        let settings = identity.server.settings.iter().map(|(name, value)| format!("{name} {value}"));
        Reading::Present(settings.collect::<Vec<_>>().join(", "))
    }),
];

fn rows(cycle: &Cycle) -> Vec<Vec<String>> {
    let row =
        |name: &str, of: &dyn Fn(&Moment) -> Reading<String>| row(name.to_owned(), &cycle.before, &cycle.after, of);
    let pod = POD.into_iter().map(|(name, of)| row(name, &|moment| of(&moment.identity.pod)));
    pod.chain(IDENTITY.into_iter().map(|(name, of)| row(name, &|moment| of(&moment.identity)))).collect()
}

/// Level 1 beside it, if that was asked for.
fn beside(report: &Report) -> Option<Section> {
    let check = report.contrast()?;
    let measured = report.contrast.present().zip(report.cycles.last());
    let table = measured.map(|(contrast, cycle)| {
        let rows = contrast::table(contrast, cycle).into_iter().map(Vec::from).collect();
        Block::Table(Table { head: &["", "Level 1", "Level 2"], rows })
    });
    Some(Section::new(
        "Level 1 beside it",
        "The same steps in a Deployment without a volume. It does not change the verdict.",
        table.into_iter().chain([Block::Checks(vec![check])]).collect(),
    ))
}
