//! Question 3: what the name of a headless Service leads to, and that of one with a virtual address.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::question::{Choice, Question};
use crate::observe::Reading;
use crate::persistence::verdict::{Check, CheckName, Holds, words};

/// The question.
pub const QUESTION: Question = Question {
    number: 3,
    title: "headless and ClusterIP",
    asks: "postgres-headless and backend-service are both Services. What does each name lead to?",
    choices: &[
        Choice {
            says: "Both lead to one virtual address, and the cluster picks a pod behind it.",
            why: "Only backend-service has a virtual address. postgres-headless has clusterIP: None, so there is no such address \
                  to give.",
            is_right: false,
        },
        Choice {
            says: "postgres-headless leads to the pods' own addresses, backend-service to one virtual address.",
            why: "A client of a database needs one particular server. With clusterIP: None, DNS gives the address of each ready \
                  pod itself.",
            is_right: true,
        },
        Choice {
            says: "Both lead to the pods' own addresses.",
            why: "backend-service leads to its clusterIP. The pods behind it can come and go, and this address stays.",
            is_right: false,
        },
        Choice {
            says: "postgres-headless leads to nothing, because it has no address.",
            why: "The Service has no address of its own, but its name has: DNS gives the addresses of the ready pods.",
            is_right: false,
        },
    ],
    does: "reads the Services and the pods, and asks DNS from the backend's pod; it changes nothing",
    seconds: 3,
    room: None,
    answer: "The name of a Service leads to its clusterIP, one virtual address that stays while the pods behind it change. A \
             headless Service has no clusterIP, so its name leads to the addresses of the ready pods themselves.",
    not_shown: &["what DNS answers outside this cluster", "how requests are shared between several pods"],
    topic: "headless",
    recorded: None,
};

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// The pod that asked.
    pub from: String,
    /// The Service that should be headless.
    pub headless: Named,
    /// The ready pods of the database, by name and addresses.
    pub pods: Reading<Vec<Addressed>>,
    /// The Service with an address of its own.
    pub cluster_ip: Named,
}

/// A Service, and what its name leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    pub name: String,
    /// Its own addresses; none if it is headless.
    pub own: Reading<BTreeSet<String>>,
    /// The addresses that its name leads to; none if there is no such name.
    pub leads_to: Reading<BTreeSet<String>>,
}

/// A pod and its addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Addressed {
    pub name: String,
    pub addresses: BTreeSet<String>,
}

impl Seen {
    /// What it comes to.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        let (holds, says) = self.of_headless();
        let headless = Check::new(CheckName::HeadlessName, holds, says);
        let (holds, says) = of_cluster_ip(&self.cluster_ip);
        vec![headless, Check::new(CheckName::ClusterIpName, holds, says)]
    }

    /// What was seen, in a sentence.
    #[must_use]
    pub fn observed(&self) -> String {
        let of = |named: &Named| format!("{} leads to {}", named.name, known(&named.leads_to));
        format!("{}. {}.", of(&self.headless), of(&self.cluster_ip))
    }

    /// The same with one thing changed, by which the answer must become no.
    #[must_use]
    pub fn with_something_changed(&self) -> Option<(Self, String)> {
        let address = self.cluster_ip.own.present()?.first()?.clone();
        let mut other = self.clone();
        other.headless.own = Reading::Present([address.clone()].into());
        other.headless.leads_to = other.headless.own.clone();
        Some((other, format!("with the virtual address {address} for {}", self.headless.name)))
    }

    fn of_headless(&self) -> (Holds, String) {
        let Named { name, own, leads_to } = &self.headless;
        let (own, leads_to, pods) = match (own, leads_to, &self.pods) {
            (Reading::Present(own), Reading::Present(leads_to), Reading::Present(pods)) => (own, leads_to, pods),
            (Reading::Absent, ..) => return (Holds::No, format!("service/{name} does not exist")),
            (Reading::Present(_), Reading::Present(_), pods) => return (Holds::Unknown, unknown("the pods", pods)),
            (Reading::Present(_), leads_to, _) => return (Holds::Unknown, unknown(name, leads_to)),
            (own, ..) => return (Holds::Unknown, unknown(&format!("service/{name}"), own)),
        };
        let ready: BTreeSet<String> = pods.iter().flat_map(|pod| pod.addresses.iter().cloned()).collect();
        let given = said(leads_to);
        if !own.is_empty() {
            return (Holds::No, format!("{name} leads to {given}: it is not headless, its clusterIP is {}", said(own)));
        }
        if ready.is_empty() {
            return (Holds::Unknown, format!("{name} leads to {given}, and no pod of the database is ready"));
        }
        let of = format!("the address of {}", joined(pods.iter().map(|pod| pod.name.as_str())));
        if *leads_to == ready {
            return (Holds::Yes, format!("{name} leads to {given}, {of}; its clusterIP is None"));
        }
        (Holds::No, format!("{name} leads to {given}, and not to {}, {of}", said(&ready)))
    }
}

fn of_cluster_ip(Named { name, own, leads_to }: &Named) -> (Holds, String) {
    match (own, leads_to) {
        (Reading::Present(own), _) if own.is_empty() => {
            (Holds::No, format!("service/{name} has no clusterIP: it is headless too"))
        }
        (Reading::Present(own), Reading::Present(leads_to)) if own == leads_to => {
            (Holds::Yes, format!("{name} leads to {}, its clusterIP", said(own)))
        }
        (Reading::Present(own), Reading::Present(leads_to)) => {
            (Holds::No, format!("{name} leads to {}, and not to its clusterIP {}", said(leads_to), said(own)))
        }
        (Reading::Absent, _) => (Holds::No, format!("service/{name} does not exist")),
        (Reading::Present(_), leads_to) => (Holds::Unknown, unknown(name, leads_to)),
        (own, _) => (Holds::Unknown, unknown(&format!("service/{name}"), own)),
    }
}

/// Why something is not known.
fn unknown<T>(what: &str, reading: &Reading<T>) -> String {
    match reading {
        Reading::Unknown(reason) => format!("{what} could not be read: {}", words(reason)),
        _ => format!("{what} was not asked"),
    }
}

fn known(addresses: &Reading<BTreeSet<String>>) -> String {
    addresses.present().map_or_else(|| "an address that is not known".to_owned(), said)
}

fn said(addresses: &BTreeSet<String>) -> String {
    if addresses.is_empty() { "nothing".to_owned() } else { joined(addresses.iter().map(String::as_str)) }
}

fn joined<'a>(all: impl Iterator<Item = &'a str>) -> String {
    all.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Reason;
    use crate::persistence::verdict::holds;

    fn addresses(all: &[&str]) -> Reading<BTreeSet<String>> {
        Reading::Present(all.iter().map(|address| (*address).to_owned()).collect())
    }

    fn right() -> Seen {
        let named = |name: &str, own: &[&str], leads_to: &[&str]| Named {
            name: name.to_owned(),
            own: addresses(own),
            leads_to: addresses(leads_to),
        };
        let pod = Addressed { name: "postgres-0".to_owned(), addresses: ["10.0.0.7".to_owned()].into() };
        Seen {
            from: "backend-1".to_owned(),
            headless: named("postgres-headless", &[], &["10.0.0.7"]),
            pods: Reading::Present(vec![pod]),
            cluster_ip: named("backend-service", &["10.96.0.5"], &["10.96.0.5"]),
        }
    }

    fn comes_to(change: impl FnOnce(&mut Seen)) -> Holds {
        let mut seen = right();
        change(&mut seen);
        holds(seen.checks().iter())
    }

    #[test]
    fn each_name_leads_to_what_it_should() {
        let checks = right().checks();
        assert!(checks.iter().all(|check| check.holds == Holds::Yes), "{checks:?}");
        assert_eq!(right().observed(), "postgres-headless leads to 10.0.0.7. backend-service leads to 10.96.0.5.");
    }

    #[test]
    fn a_wrong_cluster_is_not_the_answer() {
        let virtual_address = |seen: &mut Seen| {
            seen.headless.own = addresses(&["10.96.0.9"]);
            seen.headless.leads_to = addresses(&["10.96.0.9"]);
        };
        assert_eq!(comes_to(virtual_address), Holds::No);
        assert_eq!(comes_to(|seen| seen.headless.leads_to = addresses(&["10.0.0.8"])), Holds::No);
        assert_eq!(comes_to(|seen| seen.headless.leads_to = addresses(&["10.0.0.7", "10.0.0.8"])), Holds::No);
        assert_eq!(comes_to(|seen| seen.headless.leads_to = addresses(&[])), Holds::No);
        assert_eq!(comes_to(|seen| seen.headless.own = Reading::Absent), Holds::No);
        assert_eq!(comes_to(|seen| seen.cluster_ip.leads_to = addresses(&["10.0.0.7"])), Holds::No);
        assert_eq!(comes_to(|seen| seen.cluster_ip.own = addresses(&[])), Holds::No);
        let (other, what) = right().with_something_changed().unwrap();
        assert_eq!((holds(other.checks().iter()), what.contains("10.96.0.5")), (Holds::No, true));
    }

    #[test]
    fn what_could_not_be_read_is_not_known() {
        fn failed<T>() -> Reading<T> {
            Reading::Unknown(Reason::Failed("x".into()))
        }
        for change in [
            (|seen| seen.pods = failed()) as fn(&mut Seen),
            |seen| seen.pods = Reading::Present(Vec::new()),
            |seen| seen.headless.own = failed(),
            |seen| seen.headless.leads_to = failed(),
            |seen| seen.headless.leads_to = Reading::NotAsked,
            |seen| seen.cluster_ip.own = failed(),
            |seen| seen.cluster_ip.leads_to = failed(),
        ] {
            assert_eq!(comes_to(change), Holds::Unknown);
        }
    }
}
