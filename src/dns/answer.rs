//! What a DNS server can answer, and what it is expected to.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// Addresses of both families, as `getaddrinfo` gives them.
    Any,
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Servers and their ports.
    Srv,
    /// The name of an address.
    Ptr,
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Srv => "SRV",
            Self::Ptr => "PTR",
        })
    }
}

/// One record of an answer. Names are in lower case and without the dot at their end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Record {
    Address(IpAddr),
    Name(String),
    Server { name: String, port: u16 },
}

impl Display for Record {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
            Self::Server { name, port } => write!(f, "{name}:{port}"),
        }
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<&str> for Record {
    /// Out of its text. No name has a colon in it, and so each text is of one kind.
    fn from(text: &str) -> Self {
        if let Ok(address) = text.parse() {
            return Self::Address(address);
        }
        let server = text.rsplit_once(':').and_then(|(name, port)| Some((name.to_owned(), port.parse().ok()?)));
        server.map_or_else(|| Self::Name(text.to_owned()), |(name, port)| Self::Server { name, port })
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::from(text.as_str()))
    }
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", content = "of", rename_all = "camelCase")]
pub enum Answer {
    /// Records, at least one.
    Records(BTreeSet<Record>),
    /// The name is there, without a record of this kind.
    NoRecord,
    /// There is no such name.
    NoSuchName,
    /// The server says that it cannot answer, with its word for it.
    Refused(String),
    /// No answer, and why.
    Silence(String),
    /// It was not asked, and why.
    NotAsked(String),
}

impl Display for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Records(records) => join(f, records),
            Self::NoRecord => f.write_str("no record"),
            Self::NoSuchName => f.write_str("no such name"),
            Self::Refused(word) => f.write_str(word),
            Self::Silence(why) => write!(f, "no answer: {why}"),
            Self::NotAsked(why) => write!(f, "not asked: {why}"),
        }
    }
}

/// What a question should be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", content = "of", rename_all = "camelCase")]
pub enum Expected {
    /// Exactly these records, at least one.
    Records(BTreeSet<Record>),
    /// These records, at least one, and perhaps more: names below these Services.
    With { records: BTreeSet<Record>, below: BTreeSet<String> },
    /// The name, without a record of this kind.
    NoRecord,
    /// That there is no such name.
    NoSuchName,
    /// Any record.
    Something,
    /// Records of something that is not there, though it should be.
    Missing(String),
    /// It could not be found out, and why.
    Unknown(String),
}

impl Expected {
    /// These addresses of one family, or none of it. Both families for `Kind::Any`.
    #[must_use]
    pub fn addresses(addresses: &BTreeSet<IpAddr>, kind: Kind) -> Self {
        let fits = |address: &&IpAddr| match kind {
            Kind::A => address.is_ipv4(),
            Kind::Aaaa => address.is_ipv6(),
            _ => true,
        };
        let records: BTreeSet<Record> = addresses.iter().filter(fits).copied().map(Record::Address).collect();
        if records.is_empty() { Self::NoRecord } else { Self::Records(records) }
    }

    /// These records, and perhaps names below these Services, if there are any.
    #[must_use]
    pub fn with(records: BTreeSet<Record>, below: BTreeSet<String>) -> Self {
        if below.is_empty() { Self::Records(records) } else { Self::With { records, below } }
    }

    /// Whether these records are expected.
    #[must_use]
    pub fn allows(&self, got: &BTreeSet<Record>) -> bool {
        let is_below = |record: &Record, services: &BTreeSet<String>| match record {
            Record::Name(name) => name.split_once('.').is_some_and(|(_, service)| services.contains(service)),
            _ => false,
        };
        match self {
            Self::Records(records) => records == got,
            Self::With { records, below } => {
                records.is_subset(got) && got.difference(records).all(|record| is_below(record, below))
            }
            Self::Something => true,
            _ => false,
        }
    }
}

impl Display for Expected {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Records(records) => join(f, records),
            Self::With { records, below } => {
                join(f, records)?;
                below.iter().try_for_each(|service| write!(f, ", maybe *.{service}"))
            }
            Self::NoRecord => f.write_str("no record"),
            Self::NoSuchName => f.write_str("no such name"),
            Self::Something => f.write_str("any address"),
            Self::Missing(what) => f.write_str(what),
            Self::Unknown(why) => write!(f, "unknown: {why}"),
        }
    }
}

fn join(f: &mut Formatter<'_>, records: &BTreeSet<Record>) -> fmt::Result {
    for (index, record) in records.iter().enumerate() {
        write!(f, "{}{record}", if index == 0 { "" } else { "," })?;
    }
    Ok(())
}
