//! A report as JUnit XML: a suite for each replacement and for what stands beside them, a case for each check.

use std::time::Duration;

use jiff::Timestamp;
use quick_junit::{NonSuccessKind, Property, Report as Suites, TestCase, TestCaseStatus, TestSuite};

use super::content::{asked_of, setting};
use super::evidence::asked;
use crate::lesson::report::Report as LessonReport;
use crate::persistence::How;
use crate::persistence::report::Report;
use crate::persistence::verdict::{Check, Holds};
use crate::text::clean;

/// As XML.
///
/// # Errors
/// If it has no such form, which is a mistake of this program.
pub fn text(report: &Report) -> anyhow::Result<String> {
    let mut suites = Suites::new("persistence-demo");
    suites.add_test_suites(of(report));
    Ok(suites.to_string()?)
}

/// A question of the lesson as XML: one suite, a case for each check.
///
/// # Errors
/// If it has no such form, which is a mistake of this program.
pub fn of_lesson(report: &LessonReport) -> anyhow::Result<String> {
    let question = report.evidence.question();
    let class = format!("lesson {}", question.number);
    let mut suite = TestSuite::new(clean(&question.to_string()));
    suite.extra.insert("timestamp".into(), report.about.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into());
    for [name, value] in [asked_of(&report.about, None), setting(&report.about)].concat() {
        suite.add_property(Property::new(clean(&name), clean(&value)));
    }
    suite.add_test_cases(report.evidence.checks().iter().map(|check| case(&class, check)));
    let mut suites = Suites::new("lesson");
    suites.add_test_suite(suite);
    Ok(suites.to_string()?)
}

fn of(report: &Report) -> Vec<TestSuite> {
    let (evidence, verdict) = (&report.evidence, report.judge());
    let facts = [asked(report), setting(&report.about)].concat();
    let [(until, _), _] = evidence.downtimes();
    let replaced = evidence.turns.iter().zip(&verdict.pods).enumerate().map(|(number, (turn, of_pod))| {
        let pod = &of_pod.pod;
        let took_ms = turn.timeline.after_ms(until);
        let mut suite = suite(&facts, (pod, evidence.how, number), turn.asked_at, took_ms);
        suite.add_test_cases(of_pod.checks.iter().map(|check| case(pod, check)));
        suite
    });
    let set = format!("statefulset/{}", evidence.set.name);
    let every = (evidence.planned.len() > 1).then(|| alone(&set, case(&set, &verdict.complete)));
    let beside = report.contrast().map(|check| alone("Level 1 beside it", case("Level 1", &check)));
    replaced.chain(every).chain(beside).collect()
}

/// A suite without cases, of a replacement: the pod, how it was stopped, and how many were before.
fn suite(
    facts: &[[String; 2]],
    (pod, how, before): (&str, How, usize),
    at: Timestamp,
    took_ms: Option<u64>,
) -> TestSuite {
    let mut suite = TestSuite::new(clean(&format!("pod/{pod}, {} {}", how.noun(), before + 1)));
    suite.extra.insert("timestamp".into(), at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into());
    if let Some(ms) = took_ms {
        suite.set_time(Duration::from_millis(ms));
    }
    for [name, value] in facts {
        suite.add_property(Property::new(clean(name), clean(value)));
    }
    suite
}

/// A suite of one case.
fn alone(name: &str, case: TestCase) -> TestSuite {
    let mut suite = TestSuite::new(clean(name));
    suite.add_test_case(case);
    suite
}

/// What is left open is skipped: nothing hangs on it. What else is not known is an error, as it is for the exit code: it has not
/// been shown.
fn case(class: &str, check: &Check) -> TestCase {
    let mut status = match check.holds {
        _ if check.open.is_some() => TestCaseStatus::skipped(),
        Holds::Yes => TestCaseStatus::success(),
        Holds::No => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Holds::Unknown => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let evidence = clean(&check.evidence);
    if check.holds != Holds::Yes {
        status.set_type(check.holds.to_string()).set_message(&*evidence);
    }
    let mut case = TestCase::new(clean(check.name.words()), status);
    case.set_classname(clean(class));
    case.set_system_out(&*evidence);
    case
}
