//! Deletes objects, and waits until they are gone.

use std::time::Duration;

use kube::ResourceExt;
use kube::api::DynamicObject;
use tokio::time::Instant;

use crate::context::Ctx;
use crate::kubernetes::act::{Delete, Deleted, command};
use crate::kubernetes::gone::{self, Leaving};

/// Deletes objects one after the other, and says each. Gives those that go as soon as nothing holds them any more.
pub async fn delete(ctx: &Ctx, objects: &[Leaving]) -> anyhow::Result<Vec<Leaving>> {
    let mut going = Vec::new();
    for one in objects {
        match ctx.perform(&Delete { object: one.object.clone(), uid: Some(one.uid.clone()) }).await? {
            Deleted::Gone => ctx.printer.out(format!("{} deleted", one.object.reference()))?,
            Deleted::Going { .. } => going.push(one.clone()),
        }
    }
    Ok(going)
}

/// Waits until all are gone, and explains what is not.
pub async fn gone(ctx: &Ctx, leaving: &[Leaving], deadline: Instant, timeout: Duration) -> anyhow::Result<bool> {
    let cluster = ctx.cluster().await?;
    if leaving.is_empty() {
        return Ok(true);
    }
    let references: Vec<String> = leaving.iter().map(|one| one.object.reference()).collect();
    let limit = format!("--timeout={}s", timeout.as_secs());
    ctx.show(|| {
        let words = ["wait", "--for=delete", &limit].into_iter().chain(references.iter().map(String::as_str));
        command(cluster.place(), &words.collect::<Vec<_>>())
    });
    ctx.printer.note(format!("waiting until everything is gone: {}", references.join(", ")));
    let left = gone::wait(cluster, leaving, deadline).await;
    for one in leaving.iter().filter(|one| left.iter().all(|(object, _)| object.reference() != one.object.reference()))
    {
        ctx.printer.out(format!("{} deleted", one.object.reference()))?;
    }
    let Some((first, _)) = left.first() else { return Ok(true) };
    ctx.printer.error(&format!("not gone within {timeout:?}:"));
    for (object, there) in &left {
        ctx.printer.note(format!("  {} {}", object.reference(), holds(there.as_ref())));
    }
    ctx.printer.hint(
        ctx.by_hand
            .kubectl(["get", &first.reference(), "-o", "yaml"])
            .to("see what blocks it")
            .and("then run teardown again"),
    );
    Ok(false)
}

/// What keeps an object that is being deleted.
fn holds(there: Option<&DynamicObject>) -> String {
    let Some(object) = there else { return "could not be read".to_owned() };
    match (object.metadata.deletion_timestamp.is_some(), object.finalizers()) {
        (false, _) => "is not being deleted: someone has created it again".to_owned(),
        (true, []) => "is being stopped".to_owned(),
        (true, finalizers) => format!("is blocked by finalizers: {}", finalizers.join(", ")),
    }
}
