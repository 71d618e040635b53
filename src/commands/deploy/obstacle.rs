//! What keeps `deploy` from starting, and what helps.

use crate::exchange::names;
use crate::kubernetes::{ByHand, Cause, RequestError};
use crate::program;
use crate::text::Hint;

/// Something that keeps it from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    pub kind: Kind,
    /// It in a sentence.
    pub says: String,
}

/// The kinds, those first whose hint helps most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A volume still has the data of a deleted claim.
    Released,
    /// A quota allows no Service with a port of the nodes.
    NodePorts,
    /// Pod Security refuses a pod, or the volume cannot be this one.
    NeedsDynamicStorage,
    /// One may not give the members of a replicated database their permissions.
    NeedsRole,
    /// A quota has too little room.
    Quota,
    /// An object is not the exchange's.
    Foreign,
    /// Someone else has set a field.
    Conflict,
    /// The user lacks a permission.
    NotPermitted,
    /// The server rejects an object for another reason.
    Rejected,
}

impl Obstacle {
    pub fn new(kind: Kind, says: impl Into<String>) -> Self {
        Self { kind, says: says.into() }
    }

    /// An object that is not the exchange's.
    pub fn foreign(reference: &str) -> Self {
        let kind = if is_volume(reference) { Kind::NeedsDynamicStorage } else { Kind::Foreign };
        let label = names::selector();
        Self::new(kind, format!("{reference} belongs to someone else: it does not have the label {label}"))
    }

    /// What the server says against an object; none if that passes by itself.
    ///
    /// # Errors
    /// The error, if it is no refusal, as a lost connection.
    pub fn refusal(reference: &str, error: RequestError) -> Result<Option<Self>, RequestError> {
        let (usual, message) = match &error.cause {
            // An earlier check's name; it is not there for long.
            Cause::Conflict { managers, .. } if managers.is_empty() => return Ok(None),
            Cause::Conflict { message, .. } => (Kind::Conflict, message),
            cause @ Cause::Invalid(message) if is_of_a_value(cause) => (Kind::Conflict, message),
            Cause::Forbidden(message) => (Kind::NotPermitted, message),
            Cause::Invalid(message) | Cause::NotFound(message) => (Kind::Rejected, message),
            _ => return Err(error),
        };
        // Quotas and Pod Security have no code of their own, only words.
        let kind = if message.contains("services.nodeports") {
            Kind::NodePorts
        } else if is_grant(reference) && usual == Kind::NotPermitted {
            Kind::NeedsRole
        } else if message.contains("PodSecurity") || is_volume(reference) {
            Kind::NeedsDynamicStorage
        } else if message.contains("exceeded quota") {
            Kind::Quota
        } else {
            usual
        };
        Ok(Some(Self::new(kind, format!("{reference}: {message}"))))
    }
}

/// Whether all that is contested was patched by this program itself, as the replicas are in the lesson.
pub fn is_with_itself(cause: &Cause) -> bool {
    matches!(cause, Cause::Conflict { managers, .. } if matches!(managers.as_slice(), [only] if only == program::NAME))
}

/// Whether the server refuses a variable that is read from a Secret, beside a value that somebody has set.
pub fn is_of_a_value(cause: &Cause) -> bool {
    matches!(cause, Cause::Invalid(message) if message.contains("may not be specified when `value` is not empty"))
}

/// What gives the members of a replicated database their permissions: an administrator may have created it.
const GRANTS: [&str; 3] = ["serviceaccount", "role.rbac.authorization.k8s.io", "rolebinding.rbac.authorization.k8s.io"];

/// Whether an object is one of these, by its reference.
pub fn is_grant(reference: &str) -> bool {
    GRANTS.iter().any(|kind| reference.split_once('/').is_some_and(|(of, _)| of == *kind))
}

fn is_volume(reference: &str) -> bool {
    reference.starts_with("persistentvolume/")
}

impl Kind {
    /// What helps.
    pub fn hint(self, by_hand: &ByHand) -> Hint {
        match self {
            Self::Released => "use its data again with --reuse-volume, or choose another namespace".into(),
            Self::NodePorts => by_hand.own("open").to("deploy with --service-type ClusterIP, and open the page"),
            Self::NeedsDynamicStorage => {
                "let the cluster create the volume, and run PostgreSQL as a non-root user: --storage dynamic".into()
            }
            Self::NeedsRole => by_hand
                .own("manifests --ha --output-directory kubecoin")
                .to("ask a cluster administrator to create them: write the files")
                .and(by_hand.kubectl(
                    "apply -f kubecoin/postgres-serviceaccount.yaml -f kubecoin/postgres-role.yaml -f kubecoin/postgres-rolebinding.yaml",
                )),
            Self::Quota => by_hand.kubectl("describe resourcequota").to("see what uses the quota"),
            Self::Foreign => "use another namespace: --create-namespace -n NAME".into(),
            Self::Conflict => "overwrite these fields with --force-conflicts".into(),
            Self::NotPermitted => by_hand.check_permissions(),
            Self::Rejected => {
                ByHand::default().own("deploy --help").to("change what the server rejects; list the flags")
            }
        }
    }
}
