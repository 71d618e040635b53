//! The members of a replicated database: waited for before a turn, and read after it.

use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use tokio::time::{Instant, sleep};

use super::by_name::{self, Asking, Question, Way};
use super::moment;
use crate::commands::shared::primary::primary_of;
use crate::context::Ctx;
use crate::dns;
use crate::error::Error;
use crate::exchange::names;
use crate::kubernetes::Cluster;
use crate::observe::replication::Said;
use crate::observe::{Reading, Reason, Snapshot, live, readiness, replication};
use crate::persistence::evidence::{Database, Moment, Resolved, Takeover};
use crate::persistence::identity::PodSeen;

/// How long the members may take until all follow: a former primary may have to copy the data of the new one.
const PATIENCE: Duration = Duration::from_mins(2);

/// The pause before it is looked again.
const PAUSE: Duration = Duration::from_millis(300);

/// Waits until all members are there, follow the one that takes writes, and one of them has every acknowledged row. Else a row
/// would be lost that was on one volume, or nobody could take over. The first look is given.
///
/// # Errors
/// If that is not so in time.
pub async fn settled(ctx: &Ctx, mut snapshot: Snapshot) -> anyhow::Result<Snapshot> {
    let deadline = Instant::now() + PATIENCE;
    let mut is_told = false;
    while let Some(why) = unsettled(&snapshot) {
        if Instant::now() > deadline {
            let hint = ctx.own_command("doctor").to("find out why");
            return Err(Error::new(format!("not started: {why}"), hint).into());
        }
        if !std::mem::replace(&mut is_told, true) {
            ctx.printer.note(format!("waiting up to {} s: {why}", PATIENCE.as_secs()));
        }
        sleep(PAUSE).await;
        snapshot = Snapshot::glance(ctx.cluster().await?).await?;
    }
    Ok(snapshot)
}

/// Why a member could not be stopped now; none if all is well. What may not be read does not count.
fn unsettled(snapshot: &Snapshot) -> Option<String> {
    let pods: Vec<_> = snapshot.members.iter().filter_map(|member| snapshot.pod_of(member)).collect();
    let ready = pods.iter().filter(|pod| readiness::pod(pod)).count();
    let wanted = snapshot.replicas().map_or(pods.len(), |wanted| wanted as usize);
    if ready < wanted {
        return Some(format!("{ready} of {wanted} members are ready"));
    }
    let Some(primary) = snapshot.primary().filter(|pod| readiness::pod(pod)) else {
        return Some("no member takes writes".to_owned());
    };
    let timeline = Said::of(primary).and_then(|said| said.timeline);
    let is_behind = |pod: &&&Pod| pod.name_any() != primary.name_any() && !replication::is_following(pod, timeline);
    let behind = pods.iter().find(is_behind);
    if let Some(behind) = behind {
        return Some(format!("pod/{} does not follow pod/{} yet", behind.name_any(), primary.name_any()));
    }
    let replication = snapshot.replication.present()?;
    replication.synchronous.is_empty().then(|| "no standby has every acknowledged row yet".to_owned())
}

/// Ends with another pod than the one that is stopped once that has the label of the primary.
///
/// # Errors
/// If there is no cluster.
pub async fn promoted(ctx: &Ctx, stopped: &PodSeen) -> anyhow::Result<String> {
    let mut changes = live::pods(ctx.cluster().await?, &format!("{}={}", names::APP, names::POSTGRES));
    while let Some(change) = changes.next().await {
        let live::Change::Pods(pods) = change else { continue };
        let other = pods.iter().find(|pod| replication::is_primary(pod) && pod.name_any() != stopped.name);
        if let Some(pod) = other {
            return Ok(pod.name_any());
        }
    }
    std::future::pending().await
}

/// What is known once the member that was stopped is back.
pub struct Back {
    pub takeover: Reading<Takeover>,
    pub moment: Reading<Moment>,
}

/// Reads the member that takes writes, and then the one that was stopped, as soon as that has all of it. The pod of the backend
/// asks by the name.
pub async fn read(cluster: &Cluster, backend: Option<&str>, before: &Moment, back: &PodSeen) -> Back {
    let deadline = Instant::now() + PATIENCE;
    let (pod, database) = match takes_writes(cluster, deadline).await {
        Ok(found) => found,
        Err(error) => {
            let unknown = Reason::Failed(format!("{error:#}"));
            return Back { takeover: Reading::Unknown(unknown), moment: moment::read_patiently(cluster, back).await };
        }
    };
    let moment = follows(cluster, back, &database, deadline).await;
    let name = match backend {
        Some(backend) => own_name(cluster, backend, before).await,
        None => Reading::NotAsked,
    };
    Back { takeover: Reading::Present(Takeover { pod, database, name }), moment }
}

/// The member that takes writes, with its rows.
async fn takes_writes(cluster: &Cluster, deadline: Instant) -> anyhow::Result<(String, Database)> {
    loop {
        let found = async {
            let pod = primary_of(cluster).await?.pod;
            let database = moment::database(cluster, &pod).await?;
            anyhow::ensure!(!database.server.is_standby, "pod/{pod} takes no writes");
            Ok((pod, database))
        };
        match found.await {
            Err(_) if Instant::now() < deadline => sleep(PAUSE).await,
            found => return found,
        }
    }
}

/// The member that was stopped, once its log reaches as far as the other one's did; or as it is when time is over.
async fn follows(cluster: &Cluster, back: &PodSeen, primary: &Database, deadline: Instant) -> Reading<Moment> {
    let reaches = |moment: &Moment| {
        let server = moment.data.database().map(|database| &database.server);
        server.is_some_and(|own| (own.timeline, own.wal_bytes) >= (primary.server.timeline, primary.server.wal_bytes))
    };
    loop {
        match moment::read(cluster, back).await {
            Ok(moment) if reaches(&moment) || Instant::now() > deadline => return Reading::Present(moment),
            Err(error) if Instant::now() > deadline => {
                return Reading::Unknown(Reason::Failed(format!("{error:#}")));
            }
            _ => sleep(PAUSE).await,
        }
    }
}

/// What the name of the pod that was stopped leads to, once a new server answers there.
async fn own_name(cluster: &Cluster, backend: &str, before: &Moment) -> Reading<Resolved> {
    let start = before.data.database().map_or("", |database| &database.server.start);
    let question = Question { from: backend, about: &before.pod.name, before: start, way: Way::Member };
    let asking = Asking::default();
    match by_name::ask(cluster, question, Instant::now() + dns::SETTLED, &asking).await {
        Reading::Present(answer) => match answer.names.into_iter().next() {
            Some(own) => Reading::Present(own),
            None => Reading::Absent,
        },
        Reading::Unknown(reason) => Reading::Unknown(reason),
        Reading::Absent | Reading::NotAsked => {
            let why = asking.error().unwrap_or_else(|| "it did not answer in time".to_owned());
            Reading::Unknown(Reason::Failed(format!("pod/{} by its own name: {why}", before.pod.name)))
        }
    }
}
