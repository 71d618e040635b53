//! The findings for people.

use super::report::{Doctor, Found, Source};
use crate::findings::{Diagnosis, Finding, Health, Weight};
use crate::kubernetes::ByHand;
use crate::output::{Line, Role};
use crate::text::brief;

/// All of it, the verdict last.
pub fn lines(doctor: &Doctor, wide: bool) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    if let Some(symptoms) = &doctor.symptoms {
        lines.extend(symptoms.lines());
        lines.push(Line::default());
    }
    for found in &doctor.findings {
        lines.extend(of(found, wide));
        lines.push(Line::default());
    }
    for finding in &doctor.unknown {
        lines.push(head(finding));
    }
    if !doctor.unknown.is_empty() {
        lines.push(Line::default());
    }
    lines.push(verdict(doctor));
    if let Some(found) = doctor.findings.first() {
        let explain = ByHand::default().own(["explain", found.finding.cause.id]);
        lines.push(Line::default().and(Role::Title, "more: ").and(Role::Command, explain.line()));
    }
    lines
}

/// A cause, what it brings about, and what helps.
fn of(Found { diagnosis: Diagnosis { finding, consequences }, fix, evidence }: &Found, wide: bool) -> Vec<Line> {
    let mut lines = vec![head(finding)];
    if wide {
        let title = format!("  {} ({})", finding.cause.title, finding.cause.slug);
        lines.push(Line::default().and(Role::Plain, title));
    }
    lines.extend(consequences.iter().map(|it| {
        let says = format!(" {}", brief(&it.says));
        Line::default()
            .and(Role::Plain, format!("  → {} ", it.cause.id))
            .and(Role::Title, &it.object)
            .and(Role::Plain, says)
    }));
    lines.extend(evidence.iter().flatten().map(|fact| Line::from(format!("  | {fact}"))));
    let hint = finding.hint.to_string();
    lines.push(Line::default().and(Role::Plain, "  ").and(Role::Command, "hint: ").and(Role::Plain, hint));
    lines.extend(fix.iter().map(|fix| Line::from("  ").and(Role::Command, "fix: ").and(Role::Plain, fix)));
    lines
}

/// `KC010 problem: persistentvolumeclaim/postgres-pvc is Pending`. What is unknown is said so once.
pub fn head(finding: &Finding) -> Line {
    let (word, role) = word(finding.weight);
    let says = brief(&finding.says);
    let says = match says.strip_prefix("unknown") {
        Some(why) if finding.weight == Weight::Unknown => why.to_owned(),
        _ => format!(" {says}"),
    };
    Line::default()
        .and(Role::Title, format!("{} ", finding.cause.id))
        .and(role, word)
        .and(Role::Plain, ": ")
        .and(Role::Title, &finding.object)
        .and(Role::Plain, says)
}

fn word(weight: Weight) -> (&'static str, Role) {
    match weight {
        Weight::Problem => ("problem", Role::Bad),
        Weight::NotYet => ("not ready yet", Role::Doubtful),
        Weight::Unknown => ("unknown", Role::Doubtful),
        Weight::Warning => ("warning", Role::Doubtful),
        Weight::Ongoing | Weight::Info => ("info", Role::Plain),
    }
}

/// `2 problems, 1 warning (alice on minikube)`, or `(alice, read 2026-11-29 09:40 UTC from case.json)`.
fn verdict(doctor: &Doctor) -> Line {
    let many = |count: usize, one: &str, several: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {several}")),
    };
    let counts = [
        many(doctor.count(Weight::Problem), "problem", "problems"),
        many(doctor.count(Weight::NotYet), "thing not ready yet", "things not ready yet"),
        many(doctor.count(Weight::Warning), "warning", "warnings"),
        many(doctor.count(Weight::Ongoing) + doctor.count(Weight::Info), "info", "infos"),
    ];
    let counts = counts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let (role, words) = match doctor.health {
        Health::NotHealthy if doctor.symptoms.is_some() => (Role::Bad, "something is wrong".to_owned()),
        Health::NotReady if doctor.symptoms.is_some() => (Role::Doubtful, "something is not ready yet".to_owned()),
        _ if doctor.count(Weight::Problem) > 0 => (Role::Bad, counts),
        _ if doctor.count(Weight::NotYet) > 0 => (Role::Doubtful, counts),
        Health::Unknown => (Role::Doubtful, "nothing wrong was found, but nobody could send it a request".to_owned()),
        _ if counts.is_empty() && !doctor.only.is_empty() => {
            (Role::Good, format!("not found: {}", doctor.only.join(", ")))
        }
        _ if !counts.is_empty() => (Role::Good, format!("nothing is wrong; {counts}")),
        _ if !doctor.unknown.is_empty() => (Role::Good, "nothing is wrong, as far as you may see".to_owned()),
        _ => (Role::Good, "nothing is wrong".to_owned()),
    };
    let from = |source: &Source| format!(", read {} from {}", source.read_at.strftime("%F %H:%M UTC"), source.file);
    let from = doctor.source.as_ref().map(from).unwrap_or_default();
    let place = format!(" ({}{from})", doctor.place());
    Line::default().and(Role::Title, "doctor: ").and(role, words).and(Role::Plain, place)
}
