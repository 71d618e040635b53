use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::ResourceExt;

use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed, Weight, pods};

/// A budget that lets no pod go, though all are well.
pub static CAUSE: Cause = Cause {
    id: "KC044",
    slug: "disruption-budget",
    title: "A disruption budget never lets a node be drained",
    text: include_str!("disruption_budget.md"),
    explains: &[],
    needs: &[Need::Budgets],
    mend: None,
    judge: |observed| {
        let budgets = observed.details.budgets.present().into_iter().flatten();
        budgets.filter(|budget| lets_none_go(budget)).filter_map(|budget| finding(observed, budget)).collect()
    },
};

/// Whether it allows no eviction even now, while all its pods are healthy. One pod alone cannot be spared: that is no mistake
/// of its budget.
fn lets_none_go(budget: &PodDisruptionBudget) -> bool {
    budget.status.as_ref().is_some_and(|status| {
        status.observed_generation >= budget.metadata.generation
            && status.disruptions_allowed == 0
            && status.expected_pods > 1
            && status.current_healthy >= status.expected_pods
            && status.current_healthy >= status.desired_healthy
    })
}

fn finding(observed: &Observed, budget: &PodDisruptionBudget) -> Option<Finding> {
    let selector = budget.spec.as_ref()?.selector.as_ref()?;
    let picks = |app: &&str| observed.snapshot.pods_of(app).any(|pod: &Pod| pods::picks(selector, pod));
    let mut apps = [names::POSTGRES, names::BACKEND, names::FRONTEND].into_iter().filter(picks);
    let first = apps.next()?;
    let name = budget.name_any();
    let pods = budget.status.as_ref().map_or(0, |status| status.expected_pods);
    Some(Finding {
        cause: &CAUSE,
        weight: Weight::Warning,
        app: if apps.next().is_some() { "" } else { first },
        object: format!("poddisruptionbudget/{name}"),
        says: format!(
            "allows no eviction although all its {pods} pods are healthy: a node with one of them cannot be drained"
        ),
        hint: (observed.by_hand.kubectl(["describe", "pdb", &name]).to("see what it asks for"))
            .and(observed.by_hand.kubectl(["edit", "pdb", &name]).to("let it allow one eviction")),
    })
}
