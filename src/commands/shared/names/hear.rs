//! One round: what DNS answers in a pod.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::AskingPod;
use crate::commands::shared::relay::{self, Hello, Pipe};
use crate::dns::caching::{Caching, of_corefile};
use crate::dns::heard::{Asker, Domain, Heard, Source, Step, Walk};
use crate::dns::names::{self, Question, View};
use crate::dns::{Answer, Answered, Expected, Facts, Kind, Verdict};
use crate::exchange::names::SERVICES;
use crate::kubernetes::{Cluster, RequestError};
use crate::observe::{self, Reading};

/// What is asked beside the names of the exchange, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asking<'a> {
    /// More names to look up, as an application would.
    pub names: &'a [String],
    /// Whether it is shown how short names are completed.
    pub trace: bool,
    /// How long an answer may take, if not as long as an application waits.
    pub patience: Option<Duration>,
}

/// Asks for everything once in the pod, by the first program that it can run. If it can run none, gives why.
///
/// # Errors
/// If nothing may be run in it.
pub async fn hear(
    cluster: &Cluster,
    from: &AskingPod,
    facts: &Facts,
    asking: Asking<'_>,
) -> Result<Result<Heard, String>, RequestError> {
    let asker = (from.pod.as_str(), from.container.as_str());
    let talked = relay::talk(cluster, asker, async |pipe, hello| talk(pipe, hello, facts, asking).await).await?;
    Ok(talked.map(|(hello, Talk { domain, answers, walks })| {
        let server = hello.resolv.servers.first().map(ToString::to_string);
        let asker = Asker { pod: from.pod.clone(), policy: from.policy.clone(), server };
        Heard { asker, hello, domain, answers, walks, caching: Caching::Unknown }
    }))
}

/// How long the DNS server keeps answers. It is asked for only if one differed.
pub async fn caching(cluster: &Cluster, heard: &Heard) -> Caching {
    let Some(domain) = heard.domain.as_ref().filter(|_| heard.any(Verdict::Differs)) else { return Caching::Unknown };
    match observe::dns::corefile(cluster).await {
        Reading::Present(corefile) => of_corefile(&corefile, &domain.name),
        _ => Caching::Unknown,
    }
}

/// What was heard in the pod.
struct Talk {
    domain: Option<Domain>,
    answers: Vec<Answered>,
    walks: Vec<Walk>,
}

/// Asks everything through the program that runs in the pod.
async fn talk(pipe: &mut Pipe, hello: &Hello, facts: &Facts, asking: Asking<'_>) -> Talk {
    if let Some(patience) = asking.patience {
        pipe.wait_for(patience);
    }
    let found = hello.resolv.domain();
    let questions = names::as_an_application(facts, found.as_deref(), asking.names);
    let server = hello.resolv.servers.first().copied();
    let names: Vec<&str> = questions.iter().map(|question| question.name.as_str()).collect();
    let has_libc = hello.libc.is_some();
    if let Some(server) = server {
        pipe.begin(server, if has_libc { &names } else { &[] }).await;
    }
    let domain = match found {
        Some(name) => Some(Domain { name, from: Source::SearchList }),
        None => domain_by_address(pipe, facts, server).await.map(|name| Domain { name, from: Source::Server }),
    };
    let mut of_server = Vec::new();
    for question in domain.iter().flat_map(|domain| names::of_the_server(facts, &domain.name)) {
        let (got, kept, took) = match server {
            Some(_) => pipe.ask(&question.name, question.kind).await,
            None => (Answer::Silence("/etc/resolv.conf names no server".to_owned()), None, None),
        };
        of_server.push(Answered::new(question, got, kept, took));
    }
    // Without a domain there is nothing to ask but this, whose answer says whether anybody is there.
    if let (None, Some(_)) = (&domain, server) {
        let question = Question {
            view: View::Server,
            name: SERVICES[0].to_owned(),
            kind: Kind::A,
            expected: Expected::Unknown("the cluster domain is not known".to_owned()),
            service: None,
            typed: false,
        };
        let (got, kept, took) = pipe.ask(&question.name, question.kind).await;
        of_server.push(Answered::new(question, got, kept, took));
    }
    let walks = if asking.trace { walks(pipe, hello, &questions).await } else { Vec::new() };
    let is_silent =
        !of_server.is_empty() && of_server.iter().all(|answered| matches!(answered.got, Answer::Silence(_)));
    let mut answers = if has_libc {
        application(pipe, questions, is_silent).await
    } else {
        without_libc(pipe, hello, questions).await
    };
    answers.extend(of_server);
    Talk { domain, answers, walks }
}

/// What libc has said. It has one word for a name that is not there and for a server that is silent.
async fn application(pipe: &mut Pipe, questions: Vec<Question>, is_silent: bool) -> Vec<Answered> {
    let looked = pipe.looked_up(questions.len()).await;
    let judge = |(question, (got, kept, took))| match got {
        Answer::NoSuchName if is_silent => {
            Answered::new(question, Answer::Silence("the server does not answer".to_owned()), kept, took)
        }
        got => Answered::new(question, got, kept, took),
    };
    questions.into_iter().zip(looked).map(judge).collect()
}

/// The same where nothing in the pod looks names up. What the user has typed the DNS server is asked, completed as libc does.
async fn without_libc(pipe: &mut Pipe, hello: &Hello, questions: Vec<Question>) -> Vec<Answered> {
    let mut answers = Vec::new();
    for question in questions {
        answers.push(if question.typed {
            let start = Instant::now();
            let got = came_of(&walk(pipe, hello, &question.name).await);
            Answered::new(Question { view: View::Server, ..question }, got, None, Some(start.elapsed()))
        } else {
            let why = "neither getent nor python3 in the pod".to_owned();
            Answered::new(question, Answer::NotAsked(why), None, None)
        });
    }
    answers
}

/// The cluster domain as the DNS server has it: behind the name of a Service's address.
async fn domain_by_address(pipe: &mut Pipe, facts: &Facts, server: Option<IpAddr>) -> Option<String> {
    server?;
    for (name, service) in &facts.services {
        for address in service.present().into_iter().flat_map(|service| &service.addresses) {
            let (back, ..) = pipe.ask(&crate::dns::wire::reverse(*address), Kind::Ptr).await;
            if let Some(domain) = names::domain_of(name, &facts.namespace, &back) {
                return Some(domain);
            }
        }
    }
    None
}

/// Does for each name what libc does, step by step.
async fn walks(pipe: &mut Pipe, hello: &Hello, questions: &[Question]) -> Vec<Walk> {
    let is_walked = |question: &&Question| {
        question.typed || question.service.as_deref() == Some(SERVICES[0]) || question.expected == Expected::Something
    };
    let mut walks = Vec::new();
    for question in questions.iter().filter(is_walked) {
        walks.push(Walk { name: question.name.clone(), steps: walk(pipe, hello, &question.name).await });
    }
    walks
}

/// Tries what libc tries for a name, until something is there.
async fn walk(pipe: &mut Pipe, hello: &Hello, name: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for name in hello.resolv.walk(name) {
        let got = addresses(pipe, &name).await;
        let is_there = matches!(got, Answer::Records(_));
        steps.push(Step { name, got });
        if is_there {
            break;
        }
    }
    steps
}

/// The addresses of both families behind an absolute name.
async fn addresses(pipe: &mut Pipe, name: &str) -> Answer {
    let (four, ..) = pipe.ask(name, Kind::A).await;
    // A name that is not there is there for no kind.
    if !matches!(four, Answer::Records(_) | Answer::NoRecord) {
        return four;
    }
    let (six, ..) = pipe.ask(name, Kind::Aaaa).await;
    match (four, six) {
        (Answer::Records(four), Answer::Records(six)) => Answer::Records(four.into_iter().chain(six).collect()),
        (four @ Answer::Records(_), _) => four,
        (_, six) => six,
    }
}

/// What all that was tried for a name comes to: the first that is there, or else the first that is not just another name that
/// is not there.
fn came_of(steps: &[Step]) -> Answer {
    let mut answers = steps.iter().map(|step| &step.got);
    let there = answers.clone().find(|answer| matches!(answer, Answer::Records(_)));
    there.or_else(|| answers.find(|answer| **answer != Answer::NoSuchName)).cloned().unwrap_or(Answer::NoSuchName)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_there_or_else_what_is_not_known_counts() {
        let there = || Answer::Records([].into());
        let silent = || Answer::Silence("nothing within 5s".to_owned());
        for (steps, wanted) in [
            (vec![], Answer::NoSuchName),
            (vec![Answer::NoSuchName, Answer::NoSuchName], Answer::NoSuchName),
            (vec![Answer::NoSuchName, Answer::NoRecord, there()], there()),
            (vec![Answer::NoSuchName, Answer::NoRecord, Answer::NoSuchName], Answer::NoRecord),
            (vec![Answer::NoSuchName, silent(), Answer::NoSuchName], silent()),
        ] {
            let steps: Vec<_> = steps.into_iter().map(|got| Step { name: "name".to_owned(), got }).collect();
            assert_eq!(came_of(&steps), wanted, "{steps:?}");
        }
    }
}
