//! Whether the namespace is there to stay. What is not is said once, and not of each object in it.

use k8s_openapi::api::core::v1::Namespace;

use crate::error::Error;
use crate::kubernetes::Cluster;
use crate::text::Hint;

/// Refuses a namespace that is not there, or is being deleted. Who may not read it learns it otherwise.
///
/// # Errors
/// If so.
pub async fn check(cluster: &Cluster) -> Result<(), Error> {
    match cluster.get::<Namespace>(cluster.namespace()).await {
        Ok(None) => {
            let create = cluster.place().by_hand.own("deploy --create-namespace");
            Err(refused(cluster, "does not exist", see(cluster).and(create.to("or create it and deploy the exchange"))))
        }
        Ok(Some(namespace)) => stays(cluster, &namespace),
        Err(_) => Ok(()),
    }
}

/// Refuses one that is there, but being deleted.
///
/// # Errors
/// If so.
pub fn stays(cluster: &Cluster, namespace: &Namespace) -> Result<(), Error> {
    match &namespace.metadata.deletion_timestamp {
        Some(_) => Err(refused(cluster, "is being deleted, with everything in it", see(cluster))),
        None => Ok(()),
    }
}

fn see(cluster: &Cluster) -> Hint {
    cluster.place().by_hand.kubectl_of_cluster("get namespaces").to("list the namespaces")
}

fn refused(cluster: &Cluster, says: &str, hint: Hint) -> Error {
    let place = cluster.place();
    Error::new(format!("namespace/{} {says} ({})", place.namespace, place.cluster_in_words()), hint)
}
