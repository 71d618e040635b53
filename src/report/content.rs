//! What a report says, in its order. It is the same for every form that people read: a part of the report is a section here,
//! and templates know only of the few kinds of blocks that sections are made of.

use jiff::Timestamp;

use super::picture::{Gap, Picture};
use crate::observe::Reading;
use crate::persistence::about::About;
use crate::persistence::identity::{ClaimSeen, PodSeen};
use crate::persistence::setting::{Class, Machine};
use crate::persistence::timeline::{Event, Timeline};
use crate::persistence::verdict::{Check, Holds, words};

/// All of it.
#[derive(Debug)]
pub struct Content {
    /// What it is about.
    pub title: String,
    /// Whether it holds.
    pub holds: Holds,
    /// The verdict, in a few words.
    pub verdict: String,
    /// What it rests on, and how long each pod was away.
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
    pub note: String,
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
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The cells of a row, each with the name of its column.
    pub fn cells<'a>(&self, row: &'a [String]) -> impl Iterator<Item = (&'static str, &'a String)> {
        self.head.iter().copied().chain(std::iter::repeat("")).zip(row)
    }
}

impl Section {
    pub(super) fn new(title: impl Into<String>, note: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self { title: title.into(), note: note.into(), blocks }
    }
}

/// What was seen, with a picture of it that ends with the times in which there was no answer.
pub(super) fn timeline(which: &str, timeline: &Timeline, gaps: &[Gap]) -> Section {
    let from = timeline.origin();
    let row = |event: &Event| {
        let cluster = event.cluster.map(|time| time.strftime("%H:%M:%S").to_string()).unwrap_or_default();
        vec![event.kind.name().to_owned(), event.offset(from), cluster, event.says.clone()]
    };
    let events = Block::Table(Table {
        head: &["event", "seen here", "cluster's clock", "more"],
        rows: timeline.events.iter().map(row).collect(),
    });
    Section::new(
        format!("Timeline{which}"),
        "Times are measured on this machine, by a monotonic clock, from the request on. The cluster's timestamps are whole seconds (UTC).",
        Picture::of(timeline, gaps).map(Block::Picture).into_iter().chain([events]).collect(),
    )
}

/// How checks are to be read.
pub(super) const ALL: &str = "The verdict holds only if every line does";

pub(super) fn checks(which: &str, note: impl Into<String>, checks: Vec<Check>) -> Section {
    Section::new(format!("Proof{which}"), note, vec![Block::Checks(checks)])
}

/// Something of an identity: what it is called, and how it is told.
pub(super) type Trait<T> = (&'static str, fn(&T) -> Reading<String>);

/// What is told of every pod.
pub(super) const POD: [Trait<PodSeen>; 8] = [
    ("pod", |pod| Reading::Present(pod.name.clone())),
    ("pod's UID", |pod| Reading::Present(pod.uid.clone())),
    ("owner's UID", |pod| known(pod.owner.as_ref())),
    ("addresses", |pod| Reading::Present(pod.addresses.join(", "))),
    ("node", |pod| known(pod.node.as_ref())),
    ("container", |pod| known(pod.container.as_ref())),
    ("restarts", |pod| Reading::Present(pod.restarts.to_string())),
    ("image", |pod| known(pod.image.as_ref())),
];

/// A row of the identities: before, and after.
pub(super) fn row<T>(name: String, before: &T, after: &Reading<T>, of: impl Fn(&T) -> Reading<String>) -> Vec<String> {
    let is_known = |reading: &Reading<String>| matches!(reading, Reading::Present(_) | Reading::Absent);
    let before = of(before);
    let (after, is_there) = match after {
        Reading::Present(after) => (of(after), true),
        other => (other.map(|_| String::new()), false),
    };
    let compared = if !is_there || !is_known(&before) || !is_known(&after) {
        "not known"
    } else if before == after {
        "same"
    } else {
        "another"
    };
    vec![name, said(&before), said(&after), compared.to_owned()]
}

pub(super) fn identities(which: &str, rows: Vec<Vec<String>>) -> Section {
    Section::new(
        format!("Identities{which}"),
        "This table only shows what changed; the checks above judge it.",
        vec![Block::Table(Table { head: &["", "before", "after", "compared"], rows })],
    )
}

/// What stands at the end of every report. What was done by hand is told with what must be known of it.
pub(super) fn end(about: &About, asked: Vec<[String; 2]>, by_hand: &str, not_shown: Vec<String>) -> [Section; 4] {
    [
        Section::new("Not shown", "What such a run cannot show.", vec![Block::List(not_shown)]),
        facts("What was requested", asked),
        facts("Where it ran", setting(about)),
        Section::new("By hand", by_hand, vec![Block::Commands(about.by_hand.clone())]),
    ]
}

fn facts(title: &str, facts: Vec<[String; 2]>) -> Section {
    let rows = facts.into_iter().map(Vec::from).collect();
    Section::new(title, "", vec![Block::Table(Table { head: &[], rows })])
}

/// What was asked, where and when.
pub(super) fn asked_of(about: &About, first: Option<Timestamp>) -> Vec<[String; 2]> {
    let time = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    [
        ("command", about.asked.clone()),
        ("namespace", about.namespace.clone()),
        ("context", if about.context.is_empty() { "none".to_owned() } else { about.context.clone() }),
        ("API server", about.address.clone()),
        ("first asked for", first.map(time).unwrap_or_default()),
        ("written", time(about.at)),
    ]
    .map(|(name, value)| [name.to_owned(), value])
    .into_iter()
    .filter(|[name, _]| first.is_some() || name != "first asked for")
    .collect()
}

/// What it took place on.
pub(super) fn setting(about: &About) -> Vec<[String; 2]> {
    let setting = &about.setting;
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

/// Something of a claim that it need not have.
pub(super) fn of_claim(claim: &Reading<ClaimSeen>, of: fn(&ClaimSeen) -> Option<&String>) -> Reading<String> {
    match claim {
        Reading::Present(claim) => known(of(claim)),
        other => other.map(|_| String::new()),
    }
}

fn known(value: Option<&String>) -> Reading<String> {
    value.cloned().map_or(Reading::Absent, Reading::Present)
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
