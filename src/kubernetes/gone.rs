//! Waits until objects are gone.

use futures_util::StreamExt;
use futures_util::future::join_all;
use kube::Api;
use kube::api::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::time::{Instant, timeout_at};

use super::{Cluster, Object};

/// An object that is on its way out.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// Its kind, namespace and name; the body is not looked at.
    pub object: Object,
    /// Its UID: another object of this name is not waited for.
    pub uid: String,
}

/// Waits until all are gone. Gives those that are still there at the deadline, each as it is then, if that can be read.
pub async fn wait(cluster: &Cluster, leaving: &[Leaving], deadline: Instant) -> Vec<(Object, Option<DynamicObject>)> {
    let left = leaving.iter().map(|one| async move {
        let api = one.object.api(&cluster.client);
        let gone = timeout_at(deadline, until_gone(&api, &one.object.name, &one.uid)).await;
        match gone {
            Ok(()) => None,
            Err(_) => match api.get_opt(&one.object.name).await {
                Ok(Some(there)) if there.metadata.uid.as_deref() == Some(&one.uid) => {
                    Some((one.object.clone(), Some(there)))
                }
                Ok(_) => None,
                Err(_) => Some((one.object.clone(), None)),
            },
        }
    });
    join_all(left).await.into_iter().flatten().collect()
}

/// A watch that breaks off starts again by itself.
async fn until_gone(api: &Api<DynamicObject>, name: &str, uid: &str) {
    let only = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut changes = watcher(api.clone(), only).default_backoff().boxed();
    let is_it = |object: &DynamicObject| object.metadata.uid.as_deref() == Some(uid);
    let mut listed = false;
    while let Some(change) = changes.next().await {
        match change {
            Ok(Event::Init) => listed = false,
            Ok(Event::InitApply(object)) => listed |= is_it(&object),
            Ok(Event::InitDone) if !listed => return,
            Ok(Event::Delete(object)) if is_it(&object) => return,
            // Another one has its name by now.
            Ok(Event::Apply(object)) if !is_it(&object) => return,
            // Who may not list or watch may still look at it.
            Err(_) => match api.get_opt(name).await {
                Ok(there) if !there.as_ref().is_some_and(is_it) => return,
                _ => {}
            },
            Ok(_) => {}
        }
    }
}
