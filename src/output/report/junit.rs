//! A report as JUnit XML: a suite for each replacement and for the contrast, a case for each check.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report as Suites, TestCase, TestCaseStatus, TestSuite};

use super::document;
use crate::output::clean;
use crate::persistence::evidence::Cycle;
use crate::persistence::report::Report;
use crate::persistence::verdict::{Check, Holds, Verdict};

/// As XML.
///
/// # Errors
/// If it has no such form, which is a mistake of this program.
pub fn text(report: &Report) -> anyhow::Result<String> {
    let mut suites = Suites::new("persistence-demo");
    for (number, (cycle, verdict)) in report.cycles.iter().zip(report.verdicts()).enumerate() {
        suites.add_test_suite(suite(report, number + 1, cycle, &verdict));
    }
    if let Some(check) = report.contrast() {
        let mut suite = TestSuite::new("Level 1 beside it");
        suite.add_test_case(case("Level 1", &check));
        suites.add_test_suite(suite);
    }
    Ok(suites.to_string()?)
}

fn suite(report: &Report, number: usize, cycle: &Cycle, verdict: &Verdict) -> TestSuite {
    let pod = &cycle.before.identity.pod.name;
    let mut suite = TestSuite::new(clean(&format!("pod/{pod}, {} {number}", cycle.how.noun())));
    suite.extra.insert("timestamp".into(), cycle.asked_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into());
    if let Some(ms) = cycle.downtime_ms() {
        suite.set_time(Duration::from_millis(ms));
    }
    for [name, value] in document::asked(report).into_iter().chain(document::setting(report)) {
        suite.add_property(Property::new(clean(&name), clean(&value)));
    }
    suite.add_test_cases(verdict.checks.iter().map(|check| case(pod, check)));
    suite
}

/// What is not known is an error, as it is for the exit code: it has not been shown.
fn case(pod: &str, check: &Check) -> TestCase {
    let evidence = clean(&check.evidence);
    let mut status = match check.holds {
        Holds::Yes => TestCaseStatus::success(),
        Holds::No => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Holds::Unknown => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if check.holds != Holds::Yes {
        status.set_type(check.holds.to_string()).set_message(&*evidence);
    }
    let mut case = TestCase::new(clean(&check.name), status);
    case.set_classname(clean(pod));
    case.set_system_out(&*evidence);
    case
}
