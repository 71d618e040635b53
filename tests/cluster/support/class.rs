//! A class on one cluster.

use std::time::Duration;

use super::kubectl;
use super::rights::Right;
use super::wait::until;

/// Opens the namespace of a student: under Pod Security `restricted`, with the role `edit` there and no other right. Gives
/// the student's name, as the server knows it, once the role counts.
pub fn enrolled(namespace: &str) -> String {
    kubectl::apply(&format!(
        "
apiVersion: v1
kind: Namespace
metadata:
  name: {namespace}
  labels: {{pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: student, namespace: {namespace}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: student, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}}
subjects: [{{kind: ServiceAccount, name: student, namespace: {namespace}}}]
"
    ));
    let student = format!("system:serviceaccount:{namespace}:student");
    let of_edit = Right { verb: "create".to_owned(), resource: "deployments.apps".to_owned() };
    of_edit.counts(&student, Some(namespace));
    student
}

/// Gives the namespace of a student the quota `small`, which an exchange fills.
pub fn has_quota(namespace: &str) {
    kubectl::apply(&format!(
        "
apiVersion: v1
kind: ResourceQuota
metadata: {{name: small, namespace: {namespace}}}
spec:
  hard: {{pods: '3', requests.cpu: '2', requests.memory: 2Gi, limits.cpu: '8', limits.memory: 4Gi, persistentvolumeclaims: '1'}}
"
    ));
    quota_counts(namespace, "3");
}

/// Waits until the quota `small` of a namespace counts, with room for so many pods.
pub fn quota_counts(namespace: &str, pods: &str) {
    until("the quota is in force", Duration::from_mins(1), || {
        let there = kubectl::field(&format!("resourcequota/small -n {namespace}"), "/status/hard/pods");
        if there == pods { Ok(()) } else { Err(there) }
    });
}
