//! `status --watch`: drawn again whenever something has changed.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::timeout;

use super::screen::Screen;
use super::{Args, read, view};
use crate::context::Ctx;
use crate::exchange::names;
use crate::observe::live;

/// Changes come in bursts. What follows within this time is shown together.
const BURST: Duration = Duration::from_millis(150);

/// On a terminal, ages grow also while nothing changes.
const REFRESH: Duration = Duration::from_secs(5);

/// Shows it until the user has seen enough. On a terminal it is drawn in place; elsewhere each change is a line.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<()> {
    // Those of members are shown when it is read again after a while.
    let mut changes = live::changes(ctx.cluster().await?, [names::CLAIM.to_owned()]);
    let mut screen = Screen::new(ctx);
    let mut last = String::new();
    loop {
        let (status, now) = screen.read(async || read(args, ctx, None).await).await?;
        if screen.is_in_place {
            screen.draw(view::lines(&status, args.output.is_wide(), now))?;
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
