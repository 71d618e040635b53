//! Makes a fault, step by step. Nothing of it is shown.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::in_flight::InFlight;
use crate::commands::shared::exercise::{live, restore};
use crate::error::Error;
use crate::exchange::{names, objects};
use crate::kubernetes::act::{Act, Create, Delete, DeletePod, Exec};
use crate::kubernetes::{Cause, Cluster, Object};
use crate::lesson::exercise::fault::{Fault, Step};
use crate::lesson::exercise::part::Part;
use crate::lesson::exercise::path::{Path, merge_patch};
use crate::lesson::exercise::record::{Kept, Record};
use crate::observe::readiness;

/// The pause before something is read again.
const PAUSE: Duration = Duration::from_millis(250);

/// How long one lookup of a name may take.
const LOOKUP: Duration = Duration::from_secs(10);

/// As many pods as one app of an exchange ever has.
const MOST: u32 = 50;

/// Makes it. What it changes of the record is written there.
///
/// # Errors
/// If a step cannot be done, or its time is over.
pub async fn fault(
    cluster: &Cluster,
    fault: &Fault,
    record: &mut Record,
    in_flight: &InFlight,
    deadline: Instant,
) -> anyhow::Result<()> {
    for step in &fault.steps {
        match step {
            Step::WaitForUpdate { part } => updated(cluster, *part, deadline).await?,
            Step::WaitForNoName { service } => no_name(cluster, service, deadline).await?,
            change => {
                let (cluster, change, before) = (cluster.clone(), change.clone(), record.before.clone());
                let changed = in_flight.follow(async move { changed(&cluster, change, &before, deadline).await });
                if let Some(claim) = changed.await?? {
                    record.claim = claim;
                }
            }
        }
    }
    Ok(())
}

/// Makes a change. Gives the UID of the claim, if that is another one by now.
async fn changed(
    cluster: &Cluster,
    change: Step,
    before: &BTreeMap<String, Kept>,
    deadline: Instant,
) -> anyhow::Result<Option<String>> {
    match change {
        Step::Set { part, path, value } => set(cluster, part, &path, value).await?,
        Step::Restore { part, path } => {
            let value = before.get(part.key()).and_then(|kept| path.get(&kept.fields)).cloned();
            set(cluster, part, &path, value).await?;
        }
        Step::CreateSecret { name } => create_secret(cluster, name).await?,
        Step::DeletePods { app } => delete_pods(cluster, app).await?,
        Step::ReplaceClaim => return replace_claim(cluster, before, deadline).await.map(Some),
        Step::WaitForUpdate { .. } | Step::WaitForNoName { .. } => {}
    }
    Ok(None)
}

async fn create_secret(cluster: &Cluster, name: &str) -> anyhow::Result<()> {
    let object = Object::of(&objects::secret_of_exercise(cluster.namespace(), name)?)?;
    match (Create { object, hidden: None, dry_run: false }).execute(cluster).await {
        Err(error) if matches!(error.cause, Cause::Conflict { .. }) => {
            let there = cluster.place().by_hand.kubectl(["get", "secret", name]).to("see it");
            let says = format!("secret/{name}, which this exercise would create, exists already");
            Err(Error::new(says, there.and("or start another exercise")).into())
        }
        created => Ok(created.map(drop)?),
    }
}

async fn set(cluster: &Cluster, part: Part, path: &Path, value: Option<Value>) -> anyhow::Result<()> {
    let reference = part.reference(cluster.namespace());
    let is_set = live::patch(cluster, part, drop, |now| {
        let Some(now) = now else { anyhow::bail!("{reference} was deleted by somebody else") };
        let fields = part.fields(now);
        let mut after = fields.clone();
        anyhow::ensure!(path.set(&mut after, value.clone()), "{reference} is not as deploy makes it");
        Ok(merge_patch(&fields, &after))
    });
    anyhow::ensure!(is_set.await?, "{reference} is changed again and again by somebody else");
    Ok(())
}

/// Waits until a workload runs as it was changed.
async fn updated(cluster: &Cluster, part: Part, deadline: Instant) -> anyhow::Result<()> {
    let name = part.name(cluster.namespace());
    while Instant::now() < deadline {
        let is_updated = match part {
            Part::Set => cluster.get::<StatefulSet>(&name).await?.is_some_and(|set| goes_back_to_newest(&set)),
            _ => cluster.get::<Deployment>(&name).await?.is_some_and(|deployment| readiness::deployment(&deployment)),
        };
        if is_updated {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
    Err(late("a pod that was changed is not ready"))
}

/// Whether a pod that is kept from an update would be of the revision that is the newest now.
fn goes_back_to_newest(set: &StatefulSet) -> bool {
    let status = set.status.as_ref();
    readiness::statefulset(set) && status.is_some_and(|status| status.current_revision == status.update_revision)
}

async fn delete_pods(cluster: &Cluster, app: &str) -> anyhow::Result<()> {
    let selector = format!("{},{}={app}", names::selector(), names::APP);
    for pod in cluster.list::<Pod>(&ListParams::default().labels(&selector).limit(MOST)).await? {
        let delete = DeletePod { name: pod.name_any(), uid: pod.uid().unwrap_or_default(), grace: None };
        match delete.execute(cluster).await {
            Err(error) if !error.cause.is_not_found() => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Waits until a name resolves no more where the backend asks for it.
async fn no_name(cluster: &Cluster, service: &str, deadline: Instant) -> anyhow::Result<()> {
    let selector = format!("{},{}={}", names::selector(), names::APP, names::BACKEND);
    let pods = cluster.list::<Pod>(&ListParams::default().labels(&selector).limit(MOST)).await?;
    let running = pods.iter().find(|pod| pod.metadata.deletion_timestamp.is_none());
    let Some(pod) = running.map(ResourceExt::name_any) else { return Ok(()) };
    let command = ["getent", "ahosts", service].map(str::to_owned).to_vec();
    let lookup = Exec { pod, container: names::BACKEND, command, stdin: String::new(), limit: LOOKUP };
    while Instant::now() < deadline {
        if lookup.execute(cluster).await?.code != 0 {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
    Err(late("the name of a Service still resolves"))
}

/// Deletes the claim, and creates it again: the volume waits for the one that is gone. Gives the new one's UID.
async fn replace_claim(
    cluster: &Cluster,
    before: &BTreeMap<String, Kept>,
    deadline: Instant,
) -> anyhow::Result<String> {
    let Some(kept) = before.get(Part::Claim.key()) else { anyhow::bail!("there is no claim") };
    let object = Part::Claim.object(cluster.namespace(), Value::Null);
    (Delete { object: object.clone(), uid: Some(kept.uid.clone()) }).execute(cluster).await?;
    // It goes when no pod uses it.
    delete_pods(cluster, names::POSTGRES).await?;
    while let Some(there) = cluster.get_object(&object).await? {
        if there.uid() != Some(kept.uid.clone()) {
            break;
        }
        if Instant::now() > deadline {
            return Err(late("the claim is not gone"));
        }
        sleep(PAUSE).await;
    }
    let created = restore::create_claim(cluster, kept).execute(cluster).await?;
    Ok(created.uid().unwrap_or_default())
}

fn late(what: &str) -> anyhow::Error {
    Error::too_late(format!("the exercise could not be started in time: {what}"), "try again with a longer --timeout")
        .into()
}
