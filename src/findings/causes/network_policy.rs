use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;

use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed, Weight, pods, services};
use crate::observe::path::{Path, page_port};
use crate::observe::{Reading, readiness};

/// A request gets no answer, and a network policy is there that may forbid it.
pub static CAUSE: Cause = Cause {
    id: "KC053",
    slug: "network-policy",
    title: "A NetworkPolicy may block the way of a request",
    text: include_str!("network_policy.md"),
    explains: &[],
    needs: &[Need::Path, Need::Policies],
    mend: None,
    judge: |observed| {
        let Some(way) = Way::of(observed) else { return vec![] };
        let policies = observed.details.policies.present().map(Vec::as_slice).unwrap_or_default();
        let suspects = Side::BOTH.into_iter().flat_map(|side| way.suspects(policies, side));
        let finding = |(policy, side): (&NetworkPolicy, Side)| {
            let name = policy.name_any();
            Finding {
                cause: &CAUSE,
                weight: Weight::Warning,
                app: way.to_app,
                object: format!("networkpolicy/{name}"),
                says: way.says(side),
                hint: observed.by_hand.kubectl(["describe", "networkpolicy", &name]).to("see what it allows"),
            }
        };
        suspects.map(finding).collect()
    },
};

/// The part of a request's way on which it gets no answer: from ready pods to a port of a ready pod.
struct Way<'a> {
    /// None if it comes from outside the namespace.
    from: Option<(&'static str, &'a Pod)>,
    to_app: &'static str,
    to: &'a Pod,
}

/// Which end of the way a policy is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// It says what may come to the pod.
    Ingress,
    /// It says where the pod may go.
    Egress,
}

impl<'a> Way<'a> {
    /// Where a request ends in silence. What is refused was not dropped by a policy.
    fn of(observed: &Observed<'a>) -> Option<Self> {
        let ready = |app: &'static str| observed.snapshot.pods_of(app).find(|pod| readiness::pod(pod));
        let Reading::Present(path) = &observed.details.path else { return None };
        let (from, to_app) = match path {
            Path::NoDatabase { reason, .. } if reason == "timeout" => (Some(names::BACKEND), names::POSTGRES),
            Path::NoBackend => (Some(names::FRONTEND), names::BACKEND),
            Path::NoPage(why) if ["no answer within", "timeout", "timed out"].iter().any(|it| why.contains(it)) => {
                (None, names::FRONTEND)
            }
            _ => return None,
        };
        let from = match from {
            Some(app) => Some((app, ready(app)?)),
            None => None,
        };
        Some(Self { from, to_app, to: ready(to_app)? })
    }

    /// The policies that restrict one end of the way, unless one of them allows it: what one allows, no other forbids.
    fn suspects<'p>(&self, policies: &'p [NetworkPolicy], side: Side) -> Vec<(&'p NetworkPolicy, Side)> {
        let Some(pod) = (match side {
            Side::Ingress => Some(self.to),
            Side::Egress => self.from.map(|(_, pod)| pod),
        }) else {
            return vec![];
        };
        let of_pod: Vec<_> = policies.iter().filter(|policy| side.restricts(policy, pod)).collect();
        if of_pod.iter().any(|policy| policy.name_any() == names::NETWORK_POLICY || self.may_pass(policy, side)) {
            return vec![];
        }
        of_pod.into_iter().map(|policy| (policy, side)).collect()
    }

    fn may_pass(&self, policy: &NetworkPolicy, side: Side) -> bool {
        let Some(spec) = &policy.spec else { return true };
        let passes = |peers: Option<&Vec<NetworkPolicyPeer>>, ports: Option<&Vec<NetworkPolicyPort>>, other| {
            peers_may_be(peers, other) && self.ports_may_be(ports)
        };
        match side {
            Side::Ingress => {
                let other = self.from.map(|(_, pod)| pod);
                let mut rules = spec.ingress.iter().flatten();
                rules.any(|rule| passes(rule.from.as_ref(), rule.ports.as_ref(), other))
            }
            Side::Egress => {
                let mut rules = spec.egress.iter().flatten();
                rules.any(|rule| passes(rule.to.as_ref(), rule.ports.as_ref(), Some(self.to)))
            }
        }
    }

    /// Whether a port of the pod that is asked may be among those of a rule.
    fn ports_may_be(&self, ports: Option<&Vec<NetworkPolicyPort>>) -> bool {
        let Some(ports) = ports.filter(|ports| !ports.is_empty()) else { return true };
        ports.iter().filter(|port| port.protocol.as_deref().is_none_or(|it| it == "TCP")).any(|port| {
            match (&port.port, port.end_port) {
                (None, _) => true,
                (Some(IntOrString::Int(first)), Some(last)) => (*first..=last).contains(&i32::from(page_port(self.to))),
                (Some(port), _) => services::has_port(self.to, port),
            }
        })
    }

    fn says(&self, side: Side) -> String {
        let to = self.to_app;
        let from = self.from.map_or("a request", |(app, _)| app);
        match side {
            Side::Ingress => {
                format!("may be why {from} gets no answer from {to}: it restricts who may connect to {to}")
            }
            Side::Egress => {
                format!("may be why {from} gets no answer from {to}: it restricts where {from} may connect to")
            }
        }
    }
}

impl Side {
    const BOTH: [Self; 2] = [Self::Ingress, Self::Egress];

    /// Whether a policy restricts this side of a pod. Without types, it is for what comes, and for what goes if it says so.
    fn restricts(self, policy: &NetworkPolicy, pod: &Pod) -> bool {
        let Some(spec) = &policy.spec else { return false };
        let types = spec.policy_types.as_ref().filter(|types| !types.is_empty());
        let is_of_side = match (self, types) {
            (Self::Ingress, Some(types)) => types.iter().any(|it| it == "Ingress"),
            (Self::Egress, Some(types)) => types.iter().any(|it| it == "Egress"),
            (Self::Ingress, None) => true,
            (Self::Egress, None) => spec.egress.as_ref().is_some_and(|rules| !rules.is_empty()),
        };
        is_of_side && spec.pod_selector.as_ref().is_none_or(|selector| pods::picks(selector, pod))
    }
}

/// Whether the pod at the other end may be among the peers of a rule. Addresses and namespaces are not looked up: they may.
fn peers_may_be(peers: Option<&Vec<NetworkPolicyPeer>>, other: Option<&Pod>) -> bool {
    let Some(peers) = peers.filter(|peers| !peers.is_empty()) else { return true };
    peers.iter().any(|peer| match (&peer.pod_selector, other) {
        (Some(selector), Some(pod)) => pods::picks(selector, pod),
        (Some(_), None) => peer.namespace_selector.is_some(),
        (None, _) => true,
    })
}
