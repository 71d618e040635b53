//! What answers are explained by, and what an explanation is.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::dns::caching::Caching;
use crate::dns::facts::Facts;
use crate::dns::heard::Asker;
use crate::dns::verdict::Answered;
use crate::exchange::names;
use crate::findings::finding::{Cause, Finding, Weight};
use crate::kubernetes::ByHand;
use crate::observe::Reading;
use crate::observe::dns::DnsServer;
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

/// What a change takes to reach the DNS server, which watches.
const ON_THE_WAY: Duration = Duration::from_secs(5);
/// What DNS servers of clusters keep answers for, where that cannot be read.
pub const USUAL: Duration = Duration::from_secs(30);

impl DnsEvidence<'_> {
    /// For how long what is expected has not changed, if that is known.
    pub fn unchanged(&self) -> Option<SignedDuration> {
        self.facts.changed().map(|changed| self.now.duration_since(changed))
    }

    /// The same in whole seconds. The cluster's clock may be ahead.
    pub fn seconds_ago(&self) -> i64 {
        self.unchanged().unwrap_or_default().as_secs().max(0)
    }

    /// For how long after a change an answer may be an older one.
    pub fn window(&self) -> SignedDuration {
        let window = match self.caching {
            Caching::For(time) => time + ON_THE_WAY,
            Caching::No => ON_THE_WAY,
            Caching::Unknown => USUAL + ON_THE_WAY,
        };
        SignedDuration::try_from(window).unwrap_or_default()
    }
}

/// A finding, and of which answers it is the reason.
pub struct Explanation {
    pub finding: Finding,
    pub covers: Covers,
}

/// Judges one name that is not there.
pub type NameJudge = fn(&DnsEvidence, &Answered) -> Option<Explanation>;
/// Judges what is left.
pub type RestJudge = fn(&DnsEvidence, &[&Answered]) -> Option<Explanation>;

/// Of which answers something is the reason.
pub enum Covers {
    Everything,
    Service(String),
    Name(String),
}

impl Covers {
    /// Those of the Service below which the pods have names.
    pub fn headless(facts: &Facts) -> Self {
        Self::Service(facts.headless_name.clone())
    }
}

impl Explanation {
    pub fn of(
        covers: Covers,
        cause: &'static Cause,
        weight: Weight,
        object: impl Into<String>,
        says: impl Into<String>,
        hint: impl Into<Hint>,
    ) -> Self {
        let (object, says, hint) = (object.into(), says.into(), hint.into());
        Self { finding: Finding { cause, weight, app: names::POSTGRES, object, says, hint }, covers }
    }

    /// Why the headless Service does not give the addresses of its pods.
    pub fn of_headless(facts: &Facts, finding: Finding) -> Self {
        Self { finding, covers: Covers::headless(facts) }
    }

    pub fn covers(&self, answered: &Answered) -> bool {
        match &self.covers {
            Covers::Everything => true,
            Covers::Service(name) => answered.question.service.as_ref() == Some(name),
            Covers::Name(name) => answered.question.name == *name,
        }
    }
}
