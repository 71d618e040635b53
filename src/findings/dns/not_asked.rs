//! DNS was not asked, and why: no cause of anything, but not to be taken for an answer either.

use crate::dns::heard::Names;
use crate::exchange::names;
use crate::findings::causes::not_permitted;
use crate::findings::finding::{Finding, Observed, Weight};
use crate::observe::{Reading, Reason};

/// Says so, unless something else is wrong with the pods from which it would have been asked.
pub fn find(observed: &Observed, names: &Names, found: &[Finding]) -> Option<Finding> {
    let by_hand = observed.by_hand;
    let pod = names.pod.as_deref().unwrap_or_default();
    let (why, hint) = match &names.heard {
        Reading::Present(_) | Reading::NotAsked => return None,
        Reading::Absent => {
            ("no backend pod is running".to_owned(), by_hand.own("dns-check --pod").to("ask from a temporary pod"))
        }
        Reading::Unknown(Reason::Forbidden(_)) => (
            format!("you may not run a program in pod/{pod} (create pods/exec)"),
            by_hand.kubectl("auth can-i create pods/exec").to("check your permissions"),
        ),
        Reading::Unknown(Reason::Failed(why)) => {
            (format!("pod/{pod}: {why}"), by_hand.own("dns-check --pod").to("ask from a temporary pod"))
        }
    };
    let is_explained = found.iter().any(|it| it.app == names::BACKEND && it.weight.is_bad());
    (!is_explained).then(|| Finding {
        cause: &not_permitted::CAUSE,
        weight: Weight::Unknown,
        app: "",
        object: "DNS".to_owned(),
        says: format!("was not asked: {why}"),
        hint,
    })
}
