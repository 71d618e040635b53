//! `--open`: the page beside the run, which begins once the user has seen it.

use std::io::{IsTerminal, stderr, stdin};

use super::super::Args;
use crate::commands::shared::confirm;
use crate::commands::shared::page::{self, Page};
use crate::context::Ctx;
use crate::error::Error;
use crate::persistence::How;
use crate::persistence::identity::PodSeen;

/// Refuses to wait for a key where nobody can press one.
pub fn check(args: &Args, ctx: &Ctx) -> Result<(), Error> {
    if args.open && !(stdin().is_terminal() && stderr().is_terminal()) {
        return Err(Error::new(
            "not started: --open waits for Enter, but there is no terminal",
            ctx.own_command("open").to("omit --open; to open the page"),
        ));
    }
    Ok(())
}

/// The page, if it is asked for, before anything is changed.
///
/// # Errors
/// If there is none.
pub async fn listen(args: &Args, ctx: &Ctx) -> anyhow::Result<Option<Page>> {
    if !args.open {
        return Ok(None);
    }
    let page = page::listen(ctx, None)
        .await?
        .ok_or_else(|| Error::new("not started: no frontend pod is ready", ctx.own_command("status")))?;
    Ok(Some(page))
}

/// Opens it, and waits until the user goes on. The page stays for as long as this program runs.
///
/// # Errors
/// If the user does not go on.
pub async fn show(ctx: &Ctx, page: Page, how: How, pod: &PodSeen) -> anyhow::Result<()> {
    let address = page.address(None);
    page.serve_meanwhile(ctx).await?;
    ctx.printer.note(format!("the page is at {address} until this command ends"));
    page::browse(ctx, &address);
    let (name, node) = (&pod.name, pod.node.as_deref().unwrap_or_default());
    let what = match how {
        How::Node => format!("stop node/{node} with pod/{name}"),
        How::Crash => format!("crash the server in pod/{name}"),
        How::Delete | How::Kill | How::Evict | How::Force => format!("delete pod/{name}"),
    };
    ctx.printer.note(format!("press Enter to {what}, and watch the page"));
    match confirm::line().await {
        Some(_) => Ok(()),
        None => Err(Error::new("nothing was deleted: Enter was not pressed", "run it again, or without --open").into()),
    }
}
