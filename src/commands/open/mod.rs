//! `open`: the page, at a port of this machine.

use super::shared::{page, waiting};
use crate::context::Ctx;
use crate::error::Outcome;
use crate::exchange::{names, wallets};
use crate::output::{Line, Role};

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin open
  kubectl kubecoin open --wallet anna        # her wallet
  kubectl kubecoin open --no-browser         # only print the address
  kubectl kubecoin open --port 8080          # at this port, or the next one that is free

It goes on until Ctrl-C, also while the pod of the page is replaced, and listens to this
machine alone. A namespace has the same port each time.";

/// What `open` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Open this wallet
    #[arg(long, value_name = "ID", value_parser = wallets::id)]
    wallet: Option<String>,

    /// The port of this machine; by default one that belongs to the namespace
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// Do not open a browser
    #[arg(long)]
    no_browser: bool,
}

/// Forwards until interrupted, or says why there is nothing to forward to.
///
/// # Errors
/// If the cluster cannot be asked, or no port of this machine is free.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let Some(page) = page::listen(ctx, args.port).await? else {
        return not_ready(ctx).await;
    };
    let address = page.address(args.wallet.as_deref());
    ctx.printer.out(address.as_str())?;
    ctx.printer.note(
        Line::from("the page of namespace ")
            .and(Role::Title, ctx.cluster().await?.namespace())
            .and(Role::Plain, " is there as long as this runs; Ctrl-C ends it"),
    );
    if !args.no_browser {
        page::browse(ctx, &address);
    }
    page.serve(ctx).await?;
    Ok(Outcome::Holds)
}

async fn not_ready(ctx: &Ctx) -> anyhow::Result<Outcome> {
    let mut reasons = waiting::reasons(ctx, names::FRONTEND).await?;
    if reasons.is_empty() {
        // That nothing is deployed concerns every app, and is said of the first.
        reasons = waiting::reasons(ctx, names::POSTGRES).await?;
    }
    ctx.printer.error("there is no page to open: no pod of the frontend is ready");
    for finding in &reasons {
        ctx.printer.note(waiting::line(finding));
    }
    match reasons.first() {
        Some(finding) => ctx.printer.hint(&finding.hint),
        None => ctx.printer.hint(ctx.own_command("status").to("see how it is")),
    }
    Ok(Outcome::DoesNotHold)
}
