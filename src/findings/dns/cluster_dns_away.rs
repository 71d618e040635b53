use super::dns_silent;
use crate::dns::heard::Heard;
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Weight};
use crate::kubernetes::ByHand;
use crate::observe::Reading;
use crate::observe::dns::DnsServer;

/// No pod of the cluster's DNS server is ready.
pub static CAUSE: Cause = Cause {
    id: "KC095",
    slug: "cluster-dns-away",
    title: "No pod of the cluster's DNS server is ready",
    text: include_str!("cluster_dns_away.md"),
    explains: &[&dns_silent::CAUSE],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// By the pods of the server that has the usual label: a cluster with another one has none. Where names resolve all the same, or
/// nobody has asked, a server that is scaled to 0 may be one that nobody asks.
pub fn find(server: &Reading<DnsServer>, heard: Option<&Heard>, by_hand: &ByHand) -> Option<Finding> {
    let server = server.present().filter(|server| server.ready == 0)?;
    let silent = heard.is_some_and(|heard| dns_silent::silence(&heard.answers).is_some());
    let is_wanted = server.desired.map_or(server.pods > 0, |desired| desired > 0);
    let pods = by_hand.kubectl_of_cluster("get pods -n kube-system -l k8s-app=kube-dns").to("see its pods");
    let (weight, so, hint) = match server.desired {
        _ if !silent && !is_wanted => return None,
        Some(0) => (
            Weight::Problem,
            "it is scaled to 0, and names do not resolve",
            by_hand.kubectl_of_cluster("scale deployment/coredns -n kube-system --replicas=2").to("start it again"),
        ),
        _ if silent => (Weight::Problem, "names do not resolve", pods),
        _ if heard.is_some() => (Weight::Warning, "names resolve only as long as a cache has them", pods),
        _ => (Weight::Warning, "names cannot resolve for long", pods),
    };
    let says = match server.pods {
        0 => format!("has no pods: {so}"),
        1 => format!("has 1 pod, which is not ready: {so}"),
        many => format!("has {many} pods, and none is ready: {so}"),
    };
    Some(Finding { cause: &CAUSE, weight, app: names::POSTGRES, object: "CoreDNS".to_owned(), says, hint })
}
