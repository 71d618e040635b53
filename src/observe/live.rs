//! The exchange as it changes: watches of its objects, as one stream of changes.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt, select_all};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::serde::de::DeserializeOwned;
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Resource, ResourceExt};

use crate::exchange::names;
use crate::kubernetes::{Cluster, Scoped};

/// What is there now of one kind, whenever something of it has changed.
#[derive(Clone, Debug)]
pub enum Change {
    StatefulSet(Option<Box<StatefulSet>>),
    Deployments(Vec<Deployment>),
    /// The pods of all workloads.
    Pods(Vec<Pod>),
    /// A member's claim, by its name.
    Claim(String, Option<Box<PersistentVolumeClaim>>),
    /// A watch broke off. It starts again by itself, and what is known stays.
    Lost(String),
}

/// All changes from now on of the exchange, whose claims have these names. The first ones say what is there.
#[must_use]
pub fn changes(cluster: &Cluster, claims: impl IntoIterator<Item = String>) -> BoxStream<'static, Change> {
    let ours = || watcher::Config::default().labels(&names::selector());
    let one = |name: &str| watcher::Config::default().fields(&format!("metadata.name={name}"));
    let claim = |name: String| {
        watched::<PersistentVolumeClaim>(cluster, one(&name), move |mut all| {
            Change::Claim(name.clone(), all.pop().map(Box::new))
        })
    };
    let others = [
        watched::<StatefulSet>(cluster, one(names::POSTGRES), |mut all| Change::StatefulSet(all.pop().map(Box::new))),
        watched(cluster, ours(), Change::Deployments),
        watched(cluster, ours(), Change::Pods),
    ];
    select_all(claims.into_iter().map(claim).chain(others)).boxed()
}

/// All changes of one pod from now on: none or one at a time. The first one says whether it is there.
#[must_use]
pub fn pod(cluster: &Cluster, name: &str) -> BoxStream<'static, Change> {
    watched(cluster, watcher::Config::default().fields(&format!("metadata.name={name}")), Change::Pods)
}

/// All changes of the pods that a label selector picks, from now on. The first one says which are there.
#[must_use]
pub fn pods(cluster: &Cluster, selector: &str) -> BoxStream<'static, Change> {
    watched(cluster, watcher::Config::default().labels(selector), Change::Pods)
}

/// The objects of a kind by their names, while a watch tells what changes.
#[derive(Debug)]
struct Known<K> {
    there: BTreeMap<String, K>,
    relisted: BTreeMap<String, K>,
}

impl<K: Resource + Clone> Known<K> {
    /// Takes in an event. Gives what is there now, unless a list is still being taken in.
    fn step(&mut self, event: Event<K>) -> Option<Vec<K>> {
        match event {
            Event::Init => {
                self.relisted.clear();
                return None;
            }
            Event::InitApply(object) => {
                self.relisted.insert(object.name_any(), object);
                return None;
            }
            Event::InitDone => self.there = std::mem::take(&mut self.relisted),
            Event::Apply(object) => {
                self.there.insert(object.name_any(), object);
            }
            Event::Delete(object) => {
                self.there.remove(&object.name_any());
            }
        }
        Some(self.there.values().cloned().collect())
    }
}

fn watched<K>(
    cluster: &Cluster,
    config: watcher::Config,
    change: impl Fn(Vec<K>) -> Change + Send + 'static,
) -> BoxStream<'static, Change>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
    K::Scope: Scoped<K>,
{
    let mut known = Known { there: BTreeMap::new(), relisted: BTreeMap::new() };
    watcher(cluster.api::<K>(), config)
        .backoff(Pauses::default())
        .filter_map(move |event| {
            let change = match event {
                Ok(event) => known.step(event).map(&change),
                Err(error) => Some(Change::Lost(error.to_string())),
            };
            std::future::ready(change)
        })
        .boxed()
}

/// The pauses before a watch that broke off begins again: each twice as long as the one before. kube's own grow to 30 s, for
/// controllers; here somebody waits, who would wait so long after the server is back.
#[derive(Debug, Default)]
struct Pauses(u32);

impl Pauses {
    const FIRST: Duration = Duration::from_millis(200);
    const LONGEST: Duration = Duration::from_millis(1600);
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = Self::FIRST.saturating_mul(1 << self.0.min(8)).min(Self::LONGEST);
        self.0 = self.0.saturating_add(1);
        Some(pause)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.0 = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_begin_anew() {
        let mut pauses = Pauses::default();
        let ms = |pauses: &mut Pauses| pauses.next().unwrap().as_millis();
        assert_eq!([(); 5].map(|()| ms(&mut pauses)), [200, 400, 800, 1600, 1600]);
        pauses.reset();
        assert_eq!(ms(&mut pauses), 200);
    }

    fn pod(name: &str) -> Pod {
        Pod { metadata: kube::core::ObjectMeta { name: Some(name.to_owned()), ..Default::default() }, ..Pod::default() }
    }

    #[test]
    fn a_list_is_taken_in_as_a_whole() {
        let mut known = Known { there: BTreeMap::new(), relisted: BTreeMap::new() };
        let mut names = |event| known.step(event).map(|all| all.iter().map(ResourceExt::name_any).collect::<Vec<_>>());
        assert_eq!(names(Event::Init), None);
        assert_eq!(names(Event::InitApply(pod("a"))), None);
        assert_eq!(names(Event::InitApply(pod("b"))), None);
        assert_eq!(names(Event::InitDone), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(names(Event::Delete(pod("a"))), Some(vec!["b".to_owned()]));
        // What was deleted while the watch was away is not in the new list.
        names(Event::Init);
        names(Event::InitApply(pod("c")));
        assert_eq!(names(Event::InitDone), Some(vec!["c".to_owned()]));
    }
}
