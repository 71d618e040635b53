//! Objects of any kind: a body with its place in the API.

use k8s_openapi::serde::Serialize;
use kube::api::{ApiResource, DynamicObject};
use kube::{Api, Client, Resource};
use serde_json::Value;

/// An object to be sent, as it will be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// The kind's place in the API.
    pub resource: ApiResource,
    /// The object's name.
    pub name: String,
    /// The object's namespace; none for kinds that have none.
    pub namespace: Option<String>,
    /// The object itself, with `apiVersion` and `kind`.
    pub body: Value,
}

impl Object {
    /// A typed object.
    ///
    /// # Errors
    /// If it has no form in JSON, which is a mistake of this program.
    pub fn of<K>(object: &K) -> anyhow::Result<Self>
    where
        K: Resource<DynamicType = ()> + Serialize,
    {
        Ok(Self {
            resource: ApiResource::erase::<K>(&()),
            name: object.meta().name.clone().unwrap_or_default(),
            namespace: object.meta().namespace.clone(),
            body: serde_json::to_value(object)?,
        })
    }

    /// What there is of a kind by this name in a namespace, with a body to send.
    pub fn named<K>(name: impl Into<String>, namespace: &str, body: Value) -> Self
    where
        K: Resource<DynamicType = ()>,
    {
        Self { resource: ApiResource::erase::<K>(&()), name: name.into(), namespace: Some(namespace.to_owned()), body }
    }

    /// As kubectl names it: `statefulset.apps/postgres`.
    #[must_use]
    pub fn reference(&self) -> String {
        reference(&self.resource, &self.name)
    }

    pub(super) fn api(&self, client: &Client) -> Api<DynamicObject> {
        match &self.namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &self.resource),
            None => Api::all_with(client.clone(), &self.resource),
        }
    }
}

/// An object as kubectl names it: `statefulset.apps/postgres`.
pub(super) fn reference(resource: &ApiResource, name: &str) -> String {
    let kind = resource.kind.to_lowercase();
    match resource.group.as_str() {
        "" => format!("{kind}/{name}"),
        group => format!("{kind}.{group}/{name}"),
    }
}
