//! A Lease: one run at a time. It is held for as long as it is renewed, and whoever finds it expired may take it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease as Held;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource as _;
use kube::api::{DeleteParams, Preconditions};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::act::{Act, Create, Patch};
use super::{Cause, Cluster, Object, RequestError};

/// For how long it is held without being renewed, in seconds.
const SECONDS: i32 = 30;
const RENEWAL: Duration = Duration::from_secs(8);

/// A Lease that is to be had.
#[derive(Clone, Debug)]
pub struct Lease {
    pub name: &'static str,
    /// Who wants it.
    pub holder: String,
    pub labels: Vec<(&'static str, &'static str)>,
}

/// What came of asking for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Had,
    /// Somebody else has it: the holder's name.
    HeldBy(String),
}

impl Lease {
    /// Takes it, unless somebody else holds it. Before, whoever is to release it must be ready to.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn take(&self, cluster: &Cluster) -> Result<Asked, RequestError> {
        // Twice: an expired one is removed, and then another run may be faster.
        for _ in 0..2 {
            match self.create(cluster).execute(cluster).await {
                Ok(_) => return Ok(Asked::Had),
                Err(RequestError { cause: Cause::Conflict { .. }, .. }) => {}
                Err(error) => return Err(error),
            }
            let Some(there) = cluster.get::<Held>(self.name).await? else { continue };
            if !expired(&there, Timestamp::now()) {
                return Ok(Asked::HeldBy(holder(&there).unwrap_or("somebody").to_owned()));
            }
            self.delete(cluster, &there).await?;
        }
        Ok(Asked::HeldBy("another run".to_owned()))
    }

    /// The act that makes it.
    #[must_use]
    pub fn create(&self, cluster: &Cluster) -> Create {
        let now = moment();
        let body = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": self.name, "namespace": cluster.namespace(),
                          "labels": self.labels.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect::<serde_json::Map<_, _>>() },
            "spec": { "holderIdentity": self.holder, "leaseDurationSeconds": SECONDS, "acquireTime": now, "renewTime": now },
        });
        Create { object: self.object(cluster, body), hidden: None, dry_run: false }
    }

    /// Renews it until it is lost, and gives to whom. What fails is tried again: a server that is away for a while is no reason
    /// to stop.
    pub async fn renew(&self, cluster: &Cluster) -> String {
        loop {
            sleep(RENEWAL).await;
            let body = json!({ "spec": { "renewTime": moment() } });
            let renewal = Patch { object: self.object(cluster, body) };
            match renewal.execute(cluster).await {
                Ok(there) => match there.data["spec"]["holderIdentity"].as_str() {
                    Some(holder) if holder == self.holder => {}
                    other => return other.unwrap_or("nobody").to_owned(),
                },
                Err(RequestError { cause: Cause::NotFound(_), .. }) => return "nobody: it was deleted".to_owned(),
                Err(_) => {}
            }
        }
    }

    /// Releases it, if it is this holder's. Whoever may not look at Leases has none to release.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn release(&self, cluster: &Cluster) -> Result<(), RequestError> {
        match cluster.get::<Held>(self.name).await {
            Ok(Some(there)) if holder(&there) == Some(&self.holder) => self.delete(cluster, &there).await,
            Ok(_) | Err(RequestError { cause: Cause::Forbidden(_), .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The reference by which an object is deleted by the cluster once the Lease is, as after a run that was killed. None if it
    /// is not this holder's.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn as_owner(&self, cluster: &Cluster) -> Result<Option<OwnerReference>, RequestError> {
        let held = cluster.get::<Held>(self.name).await?;
        Ok(held.filter(|there| holder(there) == Some(&self.holder)).and_then(|there| there.owner_ref(&())))
    }

    async fn delete(&self, cluster: &Cluster, there: &Held) -> Result<(), RequestError> {
        let exactly = Preconditions { uid: there.metadata.uid.clone(), resource_version: None };
        let params = DeleteParams::default().preconditions(exactly);
        let deleted = cluster.api::<Held>().delete(self.name, &params).await;
        match deleted.map_err(cluster.failed(format!("delete lease/{}", self.name))) {
            // If not, it is gone, or another run's by now.
            Ok(_) | Err(RequestError { cause: Cause::NotFound(_) | Cause::Conflict { .. }, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn object(&self, cluster: &Cluster, body: Value) -> Object {
        Object::named::<Held>(self.name, cluster.namespace(), body)
    }
}

/// Now, as the API writes moments.
fn moment() -> String {
    format!("{:.6}", Timestamp::now())
}

fn holder(lease: &Held) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref()
}

/// Whether nobody holds it any more. One that does not say until when was made by nobody's program.
fn expired(lease: &Held, now: Timestamp) -> bool {
    let Some(spec) = &lease.spec else { return true };
    let (Some(renewed), Some(seconds)) = (&spec.renew_time, spec.lease_duration_seconds) else { return true };
    now.duration_since(renewed.0) > SignedDuration::from_secs(seconds.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_expires_without_renewal() {
        let lease: Held = serde_json::from_value(json!({
            "metadata": {}, "spec": { "holderIdentity": "a", "leaseDurationSeconds": 30,
                                      "renewTime": "2026-11-24T02:00:00.000000Z" },
        }))
        .unwrap();
        let at = |text: &str| expired(&lease, text.parse().unwrap());
        assert!(!at("2026-11-24T02:00:29Z") && at("2026-11-24T02:00:31Z"));
        assert!(expired(&Held::default(), Timestamp::now()));
    }
}
