//! What a report says, in its order. It is the same for every form that people read: a part of the report is a section here,
//! and templates know only of the few kinds of blocks that sections are made of.

use jiff::Timestamp;

use super::picture::Picture;
use crate::observe::Reading;
use crate::persistence::contrast;
use crate::persistence::evidence::Cycle;
use crate::persistence::identity::{ClaimSeen, Identity};
use crate::persistence::report::Report;
use crate::persistence::setting::{Class, Machine};
use crate::persistence::timeline::Event;
use crate::persistence::verdict::{self, Check, Holds, Verdict, words};

/// All of it.
#[derive(Debug)]
pub struct Document {
    /// What it is about.
    pub title: String,
    /// The verdict.
    pub holds: Holds,
    /// What it rests on, and how long the server was away.
    pub lead: Vec<String>,
    /// The rest.
    pub sections: Vec<Section>,
}

/// A part of it.
#[derive(Debug)]
pub struct Section {
    /// What it is about.
    pub title: String,
    /// How it is to be read.
    pub note: &'static str,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// What sections are made of.
#[derive(Debug)]
pub enum Block {
    /// Facts in columns.
    Table(Table),
    /// Checks with their evidence.
    Checks(Vec<Check>),
    /// A timeline.
    Picture(Picture),
    /// Commands for a shell.
    Commands(Vec<String>),
    /// Short texts.
    List(Vec<String>),
}

/// A table. Its first column says what a row is about.
#[derive(Debug)]
pub struct Table {
    /// What the columns are; nothing where that is plain.
    pub head: &'static [&'static str],
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The cells of a row, each with the name of its column.
    pub fn cells<'a>(&self, row: &'a [String]) -> impl Iterator<Item = (&'static str, &'a String)> {
        self.head.iter().copied().chain(std::iter::repeat("")).zip(row)
    }
}

impl Document {
    /// Of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
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
            sections.extend([timeline(&which, cycle), checks(&which, verdict), identities(&which, cycle)]);
        }
        sections.extend(beside(report));
        sections.extend([not_shown(), facts("What was asked", asked(report)), facts("Where it ran", setting(report))]);
        sections.push(by_hand(report));
        Self { title: format!("What outlives pod/{pod}"), holds: verdict.holds, lead, sections }
    }
}

fn timeline(which: &str, cycle: &Cycle) -> Section {
    let from = cycle.timeline.origin();
    let row = |event: &Event| {
        let cluster = event.cluster.map(|time| time.strftime("%H:%M:%S").to_string()).unwrap_or_default();
        vec![event.kind.name().to_owned(), event.offset(from), cluster, event.says.clone()]
    };
    let events = Block::Table(Table {
        head: &["event", "seen here", "cluster's clock", "more"],
        rows: cycle.timeline.events.iter().map(row).collect(),
    });
    Section {
        title: format!("Timeline{which}"),
        note: "Seen here, by a monotonic clock, since it was asked for. The cluster's own clock tells whole seconds (UTC).",
        blocks: Picture::of(cycle).map(Block::Picture).into_iter().chain([events]).collect(),
    }
}

fn checks(which: &str, verdict: Verdict) -> Section {
    Section {
        title: format!("Proof{which}"),
        note: "It holds as a whole only if every line does.",
        blocks: vec![Block::Checks(verdict.checks)],
    }
}

/// Something of an identity: what it is called, and how it is told.
type Trait = (&'static str, fn(&Identity) -> String);

/// What is told of an identity.
const IDENTITY: [Trait; 21] = [
    ("pod", |identity| identity.pod.name.clone()),
    ("pod's UID", |identity| identity.pod.uid.clone()),
    ("owner's UID", |identity| text(identity.pod.owner.as_ref())),
    ("addresses", |identity| identity.pod.addresses.join(", ")),
    ("node", |identity| text(identity.pod.node.as_ref())),
    ("container", |identity| text(identity.pod.container.as_ref())),
    ("restarts", |identity| identity.pod.restarts.to_string()),
    ("image", |identity| text(identity.pod.image.as_ref())),
    ("claim", |identity| of_claim(identity, |claim| claim.name.clone())),
    ("claim's UID", |identity| of_claim(identity, |claim| claim.uid.clone())),
    ("volume", |identity| of_claim(identity, |claim| text(claim.volume.as_ref()))),
    ("volume's UID", |identity| said(&identity.volume)),
    ("PostgreSQL", |identity| identity.server.version.clone()),
    ("system identifier", |identity| identity.server.system.clone()),
    ("server started", |identity| identity.server.started_at.to_string()),
    ("WAL position", |identity| format!("{} on timeline {}", identity.server.wal, identity.server.timeline)),
    ("data directory", |identity| identity.server.directory.clone()),
    ("its inode", |identity| identity.server.inode.clone()),
    ("its device", |identity| identity.server.device.clone()),
    ("lock", |identity| identity.server.lock.clone()),
    ("settings", |identity| {
        identity.server.settings.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
    }),
];

fn identities(which: &str, cycle: &Cycle) -> Section {
    let row = |(name, of): Trait| {
        let before = of(&cycle.before.identity);
        let after = cycle.after.map(|after| of(&after.identity));
        let compared = match &after {
            Reading::Present(after) if *after == before => "same",
            Reading::Present(_) => "another",
            _ => "not known",
        };
        vec![name.to_owned(), before, said(&after), compared.to_owned()]
    };
    Section {
        title: format!("Identities{which}"),
        note: "What is the same and what is another is judged above: here it is only told.",
        blocks: vec![Block::Table(Table {
            head: &["", "before", "after", "compared"],
            rows: IDENTITY.into_iter().map(row).collect(),
        })],
    }
}

/// Level 1 beside it, if that was asked for.
fn beside(report: &Report) -> Option<Section> {
    let check = report.contrast()?;
    let measured = report.contrast.present().zip(report.cycles.last());
    let table = measured.map(|(contrast, cycle)| {
        let rows = contrast::table(contrast, cycle).into_iter().map(Vec::from).collect();
        Block::Table(Table { head: &["", "Level 1", "Level 2"], rows })
    });
    Some(Section {
        title: "Level 1 beside it".to_owned(),
        note: "The same steps in a Deployment without a volume. It changes nothing of the verdict.",
        blocks: table.into_iter().chain([Block::Checks(vec![check])]).collect(),
    })
}

fn not_shown() -> Section {
    Section {
        title: "Not shown".to_owned(),
        note: "What no run of this kind can show, however it ends.",
        blocks: vec![Block::List(verdict::NOT_SHOWN.map(str::to_owned).into())],
    }
}

fn facts(title: &str, facts: Vec<[String; 2]>) -> Section {
    let rows = facts.into_iter().map(Vec::from).collect();
    Section { title: title.to_owned(), note: "", blocks: vec![Block::Table(Table { head: &[], rows })] }
}

fn by_hand(report: &Report) -> Section {
    Section {
        title: "By hand".to_owned(),
        note: "What was done to the cluster, each thing once, as kubectl does it. The two small programs by_name.py and load.py are in the \
               plugin's sources.",
        blocks: vec![Block::Commands(report.by_hand.clone())],
    }
}

/// What was asked, where and when.
pub fn asked(report: &Report) -> Vec<[String; 2]> {
    let time = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let began = report.cycles.first().map(|cycle| time(cycle.asked_at)).unwrap_or_default();
    [
        ("command", report.asked.clone()),
        ("namespace", report.namespace.clone()),
        ("context", report.context.clone()),
        ("API server", report.address.clone()),
        ("first asked for", began),
        ("written", time(report.at)),
    ]
    .map(|(name, value)| [name.to_owned(), value])
    .into()
}

/// What it took place on.
pub fn setting(report: &Report) -> Vec<[String; 2]> {
    let setting = &report.setting;
    let mut facts = vec![
        ["plugin".to_owned(), setting.plugin.clone()],
        ["Kubernetes".to_owned(), said(&setting.server)],
        ["StorageClass".to_owned(), said(&setting.class.map(class))],
    ];
    facts.extend(setting.nodes.iter().map(|(name, node)| [format!("node/{name}"), said(&node.map(machine))]));
    match &setting.images {
        Reading::Present(images) => {
            facts.extend(images.iter().map(|image| [format!("image of pod/{}", image.pod), image.digest.clone()]));
        }
        other => facts.push(["images".to_owned(), said(&other.map(|_| String::new()))]),
    }
    facts
}

fn machine(machine: &Machine) -> String {
    let Machine { kubelet, kernel, system, architecture, runtime } = machine;
    format!("kubelet {kubelet}, kernel {kernel}, {runtime}, {system}, {architecture}")
}

fn class(class: &Class) -> String {
    let reclaim = class.reclaim.as_deref().unwrap_or("no reclaim policy");
    format!("{}, by {}, {reclaim}", class.name, class.provisioner)
}

fn of_claim(identity: &Identity, of: impl FnOnce(&ClaimSeen) -> String) -> String {
    said(&identity.claim.map(of))
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

/// What is known, in words.
fn said(reading: &Reading<String>) -> String {
    match reading {
        Reading::Present(value) => value.clone(),
        Reading::Absent => "none".to_owned(),
        Reading::Unknown(reason) => format!("not known: {}", words(reason)),
        Reading::NotAsked => "not asked".to_owned(),
    }
}
