//! `dns-check` for people.

use super::report::{DnsReport, Row};
use crate::commands::shared::waiting;
use crate::dns::heard::{Step, Walk};
use crate::dns::{Answer, Verdict, View};
use crate::kubernetes::on;
use crate::output::{Column, Line, Role, Table};

const APPLICATION: [Column; 5] = [
    Column::always("NAME"),
    Column::wide("EXPECTED"),
    Column::always("GOT"),
    Column::always("VERDICT"),
    Column::always("TIME"),
];

const SERVER: [Column; 6] = [
    Column::always("NAME"),
    Column::always("TYPE"),
    Column::wide("EXPECTED"),
    Column::always("GOT"),
    Column::always("VERDICT"),
    Column::always("TIME"),
];

/// All lines of it. What was expected is shown where it makes a difference, and in the wide form.
pub fn lines(report: &DnsReport, wide: bool) -> Vec<Line> {
    let by = match &report.from.libc {
        Some(libc) => format!(", in pod/{} by {libc}", report.from.pod),
        None => format!(": not asked, pod/{} has neither getent nor python3", report.from.pod),
    };
    let short = ending(report).filter(|_| !wide).map(|end| format!("; … stands for {end}")).unwrap_or_default();
    let heading = Line::default().and(Role::Title, "as applications see it");
    let mut lines = vec![heading.and(Role::Plain, by + &short)];
    if report.from.libc.is_some() {
        lines.extend(table(report, View::Application, wide));
    }
    lines.push(Line::default());
    let server = report.from.server.as_deref().unwrap_or("(none)");
    let bridge = report.from.bridge.as_deref().unwrap_or("nothing");
    let heading = format!(" {server}, over one connection by {bridge}");
    lines.push(Line::default().and(Role::Title, "as the DNS server answers").and(Role::Plain, heading));
    lines.extend(table(report, View::Server, wide));
    lines.extend(report.trace.iter().flat_map(walk));
    lines.push(Line::default());
    lines.push(verdict(report));
    lines.extend(report.findings.iter().map(waiting::line));
    lines
}

/// What all names of the namespace end in.
fn ending(report: &DnsReport) -> Option<String> {
    report.domain.as_ref().map(|domain| format!(".{}.svc.{domain}", report.namespace))
}

fn table(report: &DnsReport, view: View, wide: bool) -> Vec<Line> {
    let rows = || report.answers.iter().filter(|row| row.view == view);
    let with_expected = wide || rows().any(|row| row.verdict != Verdict::Ok);
    let end = ending(report).filter(|_| !wide).unwrap_or_default();
    let short = |text: String| if end.is_empty() { text } else { text.replace(&end, "…") };
    let mut table = Table::new(if view == View::Server { &SERVER } else { &APPLICATION }, with_expected);
    for row in rows() {
        let got = match (row.verdict, &row.got) {
            (Verdict::Ok, Answer::NoSuchName | Answer::NoRecord) => format!("{}, as expected", row.got),
            // Why not is said once, below.
            (_, Answer::Silence(_)) => "no answer".to_owned(),
            _ => row.got.to_string(),
        };
        let verdict = row.why.filter(|why| *why != row.verdict.word());
        let verdict = verdict.map_or(row.verdict.word().to_owned(), |why| format!("{}: {why}", row.verdict.word()));
        let kind = (view == View::Server).then(|| row.kind.to_string());
        let cells = [short(row.expected.to_string()), short(got), verdict, time(row)];
        table.row([short(row.name.clone())].into_iter().chain(kind).chain(cells));
    }
    table.text().lines().map(Line::from).collect()
}

fn time(row: &Row) -> String {
    row.milliseconds.map(|time| format!("{time}ms")).unwrap_or_default()
}

/// How a name was completed, a line a step.
fn walk(walk: &Walk) -> Vec<Line> {
    let step = |step: &Step| Line::from(format!("  {} → {}", step.name, step.got));
    let heading = Line::default().and(Role::Title, "trace: ").and(Role::Plain, walk.name.as_str());
    [Line::default(), heading].into_iter().chain(walk.steps.iter().map(step)).collect()
}

fn is_not_asked(row: &Row) -> bool {
    matches!(row.got, Answer::NotAsked(_))
}

fn verdict(report: &DnsReport) -> Line {
    let is_wrong = |row: &Row| matches!(row.verdict, Verdict::Differs | Verdict::Silent);
    let not_asked = report.answers.iter().find(|row| row.view == View::Server && is_not_asked(row));
    let (role, word) = match report.holds {
        true => (Role::Good, "all names are right".to_owned()),
        false if report.answers.iter().any(is_wrong) => (Role::Bad, "some names are wrong".to_owned()),
        false if report.answers.iter().any(|row| row.verdict == Verdict::Stale) => {
            (Role::Doubtful, "some names are not right yet".to_owned())
        }
        false if report.has_findings => (Role::Bad, "some names are wrong".to_owned()),
        false => match not_asked {
            Some(row) => (Role::Doubtful, format!("not shown: {} was not asked", row.name)),
            None => (Role::Doubtful, "not shown: it is unknown what the names should be".to_owned()),
        },
    };
    let found = match (&report.domain, report.domain_from) {
        (Some(domain), Some(from)) => format!("; cluster domain {domain}, found in {from}"),
        _ => "; cluster domain not found".to_owned(),
    };
    let asked = || report.answers.iter().filter(|row| !is_not_asked(row));
    let ok = asked().filter(|row| row.verdict == Verdict::Ok).count();
    let (all, on) = (asked().count(), on(&report.context));
    let place = format!(" ({ok} of {all} answers ok, {}{on}{found}; {} ms)", report.namespace, report.milliseconds);
    Line::default().and(Role::Title, "dns: ").and(role, word).and(Role::Plain, place)
}
