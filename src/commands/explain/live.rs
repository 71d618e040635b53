//! The objects that a topic is shown with: those of the cluster, or the recorded example.

use crate::commands::shared;
use crate::context::Ctx;
use crate::kubernetes::act::command;
use crate::kubernetes::on;
use crate::lesson::topics::Live;
use crate::observe::details::{self, Details, Wanted};
use crate::text::Hint;

/// The objects, and where they are from.
pub struct Objects {
    pub live: Live,
    /// Whether they are the recorded example.
    pub recorded: bool,
}

/// What the note about the recorded example ends with.
const INSTEAD: &str = "this is a recorded example";

/// Reads the exchange. Where there is none, or no cluster, says so and gives the recorded example.
///
/// # Errors
/// If the recorded example is none, which is a mistake of this program.
pub async fn read(ctx: &Ctx) -> anyhow::Result<Objects> {
    match of_cluster(ctx).await {
        Ok(Ok(live)) => return Ok(Objects { live, recorded: false }),
        Ok(Err(why)) => ctx.printer.note(why),
        Err(error) => ctx.printer.note(format!("no cluster could be read ({error:#}): {INSTEAD}")),
    }
    Ok(Objects { live: Live::recorded()?, recorded: true })
}

/// The exchange as it is, or why there is nothing to show of it.
async fn of_cluster(ctx: &Ctx) -> anyhow::Result<Result<Live, Hint>> {
    let cluster = ctx.cluster().await?;
    let snapshot = shared::snapshot_of_any(ctx).await?;
    let place = cluster.place();
    let here = format!("{}{}", place.namespace, on(&place.context));
    if snapshot.is_empty() {
        let none = Hint::from(format!("there is no exchange in namespace {here}: {INSTEAD}"));
        return Ok(Err(none.and(ctx.own_command("deploy").to("deploy your own"))));
    }
    if snapshot.is_unreadable() {
        let none = Hint::from(format!("you may not read the exchange in namespace {here}: {INSTEAD}"));
        return Ok(Err(none.and(ctx.by_hand.check_permissions())));
    }
    let wanted = Wanted { classes: true, ..Wanted::default() };
    for words in details::kubectl(&snapshot, &place.namespace, &wanted) {
        ctx.show(|| command(place, &words.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    let classes = Details::read(&snapshot, cluster, wanted).await.classes;
    Ok(Ok(Live { namespace: place.namespace.clone(), snapshot, classes }))
}
