//! What the user may do, as the server says.

use std::fmt::{self, Display, Formatter};

use futures_util::future::join_all;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::api::PostParams;

use super::{Cluster, RequestError};

/// Something that one may or may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The verb: `create`.
    pub verb: &'static str,
    /// The API group; empty for the core.
    pub group: &'static str,
    /// The resource: `pods`.
    pub resource: &'static str,
    /// The subresource; empty for none.
    pub subresource: &'static str,
}

impl Display for Permission {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.subresource.is_empty() {
            write!(f, "/{}", self.subresource)?;
        }
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        Ok(())
    }
}

/// Whether the user may do it in the namespace.
///
/// # Errors
/// If the server does not say.
pub async fn may(cluster: &Cluster, permission: Permission) -> Result<bool, RequestError> {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: text(cluster.namespace()),
                verb: text(permission.verb),
                group: text(permission.group),
                resource: text(permission.resource),
                subresource: text(permission.subresource),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let reviews = cluster.api::<SelfSubjectAccessReview>();
    let answer = reviews.create(&PostParams::default(), &review).await;
    let answer = answer.map_err(cluster.failed(format!("ask whether you may {permission}")))?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// Those of the permissions that the user does not have, in their order. All are asked for at once.
///
/// # Errors
/// If the server does not say.
pub async fn missing(
    cluster: &Cluster,
    permissions: impl IntoIterator<Item = Permission>,
) -> Result<Vec<Permission>, RequestError> {
    let asked = permissions.into_iter().map(|permission| async move { (permission, may(cluster, permission).await) });
    let mut missing = Vec::new();
    for (permission, allowed) in join_all(asked).await {
        if !allowed? {
            missing.push(permission);
        }
    }
    Ok(missing)
}
