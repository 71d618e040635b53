//! Why answers are not as they should be: the reasons that people meet, each with what helps.

pub mod causes;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Cause;
use super::causes::{not_published, selector_matches_nothing};
use super::finding::{Finding, Weight, healthy};
use crate::dns::answer::{Answer, Expected};
use crate::dns::facts::{Facts, Replica, ServiceFacts};
use crate::dns::names::View;
use crate::dns::verdict::{self, Answered, Verdict};
use crate::exchange::names;
use crate::kubernetes::ByHand;
use crate::observe::dns::DnsServer;
use crate::observe::{Reading, Reason};
use crate::text::Hint;

/// What answers are explained by.
#[derive(Clone, Debug)]
pub struct DnsEvidence<'a> {
    /// What the objects say.
    pub facts: &'a Facts,
    /// What a hint's command needs to lead to them.
    pub by_hand: &'a ByHand,
    /// From where it was asked.
    pub asker: &'a Asker,
    /// The DNS server's pods, if it was silent.
    pub dns: &'a Reading<DnsServer>,
    /// How long the DNS server keeps answers, if any differed.
    pub caching: Caching,
    /// When the answers came.
    pub now: Timestamp,
}

/// The pod from which it was asked.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// Its name.
    pub pod: String,
    /// Its dnsPolicy, as it takes effect.
    pub policy: String,
    /// The server that it asks; none if it names none.
    pub server: Option<String>,
}

/// For how long the DNS server keeps what it has said of the cluster's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caching {
    /// For so long.
    For(Duration),
    /// It does not.
    No,
    /// That could not be read.
    Unknown,
}

/// What a change takes to reach the DNS server, which watches.
const ON_THE_WAY: Duration = Duration::from_secs(5);
/// What DNS servers of clusters keep answers for, where that cannot be read.
const USUAL: Duration = Duration::from_secs(30);

/// A finding, and of which answers it is the reason.
struct Explanation {
    finding: Finding,
    covers: Covers,
}

enum Covers {
    Everything,
    Service(&'static str),
    Name(String),
}

/// Says why. Marks each answer that is not ok with the code of its reason, and the ones that are only old as such.
#[must_use]
pub fn explain(evidence: &DnsEvidence, answers: &mut [Answered]) -> Vec<Finding> {
    let is_wrong = answers.iter().any(Answered::is_wrong);
    let mut reasons: Vec<Explanation> = Vec::new();
    reasons.extend(policy(evidence).filter(|_| is_wrong));
    reasons.extend(silence(evidence, answers));
    reasons.extend(services(evidence));
    reasons.extend(headless(evidence));
    reasons.extend(answers.iter().filter_map(|answered| name(evidence, answered)));
    for answered in answers.iter_mut().filter(|answered| answered.is_wrong()) {
        answered.why = reasons.iter().find(|cause| cause.covers(answered)).map(|cause| cause.finding.cause.slug);
    }
    reasons.extend(left(evidence, answers));
    let mut findings: Vec<Finding> = reasons.into_iter().map(|cause| cause.finding).collect();
    findings.dedup();
    findings
}

/// Whether the names are as they should be: the answers show it, and nothing else is the matter.
#[must_use]
pub fn holds(answers: &[Answered], findings: &[Finding]) -> bool {
    healthy(findings) && verdict::holds(answers)
}

impl Explanation {
    fn of(
        covers: Covers,
        cause: &'static Cause,
        weight: Weight,
        object: impl Into<String>,
        says: String,
        hint: impl Into<Hint>,
    ) -> Self {
        let finding = Finding { cause, weight, app: names::POSTGRES, object: object.into(), says, hint: hint.into() };
        Self { finding, covers }
    }

    fn covers(&self, answered: &Answered) -> bool {
        match &self.covers {
            Covers::Everything => true,
            Covers::Service(name) => answered.question.service.as_deref() == Some(name),
            Covers::Name(name) => answered.question.name == *name,
        }
    }
}

/// A pod that does not ask the cluster's DNS first.
fn policy(evidence: &DnsEvidence) -> Option<Explanation> {
    let Asker { pod, policy, server } = evidence.asker;
    let whom = server.as_deref().unwrap_or("nobody");
    let asks = match policy.as_str() {
        "Default" => format!("it asks its node's DNS server ({whom}), which does not know Services"),
        "None" => format!("it asks the server in its dnsConfig ({whom})"),
        _ => return None,
    };
    Some(Explanation::of(
        Covers::Everything,
        &causes::POLICY,
        Weight::Problem,
        format!("pod/{pod}"),
        format!("has the dnsPolicy {policy}: {asks}"),
        (evidence
            .by_hand
            .kubectl(["get", &format!("pod/{pod}"), "-o", "yaml"])
            .to("see where it is set, and remove it"))
        .and(evidence.by_hand.kubectl_of_cluster("explain pod.spec.dnsPolicy").to("what it means")),
    ))
}

/// A server that does not answer.
fn silence(evidence: &DnsEvidence, answers: &[Answered]) -> Option<Explanation> {
    let silent = answers.iter().find_map(|answered| match (&answered.got, answered.question.view) {
        (Answer::Silence(why), View::Server) => Some(why.as_str()),
        _ => None,
    })?;
    let at = evidence.asker.server.as_deref().unwrap_or("the DNS server");
    let by_hand = evidence.by_hand;
    let look = by_hand.kubectl_of_cluster("get pods -n kube-system -l k8s-app=kube-dns").to("see its pods");
    let (says, hint) = match evidence.dns {
        Reading::Present(DnsServer { desired: Some(0), .. }) => (
            format!("is scaled to 0, so nothing answers at {at}"),
            by_hand.kubectl_of_cluster("scale deployment/coredns -n kube-system --replicas=2").to("start it again"),
        ),
        Reading::Present(DnsServer { ready: 0, pods: 0, .. }) | Reading::Absent => {
            (format!("has no pods, so nothing answers at {at}"), look)
        }
        Reading::Present(DnsServer { ready: 0, pods, .. }) => {
            (format!("is not ready: 0 of its {pods} pods are, and nothing answers at {at}"), look)
        }
        Reading::Present(DnsServer { ready, .. }) => (
            format!("runs ({ready} ready), but pod/{} does not reach it at {at}: {silent}", evidence.asker.pod),
            by_hand.kubectl("get networkpolicy").to("see whether a NetworkPolicy forbids it"),
        ),
        Reading::Unknown(Reason::Forbidden(_)) => {
            (format!("does not answer at {at} ({silent}); you may not see whether it runs"), look)
        }
        Reading::Unknown(Reason::Failed(_)) | Reading::NotAsked => (format!("does not answer at {at}: {silent}"), look),
    };
    Some(Explanation::of(Covers::Everything, &causes::SILENT, Weight::Problem, "CoreDNS", says, hint))
}

/// Services that are missing, whatever the DNS server still remembers of them.
fn services(evidence: &DnsEvidence) -> Vec<Explanation> {
    let facts = evidence.facts;
    let deploy = || evidence.by_hand.own("deploy");
    let is_missing = |name: &&str| matches!(facts.services.get(*name), Some(Reading::Absent));
    let missing = names::SERVICES.into_iter().filter(is_missing).map(|name| {
        let says = format!("is missing in the namespace {}", facts.namespace);
        Explanation::of(
            Covers::Service(name),
            &causes::SERVICE_MISSING,
            Weight::Problem,
            format!("service/{name}"),
            says,
            deploy(),
        )
    });
    let renamed = facts.set_service.as_deref().filter(|name| *name != names::POSTGRES_SERVICE).map(|name| {
        let says = format!("names {name} as its Service: its pods have no names below {}", names::POSTGRES_SERVICE);
        let object = format!("statefulset/{}", names::POSTGRES);
        Explanation::of(
            Covers::Service(names::POSTGRES_SERVICE),
            &causes::SERVICE_NAME,
            Weight::Problem,
            object,
            says,
            deploy(),
        )
    });
    missing.chain(renamed).collect()
}

/// What keeps the headless Service from giving the addresses of its pods.
fn headless(evidence: &DnsEvidence) -> Vec<Explanation> {
    let (facts, by_hand, name) = (evidence.facts, evidence.by_hand, names::POSTGRES_SERVICE);
    let because = |cause, weight, object: String, says: String, hint: Hint| {
        Explanation::of(Covers::Service(name), cause, weight, object, says, hint)
    };
    let describe = |pod: &str| by_hand.kubectl(["describe", &format!("pod/{pod}")]).to("see why");
    let service = || format!("service/{name}");
    let replicas = facts.replicas.present().map(Vec::as_slice).unwrap_or_default();
    let set = || format!("statefulset/{}", names::POSTGRES);
    let mut found = Vec::new();
    match &facts.replicas {
        Reading::Absent => {
            let says = "is missing: there is no pod to resolve".to_owned();
            found.push(because(&causes::SET_MISSING, Weight::Problem, set(), says, by_hand.own("deploy").into()));
        }
        Reading::Present(replicas) if replicas.is_empty() => {
            let hint = by_hand.kubectl(["scale", &set(), "--replicas=1"]).to("start it again");
            let says = "is scaled to 0: there is no pod to resolve".to_owned();
            found.push(because(&causes::NO_REPLICAS, Weight::Problem, set(), says, hint));
        }
        _ => {}
    }
    let Some(there) = facts.headless() else { return found };
    if !there.is_headless() {
        let address = there.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let says =
            format!("is not headless: it has the address {address}, and its name gives that instead of the pods' own");
        let delete =
            by_hand.kubectl(["delete", "service", name]).to("its address cannot be removed, so delete the Service");
        let hint = delete.and(by_hand.own("deploy").to("and create it again"));
        found.push(because(&causes::NOT_HEADLESS, Weight::Problem, service(), says, hint));
    }
    let existing = || replicas.iter().filter(|replica| replica.exists);
    if existing().next().is_some() && !existing().any(|replica| there.selects(&replica.labels)) {
        let says = format!("selects {}, but no pod of the StatefulSet has these labels", selector(there));
        let hint = (by_hand.own("deploy").to("restore both"))
            .and(by_hand.kubectl("get pods --show-labels").to("see the labels"));
        found.push(because(&selector_matches_nothing::CAUSE, Weight::Problem, service(), says, hint));
        return found;
    }
    for replica in replicas {
        let object = format!("pod/{}", replica.name);
        let published = facts.published.map(|all| is_published(all.get(name), replica));
        match published {
            _ if !replica.exists => {
                let hint = by_hand.kubectl(["describe", &format!("statefulset/{}", names::POSTGRES)]).to("see why");
                found.push(because(&causes::POD_MISSING, Weight::NotYet, object, "does not exist".to_owned(), hint));
            }
            _ if !replica.ready && !there.publishes_unready => {
                let says = "is not ready, and the Service only publishes ready pods".to_owned();
                found.push(because(&causes::POD_NOT_READY, Weight::NotYet, object, says, describe(&replica.name)));
            }
            Reading::Present(false) => {
                let says = format!("is ready, but not among the endpoints of {name} yet");
                let hint = by_hand
                    .kubectl(["get", "endpointslices", "-l", &format!("kubernetes.io/service-name={name}")])
                    .to("see them");
                found.push(because(&not_published::CAUSE, Weight::NotYet, object, says, hint));
            }
            _ => {}
        }
    }
    found
}

fn is_published(published: Option<&std::collections::BTreeSet<std::net::IpAddr>>, replica: &Replica) -> bool {
    published.is_some_and(|addresses| replica.addresses.iter().any(|address| addresses.contains(address)))
}

fn selector(service: &ServiceFacts) -> String {
    let pairs: Vec<String> = service.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    if pairs.is_empty() { "nothing".to_owned() } else { pairs.join(",") }
}

/// What is to be known of a name that ends in a dot.
const ABSOLUTE: &str = "with a dot at its end, no search domain is added";

/// A name that a person or a Deployment has mistaken.
fn name(evidence: &DnsEvidence, answered: &Answered) -> Option<Explanation> {
    let (facts, question) = (evidence.facts, &answered.question);
    let not_there = matches!(answered.got, Answer::NoSuchName | Answer::NoRecord);
    let is_of_people = question.view == View::Application || question.typed;
    if !is_of_people || answered.verdict != Verdict::Differs || !not_there {
        return None;
    }
    let because = |cause, object: String, says: String, hint: Hint| {
        Some(Explanation::of(Covers::Name(question.name.clone()), cause, Weight::Problem, object, says, hint))
    };
    let by_hand = evidence.by_hand;
    // The full name of whatever has one in the cluster has this label in it.
    let absolute = question.name.strip_suffix('.').filter(|name| !name.split('.').any(|label| label == "svc"));
    let mut labels = question.name.trim_end_matches('.').split('.');
    let (first, second) = (labels.next().unwrap_or_default(), labels.next());
    let similar = names::SERVICES.into_iter().find(|known| *known != first && distance(known, first) <= 2);
    let meant = similar.map(|known| format!(": did you mean {known}?")).unwrap_or_default();
    if facts.database_host.as_ref() == Some(&question.name) {
        let wrong = match absolute {
            Some(_) => format!("{}, which is not a full name: {ABSOLUTE}", question.name),
            None => format!("{first}, which is not a Service here{meant}"),
        };
        if absolute.is_some() || !names::SERVICES.contains(&first) {
            let says = format!("is told by {} to use {wrong}", names::DATABASE_HOST);
            return because(
                &causes::DATABASE_HOST,
                format!("deployment/{}", names::BACKEND),
                says,
                by_hand.own("deploy").into(),
            );
        }
    }
    if question.expected != Expected::Something {
        return None;
    }
    if let Some(name) = absolute {
        let hint = by_hand.own(["dns-check", name]).to("ask without the dot");
        return because(&causes::ABSOLUTE_NAME, question.name.clone(), format!("is not a full name: {ABSOLUTE}"), hint);
    }
    let services = ["get", "services", "-n", second.unwrap_or(&facts.namespace)];
    let hint = by_hand.kubectl_of_cluster(services).to("list the Services");
    match second {
        Some(other) if names::SERVICES.contains(&first) && other != facts.namespace => {
            let says =
                format!("does not exist: there is no {first} in namespace {other}; it is in {}", facts.namespace);
            because(&causes::WRONG_NAMESPACE, question.name.clone(), says, hint)
        }
        _ => because(&causes::NO_SUCH_NAME, question.name.clone(), format!("does not exist here{meant}"), hint),
    }
}

/// What no other cause explains: answers that are only old, and those that remain a riddle.
fn left(evidence: &DnsEvidence, answers: &mut [Answered]) -> Option<Explanation> {
    let mut riddles = answers.iter_mut().filter(|answered| answered.is_wrong() && answered.why.is_none()).peekable();
    riddles.peek()?;
    let window = match evidence.caching {
        Caching::For(time) => time + ON_THE_WAY,
        Caching::No => ON_THE_WAY,
        Caching::Unknown => USUAL + ON_THE_WAY,
    };
    let since = evidence.facts.changed().map(|changed| evidence.now.duration_since(changed));
    let is_recent = since.is_some_and(|since| since <= SignedDuration::try_from(window).unwrap_or_default());
    let ago = since.unwrap_or_default().as_secs().max(0);
    let kept = riddles.filter_map(|answered| {
        answered.why = Some(if is_recent { causes::STALE.slug } else { causes::UNEXPLAINED.slug });
        if is_recent {
            answered.verdict = Verdict::Stale;
        }
        answered.kept
    });
    let kept =
        kept.max().map(|kept| format!(" (this answer for {} s more at most)", kept.as_secs())).unwrap_or_default();
    let says = match evidence.caching {
        _ if !is_recent => {
            let hint =
                evidence.by_hand.kubectl_of_cluster("logs -n kube-system -l k8s-app=kube-dns").to("read its log");
            let says = format!(
                "does not match the cluster's objects, which have not changed for {ago} s; it may have lost its watch"
            );
            return Some(Explanation::of(
                Covers::Everything,
                &causes::UNEXPLAINED,
                Weight::Problem,
                "CoreDNS",
                says,
                hint,
            ));
        }
        Caching::For(time) => {
            format!("this cluster caches answers for up to {} s{kept}; nothing is wrong", time.as_secs())
        }
        Caching::No => {
            format!("the pods changed {ago} s ago, and the DNS server does not know yet; nothing is wrong")
        }
        Caching::Unknown => {
            format!("the pods changed {ago} s ago, and clusters cache answers for up to {} s{kept}", USUAL.as_secs())
        }
    };
    let hint = evidence.by_hand.own("dns-check --wait").to("wait until it is");
    Some(Explanation::of(Covers::Everything, &causes::STALE, Weight::NotYet, "an older answer", says, hint))
}

/// For how long a Corefile has names of the cluster kept.
#[must_use]
pub fn caching(corefile: &str, domain: &str) -> Caching {
    let zone = |word: &str| word.trim_end_matches('.') == domain;
    let mut kept = Caching::No;
    let (mut inside, mut disabled) = (false, false);
    for line in corefile.lines() {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match words.as_slice() {
            ["cache", rest @ ..] => {
                inside = rest.last() == Some(&"{");
                let seconds = rest.first().and_then(|word| word.parse().ok()).unwrap_or(3600);
                // The plugin `kubernetes` says 5 s unless its `ttl` says more; nothing is kept for longer than it may be.
                kept = Caching::For(Duration::from_secs(seconds));
            }
            ["disable", "success", zones @ ..] if inside => {
                disabled |= zones.is_empty() || zones.iter().any(|it| zone(it));
            }
            ["}"] if inside => inside = false,
            _ => {}
        }
    }
    match (kept, record_ttl(corefile)) {
        (Caching::For(_), _) if disabled => Caching::No,
        (Caching::For(time), ttl) => Caching::For(time.min(ttl)),
        (kept, _) => kept,
    }
}

/// For how long the plugin `kubernetes` lets its answers be kept.
fn record_ttl(corefile: &str) -> Duration {
    let ttl = |line: &str| line.trim().strip_prefix("ttl ")?.trim().parse().ok();
    Duration::from_secs(corefile.lines().find_map(ttl).unwrap_or(5))
}

/// How many letters must be changed, added or left out to make one word of another.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = at + 1;
        for (index, other) in other.iter().enumerate() {
            let changed = before + usize::from(letter != *other);
            before = row[index + 1];
            row[index + 1] = changed.min(before + 1).min(row[index] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests;
