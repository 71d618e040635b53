//! What `dns-check` tells, for programs as it is.

use std::time::Duration;

use serde::Serialize;

use super::round::Round;
use crate::commands::shared::names::AskingPod;
use crate::dns::heard::Walk;
use crate::dns::{Answer, Answered, Expected, Kind, Verdict, View};
use crate::findings::Finding;
use crate::kubernetes::Place;

/// All of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DnsReport {
    /// The context's name.
    pub context: String,
    pub namespace: String,
    /// Whether every answer is as it should be, and the headless name was seen to be.
    pub holds: bool,
    /// The pod from which it was asked.
    pub from: Source,
    /// The cluster domain; none if it could not be found.
    pub domain: Option<String>,
    /// Where the cluster domain was found.
    pub domain_from: Option<&'static str>,
    pub answers: Vec<Row>,
    /// How names are completed, if that was asked for.
    pub trace: Vec<Walk>,
    /// What is the matter.
    pub findings: Vec<Finding>,
    /// Whether something is, also if it is not told.
    #[serde(skip)]
    pub has_findings: bool,
    /// The exercise that runs, and because of which no causes are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exercise: Option<u8>,
    /// How long all of it took.
    pub milliseconds: u64,
}

/// The pod from which it was asked.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    pub pod: String,
    /// The container in it.
    pub container: String,
    /// Its dnsPolicy, as it takes effect.
    pub dns_policy: String,
    /// What carried the connection to the DNS server.
    pub bridge: Option<String>,
    /// What looked names up as an application does.
    pub libc: Option<String>,
    /// The DNS server that it asks.
    pub server: Option<String>,
    /// What it puts behind short names.
    pub search: Vec<String>,
    /// A name with fewer dots is short.
    pub ndots: usize,
}

/// A question and its answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Who was asked.
    pub view: View,
    pub name: String,
    /// What was asked for.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// What the answer should be.
    pub expected: Expected,
    /// What it was.
    pub got: Answer,
    pub verdict: Verdict,
    /// The code of the finding that says why it is not ok.
    pub why: Option<&'static str>,
    /// For how many seconds it may be kept.
    pub ttl: Option<u64>,
    /// How long it took, the way into the pod and back included.
    pub milliseconds: Option<u64>,
}

impl DnsReport {
    /// What there is to tell.
    pub fn new(place: &Place, from: &AskingPod, round: &Round, took: Duration) -> Self {
        let heard = &round.heard;
        let hello = &heard.hello;
        Self {
            context: place.context.clone(),
            namespace: place.namespace.clone(),
            holds: round.holds,
            from: Source {
                pod: from.pod.clone(),
                container: from.container.clone(),
                dns_policy: from.policy.clone(),
                bridge: hello.bridge.clone(),
                libc: hello.libc.clone(),
                server: heard.asker.server.clone(),
                search: hello.resolv.search.clone(),
                ndots: hello.resolv.ndots,
            },
            domain: heard.domain.as_ref().map(|domain| domain.name.clone()),
            domain_from: heard.domain.as_ref().map(|domain| domain.from.words()),
            answers: heard.answers.iter().map(row).collect(),
            trace: heard.walks.clone(),
            findings: round.findings.clone(),
            has_findings: !round.findings.is_empty(),
            exercise: None,
            milliseconds: milliseconds(took),
        }
    }

    /// The same without causes, if an exercise runs.
    pub fn without_causes(self, exercise: Option<u8>) -> Self {
        if exercise.is_none() {
            return self;
        }
        let answers = self.answers.into_iter().map(|row| Row { why: None, ..row }).collect();
        Self { findings: Vec::new(), answers, exercise, ..self }
    }
}

fn row(answered: &Answered) -> Row {
    let question = &answered.question;
    Row {
        view: question.view,
        name: question.name.clone(),
        kind: question.kind,
        expected: question.expected.clone(),
        got: answered.got.clone(),
        verdict: answered.verdict,
        why: answered.why,
        ttl: answered.kept.map(|kept| kept.as_secs()),
        milliseconds: answered.took.map(milliseconds),
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::findings::{self, Weight};

    fn report() -> DnsReport {
        let finding = Finding {
            cause: findings::ALL[0],
            weight: Weight::Problem,
            app: "postgres",
            object: "service/postgres-headless".to_owned(),
            says: "selects nothing".to_owned(),
            hint: "correct it".into(),
        };
        let answer = Row {
            view: View::Server,
            name: "postgres-headless".to_owned(),
            kind: Kind::A,
            expected: Expected::Something,
            got: Answer::NoSuchName,
            verdict: Verdict::Differs,
            why: Some(finding.cause.slug),
            ttl: None,
            milliseconds: None,
        };
        let from = Source {
            pod: "backend-1".to_owned(),
            container: "backend".to_owned(),
            dns_policy: String::new(),
            bridge: None,
            libc: None,
            server: None,
            search: Vec::new(),
            ndots: 5,
        };
        DnsReport {
            context: String::new(),
            namespace: "alice".to_owned(),
            holds: false,
            from,
            domain: None,
            domain_from: None,
            answers: vec![answer],
            trace: Vec::new(),
            findings: vec![finding],
            has_findings: true,
            exercise: None,
            milliseconds: 1,
        }
    }

    #[test]
    fn while_an_exercise_runs_answers_are_told_and_causes_are_not() {
        let mut expected = serde_json::to_value(report()).unwrap();
        assert_eq!(serde_json::to_value(report().without_causes(None)).unwrap(), expected);
        assert_eq!(expected.get("exercise"), None);
        expected["findings"] = json!([]);
        expected["answers"][0]["why"] = json!(null);
        expected["exercise"] = json!(4);
        assert_eq!(serde_json::to_value(report().without_causes(Some(4))).unwrap(), expected);
    }
}
