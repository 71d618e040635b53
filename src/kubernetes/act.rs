//! What changes a cluster: each act executes, and shows itself as the kubectl command that does the same.

use std::time::Duration;

use kube::api::{DeleteParams, DynamicObject, Patch as Body, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};

use super::Object;
use super::cluster::Cluster;
use super::error::RequestError;
use super::exec::{self, Ended, Program};
use super::place::Place;
use crate::program;

/// Something that can be done to a cluster.
pub trait Act {
    /// What comes of it.
    type Done;

    /// The same as a command for a shell. Holds no secret.
    fn kubectl(&self, place: &Place) -> String;

    /// Does it.
    fn execute(&self, cluster: &Cluster) -> impl Future<Output = Result<Self::Done, RequestError>>;
}

/// Server-side apply of an object.
#[derive(Clone, Debug)]
pub struct Apply {
    /// The object as it shall be.
    pub object: Object,
    /// Whether to take fields from other managers.
    pub force: bool,
    /// Whether the server only says what would be.
    pub dry_run: bool,
}

impl Act for Apply {
    type Done = DynamicObject;

    fn kubectl(&self, place: &Place) -> String {
        let mut words = vec!["apply", "--server-side", "--field-manager", program::NAME];
        words.extend(self.force.then_some("--force-conflicts"));
        words.extend(self.dry_run.then_some("--dry-run=server"));
        words.extend(["-f", "-"]);
        here(&command(place, &words), "'EOF'", &yaml(&self.object.body))
    }

    async fn execute(&self, cluster: &Cluster) -> Result<DynamicObject, RequestError> {
        let mut params = PatchParams::apply(program::NAME).validation_strict();
        params.force = self.force;
        params.dry_run = self.dry_run;
        let api = self.object.api(&cluster.client);
        let applied = api.patch(&self.object.name, &params, &Body::Apply(&self.object.body)).await;
        applied.map_err(cluster.failed(format!("apply {}", self.object.reference())))
    }
}

/// Creation of an object that must not exist yet.
#[derive(Clone, Debug)]
pub struct Create {
    /// What is to be there.
    pub object: Object,
    /// What is not for eyes: a JSON pointer to a value of the object, or to several, and the shell's expression for another such
    /// value.
    pub hidden: Option<(&'static str, &'static str)>,
    /// Whether the server only says what would be.
    pub dry_run: bool,
}

impl Act for Create {
    type Done = DynamicObject;

    fn kubectl(&self, place: &Place) -> String {
        let mut words = vec!["create"];
        words.extend(self.dry_run.then_some("--dry-run=server"));
        words.extend(["-f", "-"]);
        let mut body = self.object.body.clone();
        let mut end = "'EOF'";
        if let Some((pointer, expression)) = self.hidden
            && let Some(value) = body.pointer_mut(pointer)
        {
            match value {
                Value::Object(values) => values.values_mut().for_each(|value| *value = expression.into()),
                value => *value = expression.into(),
            }
            end = "EOF";
        }
        here(&command(place, &words), end, &yaml(&body))
    }

    async fn execute(&self, cluster: &Cluster) -> Result<DynamicObject, RequestError> {
        let object: Result<DynamicObject, _> = serde_json::from_value(self.object.body.clone());
        let asked = format!("create {}", self.object.reference());
        let created = match object {
            Ok(object) => {
                let params = PostParams { dry_run: self.dry_run, field_manager: Some(program::NAME.to_owned()) };
                self.object.api(&cluster.client).create(&params, &object).await
            }
            Err(error) => Err(kube::Error::SerdeError(error)),
        };
        created.map_err(cluster.failed(asked))
    }
}

/// A merge patch of an object.
#[derive(Clone, Debug)]
pub struct Patch {
    /// The object's kind, namespace and name; its body is the patch.
    pub object: Object,
}

/// A patch that finds the items of lists by their names: a strategic merge patch.
#[derive(Clone, Debug)]
pub struct StrategicPatch {
    /// The object's kind, namespace and name; its body is the patch.
    pub object: Object,
}

impl Act for StrategicPatch {
    type Done = DynamicObject;

    fn kubectl(&self, place: &Place) -> String {
        command(place, &["patch", &self.object.reference(), "-p", &self.object.body.to_string()])
    }

    async fn execute(&self, cluster: &Cluster) -> Result<DynamicObject, RequestError> {
        patch(cluster, &self.object, &Body::Strategic(&self.object.body)).await
    }
}

async fn patch(cluster: &Cluster, object: &Object, body: &Body<&Value>) -> Result<DynamicObject, RequestError> {
    let params = PatchParams { field_manager: Some(program::NAME.to_owned()), ..PatchParams::default() };
    let patched = object.api(&cluster.client).patch(&object.name, &params, body).await;
    patched.map_err(cluster.failed(format!("patch {}", object.reference())))
}

impl Act for Patch {
    type Done = DynamicObject;

    fn kubectl(&self, place: &Place) -> String {
        let (reference, patch) = (self.object.reference(), self.object.body.to_string());
        command(place, &["patch", &reference, "--type", "merge", "-p", &patch])
    }

    async fn execute(&self, cluster: &Cluster) -> Result<DynamicObject, RequestError> {
        patch(cluster, &self.object, &Body::Merge(&self.object.body)).await
    }
}

/// Another number of pods for a workload.
#[derive(Clone, Debug)]
pub struct Scale {
    /// The workload's kind, namespace and name; its body is not looked at.
    pub object: Object,
    /// The workload's UID, if it must be exactly this one. kubectl has no flag for it, so the command is shown without.
    pub uid: Option<String>,
    /// How many pods it is to have.
    pub replicas: u8,
}

impl Act for Scale {
    type Done = DynamicObject;

    fn kubectl(&self, place: &Place) -> String {
        command(place, &["scale", &self.object.reference(), &format!("--replicas={}", self.replicas)])
    }

    async fn execute(&self, cluster: &Cluster) -> Result<DynamicObject, RequestError> {
        let mut body = json!({ "spec": { "replicas": self.replicas } });
        if let Some(uid) = &self.uid {
            body["metadata"] = json!({ "uid": uid });
        }
        patch(cluster, &self.object, &Body::Merge(&body)).await
    }
}

/// Deletion of exactly this pod, not of another one that has its name by now.
#[derive(Clone, Debug, Default)]
pub struct DeletePod {
    /// The pod's name.
    pub name: String,
    /// The pod's UID.
    pub uid: String,
    /// How many seconds it has to stop, if not as many as its own specification says.
    pub grace: Option<u32>,
}

impl Act for DeletePod {
    type Done = ();

    fn kubectl(&self, place: &Place) -> String {
        let path = format!("/api/v1/namespaces/{}/pods/{}", place.namespace, self.name);
        let mut options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": self.uid },
        });
        if let Some(seconds) = self.grace {
            options["gracePeriodSeconds"] = seconds.into();
        }
        here(&command(place, &["delete", "--raw", &path, "-f", "-"]), "'EOF'", &(options.to_string() + "\n"))
    }

    async fn execute(&self, cluster: &Cluster) -> Result<(), RequestError> {
        let exactly = Preconditions { uid: Some(self.uid.clone()), resource_version: None };
        let pods = cluster.api::<k8s_openapi::api::core::v1::Pod>();
        let mut params = DeleteParams::default().preconditions(exactly);
        params.grace_period_seconds = self.grace;
        let deleted = pods.delete(&self.name, &params).await;
        deleted.map(drop).map_err(cluster.failed(format!("delete pod/{}", self.name)))
    }
}

/// Deletion of an object. One that is not there is no error.
#[derive(Clone, Debug)]
pub struct Delete {
    /// The object's kind, namespace and name; its body is not looked at.
    pub object: Object,
    /// The object's UID, if it must be exactly this one. kubectl has no flag for it, so the command is shown without.
    pub uid: Option<String>,
}

/// What has become of an object that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deleted {
    Gone,
    /// It goes as soon as nothing holds it any more. This is the UID that it has until then.
    Going {
        uid: String,
    },
}

impl Act for Delete {
    type Done = Deleted;

    fn kubectl(&self, place: &Place) -> String {
        command(place, &["delete", &self.object.reference(), "--ignore-not-found", "--wait=false"])
    }

    async fn execute(&self, cluster: &Cluster) -> Result<Deleted, RequestError> {
        let exactly = |uid| Preconditions { uid: Some(uid), resource_version: None };
        let mut params = DeleteParams::background();
        params.preconditions = self.uid.clone().map(exactly);
        let api = self.object.api(&cluster.client);
        let deleted = api.delete(&self.object.name, &params).await;
        match deleted.map_err(cluster.failed(format!("delete {}", self.object.reference()))) {
            Ok(answer) => {
                // What goes at once is answered with its last form, which says nothing of an end.
                let goes = answer.left().filter(|object| object.metadata.deletion_timestamp.is_some());
                let uid = goes.and_then(|object| object.metadata.uid);
                Ok(uid.map_or(Deleted::Gone, |uid| Deleted::Going { uid }))
            }
            Err(error) if error.cause.is_not_found() => Ok(Deleted::Gone),
            Err(error) => Err(error),
        }
    }
}

/// Eviction of exactly this pod, as when its node is drained: a budget of disruptions may refuse it.
#[derive(Clone, Debug)]
pub struct EvictPod {
    /// The pod's name.
    pub name: String,
    /// The pod's UID.
    pub uid: String,
}

impl EvictPod {
    /// kube's own has the options under a name that the server does not know, and so without what must be so.
    fn eviction(&self, namespace: &str) -> Value {
        json!({
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": { "name": self.name, "namespace": namespace },
            "deleteOptions": { "preconditions": { "uid": self.uid } },
        })
    }
}

impl Act for EvictPod {
    type Done = ();

    fn kubectl(&self, place: &Place) -> String {
        let path = format!("/api/v1/namespaces/{}/pods/{}/eviction", place.namespace, self.name);
        let eviction = format!("{}\n", self.eviction(&place.namespace));
        here(&command(place, &["create", "--raw", &path, "-f", "-"]), "'EOF'", &eviction)
    }

    async fn execute(&self, cluster: &Cluster) -> Result<(), RequestError> {
        let pods = cluster.api::<k8s_openapi::api::core::v1::Pod>();
        let eviction = self.eviction(cluster.namespace());
        let evicted =
            pods.create_subresource::<_, Value>("eviction", &self.name, &PostParams::default(), &eviction).await;
        evicted.map(drop).map_err(cluster.failed(format!("evict pod/{}", self.name)))
    }
}

/// A program run in a container.
#[derive(Clone, Debug)]
pub struct Exec {
    /// The pod's name.
    pub pod: String,
    /// The container's name.
    pub container: &'static str,
    /// The program and its arguments. These are seen by everybody on the node.
    pub command: Vec<String>,
    /// What it reads. Holds no secret.
    pub stdin: String,
    /// How long it may take.
    pub limit: Duration,
}

impl Act for Exec {
    type Done = Ended;

    fn kubectl(&self, place: &Place) -> String {
        let mut words = vec!["exec", "-i", &self.pod, "-c", self.container, "--"];
        words.extend(self.command.iter().map(String::as_str));
        here(&command(place, &words), "'EOF'", &self.stdin)
    }

    async fn execute(&self, cluster: &Cluster) -> Result<Ended, RequestError> {
        let program = Program { pod: &self.pod, container: self.container, command: &self.command };
        exec::run(cluster, program, &self.stdin, self.limit).await
    }
}

/// A kubectl command for a shell, with the flags that lead it to the place.
#[must_use]
pub fn command(place: &Place, words: &[&str]) -> String {
    let flags = place.flags.iter().map(String::as_str).chain(["-n", &place.namespace]);
    let all = ["kubectl"].into_iter().chain(flags).chain(words.iter().copied());
    // Quoting fails on NUL alone, which no argument of a process holds.
    shlex::try_join(all).unwrap_or_default()
}

/// The command with a text as its stdin.
fn here(command: &str, end: &str, text: &str) -> String {
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    format!("{command} <<{end}\n{text}{newline}EOF")
}

fn yaml(body: &Value) -> String {
    // JSON is YAML too, should a value ever have no form of its own there.
    serde_saphyr::to_string(body).unwrap_or_else(|_| body.to_string() + "\n")
}
