//! One round: what the objects say, what DNS answers, and what is to be said of that.

use std::net::IpAddr;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Args;
use super::asker::AskingPod;
use crate::commands::shared::relay::{self, Hello, Pipe};
use crate::context::Ctx;
use crate::dns::names::{self, Question, View};
use crate::dns::{Answer, Answered, Expected, Facts, Kind, Verdict};
use crate::error::Error;
use crate::exchange::names::SERVICES;
use crate::findings::Finding;
use crate::findings::dns::{self, Asker, Caching, DnsEvidence};
use crate::kubernetes::act;
use crate::observe::{self, Reading, Snapshot};

/// What one round has come to.
pub struct Round {
    /// What the pod has, and whom it asks.
    pub hello: Hello,
    /// The cluster domain, and where it was found.
    pub domain: Option<(String, &'static str)>,
    pub answers: Vec<Answered>,
    /// How names were completed.
    pub walks: Vec<Walk>,
    /// What is the matter.
    pub findings: Vec<Finding>,
    /// Whether all is as it should be.
    pub holds: bool,
}

/// How a name was completed: what was tried, and what came of it, until something was there.
pub struct Walk {
    pub name: String,
    /// What was tried.
    pub steps: Vec<(String, Answer)>,
}

/// What was heard in the pod.
struct Heard {
    domain: Option<(String, &'static str)>,
    answers: Vec<Answered>,
    walks: Vec<Walk>,
}

impl Round {
    /// Asks for everything once.
    pub async fn ask(ctx: &Ctx, from: &AskingPod, args: &Args, snapshot: Snapshot) -> anyhow::Result<Self> {
        let cluster = ctx.cluster().await?;
        let facts = Facts::new(cluster.namespace(), &snapshot);
        let (hello, Heard { domain, mut answers, walks }) = talk(ctx, from, args, &facts).await?;
        let is_silent = answers.iter().any(|answered| answered.verdict == Verdict::Silent);
        let differs = answers.iter().any(|answered| answered.verdict == Verdict::Differs);
        let dns = if is_silent { observe::dns::server(cluster).await } else { Reading::NotAsked };
        let known = domain.as_ref().filter(|_| differs);
        let caching = match known {
            Some((domain, _)) => match observe::dns::corefile(cluster).await {
                Reading::Present(corefile) => dns::caching(&corefile, domain),
                _ => Caching::Unknown,
            },
            None => Caching::Unknown,
        };
        let asker = Asker {
            pod: from.pod.clone(),
            policy: from.policy.clone(),
            server: hello.resolv.servers.first().map(ToString::to_string),
        };
        let evidence = DnsEvidence {
            facts: &facts,
            by_hand: &cluster.place().by_hand,
            asker: &asker,
            dns: &dns,
            caching,
            now: Timestamp::now(),
        };
        let findings = dns::explain(&evidence, &mut answers);
        let holds = dns::holds(&answers, &findings);
        Ok(Self { hello, domain, answers, walks, findings, holds })
    }
}

/// Asks everything in the pod, by the first program that it can run.
async fn talk(ctx: &Ctx, from: &AskingPod, args: &Args, facts: &Facts) -> anyhow::Result<(Hello, Heard)> {
    let cluster = ctx.cluster().await?;
    let place = cluster.place();
    for question in names::as_an_application(facts, None, &args.names) {
        ctx.show(|| {
            act::command(place, &["exec", &from.pod, "-c", &from.container, "--", "getent", "ahosts", &question.name])
        });
    }
    ctx.show(|| {
        let nslookup = ["run", "dns-debug", "--rm", "-i", "--restart=Never", "--image=busybox", "--", "nslookup"];
        act::command(place, &[&nslookup[..], &[&format!("{}.{}.svc", SERVICES[0], facts.namespace)]].concat())
    });
    let asker = (from.pod.as_str(), from.container.as_str());
    let heard = relay::talk(cluster, asker, async |pipe, hello| hear(pipe, hello, facts, args).await).await?;
    heard.map_err(|why| {
        Error::new(
            format!("could not ask from pod/{} in namespace {}: {why}", from.pod, facts.namespace),
            ctx.own_command("dns-check --pod").to("ask from a temporary pod"),
        )
        .into()
    })
}

/// Asks everything through the program that runs in the pod.
async fn hear(pipe: &mut Pipe, hello: &Hello, facts: &Facts, args: &Args) -> Heard {
    let found = hello.resolv.domain();
    let questions = names::as_an_application(facts, found.as_deref(), &args.names);
    let server = hello.resolv.servers.first().copied();
    let names: Vec<&str> = questions.iter().map(|question| question.name.as_str()).collect();
    let has_libc = hello.libc.is_some();
    if let Some(server) = server {
        pipe.begin(server, if has_libc { &names } else { &[] }).await;
    }
    let domain = match found {
        Some(domain) => Some((domain, "the search list")),
        None => domain_by_address(pipe, facts, server).await.map(|domain| (domain, "the DNS server")),
    };
    let mut of_server = Vec::new();
    for question in domain.iter().flat_map(|(domain, _)| names::of_the_server(facts, domain)) {
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
    let walks = if args.trace { walks(pipe, hello, &questions).await } else { Vec::new() };
    let is_silent =
        !of_server.is_empty() && of_server.iter().all(|answered| matches!(answered.got, Answer::Silence(_)));
    let mut answers = if has_libc {
        application(pipe, questions, is_silent).await
    } else {
        without_libc(pipe, hello, questions).await
    };
    answers.extend(of_server);
    Heard { domain, answers, walks }
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
async fn walk(pipe: &mut Pipe, hello: &Hello, name: &str) -> Vec<(String, Answer)> {
    let mut steps = Vec::new();
    for name in hello.resolv.walk(name) {
        let answer = addresses(pipe, &name).await;
        let is_there = matches!(answer, Answer::Records(_));
        steps.push((name, answer));
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
fn came_of(steps: &[(String, Answer)]) -> Answer {
    let mut answers = steps.iter().map(|(_, answer)| answer);
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
            let steps: Vec<_> = steps.into_iter().map(|answer| ("name".to_owned(), answer)).collect();
            assert_eq!(came_of(&steps), wanted, "{steps:?}");
        }
    }
}
