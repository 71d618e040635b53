//! What names resolve to in a pod, as `dns-check` and `doctor` ask for it.

mod asker;
mod hear;

use std::time::Duration;

use tokio::join;
use tokio::time::timeout;

pub use asker::AskingPod;
pub use hear::{Asking, caching, hear};

use crate::context::Ctx;
use crate::dns::heard::Heard;
use crate::dns::{Facts, Names, names};
use crate::exchange::names::SERVICES;
use crate::kubernetes::{Cluster, Place, act};
use crate::observe::{self, Reading, Reason, Snapshot};

/// How long all of it may take where it is one look of many.
const DEADLINE: Duration = Duration::from_secs(6);

/// How long one answer may take there. It must be less, or a server that is silent were not heard of.
const PATIENCE: Duration = Duration::from_secs(4);

/// What is known of names: asked from a pod of the backend or of the set, and changing nothing. Why it could not be asked is a part of it.
pub async fn read(cluster: &Cluster, snapshot: &Snapshot) -> Names {
    let from = AskingPod::running(snapshot);
    let (heard, server) = join!(Box::pin(listen(cluster, snapshot, from.as_ref())), observe::dns::server(cluster));
    Names { pod: from.map(|from| from.pod), heard, server }
}

async fn listen(cluster: &Cluster, snapshot: &Snapshot, from: Option<&AskingPod>) -> Reading<Heard> {
    let Some(from) = from else {
        // Which pods there are is not known: that is said of the pods.
        return if snapshot.pods.present().is_some() { Reading::Absent } else { Reading::NotAsked };
    };
    let facts = Facts::new(cluster.namespace(), snapshot);
    let asking = Asking { patience: Some(PATIENCE), ..Asking::default() };
    match timeout(DEADLINE, hear(cluster, from, &facts, asking)).await {
        Ok(Ok(Ok(heard))) => Reading::Present(Heard { caching: caching(cluster, &heard).await, ..heard }),
        Ok(Ok(Err(why))) => Reading::Unknown(Reason::Failed(why)),
        Ok(Err(error)) => Reading::Unknown(error.into()),
        Err(_) => Reading::Unknown(Reason::Failed(format!("it took longer than {DEADLINE:?}"))),
    }
}

/// Shows how the same is asked by hand.
pub fn show(ctx: &Ctx, place: &Place, from: &AskingPod, facts: &Facts, typed: &[String]) {
    for question in names::as_an_application(facts, None, typed) {
        ctx.show(|| {
            act::command(place, &["exec", &from.pod, "-c", &from.container, "--", "getent", "ahosts", &question.name])
        });
    }
}

/// Shows how the objects of the DNS server are read by hand.
pub fn show_its_objects(ctx: &Ctx, place: &Place) {
    let (namespace, words) = observe::dns::KUBECTL;
    ctx.show(|| act::command(&Place { namespace: namespace.to_owned(), ..place.clone() }, &words));
}

/// Shows how a temporary pod asks the DNS server itself.
pub fn show_server(ctx: &Ctx, place: &Place, facts: &Facts) {
    ctx.show(|| {
        act::command(place, &[&names::NSLOOKUP[..], &[&format!("{}.{}.svc", SERVICES[0], facts.namespace)]].concat())
    });
}
