//! What `doctor` tells, for programs as it is.

use serde::Serialize;

use crate::commands::shared::look::Look;
use crate::error::Outcome;
use crate::findings::{Diagnosis, Finding, Health, Weight};
use crate::kubernetes::Place;

/// All of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Doctor {
    /// The context's name.
    pub context: String,
    pub namespace: String,
    /// How the exchange is, in one word.
    pub health: Health,
    /// What is wrong or worth knowing, the worst first.
    pub findings: Vec<Diagnosis>,
    /// What could not be looked at.
    pub unknown: Vec<Finding>,
}

impl Doctor {
    /// What there is to tell.
    pub fn new(place: &Place, look: &Look) -> Self {
        let (unknown, mut findings): (Vec<Diagnosis>, Vec<Diagnosis>) =
            look.diagnoses.iter().cloned().partition(|it| it.finding.weight == Weight::Unknown);
        findings.sort_by_key(|it| rank(it.finding.weight));
        Self {
            context: place.context.clone(),
            namespace: place.namespace.clone(),
            health: look.health,
            findings,
            unknown: unknown.into_iter().map(|it| it.finding).collect(),
        }
    }

    /// How many findings weigh as much.
    pub fn count(&self, weight: Weight) -> usize {
        self.findings.iter().filter(|it| it.finding.weight == weight).count()
    }

    /// What the exit code says. Where no request could be sent, it was not looked at.
    pub fn outcome(&self) -> Outcome {
        match self.health {
            _ if self.findings.iter().any(|it| it.finding.weight.is_bad()) => Outcome::DoesNotHold,
            Health::Unknown | Health::Unreadable => Outcome::Exit(2),
            _ => Outcome::Holds,
        }
    }
}

/// The worst first.
fn rank(weight: Weight) -> u8 {
    match weight {
        Weight::Problem => 0,
        Weight::NotYet => 1,
        Weight::Warning => 2,
        Weight::Info => 3,
        Weight::Unknown => 4,
    }
}
