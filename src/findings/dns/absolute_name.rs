use super::explanation::{DnsEvidence, Explanation};
use super::mistaken::{ABSOLUTE, absolute, because, is_of_the_user};
use crate::dns::verdict::Answered;
use crate::findings::{Cause, Need};

/// A name that ends in a dot is taken as it stands.
pub static CAUSE: Cause = Cause {
    id: "KC090",
    slug: "absolute-name",
    title: "A name ends with a dot, but is not a full name",
    text: include_str!("absolute_name.md"),
    explains: &[],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// By what the user has typed.
pub fn judge(evidence: &DnsEvidence, answered: &Answered) -> Option<Explanation> {
    let typed = &answered.question.name;
    let name = absolute(typed).filter(|_| is_of_the_user(answered))?;
    let hint = evidence.by_hand.own(["dns-check", name]).to("ask without the dot");
    Some(because(answered, &CAUSE, typed, format!("is not a full name: {ABSOLUTE}"), hint))
}
