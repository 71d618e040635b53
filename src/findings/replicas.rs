use super::finding::{Finding, Rule, Weight};
use crate::exchange::names;

/// The set is scaled to no pod, or to several that have one volume, which is for one pod.
pub const RULE: Rule = Rule {
    code: "replicas",
    hides: &["unschedulable", "pod-refused", "not-ready"],
    judge: |observed| {
        let spec = observed.snapshot.statefulset.present().and_then(|set| set.spec.as_ref());
        let has_claims = spec.is_some_and(|spec| spec.volume_claim_templates.iter().flatten().next().is_some());
        let is_fine = |replicas: &i32| *replicas == 1 || *replicas > 1 && has_claims;
        let Some(replicas) = spec.and_then(|spec| spec.replicas).filter(|replicas| !is_fine(replicas)) else {
            return vec![];
        };
        let says = match replicas {
            0 => "is scaled to 0: no database runs. Its data stays on the volume".to_owned(),
            _ => format!(
                "is scaled to {replicas}, but its one volume (ReadWriteOncePod) is for one pod: the others stay Pending. \
                 More pods of a PostgreSQL would be more databases, not a larger one"
            ),
        };
        vec![Finding {
            code: RULE.code,
            weight: Weight::Problem,
            app: names::POSTGRES,
            object: format!("statefulset/{}", names::POSTGRES),
            says,
            hint: observed
                .by_hand
                .kubectl(["scale", "statefulset", names::POSTGRES, "--replicas=1"])
                .to("start it again"),
        }]
    },
};
