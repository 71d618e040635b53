//! The objects that exercises may touch, and which of their fields are kept for the undo.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Service};
use kube::api::ApiResource;
use serde_json::{Map, Value, json};

use crate::exchange::names;
use crate::kubernetes::Object;

/// One of these objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Set,
    Backend,
    Frontend,
    SetService,
    BackendService,
    FrontendService,
    Pod,
    Claim,
    Volume,
}

/// All of them, those first that others need.
pub const ALL: [Part; 9] = [
    Part::Volume,
    Part::Claim,
    Part::SetService,
    Part::Set,
    Part::BackendService,
    Part::Backend,
    Part::FrontendService,
    Part::Frontend,
    Part::Pod,
];

/// The labels of a pod that its controller sets: they differ from pod to pod.
const OF_CONTROLLER: [&str; 2] = ["controller-revision-hash", "apps.kubernetes.io/pod-index"];

impl Part {
    /// Its name in a namespace. The volume is the lesson's own; that of a claim which the cluster has served has another.
    #[must_use]
    pub fn name(self, namespace: &str) -> String {
        match self {
            Self::Set => names::POSTGRES.to_owned(),
            Self::Backend => names::BACKEND.to_owned(),
            Self::Frontend => names::FRONTEND.to_owned(),
            Self::SetService => names::POSTGRES_SERVICE.to_owned(),
            Self::BackendService => names::BACKEND_SERVICE.to_owned(),
            Self::FrontendService => names::FRONTEND_SERVICE.to_owned(),
            Self::Pod => names::POSTGRES_POD.to_owned(),
            Self::Claim => names::CLAIM.to_owned(),
            Self::Volume => names::volume(namespace),
        }
    }

    /// Its kind's place in the API.
    #[must_use]
    pub fn resource(self) -> ApiResource {
        match self {
            Self::Set => ApiResource::erase::<StatefulSet>(&()),
            Self::Backend | Self::Frontend => ApiResource::erase::<Deployment>(&()),
            Self::SetService | Self::BackendService | Self::FrontendService => ApiResource::erase::<Service>(&()),
            Self::Pod => ApiResource::erase::<Pod>(&()),
            Self::Claim => ApiResource::erase::<PersistentVolumeClaim>(&()),
            Self::Volume => ApiResource::erase::<PersistentVolume>(&()),
        }
    }

    /// It, to be read or patched.
    #[must_use]
    pub fn object(self, namespace: &str, body: Value) -> Object {
        let scope = (self != Self::Volume).then(|| namespace.to_owned());
        Object { resource: self.resource(), name: self.name(namespace), namespace: scope, body }
    }

    /// As kubectl names it: `statefulset/postgres`.
    #[must_use]
    pub fn reference(self, namespace: &str) -> String {
        format!("{}/{}", self.resource().kind.to_lowercase(), self.name(namespace))
    }

    /// Under which name it is kept in the record.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Set => "statefulset-postgres",
            Self::Backend => "deployment-backend",
            Self::Frontend => "deployment-frontend",
            Self::SetService => "service-postgres-headless",
            Self::BackendService => "service-backend-service",
            Self::FrontendService => "service-frontend-service",
            Self::Pod => "pod-postgres-0",
            Self::Claim => "persistentvolumeclaim-postgres-pvc",
            Self::Volume => "persistentvolume-postgres-pv",
        }
    }

    /// Whether another object under its name is as good: pods come and go.
    #[must_use]
    pub fn may_be_replaced(self) -> bool {
        matches!(self, Self::Pod | Self::Claim)
    }

    /// Whether `deploy` applies it, so that its fields have an owner to be given back to.
    #[must_use]
    pub fn is_applied(self) -> bool {
        self != Self::Pod
    }

    /// Of an object as the server has it, the fields that an exercise may touch, or that people may change meanwhile.
    #[must_use]
    pub fn fields(self, object: &Value) -> Value {
        let mut metadata = Map::new();
        for name in ["labels", "finalizers"] {
            // Finalizers of claims and volumes are the cluster's own.
            if (name == "labels" || self == Self::Pod)
                && let Some(there) = object["metadata"].get(name)
            {
                metadata.insert(name.to_owned(), there.clone());
            }
        }
        if let (Self::Pod, Some(labels)) = (self, metadata.get_mut("labels").and_then(Value::as_object_mut)) {
            labels.retain(|name, _| !OF_CONTROLLER.contains(&name.as_str()));
        }
        if self == Self::Pod {
            return json!({ "metadata": metadata });
        }
        let mut spec = object["spec"].clone();
        // Which claim it is bound to changes with the claim.
        if let Some(claim) = spec.get_mut("claimRef").and_then(Value::as_object_mut) {
            claim.retain(|name, _| !["uid", "resourceVersion"].contains(&name.as_str()));
        }
        json!({ "metadata": metadata, "spec": spec })
    }
}
