//! Moves the ownership of fields from `kubectl apply` to this program, as `kubectl apply --server-side` does: without it,
//! fields that are dropped later would stay, owned by a manager that nobody runs any more.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry, ObjectMeta};
use serde_json::{Map, Value, json};

use super::Object;
use super::act::Patch;
use crate::program;

/// The manager of fields that were applied by `kubectl apply` without `--server-side`.
pub const BY_HAND: &str = "kubectl-client-side-apply";

const LAST_APPLIED: &str = "f:kubectl.kubernetes.io/last-applied-configuration";

/// The patch that moves the ownership, if any is to be moved. It holds only for the version of the object that was read.
#[must_use]
pub fn patch(object: &Object, there: &ObjectMeta) -> Option<Patch> {
    let managed = adopted(there.managed_fields.as_ref()?)?;
    let body = json!({ "metadata": { "resourceVersion": there.resource_version, "managedFields": managed } });
    Some(Patch { object: Object { body, ..object.clone() } })
}

/// What this program has applied of an object, and when it has last changed something by that.
#[must_use]
pub fn own(there: &ObjectMeta) -> Option<&ManagedFieldsEntry> {
    there.managed_fields.iter().flatten().find(|entry| is(entry, program::NAME, "Apply"))
}

/// Whether this program has applied a field, by its path in the tree of fields: `/f:spec/f:replicas`.
#[must_use]
pub fn applied(there: &ObjectMeta, path: &str) -> bool {
    own(there).and_then(|entry| entry.fields_v1.as_ref()).is_some_and(|fields| fields.0.pointer(path).is_some())
}

/// Whether a patch of this program was the last to change a field, by its path.
#[must_use]
pub fn patched(there: &ObjectMeta, path: &str) -> bool {
    let has = |entry: &ManagedFieldsEntry| entry.fields_v1.as_ref().is_some_and(|it| it.0.pointer(path).is_some());
    there.managed_fields.iter().flatten().any(|entry| is(entry, program::NAME, "Update") && has(entry))
}

fn is(entry: &ManagedFieldsEntry, manager: &str, operation: &str) -> bool {
    entry.manager.as_deref() == Some(manager)
        && entry.operation.as_deref() == Some(operation)
        && entry.subresource.as_deref().unwrap_or_default().is_empty()
}

fn adopted(managed: &[ManagedFieldsEntry]) -> Option<Vec<ManagedFieldsEntry>> {
    let (by_hand, mut others): (Vec<_>, Vec<_>) =
        managed.iter().cloned().partition(|entry| is(entry, BY_HAND, "Update"));
    let first = by_hand.first()?.clone();
    let position = others.iter().position(|entry| is(entry, program::NAME, "Apply"));
    let mut own = match position {
        Some(position) => others.remove(position),
        None => ManagedFieldsEntry { fields_v1: None, ..first },
    };
    let mut fields = own.fields_v1.take().map_or(Value::Object(Map::new()), |fields| fields.0);
    for entry in by_hand {
        union(&mut fields, entry.fields_v1.map_or(Value::Null, |fields| fields.0));
    }
    // `kubectl apply` still needs its annotation: whoever owns a field and does not apply it removes it.
    if let Some(annotations) = fields.pointer_mut("/f:metadata/f:annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    own.manager = Some(program::NAME.to_owned());
    own.operation = Some("Apply".to_owned());
    own.fields_v1 = Some(FieldsV1(fields));
    others.push(own);
    Some(others)
}

/// A set of fields is a tree of objects; the union of two has the branches of both.
fn union(into: &mut Value, other: Value) {
    let (Value::Object(into), Value::Object(other)) = (into, other) else { return };
    for (field, below) in other {
        match into.get_mut(&field) {
            Some(there) => union(there, below),
            None => {
                into.insert(field, below);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: Value) -> ManagedFieldsEntry {
        ManagedFieldsEntry {
            manager: Some(manager.to_owned()),
            operation: Some(operation.to_owned()),
            fields_v1: Some(FieldsV1(fields)),
            ..ManagedFieldsEntry::default()
        }
    }

    #[test]
    fn what_was_applied_by_hand_is_ours_together_with_what_already_was() {
        let managed = [
            entry(
                BY_HAND,
                "Update",
                json!({ "f:metadata": { "f:annotations": { ".": {}, LAST_APPLIED: {} } },
                                             "f:spec": { "f:replicas": {}, "f:template": { "f:a": {} } } }),
            ),
            entry("kube-controller-manager", "Update", json!({ "f:status": {} })),
            entry(program::NAME, "Apply", json!({ "f:spec": { "f:template": { "f:b": {} } } })),
        ];
        let adopted = adopted(&managed).unwrap();
        assert_eq!(adopted.len(), 2);
        assert_eq!(adopted[0], managed[1]);
        let expected = json!({ "f:metadata": { "f:annotations": { ".": {} } },
                               "f:spec": { "f:replicas": {}, "f:template": { "f:a": {}, "f:b": {} } } });
        assert_eq!(adopted[1], entry(program::NAME, "Apply", expected));
    }

    #[test]
    fn a_field_is_applied_by_who_has_applied_it() {
        let fields = json!({ "f:spec": { "f:storageClassName": {} } });
        let by = |manager: &str, operation: &str| {
            let managed = vec![entry("other", "Apply", json!({})), entry(manager, operation, fields.clone())];
            ObjectMeta { managed_fields: Some(managed), ..ObjectMeta::default() }
        };
        let path = "/f:spec/f:storageClassName";
        assert!(applied(&by(program::NAME, "Apply"), path));
        assert!(!applied(&by(program::NAME, "Update"), path) && !applied(&by("other", "Apply"), path));
        assert!(patched(&by(program::NAME, "Update"), path) && !patched(&by(program::NAME, "Apply"), path));
        assert!(!applied(&by(program::NAME, "Apply"), "/f:spec/f:resources"));
    }

    #[test]
    fn nothing_is_moved_where_nothing_was_applied_by_hand() {
        assert_eq!(
            adopted(&[entry(program::NAME, "Apply", json!({})), entry("kubectl-edit", "Update", json!({}))]),
            None
        );
    }
}
