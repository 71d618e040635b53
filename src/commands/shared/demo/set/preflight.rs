//! What must be so before a pod is deleted: else it could do harm, or would prove nothing.

use std::time::Duration;

use futures_util::future::join_all;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kube::ResourceExt;
use kube::api::ListParams;
use kube::core::Selector;
use tokio::time::{Instant, sleep};

use super::container::{self, Wanted};
use crate::commands::shared::{namespace, next_pod, target};
use crate::context::Ctx;
use crate::error::Error;
use crate::kubernetes::Cluster;
use crate::kubernetes::act::command;
use crate::observe::{Reading, readiness, snapshot};
use crate::persistence::ending::{self, Ending};
use crate::persistence::evidence::SetSeen;
use crate::persistence::identity::claims;
use crate::persistence::revision;
use crate::text::Hint;

/// The set, and its pods as they are to be deleted.
#[derive(Debug, PartialEq, Eq)]
pub struct Ready {
    pub set: SetSeen,
    /// Its pods, in the order in which the set itself replaces them: the highest ordinal first.
    pub members: Vec<Member>,
    /// The Service that the set names.
    pub service: Option<String>,
}

/// A pod of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub pod: String,
    /// The container in which commands are run.
    pub container: String,
    pub claims: Vec<String>,
}

/// Why no pod may be deleted, and what helps.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    why: String,
    helps: Help,
}

/// What helps.
#[derive(Debug, PartialEq, Eq)]
enum Help {
    /// A command of kubectl, by its words.
    Kubectl(Vec<String>),
    /// To name the container.
    Container,
}

impl Member {
    fn of(pod: &Pod, wanted: Wanted) -> Result<Self, Refusal> {
        let refusal = |why| Refusal { why: format!("pod/{} {why}", pod.name_any()), helps: Help::Container };
        let container = container::choose(pod, wanted).map_err(refusal)?;
        Ok(Self { pod: pod.name_any(), container, claims: claims(pod) })
    }
}

impl Refusal {
    fn new(why: impl Into<String>, helps: &[&str]) -> Self {
        Self { why: why.into(), helps: Help::Kubectl(helps.iter().map(|word| (*word).to_owned()).collect()) }
    }

    fn error(self, cluster: &Cluster, what: &str) -> anyhow::Error {
        let hint = match self.helps {
            Help::Kubectl(words) => cluster.place().by_hand.kubectl(words).into(),
            Help::Container => Hint::from("choose the one that has the data: --container NAME"),
        };
        Error::new(format!("{what}: {}", self.why), hint).into()
    }
}

/// The label by which a pod says of which revision of its set it is.
const REVISION: &str = "controller-revision-hash";

/// How long the set may take to be as it was before, between one pod and the next.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);

/// Reads it, and refuses where it must.
pub async fn check(ctx: &Ctx, name: &str, container: Wanted<'_>) -> anyhow::Result<Ready> {
    let cluster = ctx.cluster().await?;
    ctx.show(|| command(cluster.place(), &["get", "statefulset", name, "-o", "yaml"]));
    ctx.show(|| command(cluster.place(), &["get", "pods", "-o", "wide"]));
    read(ctx, name, container).await?.map_err(|refusal| refusal.error(cluster, "not started"))
}

/// Waits until the set is as it was before, but for who its pods are.
pub async fn again(ctx: &Ctx, before: &Ready, container: Wanted<'_>) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let refused = |refusal: Refusal| refusal.error(cluster, "no other pod was deleted");
        let error = match read(ctx, &before.set.name, container).await {
            Ok(Ok(now)) if now == *before => return Ok(()),
            Ok(Ok(_)) => {
                let describe = ["describe", &format!("statefulset/{}", before.set.name)];
                refused(Refusal::new("the StatefulSet was replaced meanwhile", &describe))
            }
            Ok(Err(refusal)) => refused(refusal),
            // A server that is away for a while is waited for too.
            Err(error) => error,
        };
        if Instant::now() > deadline {
            return Err(error);
        }
        sleep(PAUSE).await;
    }
}

async fn read(ctx: &Ctx, name: &str, container: Wanted<'_>) -> anyhow::Result<Result<Ready, Refusal>> {
    let cluster = ctx.cluster().await?;
    let Some(set) = cluster.get::<StatefulSet>(name).await? else {
        let why = format!("statefulset/{name} does not exist in namespace {}", cluster.namespace());
        namespace::check(cluster).await?;
        return Ok(Err(Refusal::new(why, &["get", "statefulsets"])));
    };
    if target::is_the_exchanges(&set) && !snapshot::makes_claims(&set) {
        let why = format!("not started: statefulset/{name} is the exchange's own, for which there are more checks");
        return Err(Error::new(why, ctx.own_command("persistence-demo").to("omit --target")).into());
    }
    let selector = set.spec.as_ref().map(|spec| spec.selector.clone()).unwrap_or_default();
    let selector: Selector = selector.try_into()?;
    let pods = cluster.list::<Pod>(&ListParams::default().labels_from(&selector)).await?;
    Ok(match judge(&set, &pods, container) {
        Ok(ready) => match storage_stays(cluster, &ready.members).await {
            Ok(()) => come_back(ctx, &pods, &ready.members).await?.map(|()| ready),
            Err(refusal) => Err(refusal),
        },
        Err(refusal) => Err(refusal),
    })
}

/// No pod may be deleted whose next one is refused, or lacks what it needs.
async fn come_back(ctx: &Ctx, pods: &[Pod], members: &[Member]) -> anyhow::Result<Result<(), Refusal>> {
    let cluster = ctx.cluster().await?;
    // They come back of the revision that they are of, as like as one to the other.
    for pod in pods.iter().filter(|pod| members.iter().any(|member| member.pod == pod.name_any())).take(1) {
        let next = next_pod::like(pod);
        let refusal = match next_pod::not_in_place_of(cluster, pod, &next).await? {
            None => next_pod::image_is_gone(ctx, pod, &next).await?,
            refusal => refusal,
        };
        if let Some(why) = refusal {
            let why = format!("the next pod/{} could not be created: {why}", pod.name_any());
            return Ok(Err(Refusal::new(why, &["describe", &format!("pod/{}", pod.name_any())])));
        }
    }
    Ok(Ok(()))
}

/// No claim may end with its pod, nor the volume under it. What may not be read is not held against it.
async fn storage_stays(cluster: &Cluster, members: &[Member]) -> Result<(), Refusal> {
    let claims = members.iter().flat_map(|member| member.claims.iter().map(move |claim| (&member.pod, claim)));
    let read = join_all(claims.map(|(pod, name)| async move {
        let claim = Reading::from(cluster.get::<PersistentVolumeClaim>(name).await);
        let volume = match claim.present().and_then(|claim| claim.spec.as_ref()?.volume_name.as_deref()) {
            Some(volume) => Reading::from(cluster.get::<PersistentVolume>(volume).await),
            None => Reading::NotAsked,
        };
        (pod, name, ending::of(name, &claim, &volume))
    }));
    let ends = read.await.into_iter().find_map(|(pod, name, ending)| Some((pod, name, ending?)));
    ends.map_or(Ok(()), |(pod, name, ending)| Err(of_ending(pod, name, ending)))
}

fn of_ending(pod: &str, claim: &str, Ending { says, keep }: Ending) -> Refusal {
    let why = format!("the data of pod/{pod} would be lost: {says}");
    match keep {
        Some(volume) => Refusal::new(why, &["patch", "persistentvolume", &volume, "-p", ending::RETAIN]),
        None => Refusal::new(why, &["describe", &format!("persistentvolumeclaim/{claim}")]),
    }
}

/// The pods that may be deleted, if all may.
fn judge(set: &StatefulSet, pods: &[Pod], container: Wanted) -> Result<Ready, Refusal> {
    let (name, uid) = (set.name_any(), set.uid().unwrap_or_default());
    let service = set.spec.as_ref().and_then(|spec| spec.service_name.clone()).filter(|name| !name.is_empty());
    let pods = pods_of(set, pods)?;
    let members: Vec<Member> = pods.iter().map(|pod| Member::of(pod, container)).collect::<Result<_, _>>()?;
    shared(&name, &members)?;
    rollout(set, &pods)?;
    if let Some(pod) = pods.iter().find(|pod| !readiness::pod(pod)) {
        let pod = format!("pod/{}", pod.name_any());
        return Err(Refusal::new(format!("{pod} is not ready"), &["wait", &pod, "--for=condition=Ready"]));
    }
    Ok(Ready { set: SetSeen { name, uid }, members, service })
}

/// The pods that the set shall have, the highest ordinal first.
fn pods_of<'a>(set: &StatefulSet, pods: &'a [Pod]) -> Result<Vec<&'a Pod>, Refusal> {
    let (name, uid) = (set.name_any(), set.uid());
    let set_ref = format!("statefulset/{name}");
    let spec = set.spec.as_ref();
    let replicas = spec.and_then(|spec| spec.replicas).unwrap_or(1);
    if replicas < 1 {
        return Err(Refusal::new(format!("{set_ref} has no replicas"), &["scale", &set_ref, "--replicas=1"]));
    }
    let first = spec.and_then(|spec| spec.ordinals.as_ref()?.start).unwrap_or(0);
    let names = (first..first.saturating_add(replicas)).rev().map(|number| format!("{name}-{number}"));
    let find = |pod: String| {
        let mut of_set =
            pods.iter().filter(|one| one.owner_references().iter().any(|owner| Some(&owner.uid) == uid.as_ref()));
        let found = of_set.find(|one| one.name_any() == pod);
        found.ok_or_else(|| Refusal::new(format!("{set_ref} has no pod/{pod}"), &["describe", &set_ref]))
    };
    names.map(find).collect()
}

/// No two pods may have one claim.
fn shared(set: &str, members: &[Member]) -> Result<(), Refusal> {
    for (at, member) in members.iter().enumerate() {
        for other in &members[at + 1..] {
            if let Some(claim) = member.claims.iter().find(|claim| other.claims.contains(claim)) {
                let why = format!(
                    "several replicas share pvc/{claim}: pod/{} and pod/{} write to one volume",
                    member.pod, other.pod
                );
                return Err(Refusal::new(why, &["scale", &format!("statefulset/{set}"), "--replicas=1"]));
            }
        }
    }
    Ok(())
}

/// Each pod must be of the revision of which it would come back.
fn rollout(set: &StatefulSet, pods: &[&Pod]) -> Result<(), Refusal> {
    let set_ref = format!("statefulset/{}", set.name_any());
    for pod in pods {
        let name = pod.name_any();
        let ordinal = name.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default();
        let Some(next) = revision::of_next(set, ordinal) else {
            let why = format!("the controller has not processed the newest {set_ref} yet");
            return Err(Refusal::new(why, &["describe", &set_ref]));
        };
        if pod.labels().get(REVISION).is_none_or(|now| now != next) {
            let changed = format!("pod/{name} would be created from another revision, {next}");
            return Err(if revision::is_rolled_out(set, ordinal) {
                Refusal::new(format!("a rollout is in progress: {changed}"), &["rollout", "status", &set_ref])
            } else {
                Refusal::new(changed, &["rollout", "history", &set_ref])
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn set() -> Value {
        json!({
            "metadata": { "name": "store", "uid": "set", "generation": 2 },
            "spec": { "replicas": 2, "serviceName": "store", "selector": {}, "template": {} },
            "status": { "replicas": 2, "observedGeneration": 2, "updateRevision": "b" },
        })
    }

    fn pod(number: u32) -> Value {
        json!({
            "metadata": { "name": format!("store-{number}"), "labels": { "controller-revision-hash": "b" },
                          "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "store",
                                                "uid": "set", "controller": true }] },
            "spec": { "containers": [{ "name": "main" }, { "name": "side" }],
                      "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": format!("data-{number}") } },
                                  { "name": "tmp", "emptyDir": {} }] },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
        })
    }

    fn judged(set: &Value, pods: &[Value]) -> Result<Ready, Refusal> {
        let pods: Vec<Pod> = pods.iter().map(|pod| serde_json::from_value(pod.clone()).unwrap()).collect();
        judge(&serde_json::from_value(set.clone()).unwrap(), &pods, Wanted::Any)
    }

    /// The healthy set with one thing otherwise, and the words by which it is refused.
    fn refuses(words: &str, change: impl FnOnce(&mut Value, &mut [Value; 2])) {
        let (mut set, mut pods) = (set(), [pod(0), pod(1)]);
        change(&mut set, &mut pods);
        let refusal = judged(&set, &pods).unwrap_err();
        assert!(refusal.why.contains(words), "no {words:?} in {refusal:?}");
    }

    #[test]
    fn pods_are_taken_in_the_sets_own_order() {
        let ready = judged(&set(), &[pod(0), pod(1), pod(2)]).unwrap();
        let pods: Vec<&str> = ready.members.iter().map(|member| member.pod.as_str()).collect();
        assert_eq!(pods, ["store-1", "store-0"]);
        let member = &ready.members[0];
        assert_eq!((member.container.as_str(), member.claims.as_slice()), ("main", &["data-1".to_owned()][..]));
        let mut from_seven = set();
        from_seven["spec"]["ordinals"] = json!({ "start": 7 });
        assert_eq!(judged(&from_seven, &[pod(7), pod(8)]).unwrap().members[0].pod, "store-8");
        let mut named = pod(1);
        named["metadata"]["annotations"] = json!({ "kubectl.kubernetes.io/default-container": "side" });
        assert_eq!(judged(&set(), &[pod(0), named]).unwrap().members[0].container, "side");
    }

    #[test]
    fn where_it_would_prove_nothing_it_is_refused() {
        refuses("no replicas", |set, _| set["spec"]["replicas"] = 0.into());
        refuses("not processed the newest", |set, _| set["metadata"]["generation"] = 3.into());
        refuses("not processed the newest", |set, _| set["status"]["updateRevision"] = Value::Null);
        refuses("rollout is in progress: pod/store-1", |set, _| set["status"]["updateRevision"] = "c".into());
        refuses("rollout is in progress: pod/store-0", |_, pods| {
            pods[0]["metadata"]["labels"]["controller-revision-hash"] = "a".into();
        });
        refuses("pod/store-0 is not ready", |_, pods| pods[0]["status"]["conditions"][0]["status"] = "False".into());
        refuses("pod/store-1 is not ready", |_, pods| {
            pods[1]["metadata"]["deletionTimestamp"] = "2026-11-24T02:00:00Z".into();
        });
        refuses("has no pod/store-1", |_, pods| pods[1]["metadata"]["name"] = "store-9".into());
        refuses("has no pod/store-1", |_, pods| pods[1]["metadata"]["ownerReferences"][0]["uid"] = "other".into());
        refuses("several replicas share pvc/data-0: pod/store-1 and pod/store-0", |_, pods| {
            pods[1]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] = "data-0".into();
        });
    }

    /// By the words, and by the command that helps, which the set must not refuse.
    #[test]
    fn a_pod_that_comes_back_as_it_is_may_be_taken_and_one_that_does_not_may_not() {
        let newer = |strategy: Value, of: &mut Value| {
            of["spec"]["updateStrategy"] = strategy;
            of["status"]["currentRevision"] = "b".into();
            of["status"]["updateRevision"] = "c".into();
        };
        let partition = |at: u32| json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": at } });
        let refusal = |strategy: Value| {
            let mut set = set();
            newer(strategy, &mut set);
            judged(&set, &[pod(0), pod(1)]).map_err(|refusal| (refusal.why, refusal.helps))
        };
        let helps = |verb: &str| Help::Kubectl(["rollout", verb, "statefulset/store"].map(str::to_owned).into());
        assert!(refusal(partition(2)).is_ok(), "all are kept below the partition");
        let in_progress = "a rollout is in progress: pod/store-1 would be created from another revision, c".to_owned();
        assert_eq!(refusal(partition(1)).unwrap_err(), (in_progress, helps("status")));
        let on_delete = "pod/store-1 would be created from another revision, c".to_owned();
        assert_eq!(refusal(json!({ "type": "OnDelete" })).unwrap_err(), (on_delete, helps("history")));
        // One that was updated before the partition was put above it goes back.
        let mut set = set();
        newer(partition(2), &mut set);
        set["status"]["currentRevision"] = "a".into();
        let goes_back = judged(&set, &[pod(0), pod(1)]).unwrap_err();
        assert_eq!(goes_back.why, "pod/store-1 would be created from another revision, a");
        assert_eq!(goes_back.helps, helps("history"));
    }

    #[test]
    fn one_replica_may_have_a_plain_claim() {
        let mut one = set();
        one["spec"]["replicas"] = 1.into();
        assert_eq!(judged(&one, &[pod(0)]).unwrap().members.len(), 1);
    }
}
