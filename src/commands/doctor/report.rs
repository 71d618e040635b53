//! What `doctor` tells, for programs as it is.

use std::ops::Deref;

use jiff::Timestamp;
use serde::Serialize;

use crate::commands::shared::exercise::symptoms::Symptoms;
use crate::commands::shared::look::Look;
use crate::error::Outcome;
use crate::findings::dns::heard;
use crate::findings::{Diagnosis, Finding, Health, Weight, evidence};
use crate::kubernetes::{Place, on};

/// All of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Doctor {
    /// The context's name.
    pub context: String,
    pub namespace: String,
    /// The file that was judged, if it was not the cluster itself.
    #[serde(rename = "from", skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The set that was looked at, if it was not the exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How the exchange is, in one word.
    pub health: Health,
    /// The causes that were looked for, if not all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<&'static str>,
    /// What is wrong or worth knowing, the worst first.
    pub findings: Vec<Found>,
    /// What could not be looked at.
    pub unknown: Vec<Finding>,
    /// What is told in the place of causes while an exercise runs.
    #[serde(flatten)]
    pub symptoms: Option<Symptoms>,
}

/// A file with what was read before.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Its name, as it was given.
    pub file: String,
    /// When it was read from the cluster.
    pub read_at: Timestamp,
}

/// A cause that was found, and what it was judged by.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    #[serde(flatten)]
    pub diagnosis: Diagnosis,
    /// The command that mends it and loses no data, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The facts, each in a line, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Vec<String>>,
}

impl Deref for Found {
    type Target = Diagnosis;

    fn deref(&self) -> &Diagnosis {
        &self.diagnosis
    }
}

/// What `doctor` is asked to tell.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The ids of the causes that are looked for; none if all are.
    pub only: Vec<&'static str>,
    /// Whether findings are shown with what they were judged by.
    pub evidence: bool,
}

impl Doctor {
    /// What there is to tell of what was asked.
    pub fn new(place: &Place, look: &Look, asked: Asked) -> Self {
        let (unknown, findings): (Vec<Diagnosis>, Vec<Diagnosis>) =
            look.diagnoses.iter().cloned().partition(|it| it.finding.weight == Weight::Unknown);
        let observed = look.observed(place);
        let of_all = |finding: &Finding| [evidence::of(&observed, finding), heard::of(&look.names, finding)].concat();
        let evidence = |finding: &Finding| asked.evidence.then(|| of_all(finding));
        let target = look.snapshot.target.is_some().then(|| look.snapshot.set_reference());
        let fix = |finding: &Finding| {
            let target = target.iter().flat_map(|target| ["--target", target]);
            let words = ["doctor"].into_iter().chain(target).chain(["--fix", finding.cause.id]).map(str::to_owned);
            finding.mend(&observed).map(|_| place.by_hand.own(words.collect::<Vec<_>>()).line())
        };
        let mut findings: Vec<Found> = findings
            .into_iter()
            .map(|diagnosis| {
                let finding = &diagnosis.finding;
                Found { fix: fix(finding), evidence: evidence(finding), diagnosis }
            })
            .collect();
        findings.sort_by_key(|it| rank(it.finding.weight));
        Self {
            context: place.context.clone(),
            namespace: place.namespace.clone(),
            source: None,
            target: target.clone(),
            health: look.health,
            only: asked.only,
            findings,
            unknown: unknown.into_iter().map(|it| it.finding).collect(),
            symptoms: None,
        }
    }

    /// The same without causes, if an exercise runs.
    #[must_use]
    pub fn without_causes(self, exercise: Option<u8>, look: &Look) -> Self {
        match exercise {
            Some(number) => {
                let symptoms = Some(Symptoms::new(number, look));
                Self { findings: Vec::new(), unknown: Vec::new(), symptoms, ..self }
            }
            None => self,
        }
    }

    /// What was looked at: `alice on minikube`, `statefulset/redis in alice on minikube`.
    pub fn place(&self) -> String {
        let place = format!("{}{}", self.namespace, on(&self.context));
        self.target.as_ref().map_or_else(|| place.clone(), |target| format!("{target} in {place}"))
    }

    /// How many findings weigh as much.
    pub fn count(&self, weight: Weight) -> usize {
        self.findings.iter().filter(|it| it.finding.weight == weight).count()
    }

    /// What the exit code says. Where no request could be sent, it was not looked at.
    pub fn outcome(&self) -> Outcome {
        match self.health {
            Health::NotHealthy | Health::NotReady => Outcome::DoesNotHold,
            Health::Unknown | Health::Unreadable => Outcome::Exit(2),
            Health::Healthy | Health::WorksAsSeen | Health::ObjectsInOrder => Outcome::Holds,
        }
    }
}

/// The worst first.
fn rank(weight: Weight) -> u8 {
    match weight {
        Weight::Problem => 0,
        Weight::NotYet => 1,
        Weight::Warning => 2,
        Weight::Ongoing => 3,
        Weight::Info => 4,
        Weight::Unknown => 5,
    }
}
