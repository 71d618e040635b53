//! Which names are asked for, and what the cluster's objects say that the answers should be.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::answer::{Answer, Expected, Kind, Record};
use super::facts::{Facts, Replica};
use super::wire;
use crate::exchange::names;
use crate::observe::{Reading, Reason};

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum View {
    /// The resolver of libc in the pod, with its search list: what an application gets.
    Application,
    /// The DNS server, on the wire.
    Server,
}

/// A question, and what the answer should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// Who is asked.
    pub view: View,
    /// The name, as it is typed or, for the server, absolute without the dot at its end.
    pub name: String,
    /// What is asked for.
    pub kind: Kind,
    /// What the answer should be.
    pub expected: Expected,
    /// The Service that the name belongs to, if it is the exchange's.
    pub service: Option<String>,
    /// Whether the user has typed the name.
    pub typed: bool,
}

/// A name below which nothing is. No Service of the exchange is called so.
const NOWHERE: &str = "no-such-name";

/// Why it is not known which names pods have.
const NO_NAMES: &str = "the StatefulSet names no Service";

/// What an application asks, and what the user has typed. Without the cluster domain only names without it.
#[must_use]
pub fn as_an_application(facts: &Facts, domain: Option<&str>, typed: &[String]) -> Vec<Question> {
    let names = Names { facts, domain };
    let mut all = names.as_an_application();
    all.extend(typed.iter().map(|name| names.typed(name)));
    all
}

/// What the server is asked.
#[must_use]
pub fn of_the_server(facts: &Facts, domain: &str) -> Vec<Question> {
    Names { facts, domain: Some(domain) }.of_the_server(domain)
}

/// The words of the kubectl command by which a temporary pod asks for a name.
pub const NSLOOKUP: [&str; 8] =
    ["run", "dns-debug", "--rm", "-i", "--restart=Never", "--image=busybox", "--", "nslookup"];

/// Whether a text may be a host's name. Only such are looked up.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_');
    !text.is_empty() && text.len() <= 255 && !text.starts_with(['-', '.']) && text.chars().all(fits)
}

/// The cluster domain, as the name of a Service's address shows it.
#[must_use]
pub fn domain_of(service: &str, namespace: &str, back: &Answer) -> Option<String> {
    let Answer::Records(records) = back else { return None };
    let before = format!("{service}.{namespace}.svc.");
    records.iter().find_map(|record| match record {
        Record::Name(name) => name.strip_prefix(&before).map(str::to_owned),
        _ => None,
    })
}

struct Names<'a> {
    facts: &'a Facts,
    domain: Option<&'a str>,
}

impl Names<'_> {
    fn as_an_application(&self) -> Vec<Question> {
        let (headless, namespace) = (self.facts.headless_name.as_str(), self.facts.namespace.as_str());
        let ask = |name: String, expected, service: Option<&str>| Question {
            view: View::Application,
            name,
            kind: Kind::Any,
            expected,
            service: service.map(str::to_owned),
            typed: false,
        };
        let of_headless = |name| ask(name, self.facts.pods(Kind::Any), Some(headless));
        let mut all = vec![
            of_headless(headless.to_owned()),
            of_headless(format!("{headless}.{namespace}")),
            of_headless(format!("{headless}.{namespace}.svc")),
        ];
        if let Some(domain) = self.domain {
            all.push(of_headless(self.absolute(headless, domain)));
            for replica in self.facts.replica_names() {
                let name = self.absolute(&format!("{replica}.{headless}"), domain);
                all.push(ask(name, self.facts.pod(&replica, Kind::Any), Some(headless)));
            }
        }
        for service in self.facts.others.iter().copied() {
            all.push(ask(service.to_owned(), self.facts.service(service, Kind::Any), Some(service)));
        }
        // What the backend is told to connect to, if it is not one of these.
        for host in self.facts.database_hosts.iter().filter(|host| is_name(host) && host.parse::<IpAddr>().is_err()) {
            if all.iter().any(|question| question.name == *host) {
                continue;
            }
            let first = host.split('.').next().unwrap_or_default();
            all.push(match self.facts.known_services().find(|known| *known == first) {
                Some(service) if names::REPLICATED_SERVICES.contains(&service) => {
                    ask(host.clone(), self.facts.service(service, Kind::Any), Some(service))
                }
                // Where the name of another Service leads is no matter of DNS: it may lead to the database as well.
                Some(_) => of_headless(host.clone()),
                None => ask(host.clone(), Expected::Something, None),
            });
        }
        if let Some(domain) = self.domain {
            // The dot at its end: no search list, which may lead out of the cluster.
            all.push(ask(self.absolute(NOWHERE, domain) + ".", Expected::NoSuchName, None));
        }
        all
    }

    fn of_the_server(&self, domain: &str) -> Vec<Question> {
        let headless = self.facts.headless_name.as_str();
        let ask = |name: String, kind, expected, service: Option<&str>| Question {
            view: View::Server,
            name,
            kind,
            expected,
            service: service.map(str::to_owned),
            typed: false,
        };
        let of_headless = |name: String, kind, expected| ask(name, kind, expected, Some(headless));
        let mut all: Vec<Question> = [Kind::A, Kind::Aaaa]
            .map(|kind| of_headless(self.absolute(headless, domain), kind, self.facts.pods(kind)))
            .into();
        for replica in self.facts.replica_names() {
            let name = self.absolute(&format!("{replica}.{headless}"), domain);
            all.push(of_headless(name, Kind::A, self.facts.pod(&replica, Kind::A)));
        }
        for (port, protocol, expected) in self.servers(domain) {
            let name = self.absolute(&format!("_{port}._{protocol}.{headless}"), domain);
            all.push(of_headless(name, Kind::Srv, expected));
        }
        for replica in self.facts.replicas.present().into_iter().flatten() {
            let back = Record::Name(self.absolute(&format!("{}.{headless}", replica.name), domain));
            let ask = |address: &IpAddr| {
                let expected = if self.facts.names_no_pods() {
                    Expected::Unknown(NO_NAMES.to_owned())
                } else {
                    let also = self.facts.also_behind(*address).map(|service| self.absolute(service, domain));
                    Expected::with([back.clone()].into(), also.collect())
                };
                of_headless(wire::reverse(*address), Kind::Ptr, expected)
            };
            all.extend(replica.addresses.iter().filter(|address| self.facts.speaks(address)).map(ask));
        }
        for service in self.facts.others.iter().copied() {
            let name = self.absolute(service, domain);
            all.push(ask(name, Kind::A, self.facts.service(service, Kind::A), Some(service)));
        }
        all.push(ask(self.absolute(NOWHERE, domain), Kind::A, Expected::NoSuchName, None));
        all
    }

    /// The named ports of the headless Service, each with its protocol and the servers that should be behind it.
    fn servers(&self, domain: &str) -> Vec<(String, String, Expected)> {
        let headless = self.facts.headless_name.as_str();
        // Those that share another set's Service are not known by their names.
        let headless_service = self.facts.headless().filter(|_| self.facts.is_exchange());
        let Some(ports) = headless_service.map(|service| &service.ports) else { return Vec::new() };
        let servers = |port: u16| match &self.facts.replicas {
            _ if self.facts.names_no_pods() => Expected::Unknown(NO_NAMES.to_owned()),
            Reading::Present(replicas) if replicas.iter().any(Replica::has_address) => Expected::Records(
                replicas
                    .iter()
                    .chain(&self.facts.leaving)
                    .filter(|replica| replica.has_address())
                    .map(|replica| self.absolute(&format!("{}.{headless}", replica.name), domain))
                    .map(|name| Record::Server { name, port })
                    .collect(),
            ),
            _ => self.facts.pods(Kind::Srv),
        };
        ports.iter().map(|port| (port.name.clone(), port.protocol.clone(), servers(port.number))).collect()
    }

    /// A name that the user has typed: one of the exchange's, or any.
    fn typed(&self, name: &str) -> Question {
        let service = self.service_of(name);
        let expected = match service {
            Some(names::POSTGRES_SERVICE) => self.facts.pods(Kind::Any),
            Some(service) => self.facts.service(service, Kind::Any),
            None => Expected::Something,
        };
        let service = service.map(str::to_owned);
        Question { view: View::Application, name: name.to_owned(), kind: Kind::Any, expected, service, typed: true }
    }

    /// The Service of the exchange that a name leads to in its namespace. With a dot at its end only its full name does.
    fn service_of(&self, name: &str) -> Option<&'static str> {
        let namespace = self.facts.namespace.as_str();
        self.facts.known_services().find(|service| {
            let full = self.domain.map(|domain| self.absolute(service, domain));
            if let Some(absolute) = name.strip_suffix('.') {
                return full.is_some_and(|full| full == absolute);
            }
            let short = [(*service).to_owned(), format!("{service}.{namespace}"), format!("{service}.{namespace}.svc")];
            short.into_iter().chain(full).any(|it| it == name)
        })
    }

    fn absolute(&self, name: &str, domain: &str) -> String {
        format!("{name}.{}.svc.{domain}", self.facts.namespace)
    }
}

impl Facts {
    /// The addresses behind the headless Service: those of all pods of the set, and of those that have not left it yet. Another set may share its Service with more.
    fn pods(&self, kind: Kind) -> Expected {
        match &self.replicas {
            _ if !self.is_exchange() => match &self.published {
                Reading::Present(all) => self.of_family(all.get(&self.headless_name).into_iter().flatten(), kind),
                other => unknown(other, "no endpoints"),
            },
            Reading::Present(replicas) if replicas.is_empty() => Expected::Missing("no pod: no replicas".to_owned()),
            Reading::Present(replicas) if !replicas.iter().any(Replica::has_address) => {
                Expected::Missing(format!("no address of {}", replicas[0].name))
            }
            Reading::Present(replicas) => {
                let all = replicas.iter().chain(&self.leaving);
                self.of_family(all.flat_map(|replica| &replica.addresses), kind)
            }
            other => unknown(other, "the set is missing"),
        }
    }

    /// The addresses of one pod of the set.
    fn pod(&self, name: &str, kind: Kind) -> Expected {
        if self.names_no_pods() {
            return Expected::Unknown(NO_NAMES.to_owned());
        }
        let find = |replicas: &Vec<Replica>| replicas.iter().find(|replica| replica.name == name).cloned();
        match self.replicas.map(find) {
            Reading::Present(Some(replica)) if replica.has_address() => self.of_family(replica.addresses.iter(), kind),
            Reading::Present(_) => Expected::Missing(format!("no address of {name}")),
            other => unknown(&other, "the set is missing"),
        }
    }

    /// The address of a Service that has one.
    fn service(&self, name: &str, kind: Kind) -> Expected {
        match self.services.get(name) {
            Some(Reading::Present(service)) if service.is_headless() => {
                Expected::Unknown(format!("service/{name} is headless"))
            }
            Some(Reading::Present(service)) => Expected::addresses(&service.addresses, kind),
            Some(other) => unknown(other, &format!("service/{name} is missing")),
            None => Expected::Unknown("not asked".to_owned()),
        }
    }

    /// Addresses of the families that the headless Service speaks.
    fn of_family<'a>(&self, addresses: impl Iterator<Item = &'a IpAddr>, kind: Kind) -> Expected {
        let addresses: BTreeSet<IpAddr> = addresses.filter(|address| self.speaks(address)).copied().collect();
        Expected::addresses(&addresses, kind)
    }

    /// Whether an address is of a family that the headless Service speaks.
    #[must_use]
    pub fn speaks(&self, address: &IpAddr) -> bool {
        match self.headless() {
            Some(service) if !service.families.is_empty() => service.families.contains(&address.is_ipv6()),
            _ => true,
        }
    }

    /// The pods that the set shall have; the first one if that is not known.
    fn replica_names(&self) -> Vec<String> {
        match &self.replicas {
            Reading::Present(replicas) => replicas.iter().map(|replica| replica.name.clone()).collect(),
            _ => vec![format!("{}-0", self.set)],
        }
    }
}

/// What is expected of something that is not there, or not known.
fn unknown<T>(reading: &Reading<T>, absent: &str) -> Expected {
    match reading {
        Reading::Absent => Expected::Missing(absent.to_owned()),
        Reading::Unknown(Reason::Forbidden(_)) => Expected::Unknown("you may not read it".to_owned()),
        Reading::Unknown(Reason::Failed(why)) => Expected::Unknown(why.clone()),
        Reading::NotAsked | Reading::Present(_) => Expected::Unknown("not asked".to_owned()),
    }
}
