//! Why answers are not as they should be: the reasons that people meet, each with what helps. Each has a file of its own, with
//! its text beside it; those that objects alone show too have both among the other causes.

mod explanation;
pub mod heard;
mod mistaken;
mod not_asked;

use super::finding::{Cause, Finding, Observed, healthy};
use super::rollout;
use crate::dns::facts::Facts;
use crate::dns::heard::{Heard, Names};
use crate::dns::verdict::{self, Answered, Verdict};
use crate::observe::Reading;

pub use explanation::{DnsEvidence, USUAL};
use explanation::{Explanation, NameJudge, RestJudge};

/// Each cause with the file that it has: those that the objects and all answers show, those of one name that was mistaken,
/// and those of the answers that no other one explains.
macro_rules! answers {
    (all: [$($all:ident $(of $any:ident set)?),* $(,)?], name: [$($name:ident),* $(,)?], rest: [$($rest:ident),* $(,)?], around: [$($around:ident),* $(,)?]) => {
        $(pub mod $all;)*
        $(pub mod $name;)*
        $(pub mod $rest;)*
        $(pub mod $around;)*

        /// All that answers can show, in the order in which people are told.
        pub static ALL: &[&Cause] =
            &[$(&$all::CAUSE,)* $(&$name::CAUSE,)* $(&$rest::CAUSE,)* $(&$around::CAUSE),*];

        /// Those that any StatefulSet can have: no name of it is typed, so none is mistaken.
        pub static OF_ANY_SET: &[&Cause] = &[
            $($({ stringify!($any); &$all::CAUSE },)?)*
            $(&$rest::CAUSE,)*
            $(&$around::CAUSE),*
        ];

        /// By the objects and all answers.
        static OF_ALL: &[fn(&DnsEvidence, &[Answered]) -> Vec<Explanation>] = &[$($all::judge),*];
        /// By one answer: the first that knows why.
        static OF_A_NAME: &[NameJudge] = &[$($name::judge),*];
        /// By what is left: the first that knows why.
        static OF_THE_REST: &[RestJudge] = &[$($rest::judge),*];
    };
}

// To add a cause: its file, its text beside it, and its name here.
answers! {
    all: [
        dns_policy of any set,
        dns_silent of any set,
        service_missing,
        service_name of any set,
        set_missing,
        no_replicas,
        not_headless of any set,
        selector_matches_nothing of any set,
        pod_missing of any set,
        pod_not_ready of any set,
        not_published of any set,
    ],
    name: [database_host, absolute_name, wrong_namespace, no_such_name],
    rest: [stale, unexplained],
    around: [cluster_dns_away]
}

/// Says why. Marks each answer that is not ok with the code of its reason, and the ones that are only old as such.
#[must_use]
pub fn explain(evidence: &DnsEvidence, answers: &mut [Answered]) -> Vec<Finding> {
    let mut reasons: Vec<Explanation> = OF_ALL.iter().flat_map(|judge| judge(evidence, answers)).collect();
    let of_a_name = |answered| OF_A_NAME.iter().find_map(|judge| judge(evidence, answered));
    reasons.extend(answers.iter().filter(|answered| mistaken::is_mistaken(answered)).filter_map(of_a_name));
    for answered in answers.iter_mut().filter(|answered| answered.is_wrong()) {
        answered.why = reasons.iter().find(|reason| reason.covers(answered)).map(|reason| reason.finding.cause.slug);
    }
    reasons.extend(rest(evidence, answers));
    let mut findings: Vec<Finding> = reasons.into_iter().map(|reason| reason.finding).collect();
    findings.dedup();
    findings
}

/// What no other cause explains.
fn rest(evidence: &DnsEvidence, answers: &mut [Answered]) -> Option<Explanation> {
    let is_left = |answered: &Answered| answered.is_wrong() && answered.why.is_none();
    let left: Vec<&Answered> = answers.iter().filter(|answered| is_left(answered)).collect();
    if left.is_empty() {
        return None;
    }
    let reason = OF_THE_REST.iter().find_map(|judge| judge(evidence, &left))?;
    for answered in answers.iter_mut().filter(|answered| is_left(answered)) {
        answered.why = Some(reason.finding.cause.slug);
        if reason.finding.cause == &stale::CAUSE {
            answered.verdict = Verdict::Stale;
        }
    }
    Some(reason)
}

/// Whether the names are as they should be: the answers show it, and nothing else is the matter.
#[must_use]
pub fn holds(answers: &[Answered], findings: &[Finding]) -> bool {
    healthy(findings) && verdict::holds(answers)
}

/// What was found of an exchange, and these causes that names show beside it, each by itself.
#[must_use]
pub fn with_names(
    observed: &Observed,
    names: &Names,
    causes: &[&'static Cause],
    mut found: Vec<Finding>,
) -> Vec<Finding> {
    let heard = match &names.heard {
        Reading::Present(heard) => of_heard(observed, names, heard),
        _ => Vec::new(),
    };
    let away = cluster_dns_away::find(&names.server, names.heard.present(), observed.by_hand);
    let is_told = |all: &[Finding], it: &Finding| all.iter().any(|one| one.cause == it.cause && one.app == it.app);
    let more = heard.into_iter().chain(away).filter(|it| causes.contains(&it.cause) && !is_told(&found, it));
    let more: Vec<Finding> =
        more.map(|finding| Finding { weight: rollout::weight(observed, &finding), ..finding }).collect();
    found.extend(more);
    found.extend(not_asked::find(observed, names, &found));
    found
}

fn of_heard(observed: &Observed, names: &Names, heard: &Heard) -> Vec<Finding> {
    let evidence = DnsEvidence {
        facts: &Facts::new(observed.namespace, observed.snapshot),
        by_hand: observed.by_hand,
        asker: &heard.asker,
        dns: &names.server,
        caching: heard.caching,
        now: observed.now,
    };
    explain(&evidence, &mut heard.answers.clone())
}

#[cfg(test)]
mod joined_tests;
#[cfg(test)]
mod replicated_tests;
#[cfg(test)]
mod tests;
