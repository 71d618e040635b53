//! DNS was not asked, and why: no cause of anything, but not to be taken for an answer either.

use crate::dns::heard::Names;
use crate::dns::names::NSLOOKUP;
use crate::exchange::names;
use crate::findings::causes::not_permitted;
use crate::findings::finding::{Finding, Observed, Weight};
use crate::observe::{Reading, Reason};
use crate::text::Hint;

/// Says so, unless something else is wrong with the pods from which it would have been asked.
pub fn find(observed: &Observed, names: &Names, found: &[Finding]) -> Option<Finding> {
    let by_hand = observed.by_hand;
    let pod = names.pod.as_deref().unwrap_or_default();
    let app = if observed.snapshot.target.is_some() { names::POSTGRES } else { names::BACKEND };
    let (why, hint) = match &names.heard {
        Reading::Present(_) | Reading::NotAsked => return None,
        // Another set may have no pods on purpose.
        Reading::Absent if observed.snapshot.pods_of(app).next().is_none() && app == names::POSTGRES => return None,
        Reading::Absent => (format!("no pod of {} is running", observed.snapshot.workload(app)), elsewhere(observed)),
        Reading::Unknown(Reason::Forbidden(_)) => (
            format!("you may not run a program in pod/{pod} (create pods/exec)"),
            by_hand.kubectl("auth can-i create pods/exec").to("check your permissions"),
        ),
        Reading::Unknown(Reason::Failed(why)) => (format!("pod/{pod}: {why}"), elsewhere(observed)),
    };
    let is_explained = found.iter().any(|it| it.app == app && it.weight.is_bad());
    (!is_explained).then(|| Finding {
        cause: &not_permitted::CAUSE,
        weight: Weight::Unknown,
        app: "",
        object: "DNS".to_owned(),
        says: format!("was not asked: {why}"),
        hint,
    })
}

/// Asks from a pod that is made for it.
fn elsewhere(observed: &Observed) -> Hint {
    let by_hand = observed.by_hand;
    let ask = if observed.snapshot.target.is_some() {
        let name = format!("{}.{}.svc", observed.snapshot.headless_name(), observed.namespace);
        let words = NSLOOKUP.map(str::to_owned).into_iter().chain([name]);
        by_hand.kubectl(words.collect::<Vec<_>>())
    } else {
        by_hand.own("dns-check --pod")
    };
    ask.to("ask from a temporary pod")
}
