//! A class on one cluster.

use super::kubectl;

/// Opens the namespace of a student: under Pod Security `restricted`, with the role `edit` there and no other right. Gives
/// the student's name, as the server knows it.
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
    format!("system:serviceaccount:{namespace}:student")
}
