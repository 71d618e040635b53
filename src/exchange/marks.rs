//! What objects in the cluster say of themselves: whose they are, which node they are pinned to, whether they are the default.

use k8s_openapi::api::core::v1::PersistentVolume;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::names;

/// Whether an object belongs to the exchange. Those of `kubectl apply -f k8s/level-2-volumes/` do.
#[must_use]
pub fn is_ours(there: &ObjectMeta) -> bool {
    let (label, value) = names::PART_OF;
    there.labels.as_ref().and_then(|labels| labels.get(label)).is_some_and(|is| is == value)
}

/// Whether a class is the one of claims that name none.
#[must_use]
pub fn is_default(class: &StorageClass) -> bool {
    let annotations = class.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get(names::DEFAULT_CLASS)).is_some_and(|value| value == "true")
}

/// The node that a volume is pinned to, as its label `kubernetes.io/hostname` has it.
#[must_use]
pub fn pinned_to(volume: &PersistentVolume) -> Option<String> {
    let terms = &volume.spec.as_ref()?.node_affinity.as_ref()?.required.as_ref()?.node_selector_terms;
    let expressions = terms.iter().flat_map(|term| term.match_expressions.iter().flatten());
    expressions
        .filter(|expression| expression.key == names::HOSTNAME)
        .find_map(|it| it.values.as_ref()?.first().cloned())
}
