//! `status` for people.

use jiff::Timestamp;

use super::report::{Claim, DatabaseStatus, Status, Volume, Workload, age};
use crate::commands::shared::exercise::symptoms::Symptoms;
use crate::commands::shared::waiting;
use crate::findings::Health;
use crate::kubernetes::on;
use crate::observe::{Reading, Reason};
use crate::output::{Column, Line, Role, Table};
use crate::text::{brief, duration, one_line};

const WORKLOADS: [Column; 8] = [
    Column::always("NAME"),
    Column::always("READY"),
    Column::always("STATUS"),
    Column::always("RESTARTS"),
    Column::wide("IP"),
    Column::wide("NODE"),
    Column::wide("REVISION"),
    Column::always("AGE"),
];

const STORAGE: [Column; 8] = [
    Column::always("NAME"),
    Column::always("STATUS"),
    Column::always("CLASS"),
    Column::always("SIZE"),
    Column::always("RECLAIM"),
    Column::wide("NODE"),
    Column::wide("PATH"),
    Column::always("AGE"),
];

const MEMBERS: [Column; 5] = [
    Column::always("MEMBER"),
    Column::always("ROLE"),
    Column::always("STATE"),
    Column::always("TIMELINE"),
    Column::always("LAG"),
];

const SERVICES: [Column; 6] = [
    Column::always("NAME"),
    Column::always("CLUSTER-IP"),
    Column::wide("TYPE"),
    Column::always("PORTS"),
    Column::always("ENDPOINTS"),
    Column::always("AGE"),
];

pub fn lines(status: &Status, wide: bool, now: Timestamp) -> Vec<Line> {
    let tables = [workloads(status, wide, now), storage(status, wide, now), services(status, wide, now)];
    let tables = tables.into_iter().chain(members(status)).collect::<Vec<_>>();
    let mut lines: Vec<Line> = tables.join("\n").lines().map(Line::from).collect();
    lines.push(Line::default());
    for member in status.members.iter().filter(|member| !member.chain.is_empty()) {
        lines.push(Line::default().and(Role::Title, "chain: ").and(Role::Plain, member.chain.join(" → ")));
    }
    lines.extend(database(&status.database, now));
    lines.extend(synchronous(&status.synchronous));
    lines.extend(kept_claims(&status.kept_claims));
    if let Reading::Present(name) = &status.network_policy {
        let words = format!("{name} (only the backend may reach PostgreSQL, if the cluster's network enforces it)");
        lines.push(Line::default().and(Role::Title, "network policy: ").and(Role::Plain, words));
    }
    if let Some(proof) = &status.last_proof {
        let words = format!("{} ({})", proof.words(now), proof.how.noun());
        lines.push(Line::default().and(Role::Title, "last proof: ").and(Role::Plain, words));
    }
    lines.push(verdict(status));
    lines.extend(status.findings.iter().map(waiting::line));
    lines.extend(status.symptoms.iter().flat_map(Symptoms::lines));
    lines
}

/// It in one line: how many pods of each workload are ready, and what is the matter.
pub fn summary(status: &Status) -> String {
    let ready = status.workloads.iter().map(|workload| match &workload.state {
        Reading::Present(state) => format!("{} {}/{}", workload.name, state.ready, state.desired),
        other => format!("{} {}", workload.name, known(other)),
    });
    let findings = status.findings.iter().map(|finding| format!("{} {}", finding.object, brief(&finding.says)));
    let symptoms = status.symptoms.iter().flat_map(Symptoms::words);
    let word = status.health.words();
    one_line(&[word.to_owned()].into_iter().chain(ready).chain(findings).chain(symptoms).collect::<Vec<_>>().join("; "))
}

/// Whether all is well.
fn verdict(status: &Status) -> Line {
    let role = match status.health {
        Health::Healthy | Health::WorksAsSeen | Health::ObjectsInOrder => Role::Good,
        Health::NotReady | Health::Unknown | Health::Unreadable => Role::Doubtful,
        Health::NotHealthy => Role::Bad,
    };
    let place = format!(" ({}{})", status.namespace, on(&status.context));
    Line::default().and(Role::Title, "exchange: ").and(role, status.health.words()).and(Role::Plain, place)
}

fn workloads(status: &Status, wide: bool, now: Timestamp) -> String {
    let mut table = Table::new(&WORKLOADS, wide);
    for workload in &status.workloads {
        table.row(workload_row(workload, now));
        for pod in &workload.pods {
            table.row([
                format!("pod/{}", pod.name),
                format!("{}/1", i32::from(pod.ready)),
                pod.status.clone(),
                pod.restarts.to_string(),
                pod.ip.clone().unwrap_or_default(),
                pod.node.clone().unwrap_or_default(),
                String::new(),
                shown_age(pod.created_at, now),
            ]);
        }
    }
    table.text()
}

fn workload_row(workload: &Workload, now: Timestamp) -> [String; 8] {
    let name = workload.name.clone();
    match &workload.state {
        Reading::Present(state) => {
            let word = match (state.terminating, state.complete) {
                (true, _) => "Terminating",
                (false, true) => "Complete",
                (false, false) => "Progressing",
            };
            let ready = format!("{}/{}", state.ready, state.desired);
            let [none_1, none_2, none_3] = [const { String::new() }; 3];
            let revision = state.revision.clone().unwrap_or_default();
            [name, ready, word.to_owned(), none_1, none_2, none_3, revision, shown_age(state.created_at, now)]
        }
        other => without_value(name, 2, known(other)),
    }
}

fn storage(status: &Status, wide: bool, now: Timestamp) -> String {
    let mut table = Table::new(&STORAGE, wide);
    for member in &status.members {
        table.row(claim_row(&member.claim, now));
        table.row(volume_row(&member.volume, now));
    }
    table.text()
}

fn claim_row(claim: &Reading<Claim>, now: Timestamp) -> [String; 8] {
    match claim {
        Reading::Present(claim) => [
            format!("pvc/{}", claim.name),
            claim.phase.clone(),
            claim.class.clone().unwrap_or_default(),
            claim.size.clone().unwrap_or_default(),
            String::new(),
            String::new(),
            String::new(),
            shown_age(claim.created_at, now),
        ],
        other => without_value("pvc".to_owned(), 1, known(other)),
    }
}

fn volume_row(volume: &Reading<Volume>, now: Timestamp) -> [String; 8] {
    match volume {
        Reading::Present(volume) => [
            format!("pv/{}", volume.name),
            volume.phase.clone(),
            volume.class.clone().unwrap_or_default(),
            volume.size.clone().unwrap_or_default(),
            volume.reclaim_policy.clone().unwrap_or_default(),
            volume.node.clone().unwrap_or_default(),
            volume.path.clone().unwrap_or_default(),
            shown_age(volume.created_at, now),
        ],
        other => without_value("pv".to_owned(), 1, known(other)),
    }
}

/// The members of a replicated database, with what each does.
fn members(status: &Status) -> Option<String> {
    let mut table = Table::new(&MEMBERS, false);
    let mut is_replicated = false;
    for (member, it) in status.members.iter().filter_map(|member| Some((member, member.replication.as_ref()?))) {
        is_replicated = true;
        table.row([
            member.pod.clone(),
            it.role.words().replace(' ', "-"),
            it.state.clone(),
            it.timeline.map(|timeline| timeline.to_string()).unwrap_or_default(),
            it.lag.map(short).unwrap_or_default(),
        ]);
    }
    is_replicated.then(|| table.text())
}

fn services(status: &Status, wide: bool, now: Timestamp) -> String {
    let mut table = Table::new(&SERVICES, wide);
    for service in &status.services {
        let name = format!("service/{}", service.name);
        table.row(match &service.state {
            Reading::Present(state) => [
                name,
                state.cluster_ip.clone(),
                state.kind.clone(),
                state.ports.clone(),
                service.endpoints.present().map_or_else(|| known(&service.endpoints), |addresses| addresses.join(",")),
                shown_age(state.created_at, now),
            ],
            other => without_value(name, 1, known(other)),
        });
    }
    table.text()
}

fn database(database: &Reading<DatabaseStatus>, now: Timestamp) -> Option<Line> {
    let text = match database {
        Reading::NotAsked => return None,
        Reading::Present(database) => {
            let table = match database.rows {
                Some(1) => "table wallets with 1 row".to_owned(),
                Some(rows) => format!("table wallets with {rows} rows"),
                None if database.locked => "table wallets locked by another session".to_owned(),
                None => "no table wallets".to_owned(),
            };
            let up = duration(now.duration_since(database.started_at));
            format!("reachable, {table}, {} on disk, up {up}", size(database.size))
        }
        other => known(other),
    };
    Some(Line::default().and(Role::Title, "database: ").and(Role::Plain, text))
}

/// On how many volumes an acknowledged row is.
fn synchronous(standbys: &Reading<Vec<String>>) -> Option<Line> {
    let text = match standbys {
        Reading::NotAsked => return None,
        Reading::Present(standbys) if standbys.is_empty() => {
            "no standby: a row that is acknowledged now is on the primary's volume only".to_owned()
        }
        Reading::Present(standbys) => format!("{} has every acknowledged row too", standbys.join(",")),
        other => known(other),
    };
    Some(Line::default().and(Role::Title, "synchronous: ").and(Role::Plain, text))
}

/// What is left of members that were removed.
fn kept_claims(claims: &[String]) -> Option<Line> {
    let of = match claims.len() {
        1 => "of a member that was removed; the next member with its number uses it again",
        _ => "of members that were removed; the next ones with their numbers use them again",
    };
    let text = format!("{} {of}", claims.join(","));
    (!claims.is_empty()).then(|| Line::default().and(Role::Title, "kept: ").and(Role::Plain, text))
}

/// The same in one word, for a column.
fn short(bytes: u64) -> String {
    if bytes < 1 << 20 { format!("{bytes}B") } else { size(bytes).replace(' ', "") }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    format!("{}.{} MiB", bytes >> 20, ((bytes % (1 << 20)) * 10) >> 20)
}

fn shown_age(since: Option<Timestamp>, now: Timestamp) -> String {
    age(since, now).map(duration).unwrap_or_default()
}

/// What stands in place of a value.
fn known<T>(reading: &Reading<T>) -> String {
    match reading {
        Reading::Present(_) => String::new(),
        Reading::Absent => "missing".to_owned(),
        Reading::NotAsked => "not asked".to_owned(),
        Reading::Unknown(Reason::Forbidden(_)) => "unknown: you may not read it".to_owned(),
        Reading::Unknown(Reason::Failed(why)) => format!("unknown: {why}"),
    }
}

/// A row of which only a name and a word are known.
fn without_value<const N: usize>(name: String, at: usize, word: String) -> [String; N] {
    let mut cells = [const { String::new() }; N];
    cells[0] = name;
    cells[at] = word;
    cells
}
