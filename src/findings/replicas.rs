use super::finding::{Finding, Rule, Weight};
use crate::exchange::names;

/// The set is scaled to other than one pod: its one volume is for one pod.
pub const RULE: Rule = Rule {
    code: "replicas",
    hides: &["unschedulable", "pod-refused", "not-ready"],
    judge: |observed| {
        let spec = observed.snapshot.statefulset.present().and_then(|set| set.spec.as_ref());
        let Some(replicas) = spec.and_then(|spec| spec.replicas).filter(|replicas| *replicas != 1) else {
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
