use super::explanation::{Covers, DnsEvidence, Explanation};
use crate::dns::answer::Answer;
use crate::dns::names::View;
use crate::dns::verdict::Answered;
use crate::findings::causes::{backend_unreachable, database_unreachable};
use crate::findings::{Cause, Need, Weight};
use crate::observe::dns::DnsServer;
use crate::observe::{Reading, Reason};

/// A server that does not answer.
pub static CAUSE: Cause = Cause {
    id: "KC061",
    slug: "dns-silent",
    title: "The DNS server of the cluster does not answer",
    text: include_str!("dns_silent.md"),
    explains: &[&database_unreachable::CAUSE, &backend_unreachable::CAUSE],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// What the server did not answer, in the words of who waited for it.
pub fn silence(answers: &[Answered]) -> Option<&str> {
    answers.iter().find_map(|answered| match (&answered.got, answered.question.view) {
        (Answer::Silence(why), View::Server) => Some(why.as_str()),
        _ => None,
    })
}

/// By the server's pods, if they may be read.
pub fn judge(evidence: &DnsEvidence, answers: &[Answered]) -> Vec<Explanation> {
    let Some(silent) = silence(answers) else { return Vec::new() };
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
    vec![Explanation::of(Covers::Everything, &CAUSE, Weight::Problem, "CoreDNS", says, hint)]
}
