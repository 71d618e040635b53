use super::finding::{Finding, Rule, Weight};
use crate::exchange::names;
use crate::observe::{Reading, readiness};

/// A workload is not ready, and no pod says why.
pub const RULE: Rule = Rule {
    code: "not-ready",
    hides: &[],
    judge: |observed| {
        let snapshot = observed.snapshot;
        let finding = |app: &'static str, kind: &str, ready: i32, wanted: i32| Finding {
            code: RULE.code,
            weight: Weight::NotYet,
            app,
            object: format!("{kind}/{app}"),
            says: format!("{ready}/{wanted} ready: its newest revision is not complete"),
            hint: observed.by_hand.kubectl(["describe", kind, app]).to("see why"),
        };
        let mut all = Vec::new();
        if let Reading::Present(set) = &snapshot.statefulset
            && !readiness::statefulset(set)
        {
            let ready = set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
            let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
            all.push(finding(names::POSTGRES, "statefulset", ready, wanted));
        }
        for app in names::DEPLOYMENTS {
            if let Some(Reading::Present(deployment)) = snapshot.deployments.get(app)
                && !readiness::deployment(deployment)
            {
                let ready = deployment.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
                let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
                all.push(finding(app, "deployment", ready, wanted));
            }
        }
        all
    },
};
