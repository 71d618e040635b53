//! What was heard of names in a pod: a plain value, by which names are judged together with the objects.

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::caching::Caching;
use super::resolv::Resolv;
use super::verdict::{Answered, Verdict};
use crate::observe::Reading;
use crate::observe::dns::DnsServer;

/// All that is known of names beside the objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Names {
    /// The pod from which it was asked, or should have been.
    pub pod: Option<String>,
    /// What was heard there; absent if no pod runs to ask from.
    pub heard: Reading<Heard>,
    /// The pods of the DNS server.
    pub server: Reading<DnsServer>,
}

/// What was heard in one round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heard {
    /// From where it was asked.
    pub asker: Asker,
    /// What the pod has, and whom it asks.
    pub hello: Hello,
    /// The cluster domain, if it could be found.
    pub domain: Option<Domain>,
    pub answers: Vec<Answered>,
    /// How names were completed, if that was asked for.
    pub walks: Vec<Walk>,
    /// How long the DNS server keeps answers, if any differed.
    pub caching: Caching,
}

/// The pod from which it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asker {
    /// Its name.
    pub pod: String,
    /// Its dnsPolicy, as it takes effect.
    pub policy: String,
    /// The server that it asks; none if it names none.
    pub server: Option<String>,
}

/// What the program in the pod says of it before it is asked anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// What carries the connection: `nc`, `bash` or `python3`; none if the pod has nothing that does.
    pub bridge: Option<String>,
    /// What looks names up as an application does: `getent` or `python3`; none if the pod has nothing that does.
    pub libc: Option<String>,
    /// `/etc/resolv.conf`.
    pub resolv: Resolv,
}

/// The cluster domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Domain {
    pub name: String,
    /// Where it was found.
    pub from: Source,
}

/// Where the cluster domain was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// Behind `svc.` in the search list of the pod.
    SearchList,
    /// In the name that the DNS server has for the address of a Service.
    Server,
}

impl Source {
    /// It in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::SearchList => "the search list",
            Self::Server => "the DNS server",
        }
    }
}

/// How a name was completed: what was tried, and what came of it, until something was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Walk {
    pub name: String,
    /// What was tried, in this order.
    pub steps: Vec<Step>,
}

/// A name that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    pub name: String,
    /// What came of it.
    pub got: Answer,
}

impl Heard {
    /// Whether any answer has this verdict.
    #[must_use]
    pub fn any(&self, verdict: Verdict) -> bool {
        self.answers.iter().any(|answered| answered.verdict == verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::answer::{Expected, Kind, Record};
    use crate::dns::names::{Question, View};

    #[test]
    fn what_was_heard_can_be_kept_and_read_again() {
        let records = ["10.0.0.7", "fd00::7", "a.b.svc", "a.b.svc:5432"].map(Record::from);
        let question = Question {
            view: View::Server,
            name: "a.b.svc".to_owned(),
            kind: Kind::Srv,
            expected: Expected::Records(records.clone().into()),
            service: Some("a".to_owned()),
            typed: false,
        };
        let answered = Answered::new(question, Answer::Records(records.clone().into()), None, None);
        let with = Expected::with(records.clone().into(), ["c.d.svc".to_owned()].into());
        let question = Question { expected: with, ..answered.question.clone() };
        let other = Answered::new(question, Answer::NoSuchName, None, None);
        assert!(matches!(&records[3], Record::Server { port: 5432, .. }) && matches!(records[1], Record::Address(_)));
        let heard = Heard {
            asker: Asker { pod: "backend-1".to_owned(), ..Asker::default() },
            hello: Hello::default(),
            domain: Some(Domain { name: "kube.test".to_owned(), from: Source::SearchList }),
            answers: vec![answered, other],
            walks: vec![Walk { name: "a".to_owned(), steps: Vec::new() }],
            caching: Caching::For(std::time::Duration::from_secs(30)),
        };
        let names = Names { pod: None, heard: Reading::Present(heard), server: Reading::Absent };
        let text = serde_json::to_string(&names).unwrap();
        assert_eq!(serde_json::from_str::<Names>(&text).unwrap(), names);
    }
}
