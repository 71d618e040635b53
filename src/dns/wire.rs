//! DNS messages over a stream of bytes: each has two bytes before it that say how long it is (RFC 1035, 4.2.2).

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

use super::answer::{Answer, Kind, Record};

/// Why something is no message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A name that no message can hold.
    #[error("{0} is not a valid name")]
    Name(String),
    /// A message that is longer than its two bytes can say.
    #[error("the question is too long")]
    Oversize,
    /// Bytes that are no message.
    #[error("the answer is not a DNS message: {0}")]
    Garbage(String),
    /// A message that does not answer the question.
    #[error("the answer belongs to another question")]
    Unasked,
}

/// A message with its length before it.
///
/// # Errors
/// If it is longer than 65,535 bytes.
pub fn framed(message: &[u8]) -> Result<Vec<u8>, Malformed> {
    let length = u16::try_from(message.len()).map_err(|_| Malformed::Oversize)?;
    Ok([&length.to_be_bytes(), message].concat())
}

/// Takes bytes as they come and gives messages when they are whole.
#[derive(Debug, Default)]
pub struct Unframed {
    bytes: Vec<u8>,
}

impl Unframed {
    /// More bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message, if it is whole.
    pub fn next_message(&mut self) -> Option<Vec<u8>> {
        let [high, low, rest @ ..] = self.bytes.as_slice() else { return None };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let message = rest.get(..length)?.to_vec();
        self.bytes.drain(..length + 2);
        Some(message)
    }
}

/// A question for an absolute name.
///
/// # Errors
/// If the name is none.
pub fn question(id: u16, name: &str, kind: Kind) -> Result<Vec<u8>, Malformed> {
    let is_no_name = |_| Malformed::Name(name.to_owned());
    let mut absolute = Name::from_ascii(name).map_err(is_no_name)?;
    absolute.set_fqdn(true);
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(absolute, record_type(kind)));
    message.to_vec().map_err(is_no_name)
}

/// Reads the answer to a question, and for how long it may be kept: none if it does not say.
///
/// # Errors
/// If it is no answer to this question.
pub fn answer(message: &[u8], id: u16, kind: Kind) -> Result<(Answer, Option<Duration>), Malformed> {
    let message = Message::from_vec(message).map_err(|error| Malformed::Garbage(error.to_string()))?;
    if message.metadata.id != id || message.metadata.message_type != MessageType::Response {
        return Err(Malformed::Unasked);
    }
    let records: BTreeSet<Record> = message.answers.iter().filter_map(|record| read(&record.data, kind)).collect();
    let answer = match message.metadata.response_code {
        ResponseCode::NoError if records.is_empty() => Answer::NoRecord,
        ResponseCode::NoError => Answer::Records(records),
        ResponseCode::NXDomain => Answer::NoSuchName,
        code => Answer::Refused(code.to_str().to_owned()),
    };
    // Of a name that is not there, the zone's own record says how long that may be remembered.
    let kept = message.answers.iter().chain(&message.authorities).map(|record| record.ttl).min();
    Ok((answer, kept.map(|seconds| Duration::from_secs(seconds.into()))))
}

/// The name under which an address is looked up.
#[must_use]
pub fn reverse(address: IpAddr) -> String {
    Name::from(address).to_ascii().trim_end_matches('.').to_owned()
}

fn record_type(kind: Kind) -> RecordType {
    match kind {
        Kind::A | Kind::Any => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Srv => RecordType::SRV,
        Kind::Ptr => RecordType::PTR,
    }
}

/// A record of the kind that was asked for; others, as names that lead there, are passed over.
fn read(data: &RData, kind: Kind) -> Option<Record> {
    let plain = |name: &Name| name.to_lowercase().to_ascii().trim_end_matches('.').to_owned();
    match (data, kind) {
        (RData::A(address), Kind::A | Kind::Any) => Some(Record::Address(IpAddr::V4(address.0))),
        (RData::AAAA(address), Kind::Aaaa | Kind::Any) => Some(Record::Address(IpAddr::V6(address.0))),
        (RData::PTR(name), Kind::Ptr) => Some(Record::Name(plain(&name.0))),
        (RData::SRV(server), Kind::Srv) => Some(Record::Server { name: plain(&server.target), port: server.port }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hickory_proto::rr::Record as WireRecord;
    use hickory_proto::rr::rdata::{A, PTR, SOA, SRV};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn response(code: ResponseCode, answers: Vec<RData>, authority: Option<RData>) -> Vec<u8> {
        let mut message = Message::response(7, OpCode::Query);
        message.metadata.response_code = code;
        let record = |data| WireRecord::from_rdata(name("a.b."), 30, data);
        message.add_answers(answers.into_iter().map(record));
        message.add_authorities(authority.map(|data| WireRecord::from_rdata(name("b."), 5, data)));
        message.to_vec().unwrap()
    }

    #[test]
    fn answers_of_every_kind_are_read() {
        let address = Ipv4Addr::new(10, 0, 0, 7);
        let (records, kept) =
            answer(&response(ResponseCode::NoError, vec![RData::A(A(address))], None), 7, Kind::A).unwrap();
        assert_eq!(records, Answer::Records([Record::Address(address.into())].into()));
        assert_eq!(kept, Some(Duration::from_secs(30)));
        let server = RData::SRV(SRV::new(0, 100, 5432, name("Postgres-0.P.svc.")));
        let (records, _) = answer(&response(ResponseCode::NoError, vec![server], None), 7, Kind::Srv).unwrap();
        assert_eq!(records.to_string(), "postgres-0.p.svc:5432");
        let back = RData::PTR(PTR(name("postgres-0.p.svc.")));
        let (records, _) = answer(&response(ResponseCode::NoError, vec![back], None), 7, Kind::Ptr).unwrap();
        assert_eq!(records.to_string(), "postgres-0.p.svc");
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        let soa = RData::SOA(SOA::new(name("b."), name("c."), 1, 1, 1, 1, 5));
        let read = |code, authority| answer(&response(code, vec![], authority), 7, Kind::A).unwrap();
        assert_eq!(read(ResponseCode::NXDomain, Some(soa)), (Answer::NoSuchName, Some(Duration::from_secs(5))));
        assert_eq!(read(ResponseCode::NoError, None), (Answer::NoRecord, None));
        assert!(matches!(read(ResponseCode::ServFail, None).0, Answer::Refused(_)));
        // An IPv6 question is not answered by an IPv4 address.
        let other = response(ResponseCode::NoError, vec![RData::A(A(Ipv4Addr::LOCALHOST))], None);
        assert_eq!(answer(&other, 7, Kind::Aaaa).unwrap().0, Answer::NoRecord);
    }

    #[test]
    fn what_is_no_answer_to_the_question_is_refused() {
        let response = response(ResponseCode::NoError, vec![], None);
        assert_eq!(answer(&response, 8, Kind::A), Err(Malformed::Unasked));
        assert_eq!(answer(&question(7, "a.b", Kind::A).unwrap(), 7, Kind::A), Err(Malformed::Unasked));
        assert!(matches!(answer(&response[..9], 7, Kind::A), Err(Malformed::Garbage(_))));
    }

    #[test]
    fn names_that_fit_no_message_are_refused() {
        for wrong in ["a".repeat(64), "a.".repeat(130), "a..b".to_owned()] {
            assert_eq!(question(1, &wrong, Kind::A), Err(Malformed::Name(wrong.clone())));
        }
        assert_eq!(framed(&vec![0; 65_536]), Err(Malformed::Oversize));
        assert_eq!(framed(&vec![0; 65_535]).unwrap().len(), 65_537);
    }

    #[test]
    fn an_address_is_looked_up_by_its_reverse() {
        assert_eq!(reverse("10.244.0.7".parse().unwrap()), "7.0.244.10.in-addr.arpa");
        assert!(reverse("fd00::1".parse().unwrap()).ends_with(".d.f.ip6.arpa"));
    }

    proptest! {
        #[test]
        fn messages_survive_any_split(messages in vec(vec(any::<u8>(), 0..300), 0..6), cut in 1_usize..400) {
            let stream: Vec<u8> = messages.iter().flat_map(|message| framed(message).unwrap()).collect();
            let (mut unframed, mut got) = (Unframed::default(), Vec::new());
            for bytes in stream.chunks(cut) {
                unframed.push(bytes);
                while let Some(message) = unframed.next_message() {
                    got.push(message);
                }
            }
            prop_assert_eq!(got, messages);
        }

        #[test]
        fn half_a_message_is_none(message in vec(any::<u8>(), 1..300), missing in 1_usize..300) {
            let whole = framed(&message).unwrap();
            let mut unframed = Unframed::default();
            unframed.push(&whole[..whole.len().saturating_sub(missing.min(message.len()))]);
            prop_assert_eq!(unframed.next_message(), None);
        }

        #[test]
        fn garbage_is_an_error_and_nothing_worse(bytes in vec(any::<u8>(), 0..600)) {
            // Random bytes may by chance be a message: the number of the question decides then.
            if let Ok((answer, _)) = answer(&bytes, 7, Kind::A) {
                prop_assert!(!matches!(answer, Answer::Silence(_) | Answer::NotAsked(_)));
            }
        }
    }
}
