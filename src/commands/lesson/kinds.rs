//! Question 1: the same steps in the StatefulSet, in a Deployment without a volume, and in a Deployment with a claim.

use std::time::Duration;

use crate::commands::shared::demo::level_one::{Asked, objects, reading, recorded};
use crate::commands::shared::demo::subject::Stop;
use crate::commands::shared::{demo, practice};
use crate::context::Ctx;
use crate::exchange::level_one::Storage;
use crate::exchange::names;
use crate::kubernetes::Object;
use crate::lesson::kinds::Seen;
use crate::output::{Column, Table};
use crate::persistence::How;
use crate::persistence::contrast;
use crate::persistence::rows::Run;
use crate::text::shortened;

/// The widest cell: three columns have to fit beside each other.
const WIDEST: usize = 25;

/// How long each pod may take: it starts an empty database, perhaps on a volume that must be created first.
const PATIENCE: Duration = Duration::from_mins(1);

/// Does it, one after another, and gives the commands that do the same by hand.
///
/// # Errors
/// If the exchange's own part cannot be done.
pub async fn observe(ctx: &Ctx, run: &Run, is_alone: bool, yes: bool) -> anyhow::Result<(Seen, Vec<String>)> {
    room(ctx, run).await?;
    let report = demo::of_exchange(ctx, run, is_alone, yes).await?;
    ctx.keep_commands();
    let asked = |storage| Asked { storage, rows: demo::ROWS, stop: Stop { how: How::Delete, timeout: PATIENCE } };
    let level_1 = reading(Box::pin(recorded(ctx, run, asked(Storage::Empty))).await);
    let with_claim = reading(Box::pin(recorded(ctx, run, asked(Storage::Claim))).await);
    let by_hand = report.about.by_hand.into_iter().chain(ctx.kept_commands()).collect();
    let seen = Seen { level_2: report.evidence, level_1, with_claim };
    show(ctx, run, &seen)?;
    Ok((seen, by_hand))
}

/// Nothing is deleted where the Deployments would have no room after it.
async fn room(ctx: &Ctx, run: &Run) -> anyhow::Result<()> {
    practice::owner(ctx.cluster().await?, run).await?;
    practice::storage(ctx).await?;
    let with_claim = objects(ctx, run, Storage::Claim).await?;
    let claim = with_claim.claim.iter().map(Object::of);
    let trials = claim.chain([Object::of(&with_claim.pod())]).collect::<anyhow::Result<Vec<_>>>()?;
    practice::takes(ctx, &trials, "room for one more pod and one more claim").await
}

/// All three beside each other. What the cluster has made up of names is shown short.
fn show(ctx: &Ctx, run: &Run, seen: &Seen) -> anyhow::Result<()> {
    let (Some(level_1), Some(with_claim)) = (seen.level_1.present(), seen.with_claim.present()) else { return Ok(()) };
    let columns = ["CONTRAST", "DEPLOYMENT", "DEPLOYMENT+CLAIM", "STATEFULSET"].map(Column::always);
    let own = names::level_1(run.as_str());
    let mut table = Table::new(&columns, false);
    for line in contrast::table(&[level_1, with_claim], &seen.level_2) {
        let short = |cell: String| shortened(&cell.replace(&own, "…"), WIDEST).into_owned();
        table.row(line.into_iter().map(short));
    }
    ctx.printer.out(format!("… stands for {own}"))?;
    ctx.printer.out_text(&table.text())
}
