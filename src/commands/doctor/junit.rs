//! The findings as JUnit XML: a suite for each exchange, a test case for each cause that was looked for, or for each
//! symptom while an exercise runs.

use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};

use super::report::Doctor;
use crate::error::Outcome;
use crate::findings::{Cause, Diagnosis, Weight};
use crate::text::clean;

/// As XML.
///
/// # Errors
/// If it has no such form, which is a mistake of this program.
pub fn text(doctors: &[Doctor], causes: &[&'static Cause]) -> anyhow::Result<String> {
    let mut suites = Suites::new("doctor");
    suites.add_test_suites(doctors.iter().map(|doctor| {
        let mut suite = TestSuite::new(clean(&doctor.place()));
        match &doctor.symptoms {
            Some(symptoms) => suite.add_test_cases(symptoms.symptoms.iter().map(|symptom| of_symptom(doctor, symptom))),
            None => suite.add_test_cases(causes.iter().map(|cause| of(doctor, cause))),
        };
        suite
    }));
    Ok(suites.to_string()? + "\n")
}

/// A cause: it fails if it speaks against the exchange, and is skipped if it could not be looked for.
fn of(doctor: &Doctor, cause: &'static Cause) -> TestCase {
    let found: Vec<&Diagnosis> =
        doctor.findings.iter().map(|it| &it.diagnosis).filter(|it| it.finding.cause == cause).collect();
    let unknown = doctor.unknown.iter().filter(|it| it.cause == cause).map(|it| format!("{} {}", it.object, it.says));
    let words = found.iter().map(|it| words(it)).chain(unknown).collect::<Vec<_>>().join("\n");
    let is = |weight| found.iter().any(|it| it.finding.weight == weight);
    let mut status = if is(Weight::Problem) || is(Weight::NotYet) {
        TestCaseStatus::non_success(NonSuccessKind::Failure)
    } else if doctor.unknown.iter().any(|it| it.cause == cause) {
        TestCaseStatus::skipped()
    } else {
        TestCaseStatus::success()
    };
    let words = clean(&words);
    if !matches!(status, TestCaseStatus::Success { .. }) {
        status.set_type(cause.slug).set_message(&*words);
    }
    let mut test = TestCase::new(clean(&format!("{} {}", cause.id, cause.title)), status);
    test.set_classname("doctor");
    if !words.is_empty() {
        test.set_system_out(&*words);
    }
    test
}

/// A symptom, while an exercise runs. It fails if something speaks against the exchange.
fn of_symptom(doctor: &Doctor, symptom: &str) -> TestCase {
    let status = match doctor.outcome() {
        Outcome::DoesNotHold => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Exit(_) => TestCaseStatus::skipped(),
        Outcome::Holds => TestCaseStatus::success(),
    };
    let mut test = TestCase::new(clean(symptom), status);
    test.set_classname("doctor");
    test
}

/// A finding, what it brings about, and what helps.
fn words(Diagnosis { finding, consequences }: &Diagnosis) -> String {
    let first = format!("{} {}", finding.object, finding.says);
    let others = consequences.iter().map(|it| format!("so {} {}", it.object, it.says));
    let hint = format!("hint: {}", finding.hint);
    [first].into_iter().chain(others).chain([hint]).collect::<Vec<_>>().join("\n")
}
