//! `dns-check` for people.

use super::report::{DnsReport, Row};
use crate::commands::shared::waiting;
use crate::dns::heard::{Step, Walk};
use crate::dns::{Answer, Expected, Kind, Verdict, View};
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
        let (expected, got) = match many(row).filter(|_| !wide) {
            Some(many) if row.kind == Kind::Srv => (many.clone(), format!("{many}, as expected")),
            Some(many) => (many, got),
            None => (row.expected.to_string(), got),
        };
        let cells = [short(expected), short(got), verdict, time(row)];
        table.row([short(row.name.clone())].into_iter().chain(kind).chain(cells));
    }
    table.text().lines().map(Line::from).collect()
}

/// The most records that are named twice in a line: two, of one server with an address of each family.
const FEW: usize = 2;

/// How many records were expected, if they are many and came: the line would be too long with all of them twice.
fn many(row: &Row) -> Option<String> {
    let Expected::Records(records) = &row.expected else { return None };
    let what = if row.kind == Kind::Srv { "servers" } else { "addresses" };
    (row.verdict == Verdict::Ok && records.len() > FEW).then(|| format!("{} {what}", records.len()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Record;

    #[test]
    fn many_records_are_counted_where_they_are_right() {
        let row = |kind, all: &[&str], verdict| Row {
            view: View::Server,
            name: "name".to_owned(),
            kind,
            expected: Expected::Records(all.iter().map(|one| Record::from(*one)).collect()),
            got: Answer::NoRecord,
            verdict,
            why: None,
            ttl: None,
            milliseconds: None,
        };
        let (three, two) = (["10.0.0.1", "10.0.0.2", "10.0.0.3"], ["10.0.0.1", "fd00::1"]);
        let servers = ["a.b:1", "c.b:1", "d.b:1"];
        for (kind, all, verdict, wanted) in [
            (Kind::A, &three[..], Verdict::Ok, Some("3 addresses")),
            (Kind::Srv, &servers, Verdict::Ok, Some("3 servers")),
            (Kind::Srv, &servers, Verdict::Differs, None),
            // One server may have an address of each family.
            (Kind::Any, &two, Verdict::Ok, None),
        ] {
            assert_eq!(many(&row(kind, all, verdict)).as_deref(), wanted, "{kind} {all:?}");
        }
    }
}
