//! The server that takes writes: where SQL is run.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::ListParams;

use crate::context::Ctx;
use crate::exchange::names;
use crate::kubernetes::{Cluster, RequestError};
use crate::observe::replication;

/// The server that takes writes, and how it is entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Primary {
    pub pod: String,
    /// The role that the exchange's tables belong to.
    pub owner: &'static str,
}

/// As many pods as have the label of the primary: a frozen one keeps it beside the new one.
const MOST: u32 = 10;

/// The primary of a replicated database, by the label that Patroni gives it. Where no pod has it, the pod of the one server.
///
/// # Errors
/// If the cluster does not say, and not for want of permission.
pub async fn primary(ctx: &Ctx) -> anyhow::Result<Primary> {
    Ok(primary_of(ctx.cluster().await?).await?)
}

/// The same of a cluster.
///
/// # Errors
/// As [`primary`].
pub async fn primary_of(cluster: &Cluster) -> Result<Primary, RequestError> {
    let (label, value) = names::ROLE;
    let labels = format!("{}={},{label}={value}", names::APP, names::POSTGRES);
    let listed = cluster.list::<Pod>(&ListParams::default().labels(&labels).limit(MOST)).await;
    match listed {
        Ok(pods) => Ok(of(&pods)),
        Err(error) if error.cause.is_refusal() => Ok(of(&[])),
        Err(error) => Err(error),
    }
}

fn of(labelled: &[Pod]) -> Primary {
    match replication::primary(labelled, None) {
        Some(pod) => Primary { pod: pod.name_any(), owner: names::DATABASE_OWNER },
        None => Primary { pod: names::POSTGRES_POD.to_owned(), owner: names::DATABASE_USER },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_two_that_have_the_label_the_ready_one_counts() {
        let pod = |name: &str, ready: &str| -> Pod {
            let status = json!({ "conditions": [{ "type": "Ready", "status": ready }] });
            let metadata = json!({ "name": name, "labels": { "role": "primary" } });
            serde_json::from_value(json!({ "metadata": metadata, "status": status })).unwrap()
        };
        let frozen = pod("postgres-0", "False");
        assert_eq!(of(&[frozen.clone(), pod("postgres-2", "True")]).pod, "postgres-2");
        assert_eq!(of(&[pod("postgres-2", "True"), frozen.clone()]).pod, "postgres-2");
        assert_eq!(of(&[frozen]), Primary { pod: "postgres-0".to_owned(), owner: "kubecoin" });
        assert_eq!(of(&[]), Primary { pod: "postgres-0".to_owned(), owner: "postgres" });
    }
}
