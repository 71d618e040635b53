//! `status --watch`: drawn again whenever something has changed.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::timeout;

use super::{Args, read, view};
use crate::context::Ctx;
use crate::observe::live;
use crate::output::Printer;

/// Changes come in bursts. What follows within this time is shown together.
const BURST: Duration = Duration::from_millis(150);

/// On a terminal, ages grow also while nothing changes.
const REFRESH: Duration = Duration::from_secs(5);

/// Shows it until the user has seen enough. On a terminal it is drawn in place; elsewhere each change is a line.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<()> {
    let mut changes = live::changes(ctx.cluster().await?);
    let in_place = Printer::can_redraw();
    let mut last = String::new();
    loop {
        let (status, now) = read(args, ctx, None).await?;
        if in_place {
            ctx.printer.redraw(&view::lines(&status, args.output.is_wide(), now))?;
        } else {
            let summary = view::summary(&status);
            if summary != last {
                ctx.printer.out(summary.as_str())?;
                last = summary;
            }
        }
        // Without a change the cluster is asked again all the same: Services and the database are not watched.
        if timeout(REFRESH, changes.next()).await.is_ok() {
            while timeout(BURST, changes.next()).await.is_ok() {}
        }
    }
}
